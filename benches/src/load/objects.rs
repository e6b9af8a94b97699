//! One dataset of a million objects in the embedded store, dropped through its S3 API: ten batches, with a kill in
//! between; what a look at it costs afterwards; the stack on top of it.

use std::collections::HashSet;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use aws_sdk_s3::Client;
use serde_json::{Value, json};

use super::stack::{How, Stack, console_config};
use crate::batch::drop_texts;
use crate::lambda::Function;
use crate::measure::binary;
use crate::measure::{LAMBDA_SECONDS, Memory};
use crate::store::{OUTPUT, Store};

/// The baseline is a dataset of one part of so many.
const SMALL: usize = 100;
/// Items of one job of texts, at most.
const BATCH: usize = 100_000;

pub(super) async fn run(scratch: &Path, objects: usize) -> Result<()> {
    println!("\none dataset of {objects} texts in the embedded store");
    let folder = tempfile::tempdir_in(scratch)?;
    let store = Store::start(&folder.path().join("s3"), 0).await?;
    let client = store.client();
    let start = Instant::now();
    let few = objects.div_ceil(SMALL);
    drop_texts(&client, "large", objects).await?;
    drop_texts(&client, "small", few).await?;
    println!(
        "  dropped through the S3 API: {:.0} objects/s; {:.2} GB on disk",
        objects as f64 / start.elapsed().as_secs_f64(),
        size_of(folder.path())? as f64 / 1e9
    );
    let baseline = few as f64 / small(&store).await?;
    println!(
        "  {few} texts of the same store: {baseline:.0} objects a second of processor time   (baseline)"
    );

    let whole = objects.div_ceil(BATCH);
    let written = kill_after(&store, &client, (whole / 3).max(1)).await?;
    let left = objects.saturating_sub(written * BATCH);
    go_on(&store, left, baseline).await?;
    check(&client, objects).await?;
    look_again(&store).await?;
    println!("  peak of the store: {}", Memory(store.peak_memory()?));
    store.stop().await?;
    on_top(folder.path(), whole).await
}

/// Processor time of a small dataset, in seconds.
async fn small(store: &Store) -> Result<f64> {
    let mut function = Function::start(&binary("build-manifest")?, &store.environment()).await?;
    function.invoke(json!({"sweep": ["small"]})).await?;
    function.processor_seconds()
}

/// Kills build-manifest when it has written so many batches, and gives how many there are then.
async fn kill_after(store: &Store, client: &Client, batches: usize) -> Result<usize> {
    let mut function = Function::start(&binary("build-manifest")?, &store.environment()).await?;
    let start = Instant::now();
    let enough = async {
        while manifests(client).await?.len() < batches {
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
        anyhow::Ok(())
    };
    tokio::select! {
        reply = function.invoke(json!({"sweep": ["large"]})) => { reply?; }
        enough = enough => enough?,
    }
    let peak = Memory(function.peak_memory()?);
    drop(function);
    let there = manifests(client).await?.len();
    println!(
        "  killed after {:.0} s with {there} batches written; peak {peak}",
        start.elapsed().as_secs_f64()
    );
    Ok(there)
}

/// A new process does the rest, in as many invocations as it takes.
async fn go_on(store: &Store, left: usize, baseline: f64) -> Result<()> {
    let mut function = Function::start(&binary("build-manifest")?, &store.environment()).await?;
    let mut longest = 0_f64;
    for invocation in 1.. {
        let begin = Instant::now();
        let reply = function.invoke(json!({"sweep": ["large"]})).await?;
        longest = longest.max(begin.elapsed().as_secs_f64());
        if reply["batches"] == 0 {
            break;
        }
        println!(
            "  invocation {invocation}: {} batches in {:.0} s of {LAMBDA_SECONDS}",
            reply["batches"],
            begin.elapsed().as_secs_f64()
        );
    }
    let rate = left as f64 / function.processor_seconds()?;
    println!(
        "  the other {left} objects: {rate:.0} a second of processor time, x{:.2} of the baseline; longest invocation {longest:.0} s; peak {} of 1024 MiB",
        rate / baseline,
        Memory(function.peak_memory()?)
    );
    Ok(())
}

async fn manifests(client: &Client) -> Result<Vec<String>> {
    let listed = client
        .list_objects_v2()
        .bucket(OUTPUT)
        .prefix("manifests/large/")
        .send()
        .await?;
    Ok(listed
        .contents()
        .iter()
        .filter_map(|object| object.key().map(str::to_owned))
        .collect())
}

/// Every object is in exactly one batch, and every batch but the last is full.
async fn check(client: &Client, objects: usize) -> Result<()> {
    let (mut keys, mut sizes) = (HashSet::new(), Vec::new());
    for manifest in manifests(client).await? {
        let body = client.get_object().bucket(OUTPUT).key(manifest).send().await?;
        let body = body.body.collect().await?.into_bytes();
        let mut lines = 0;
        for line in body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let line: Value = serde_json::from_slice(line)?;
            let key = line["groundcrew"]["key"].as_str().context("a key")?;
            ensure!(keys.insert(key.to_owned()), "{key} is there twice");
            lines += 1;
        }
        sizes.push(lines);
    }
    ensure!(keys.len() == objects, "{} of {objects} objects", keys.len());
    println!("  {} objects, each once, in batches of {sizes:?}", keys.len());
    Ok(())
}

