//! What breaks first: one dimension after the other is raised, over a store of objects that are not there
//! ([`super::sample_s3`]), so that only the function is measured.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::ValueEnum;
use serde_json::{Value, json};

use super::sample_s3::{JOB, Kind, LABELS, SampleS3, Server};
use crate::lambda::Function;
use crate::measure::binary;
use crate::measure::{LAMBDA_SECONDS, Memory};
use crate::store::{INPUT, OUTPUT};

const TEXTS: &str = "task: text-classification\nlabels: [Even, Odd]\nteam: numbers-team\ntitle: Even or odd?\n\
                     batch: {quiet: 1s}\nexport: [csv, jsonl]\n";
const ROWS: &str = "task: text-classification\nlabels: [Even, Odd]\nteam: numbers-team\ntitle: Even or odd?\n\
                    text: {split: row, column: text}\nbatch: {quiet: 1s}\n";

/// MiB that `template.yaml` gives build-manifest.
const MEMORY: f64 = 1_024.0;

/// What is raised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Dimension {
    Objects,
    Labels,
    Bytes,
    Datasets,
    Rejects,
    AtOnce,
    MendedSpec,
    Killed,
}

pub(super) async fn run(most: u64, only: Option<Dimension>) -> Result<()> {
    let server = Server::start().await?;
    println!(
        "\nfunctions alone, over objects that are made up; build-manifest has 1,024 MiB and {LAMBDA_SECONDS} s"
    );
    for dimension in Dimension::value_variants() {
        if only.is_none_or(|only| only == *dimension) {
            raise(&server, *dimension, most).await?;
        }
    }
    Ok(())
}

async fn raise(server: &Server, dimension: Dimension, most: u64) -> Result<()> {
    match dimension {
        Dimension::Objects => {
            for step in [10_000, 100_000, 1_000_000, most] {
                texts(server, step.min(most)).await?;
            }
        }
        Dimension::Labels => {
            for characters in [20, 300] {
                notify(server, 100_000, characters).await?;
            }
        }
        Dimension::Bytes => {
            for datasets in [1, 4] {
                let what = format!("{datasets} x a CSV of 32 MiB at once");
                several(server, &what, datasets, &sample_s3(1, Kind::Csv(32 << 20), ROWS)).await?;
            }
        }
        Dimension::Datasets => {
            for datasets in [200, 2_000] {
                sweep(server, datasets).await?;
            }
        }
        Dimension::Rejects => {
            for rejected in [10_000, 100_000, 1_000_000, 1_500_000]
                .into_iter()
                .filter(|n| *n <= most)
            {
                let what = format!("{rejected} files that are all rejected");
                several(server, &what, 1, &sample_s3(rejected, Kind::Broken, TEXTS)).await?;
            }
        }
        Dimension::AtOnce => {
            let what = "4 datasets of 25,000 texts at once";
            several(server, what, 4, &sample_s3(25_000, Kind::Texts, TEXTS)).await?;
        }
        Dimension::MendedSpec => mended_spec(server).await?,
        Dimension::Killed => out_of_memory(server, most.min(1_000_000)).await?,
    }
    Ok(())
}

fn sample_s3(objects: u64, kind: Kind, spec: &str) -> SampleS3 {
    SampleS3 {
        objects,
        kind,
        spec: spec.to_owned(),
    }
}

fn environment(server: &Server) -> Vec<(String, String)> {
    [
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_ENDPOINT_URL", server.endpoint.as_str()),
        ("INPUT_BUCKET", INPUT),
        ("OUTPUT_BUCKET", OUTPUT),
        ("NOTICE_TOPIC_ARN", "arn:aws:sns:us-east-1:000000000000:notices"),
        ("JOB_PREFIX", "gc00"),
    ]
    .map(|(k, v)| (k.to_owned(), v.to_owned()))
    .to_vec()
}

async fn build_manifest(server: &Server) -> Result<Function> {
    Function::start(&binary("build-manifest")?, &environment(server)).await
}

