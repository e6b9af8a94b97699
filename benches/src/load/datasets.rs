//! Many datasets dropped at once, each a few files with a job of its own, against one alone in the same run.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use aws_sdk_s3::Client as S3;
use futures::future::join_all;
use futures::{StreamExt, TryStreamExt};
use local::StackInfo;
use reqwest::Client;
use serde_json::{Value, json};

use super::stack::{How, Stack};
use super::workers::{post, sign_in_all};
use crate::lambda::Function;
use crate::measure::binary;
use crate::measure::{LAMBDA_SECONDS, Memory};
use crate::store::Store;

const FILES: usize = 3;
const WORKERS: usize = 20;

pub(super) async fn run(scratch: &Path, datasets: usize) -> Result<()> {
    println!("\n{datasets} datasets of {FILES} texts at once, {WORKERS} workers");
    let folder = tempfile::tempdir_in(scratch)?;
    let how = How {
        workers: WORKERS,
        ..How::default()
    };
    let stack = Stack::start(folder.path(), how).await?;
    let clients = sign_in_all(&stack.info.web_url, WORKERS).await?;
    let over = AtomicBool::new(false);
    let labelling = join_all(clients.iter().map(|client| work(client, &stack.info, &over)));
    let measured = async {
        let outcome = measure(&stack, datasets).await;
        over.store(true, Ordering::Relaxed);
        outcome
    };
    let (_, outcome) = futures::join!(labelling, measured);
    outcome?;
    println!(
        "  peak of the stack (store, functions, engine) {}",
        stack.memory()?
    );
    stack.stop().await?;
    sweeps(folder.path(), datasets).await
}

async fn measure(stack: &Stack, datasets: usize) -> Result<()> {
    let s3 = stack.info.s3();
    let names = vec!["alone".to_owned()];
    let alone = follow(&s3, &stack.info, &names).await?;
    println!(
        "  one alone: job after {:.1} s, results after {:.1} s   (baseline)",
        alone.started, alone.ended
    );
    let names: Vec<String> = (0..datasets).map(|n| format!("many{n:04}")).collect();
    let many = follow(&s3, &stack.info, &names).await?;
    println!(
        "  {datasets}: dropped in {:.1} s; 20 jobs after {:.1} s, all {datasets} after {:.1} s, all results after {:.1} s: \
         {:.2} s a dataset, x{:.2} of one alone",
        many.dropped,
        many.first_20,
        many.started,
        many.ended,
        many.ended / datasets as f64,
        many.ended / datasets as f64 / alone.ended
    );
    Ok(())
}

/// Seconds since the first file was dropped.
#[derive(Default)]
struct Progress {
    dropped: f64,
    first_20: f64,
    started: f64,
    ended: f64,
}

async fn follow(s3: &S3, info: &StackInfo, names: &[String]) -> Result<Progress> {
    let start = Instant::now();
    let seconds = || start.elapsed().as_secs_f64();
    drop_all(s3, info, names).await?;
    let mut followed = Progress {
        dropped: seconds(),
        ..Progress::default()
    };
    while followed.ended == 0.0 {
        let started = count(s3, info, "jobs/", "/started", names).await?;
        if followed.first_20 == 0.0 && started >= names.len().min(20) {
            followed.first_20 = seconds();
        }
        if followed.started == 0.0 && started == names.len() {
            followed.started = seconds();
        }
        if count(s3, info, "results/", "/summary.json", names).await? == names.len() {
            followed.ended = seconds();
        }
        ensure!(
            start.elapsed().as_secs() < LAMBDA_SECONDS,
            "{started} of {} jobs started, and no end",
            names.len()
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(followed)
}

async fn drop_all(s3: &S3, info: &StackInfo, names: &[String]) -> Result<()> {
    let spec = format!(
        "task: text-classification\nlabels: [Even, Odd]\nteam: {}\ntitle: Even or odd?\nworkers_per_item: 1\n\
         batch: {{quiet: 1s}}\n",
        info.team
    );
    let files: Vec<(String, String)> = names
        .iter()
        .flat_map(|name| {
            let texts = (0..FILES).map(move |n| (format!("{name}/{n}.txt"), format!("The number is {n}.")));
            texts.chain([(format!("{name}/labeling.yaml"), spec.clone())])
        })
        .collect();
    let put = |(key, body): (String, String)| {
        let request = s3.put_object().bucket(&info.input_bucket).key(key);
        async move { request.body(body.into_bytes().into()).send().await }
    };
    futures::stream::iter(files)
        .map(put)
        .buffer_unordered(64)
        .try_for_each(|_| async { Ok(()) })
        .await?;
    Ok(())
}

/// Of these datasets, how many have an object below the prefix whose key ends so.
async fn count(s3: &S3, info: &StackInfo, prefix: &str, end: &str, names: &[String]) -> Result<usize> {
    let mut found = BTreeMap::new();
    let listed = s3.list_objects_v2().bucket(&info.output_bucket).prefix(prefix);
    let mut pages = listed.into_paginator().send();
    while let Some(page) = pages.next().await {
        for object in page?.contents() {
            let key = object.key().unwrap_or_default();
            if key.ends_with(end) {
                let dataset = key.split('/').nth(1).unwrap_or_default().to_owned();
                found.insert(dataset, ());
            }
        }
    }
    Ok(names.iter().filter(|name| found.contains_key(*name)).count())
}

/// Does whatever there is to do until it is over.
async fn work(client: &Client, info: &StackInfo, over: &AtomicBool) {
    while !over.load(Ordering::Relaxed) {
        let jobs: Value = match client.get(format!("{}/api/jobs", info.web_url)).send().await {
            Ok(reply) => reply.json().await.unwrap_or_default(),
            Err(_) => Value::Null,
        };
        let mut worked = false;
        for job in jobs["jobs"].as_array().into_iter().flatten() {
            let name = job["name"].as_str().unwrap_or_default();
            let next = format!("{}/api/jobs/{name}/next", info.web_url);
            let task = post(client, &next, &json!({})).await.unwrap_or_default();
            if let Some(token) = task["task"]["token"].as_str() {
                let answer = json!({"answer": {"crowd-classifier": {"label": "Even"}}});
                let url = format!("{}/api/tasks/{token}/answer", info.web_url);
                worked |= post(client, &url, &answer).await.is_some();
            }
        }
        if !worked {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

/// What the clock's round over all of them costs build-manifest, new and warm, when there is nothing to do.
async fn sweeps(data: &Path, datasets: usize) -> Result<()> {
    let store = Store::start(&data.join("s3"), 0).await?;
    let mut function = Function::start(&binary("build-manifest")?, &store.environment()).await?;
    for what in ["new process", "warm process"] {
        store.requests().await?;
        let start = Instant::now();
        function.invoke(json!({"sweep": "all"})).await?;
        println!(
            "  a round of build-manifest, {what}: {:.0} ms, {:.1} requests a dataset, peak {}",
            start.elapsed().as_secs_f64() * 1e3,
            store.requests().await? as f64 / (datasets + 1) as f64,
            Memory(function.peak_memory()?)
        );
    }
    store.stop().await
}
