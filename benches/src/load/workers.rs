//! Many workers on one job, against a tenth of them in the same run: answers a second, and how long one answer takes.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Context, Result};
use futures::future::join_all;
use reqwest::Client;
use serde_json::{Value, json};

use super::stack::{How, PASSWORD, Stack};
use crate::measure::percentile;
use crate::portal::{drop_lines, running_job, sign_in};

pub(super) async fn run(scratch: &Path, workers: usize, items: usize) -> Result<()> {
    println!("\n{workers} workers, one job of {items} items");
    let folder = tempfile::tempdir_in(scratch)?;
    let how = How {
        workers,
        ..How::default()
    };
    let stack = Stack::start(folder.path(), how).await?;
    drop_lines(&stack.info, items).await?;
    let clients = sign_in_all(&stack.info.web_url, workers).await?;
    let job = running_job(clients.first().context("a worker")?, &stack.info.web_url).await?;
    println!("  signed in; peak of the stack {}", stack.memory()?);
    let few = clients.get(..workers / 10).context("ten workers")?;
    let mut baseline = label(few, &stack.info.web_url, &job, items / 4).await?;
    baseline.print(few.len(), 1.0);
    let mut many = label(&clients, &stack.info.web_url, &job, items / 4).await?;
    let of_baseline = many.rate / baseline.rate;
    many.print(workers, of_baseline);
    println!(
        "  peak of the stack (store, functions, engine) {}",
        stack.memory()?
    );
    println!("  stopped in {:.1} s", stack.stop().await?);
    Ok(())
}

pub(super) async fn sign_in_all(portal: &str, workers: usize) -> Result<Vec<Client>> {
    let mut clients = Vec::with_capacity(workers);
    for n in 0..workers {
        clients.push(sign_in(portal, &format!("worker-{n}@example.com"), PASSWORD).await?);
    }
    Ok(clients)
}

/// What came of a while of labelling.
pub(super) struct LabelingRun {
    pub(super) rate: f64,
    done: usize,
    /// Milliseconds of each request for a task, and of each answer.
    next: Vec<f64>,
    answers: Vec<f64>,
    /// Requests that were not answered with success, by what came instead.
    refused: BTreeMap<String, usize>,
}

impl LabelingRun {
    fn print(&mut self, workers: usize, of_baseline: f64) {
        println!(
            "  {workers} workers: {} answers, {:.0} a second, x{of_baseline:.2}; an answer takes {:.0} ms (p50), {:.0} ms (p99), \
             the next task {:.0} and {:.0} ms; refused: {:?}",
            self.done,
            self.rate,
            percentile(&mut self.answers, 50),
            percentile(&mut self.answers, 99),
            percentile(&mut self.next, 50),
            percentile(&mut self.next, 99),
            self.refused
        );
    }
}

/// Labels until so many answers are stored, or nothing is left.
pub(super) async fn label(clients: &[Client], portal: &str, job: &str, enough: usize) -> Result<LabelingRun> {
    let done = AtomicUsize::new(0);
    let start = Instant::now();
    let each = clients
        .iter()
        .map(|client| work(client, portal, job, enough, &done));
    let mut all = LabelingRun {
        rate: 0.0,
        done: 0,
        next: Vec::new(),
        answers: Vec::new(),
        refused: BTreeMap::new(),
    };
    for one in join_all(each).await {
        all.next.extend(one.next);
        all.answers.extend(one.answers);
        for (what, times) in one.refused {
            *all.refused.entry(what).or_default() += times;
        }
    }
    all.done = done.load(Ordering::Relaxed);
    all.rate = all.done as f64 / start.elapsed().as_secs_f64();
    Ok(all)
}

async fn work(client: &Client, portal: &str, job: &str, enough: usize, done: &AtomicUsize) -> LabelingRun {
    let mut mine = LabelingRun {
        rate: 0.0,
        done: 0,
        next: Vec::new(),
        answers: Vec::new(),
        refused: BTreeMap::new(),
    };
    let next = format!("{portal}/api/jobs/{job}/next");
    while done.load(Ordering::Relaxed) < enough && mine.refused.values().sum::<usize>() < 100 {
        let start = Instant::now();
        let reply = match send(client, &next, &json!({})).await {
            Ok(reply) => reply,
            Err(what) => {
                *mine.refused.entry(format!("next: {what}")).or_default() += 1;
                continue;
            }
        };
        mine.next.push(start.elapsed().as_secs_f64() * 1e3);
        let Some(token) = reply["task"]["token"].as_str() else {
            break;
        };
        let answer = json!({"answer": {"crowd-classifier": {"label": "Even"}}});
        let start = Instant::now();
        let url = format!("{portal}/api/tasks/{token}/answer");
        if let Err(what) = send(client, &url, &answer).await {
            *mine.refused.entry(format!("answer: {what}")).or_default() += 1;
            continue;
        }
        mine.answers.push(start.elapsed().as_secs_f64() * 1e3);
        done.fetch_add(1, Ordering::Relaxed);
    }
    mine
}

/// `None` for anything but success.
pub(super) async fn post(client: &Client, url: &str, body: &Value) -> Option<Value> {
    send(client, url, body).await.ok()
}

/// What came instead of success, without what differs from request to request.
async fn send(client: &Client, url: &str, body: &Value) -> Result<Value, String> {
    let request = client.post(url).header("X-Groundcrew", "1").json(body);
    let broken = |error: reqwest::Error| innermost(&error.without_url());
    let reply = request.send().await.map_err(broken)?;
    let status = reply.status();
    if !status.is_success() {
        return Err(format!("{status} {}", reply.text().await.unwrap_or_default()));
    }
    reply.json().await.map_err(broken)
}

fn innermost(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), innermost)
}
