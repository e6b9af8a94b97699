//! A simulated worker: takes tasks from the portal's API until there are none, and answers them.

use std::time::Duration;

use anyhow::Context as _;
use reqwest::Client;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::example;

/// Percentage of a careless worker's answers that are wrong.
const CARELESS_PERCENT: u64 = 35;
/// Fixed, so that every demo gives the same answers.
const SEED: u64 = 1;
/// Another worker may have the last items; they become free, or are done.
const RETRY_PAUSE: Duration = Duration::from_millis(50);

pub(crate) struct Worker {
    client: Client,
    portal: String,
    careless: bool,
}

/// One worker's answer for one item.
pub(crate) struct WorkerAnswer {
    pub(crate) text: String,
    pub(crate) label: &'static str,
}

#[derive(Deserialize)]
struct NextTask {
    task: Option<TaskToken>,
}

#[derive(Deserialize)]
struct TaskToken {
    token: String,
}

#[derive(Deserialize)]
struct JobList {
    jobs: Vec<PortalJob>,
}

#[derive(Deserialize)]
struct PortalJob {
    name: String,
}

impl Worker {
    pub(crate) fn new(client: Client, portal: &str, careless: bool) -> Self {
        Self {
            client,
            portal: portal.to_owned(),
            careless,
        }
    }

    /// Answers every task that the job has for this worker.
    pub(crate) async fn label(&self, job: &str) -> anyhow::Result<Vec<WorkerAnswer>> {
        let mut answers = Vec::new();
        loop {
            let next: NextTask = self.post(&format!("/api/jobs/{job}/next"), &json!({})).await?;
            match next.task {
                Some(task) => {
                    answers.push(self.answer(&task.token).await?);
                }
                None if !answers.is_empty() || !self.sees_job(job).await? => return Ok(answers),
                None => tokio::time::sleep(RETRY_PAUSE).await,
            }
        }
    }

    async fn sees_job(&self, job: &str) -> anyhow::Result<bool> {
        let JobList { jobs } = self.get("/api/jobs").await?;
        Ok(jobs.iter().any(|listed| listed.name == job))
    }

    async fn answer(&self, token: &str) -> anyhow::Result<WorkerAnswer> {
        let task: Value = self.get(&format!("/api/tasks/{token}")).await?;
        let text = task.pointer("/input/taskObject").and_then(Value::as_str);
        let text = text.context("the task holds no text")?;
        let label = answer(text, self.careless).with_context(|| format!("`{text}` is no number"))?;
        let answer = json!({ "answer": { "crowd-classifier": { "label": label } } });
        let _empty: Value = self.post(&format!("/api/tasks/{token}/answer"), &answer).await?;
        Ok(WorkerAnswer {
            text: text.trim().to_owned(),
            label,
        })
    }

    async fn get<T: for<'de> Deserialize<'de>>(&self, path: &str) -> anyhow::Result<T> {
        let answer = self.client.get(format!("{}{path}", self.portal)).send().await?;
        Ok(answer.error_for_status()?.json().await?)
    }

    async fn post<T: for<'de> Deserialize<'de>>(&self, path: &str, body: &Value) -> anyhow::Result<T> {
        let request = self
            .client
            .post(format!("{}{path}", self.portal))
            .header("x-groundcrew", "1");
        let answer = request.json(body).send().await?;
        Ok(answer.error_for_status()?.json().await?)
    }
}

fn answer(text: &str, careless: bool) -> Option<&'static str> {
    let right = example::answer(text)?;
    let number: u64 = text.trim().parse().ok()?;
    let wrong = careless && scatter(number ^ SEED) % 100 < CARELESS_PERCENT;
    Some(match (right, wrong) {
        ("Even", true) => "Odd",
        ("Odd", true) => "Even",
        _ => right,
    })
}

/// SplitMix64: neighbouring numbers get unrelated ones.
fn scatter(number: u64) -> u64 {
    let z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_careless_worker_is_wrong_about_a_third_of_the_time_and_the_others_never() {
        let texts = example::FILES.iter().filter(|(name, _)| name.ends_with(".txt"));
        let texts: Vec<&str> = texts.map(|(_, text)| *text).collect();
        let wrong = |careless| {
            texts
                .iter()
                .filter(|t| answer(t, careless) != example::answer(t))
                .count()
        };
        assert_eq!(wrong(false), 0);
        assert!((3..=4).contains(&wrong(true)), "{}", wrong(true));
    }
}