/// Seconds and requests of one sweep.
async fn invoke_sweep(server: &Server, function: &mut Function, which: &Value) -> Result<(f64, u64, Value)> {
    server.requests();
    let start = Instant::now();
    let reply = function.invoke(json!({ "sweep": which })).await?;
    Ok((start.elapsed().as_secs_f64(), server.requests(), reply))
}

/// Cuts a dataset of so many texts, then looks again in the same process and in a new one.
async fn texts(server: &Server, objects: u64) -> Result<()> {
    server.add("texts", sample_s3(objects, Kind::Texts, TEXTS));
    let mut function = build_manifest(server).await?;
    let which = json!(["texts"]);
    let (seconds, _, reply) = invoke_sweep(server, &mut function, &which).await?;
    let (peak, processor) = (Memory(function.peak_memory()?), function.processor_seconds()?);
    println!(
        "  {objects:>9} texts: {:>3} batches in {seconds:>6.1} s, {:>6.0} objects/s, {:.0} a second of processor time, peak {}",
        reply["batches"],
        objects as f64 / seconds,
        objects as f64 / processor,
        peak.of(MEMORY)
    );
    let (warm, requests, _) = invoke_sweep(server, &mut function, &which).await?;
    println!("            looked at again, warm process: {warm:>6.2} s, {requests} requests");
    let mut new = build_manifest(server).await?;
    let (cold, requests, _) = invoke_sweep(server, &mut new, &which).await?;
    println!(
        "            looked at again, new process:  {cold:>6.2} s, {requests} requests, peak {}",
        Memory(new.peak_memory()?).of(MEMORY)
    );
    server.remove("texts");
    Ok(())
}

/// One sweep of several datasets alike, and what a look costs afterwards.
async fn several(server: &Server, what: &str, datasets: usize, each: &SampleS3) -> Result<()> {
    let names: Vec<String> = (0..datasets).map(|n| format!("several{n}")).collect();
    names.iter().for_each(|name| server.add(name, each.clone()));
    let mut function = build_manifest(server).await?;
    let (seconds, _, reply) = invoke_sweep(server, &mut function, &json!(names)).await?;
    let peak = Memory(function.peak_memory()?);
    let (again, _, _) = invoke_sweep(server, &mut function, &json!(names)).await?;
    let bytes: usize = server
        .objects_under("results/")
        .iter()
        .map(|(_, body)| body.len())
        .sum();
    println!(
        "  {what}: {} batches in {seconds:.1} s, peak {}; looked at again {again:.2} s; lists of rejects {:.1} MB",
        reply["batches"],
        peak.of(MEMORY),
        bytes as f64 / 1e6
    );
    names.iter().for_each(|name| server.remove(name));
    Ok(())
}

/// Files full of bad rows, then a spec that is fixed: every reject is judged again.
async fn mended_spec(server: &Server) -> Result<()> {
    let files = 100;
    let mut times = Vec::new();
    let mut function = build_manifest(server).await?;
    for spec in [ROWS.to_owned(), ROWS.replace("Even or odd?", "Even or odd now?")] {
        server.add("rows", sample_s3(files, Kind::BadRows(1_000), &spec));
        let (seconds, ..) = invoke_sweep(server, &mut function, &json!(["rows"])).await?;
        times.push(seconds);
    }
    println!(
        "  {files} files of 1,000 bad rows: {:.1} s; after another spec {:.1} s, peak {}",
        times.first().context("a time")?,
        times.last().context("a time")?,
        Memory(function.peak_memory()?)
    );
    server.remove("rows");
    Ok(())
}

