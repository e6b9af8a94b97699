//! Building batches through the S3 API: objects a second and memory, against boto3 doing the same steps one after
//! the other on the same store.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use futures::{StreamExt, TryStreamExt};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::lambda::Function;
use crate::measure::binary;
use crate::store::{INPUT, OUTPUT, Store};

const SPEC: &str = "
task: text-classification
labels: [Even, Odd]
team: numbers-team
title: Even or odd?
description: Say whether the number is odd or even.
batch: {quiet: 1s}
";

/// Latency of a small GET from S3 in the same Region is of this order; AWS's performance guide says 100-200 ms at
/// worst for small objects, so the ratio shown is a cautious one.
const LATENCY_MS: u64 = 10;

pub(crate) async fn run(objects: usize, python: &Path) -> Result<()> {
    loopback(objects, python).await?;
    distance(python).await
}

/// The store on loopback: what is measured is processor time.
async fn loopback(objects: usize, python: &Path) -> Result<()> {
    println!("\nbatch: {objects} text objects, store on loopback");
    let folder = tempfile::tempdir()?;
    let store = Store::start(folder.path(), 0).await?;
    let client = store.client();
    drop_texts(&client, "large", objects).await?;
    let sample = (objects / 20).max(1_000);
    drop_texts(&client, "sample", sample).await?;

    let baseline = boto3(python, &store, "sample").await?;
    let (ours, memory) = build(&store, "large").await?;
    let lines = count_lines(&client, "large").await?;
    println!("  boto3, one after the other ({sample} objects): {baseline:>8.0} objects/s   (baseline)");
    println!(
        "  build-manifest ({lines} lines): {:>8.0} objects/s   x{:.1}",
        objects as f64 / ours,
        objects as f64 / ours / baseline
    );
    println!("  build-manifest peak memory: {memory:.0} MB");
    Ok(())
}

/// The store some milliseconds away, as S3 is: what is measured is how well waiting overlaps.
async fn distance(python: &Path) -> Result<()> {
    const OBJECTS: usize = 10_000;
    println!("\ninlining: {OBJECTS} small texts, {LATENCY_MS} ms away");
    let folder = tempfile::tempdir()?;
    let near = Store::start(folder.path(), 0).await?;
    drop_texts(&near.client(), "texts", OBJECTS).await?;
    drop_texts(&near.client(), "few", OBJECTS / 20).await?;
    near.stop().await?;
    let store = Store::start(folder.path(), LATENCY_MS).await?;
    let baseline = boto3(python, &store, "few").await?;
    let (seconds, _) = build(&store, "texts").await?;
    let rate = OBJECTS as f64 / seconds;
    println!(
        "  boto3, one at a time ({} objects): {baseline:>8.0} objects/s   (baseline)",
        OBJECTS / 20
    );
    println!(
        "  build-manifest: {rate:>8.0} objects/s   x{:.1}",
        rate / baseline
    );
    Ok(())
}

pub(crate) async fn drop_texts(client: &Client, dataset: &str, objects: usize) -> Result<()> {
    let put = |key: String, body: String| async move {
        client
            .put_object()
            .bucket(INPUT)
            .key(key)
            .body(ByteStream::from(body.into_bytes()))
            .send()
            .await
    };
    futures::stream::iter(0..objects)
        .map(|n| {
            put(
                format!("{dataset}/{:03}/{n:07}.txt", n / 1000),
                format!("The number is {n}."),
            )
        })
        .buffer_unordered(64)
        .try_for_each(|_| async { Ok(()) })
        .await?;
    put(format!("{dataset}/labeling.yaml"), SPEC.to_owned()).await?;
    put(format!("{dataset}/_READY"), String::from("now")).await?;
    Ok(())
}

/// Seconds of one sweep of the release binary over the dataset, and its peak memory in MB.
async fn build(store: &Store, dataset: &str) -> Result<(f64, f64)> {
    let mut function = Function::start(&binary("build-manifest")?, &store.environment()).await?;
    let start = Instant::now();
    function.invoke(json!({"sweep": [dataset]})).await?;
    Ok((start.elapsed().as_secs_f64(), function.peak_memory()?))
}

/// Objects a second.
async fn boto3(python: &Path, store: &Store, dataset: &str) -> Result<f64> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("baseline.py");
    let output = Command::new(python)
        .arg(script)
        .args([&store.endpoint, INPUT, OUTPUT, dataset])
        .envs(store.environment())
        .output()
        .await
        .with_context(|| format!("running {}", python.display()))?;
    let said = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(
        output.status.success(),
        "the baseline needs Python with boto3 (--python): {said}"
    );
    let result: Value = serde_json::from_slice(&output.stdout)?;
    let objects = result["objects"].as_f64().context("objects")?;
    Ok(objects / result["seconds"].as_f64().context("seconds")?)
}

/// Lines of all the dataset's manifests: shows that the measured run did the work.
async fn count_lines(client: &Client, dataset: &str) -> Result<usize> {
    let prefix = format!("manifests/{dataset}/");
    let listed = client
        .list_objects_v2()
        .bucket(OUTPUT)
        .prefix(prefix)
        .send()
        .await?;
    let mut lines = 0;
    for object in listed.contents() {
        let key = object.key().context("a key")?;
        let body = client
            .get_object()
            .bucket(OUTPUT)
            .key(key)
            .send()
            .await?
            .body
            .collect()
            .await?;
        lines += body
            .into_bytes()
            .split(|b| *b == b'\n')
            .filter(|l| !l.is_empty())
            .count();
    }
    Ok(lines)
}