/// One more look: in a process that knows the dataset, and in a new one.
async fn look_again(store: &Store) -> Result<()> {
    let mut function = Function::start(&binary("build-manifest")?, &store.environment()).await?;
    for what in ["new process", "warm process"] {
        store.requests().await?;
        let start = Instant::now();
        function.invoke(json!({"sweep": ["large"]})).await?;
        println!(
            "  looked at again, {what}: {:.0} ms, {} requests, peak {}",
            start.elapsed().as_secs_f64() * 1e3,
            store.requests().await?,
            Memory(function.peak_memory()?)
        );
    }
    Ok(())
}

/// The stack with its ten jobs: how long people wait to see it.
async fn on_top(data: &Path, batches: usize) -> Result<()> {
    let stack = Stack::start(data, How::default()).await?;
    let reader = console::Reader::new(&console_config(&stack.info)?);
    let start = Instant::now();
    loop {
        let model = serde_json::to_value(reader.load().await?)?;
        let of_large = model["datasets"].as_array().into_iter().flatten();
        let jobs: usize = of_large
            .filter(|dataset| dataset["name"] == "large")
            .filter_map(|dataset| dataset["jobs"].as_array())
            .flatten()
            .filter(|job| !job["name"].is_null())
            .count();
        if jobs >= batches {
            break;
        }
        ensure!(
            start.elapsed().as_secs() < LAMBDA_SECONDS,
            "{jobs} of {batches} jobs"
        );
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
    println!(
        "  the stack on it: started in {:.1} s, {batches} jobs of {BATCH} objects after {:.0} s, peak with store, functions and engine {}",
        stack.started_in.as_secs_f64(),
        start.elapsed().as_secs_f64(),
        stack.memory()?
    );
    for what in ["first", "second"] {
        let reader = console::Reader::new(&console_config(&stack.info)?);
        let start = Instant::now();
        reader.load().await?;
        println!(
            "  what `groundcrew status` reads, {what} time: {:.0} ms",
            start.elapsed().as_secs_f64() * 1e3
        );
    }
    page(&stack).await?;
    println!("  stopped in {:.1} s", stack.stop().await?);
    Ok(())
}

/// The console's page, and the first state it is sent.
async fn page(stack: &Stack) -> Result<()> {
    let client = reqwest::Client::builder().cookie_store(true).build()?;
    let start = Instant::now();
    let url = format!(
        "{}?token={}",
        stack.info.console_url,
        console::link_token(&stack.info.console_secret)
    );
    client.get(url).send().await?.error_for_status()?.bytes().await?;
    println!(
        "  the console's page: {:.0} ms",
        start.elapsed().as_secs_f64() * 1e3
    );
    Ok(())
}

fn size_of(folder: &Path) -> Result<u64> {
    let mut size = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        size += if entry.file_type()?.is_dir() {
            size_of(&entry.path())?
        } else {
            entry.metadata()?.len()
        };
    }
    Ok(size)
}