/// Killed in the middle of its batches, three times; then one goes to the end. Every text has to be in one batch.
async fn out_of_memory(server: &Server, objects: u64) -> Result<()> {
    server.add("killed", sample_s3(objects, Kind::Texts, TEXTS));
    let which = json!({ "sweep": ["killed"] });
    for batches in [1, 4, 8] {
        let mut function = build_manifest(server).await?;
        tokio::select! {
            reply = function.invoke(which.clone()) => bail!("it ended before it was killed: {reply:?}"),
            () = seed_batches(server, batches) => println!("  killed after batch {batches}"),
        }
    }
    let mut function = build_manifest(server).await?;
    let reply = function.invoke(which).await?;
    let (mut keys, mut lines) = (HashSet::new(), 0_u64);
    let manifests = server.objects_under("manifests/killed/");
    for (_, manifest) in &manifests {
        for line in manifest
            .split(|&byte| byte == b'\n')
            .filter(|line| !line.is_empty())
        {
            let item: Value = serde_json::from_slice(line)?;
            keys.insert(item["groundcrew"]["key"].as_str().context("a key")?.to_owned());
            lines += 1;
        }
    }
    ensure!(
        (keys.len() as u64, lines) == (objects, objects),
        "{lines} lines of {} texts",
        keys.len()
    );
    println!(
        "  {objects} texts, killed three times: {} batches, {} of them by the last; each text in one",
        manifests.len(),
        reply["batches"]
    );
    server.remove("killed");
    Ok(())
}

/// So many batches are there, and the next is being made.
async fn seed_batches(server: &Server, batches: usize) {
    while server.objects_under("manifests/killed/").len() < batches {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
}

/// The clock's round over many datasets: the first cuts a batch in each, the next finds nothing to do.
async fn sweep(server: &Server, datasets: usize) -> Result<()> {
    let names: Vec<String> = (0..datasets).map(|n| format!("many{n:05}")).collect();
    names
        .iter()
        .for_each(|name| server.add(name, sample_s3(3, Kind::Texts, TEXTS)));
    let mut function = build_manifest(server).await?;
    for what in ["cut", "looked at again"] {
        let (seconds, requests, _) = invoke_sweep(server, &mut function, &json!("all")).await?;
        println!(
            "  {datasets} datasets {what}: {seconds:.2} s, {:.2} ms and {:.1} requests each",
            seconds * 1e3 / datasets as f64,
            requests as f64 / datasets as f64
        );
    }
    println!("  peak {}", Memory(function.peak_memory()?));
    names.iter().for_each(|name| server.remove(name));
    Ok(())
}

/// A job of so many objects has ended: texts of so many characters are summarised and exported twice.
async fn notify(server: &Server, labels: u64, characters: usize) -> Result<()> {
    let text = "x".repeat(characters);
    let mut output = String::new();
    for n in 0..labels {
        let line = json!({
            "source": text, "groundcrew": {"key": format!("done/{n:07}.txt"), "etag": format!("{n:032x}")},
            "label": n % 2, "label-metadata": {
                "class-name": if n % 2 == 0 { "Even" } else { "Odd" }, "confidence": 0.95,
                "type": "groundtruth/text-classification", "job-name": format!("labeling-job/{JOB}"),
                "human-annotated": "yes", "creation-date": "2026-11-22T05:06:07.123456"},
        });
        output.push_str(&line.to_string());
        output.push('\n');
    }
    let megabytes = output.len() as f64 / 1e6;
    server.add("done", sample_s3(labels, Kind::Texts, TEXTS));
    server.write(LABELS, output, &[]);
    server.write("specs/5bec", TEXTS, &[]);
    let spec = ("x-amz-meta-spec-sha256", "5bec".to_owned());
    server.write("manifests/done/000001.manifest", "{}\n", &[spec]);
    let mut function = Function::start(&binary("notify")?, &environment(server)).await?;
    let (seconds, _, reply) = invoke_sweep(server, &mut function, &json!("all")).await?;
    println!(
        "  notify, {labels} labels, {megabytes:.0} MB of output, both exports: {seconds:.1} s, {reply}, peak {} of 512 MiB",
        Memory(function.peak_memory()?)
    );
    for (key, body) in server.objects_under("results/done/") {
        println!("    {key} {:.1} MB", body.len() as f64 / 1e6);
    }
    server.remove("done");
    for marker in ["notified", "labels"] {
        server.remove(marker);
    }
    Ok(())
}
