//! A large job that is half done, and the engine is started again: how long until a worker gets a task, with and
//! without the object in which the engine wrote down what is done.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use aws_sdk_s3::Client as S3;
use futures::{StreamExt, TryStreamExt};
use local::StackInfo;
use reqwest::Client;
use serde_json::json;

use super::stack::{How, Stack};
use super::workers::{label, post, sign_in_all};
use crate::portal::{drop_lines, running_job};
use crate::store::{STATE, Store};

const WORKERS: usize = 10;
/// Items labelled as people do; the rest of the half gets their documents.
const LABELLED: usize = 1_000;

pub(super) async fn run(scratch: &Path, items: usize) -> Result<()> {
    println!("\nthe engine started again in the middle of a job of {items} items");
    let folder = tempfile::tempdir_in(scratch)?;
    let how = How {
        workers: WORKERS,
        ..How::default()
    };
    let stack = Stack::start(folder.path(), how).await?;
    drop_lines(&stack.info, items).await?;
    let clients = sign_in_all(&stack.info.web_url, WORKERS).await?;
    let job = running_job(clients.first().context("a worker")?, &stack.info.web_url).await?;
    label(&clients, &stack.info.web_url, &job, LABELLED).await?;
    let info = stack.info.clone();
    stack.stop().await?;
    half(folder.path(), &job, items / 2).await?;

    let world = World {
        folder: folder.path().to_owned(),
        info,
        client: clients.into_iter().next().context("a worker")?,
        job,
    };
    let stack = world.start("no list of what is done", None).await?;
    println!("  stopped in {:.1} s", stack.stop().await?);
    let stack = world.start("after a stop", None).await?;
    stack.kill().await?;
    let stack = world.start("after a kill", None).await?;
    stack.kill().await?;
    let record = folder.path().join("record");
    let stack = world.start("written down: with the list", Some(&record)).await?;
    gets(&record)?;
    let s3 = world.info.s3();
    s3.delete_object()
        .bucket(STATE)
        .key(format!("jobs/{}/settled", world.job))
        .send()
        .await?;
    stack.kill().await?;
    let stack = world
        .start("written down: without the list", Some(&record))
        .await?;
    gets(&record)?;
    stack.stop().await?;
    Ok(())
}

struct World {
    folder: PathBuf,
    info: StackInfo,
    client: Client,
    job: String,
}

impl World {
    /// Starts the stack at its old addresses and takes a task.
    async fn start(&self, what: &str, record: Option<&Path>) -> Result<Stack> {
        let how = How {
            like: Some(&self.info),
            record,
            ..How::default()
        };
        let stack = Stack::start(&self.folder, how).await?;
        let next = format!("{}/api/jobs/{}/next", self.info.web_url, self.job);
        loop {
            let reply = post(&self.client, &next, &json!({})).await;
            if reply.is_some_and(|reply| reply["task"]["token"].is_string()) {
                break;
            }
            ensure!(
                stack.began.elapsed().as_secs() < 600,
                "no task within ten minutes"
            );
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        println!(
            "  {what}: the stack answers after {:.2} s, the first task is given after {:.2} s; peak {}",
            stack.started_in.as_secs_f64(),
            stack.began.elapsed().as_secs_f64(),
            stack.memory()?
        );
        Ok(stack)
    }
}

/// Gives half of the items the document of one that is answered, while nothing reads it; forgets what was known of them.
async fn half(folder: &Path, job: &str, half: usize) -> Result<()> {
    let store = Store::start(&folder.join("s3"), 0).await?;
    let s3 = store.client();
    let at = |index: usize| format!("jobs/{job}/items/{index:06}.json");
    let document = s3.get_object().bucket(STATE).key(at(0)).send().await?;
    let document = document.body.collect().await?.into_bytes();
    let start = Instant::now();
    let put = |index: usize| {
        let (s3, document): (S3, _) = (s3.clone(), document.clone());
        let request = s3.put_object().bucket(STATE).key(at(index));
        async move { request.body(document.into()).send().await }
    };
    futures::stream::iter(0..half)
        .map(put)
        .buffer_unordered(64)
        .try_for_each(|_| async { Ok(()) })
        .await?;
    s3.delete_object()
        .bucket(STATE)
        .key(format!("jobs/{job}/settled"))
        .send()
        .await?;
    println!(
        "  {half} items are done, by documents of {} bytes put in {:.0} s",
        document.len(),
        start.elapsed().as_secs_f64()
    );
    store.stop().await
}

/// Counts the requests for documents of items that were written down, and starts the file again.
fn gets(record: &Path) -> Result<()> {
    let text = std::fs::read_to_string(record)?;
    let gets = text
        .lines()
        .filter(|line| line.contains("\"method\":\"GET\""))
        .count();
    let of_items = text
        .lines()
        .filter(|line| line.contains("\"method\":\"GET\"") && line.contains("/items/"))
        .filter(|line| !line.contains("list-type"))
        .count();
    println!("    {gets} GETs and lists, {of_items} of them for documents of items");
    Ok(std::fs::write(record, "")?)
}
