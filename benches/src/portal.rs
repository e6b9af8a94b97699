//! The portal under load: workers signed in as people do, each taking a task and answering it, over HTTP. Every answer
//! counted was acknowledged after it had been written.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use axum::Router;
use futures::future::try_join_all;
use local::{Stack, StackConfig, StackInfo};
use reqwest::Client;
use serde_json::{Value, json};

/// What the project promises on a machine of two cores.
const PROMISED: f64 = 200.0;

pub(crate) async fn run(workers: usize, items: usize) -> Result<()> {
    println!("\nportal: {workers} workers, {items} items");
    let folder = tempfile::tempdir()?;
    let stack = Stack::start(StackConfig::on_free_ports(folder.path()), |_, _| Router::new()).await?;
    drop_lines(stack.info(), items).await?;
    let clients = sign_in_all(&stack, workers).await?;
    let job = running_job(&clients[0], &stack.info().web_url).await?;

    let next = format!("{}/api/jobs/{job}/next", stack.info().web_url);
    let answers = format!("{}/api/tasks", stack.info().web_url);
    let done = Arc::new(AtomicUsize::new(0));
    let start = Instant::now();
    let work = clients
        .iter()
        .map(|client| label(client, &next, &answers, items, Arc::clone(&done)));
    try_join_all(work).await?;
    let rate = done.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64();
    println!(
        "  {} answers stored, {rate:.0} a second; x{:.1} of the promised {PROMISED}",
        done.load(Ordering::Relaxed),
        rate / PROMISED
    );
    stack.shutdown().await;
    Ok(())
}

pub(crate) async fn drop_lines(stack: &StackInfo, items: usize) -> Result<()> {
    let s3 = stack.s3();
    let lines: String = (0..items).map(|n| format!("The number is {n}.\n")).collect();
    let spec = format!(
        "task: text-classification\nlabels: [Even, Odd]\nteam: {}\ntitle: Even or odd?\nworkers_per_item: 1\n\
         max_concurrent_tasks: 5000\ntext: {{split: line}}\nbatch: {{quiet: 1s}}\n",
        stack.team
    );
    for (name, body) in [("numbers.txt", lines), ("labeling.yaml", spec)] {
        let key = format!("load/{name}");
        s3.put_object()
            .bucket(&stack.input_bucket)
            .key(key)
            .body(body.into_bytes().into())
            .send()
            .await?;
    }
    Ok(())
}

async fn sign_in_all(stack: &Stack, workers: usize) -> Result<Vec<Client>> {
    let mut clients = Vec::with_capacity(workers);
    for n in 0..workers {
        let email = format!("worker-{n}@example.com");
        stack
            .add_worker(&email, "A long enough secret 1!", &[&stack.info().team])
            .await?;
        clients.push(sign_in(&stack.info().web_url, &email, "A long enough secret 1!").await?);
    }
    Ok(clients)
}

pub(crate) async fn sign_in(portal: &str, email: &str, password: &str) -> Result<Client> {
    let client = Client::builder().cookie_store(true).build()?;
    let form = client
        .get(format!("{portal}/login"))
        .send()
        .await?
        .error_for_status()?
        .url()
        .clone();
    client
        .post(form)
        .form(&[("username", email), ("password", password)])
        .send()
        .await?
        .error_for_status()?;
    client
        .get(format!("{portal}/api/me"))
        .send()
        .await?
        .error_for_status()?;
    Ok(client)
}

pub(crate) async fn running_job(client: &Client, portal: &str) -> Result<String> {
    for _ in 0..600 {
        let jobs: Value = client
            .get(format!("{portal}/api/jobs"))
            .send()
            .await?
            .json()
            .await?;
        if let Some(name) = jobs["jobs"][0]["name"].as_str() {
            return Ok(name.to_owned());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    anyhow::bail!("no job within a minute")
}

async fn label(
    client: &Client,
    next: &str,
    answers: &str,
    items: usize,
    done: Arc<AtomicUsize>,
) -> Result<()> {
    while done.load(Ordering::Relaxed) < items {
        let reply: Value = post(client, next, &json!({})).await?;
        let Some(token) = reply["task"]["token"].as_str() else {
            break;
        };
        let answer = json!({"answer": {"crowd-classifier": {"label": "Even"}}});
        post(client, &format!("{answers}/{token}/answer"), &answer).await?;
        done.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

async fn post(client: &Client, url: &str, body: &Value) -> Result<Value> {
    let reply = client
        .post(url)
        .header("X-Groundcrew", "1")
        .json(body)
        .send()
        .await?;
    reply
        .error_for_status()?
        .json()
        .await
        .context("the portal's answer")
}
