//! The clock: the sweep of every function at the start and every fifteen minutes, and, between two of them, a look at a
//! dataset at the very time its status asks for (`check_at`), so that nobody waits for the next sweep.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_s3::Client;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::event_source::Invoke;
use crate::wiring::{BUILD_MANIFEST, FUNCTIONS, SCHEDULE_MINUTES};

/// S3 dates objects by whole seconds, and a check a moment too early finds nothing settled.
const SLACK: Duration = Duration::from_millis(50);
/// A status that asks for a time that has passed is looked at again after this, doubled each time.
const FIRST_REPEAT: Duration = Duration::from_secs(1);
const LONGEST_REPEAT: Duration = Duration::from_secs(15 * 60);

pub(crate) struct Clock {
    pub(crate) functions: HashMap<&'static str, Invoke>,
    pub(crate) s3: Client,
    pub(crate) output_bucket: String,
    /// Datasets whose status may have changed.
    pub(crate) changed: mpsc::UnboundedReceiver<String>,
    pub(crate) say_changed: mpsc::UnboundedSender<String>,
}

/// When to look at a dataset again.
struct Due {
    at: Instant,
    check_at: Timestamp,
    repeat: Duration,
}

/// The part of `status/<dataset>.json` that concerns the clock.
#[derive(Deserialize)]
struct Status {
    check_at: Option<Timestamp>,
}

impl Clock {
    /// Until stopped; sweeps that have begun are finished first.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let running = TaskTracker::new();
        let mut due: HashMap<String, Due> = HashMap::new();
        let mut sweeps = tokio::time::interval(Duration::from_secs(u64::from(SCHEDULE_MINUTES) * 60));
        sweeps.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let next = due.values().map(|due| due.at).min();
            tokio::select! {
                () = stop.cancelled() => break,
                _ = sweeps.tick() => {
                    running.spawn(self.sweep_all());
                }
                Some(dataset) = self.changed.recv() => self.look(dataset, &mut due).await,
                () = sleep_until(next) => {
                    let now = Instant::now();
                    let datasets: Vec<String> =
                        due.iter().filter(|(_, due)| due.at <= now).map(|(dataset, _)| dataset.clone()).collect();
                    for dataset in datasets {
                        // Kept, but not due: what it repeats by is needed when its status comes back unchanged.
                        if let Some(due) = due.get_mut(&dataset) {
                            due.at = now + LONGEST_REPEAT;
                        }
                        running.spawn(self.sweep_one(dataset));
                    }
                }
            }
        }
        running.close();
        running.wait().await;
    }

    fn sweep_all(&self) -> impl Future<Output = ()> + use<> {
        let functions: Vec<_> = FUNCTIONS
            .iter()
            .filter(|wiring| wiring.schedule_minutes.is_some())
            .filter_map(|wiring| Some((wiring.name, self.functions.get(wiring.name)?.clone())))
            .collect();
        let (s3, bucket, changed) = (
            self.s3.clone(),
            self.output_bucket.clone(),
            self.say_changed.clone(),
        );
        async move {
            for (name, invoke) in functions {
                if let Err(reason) = invoke(json!({"sweep": "all"})).await {
                    tracing::error!(
                        function = name,
                        reason,
                        "a sweep failed; the next one tries again"
                    );
                }
            }
            for dataset in datasets(&s3, &bucket).await {
                let _clock_stopped = changed.send(dataset);
            }
        }
    }

    fn sweep_one(&self, dataset: String) -> impl Future<Output = ()> + use<> {
        let invoke = self.functions.get(BUILD_MANIFEST.name).cloned();
        let changed = self.say_changed.clone();
        async move {
            let Some(invoke) = invoke else { return };
            if let Err(reason) = invoke(json!({"sweep": [dataset]})).await {
                tracing::error!(
                    dataset,
                    reason,
                    "a look at a dataset failed; the sweep tries again"
                );
            }
            let _clock_stopped = changed.send(dataset);
        }
    }

    async fn look(&self, dataset: String, due: &mut HashMap<String, Due>) {
        let Some(check_at) = self.check_at(&dataset).await else {
            due.remove(&dataset);
            return;
        };
        let before = due
            .get(&dataset)
            .filter(|due| due.check_at == check_at)
            .map(|due| due.repeat);
        let next = next_look(check_at, Timestamp::now(), before);
        due.insert(
            dataset,
            Due {
                at: Instant::now() + next.wait,
                check_at,
                repeat: next.repeat,
            },
        );
    }

    async fn check_at(&self, dataset: &str) -> Option<Timestamp> {
        let key = format!("status/{dataset}.json");
        let object = self
            .s3
            .get_object()
            .bucket(&self.output_bucket)
            .key(key)
            .send()
            .await
            .ok()?;
        let bytes = object.body.collect().await.ok()?.to_vec();
        serde_json::from_slice::<Status>(&bytes).ok()?.check_at
    }
}

#[derive(Debug, PartialEq, Eq)]
struct NextLook {
    wait: Duration,
    repeat: Duration,
}

/// `before`: the pause after the last look that left the status asking for the same time.
fn next_look(check_at: Timestamp, now: Timestamp, before: Option<Duration>) -> NextLook {
    let left = Duration::try_from(now.duration_until(check_at)).unwrap_or_default();
    if !left.is_zero() {
        return NextLook {
            wait: left + SLACK,
            repeat: FIRST_REPEAT,
        };
    }
    let repeat = before.map_or(FIRST_REPEAT, |before| (before * 2).min(LONGEST_REPEAT));
    NextLook { wait: repeat, repeat }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// Every dataset that has a status.
async fn datasets(s3: &Client, bucket: &str) -> Vec<String> {
    let mut pages = s3
        .list_objects_v2()
        .bucket(bucket)
        .prefix("status/")
        .into_paginator()
        .send();
    let mut datasets = Vec::new();
    while let Some(page) = pages.next().await {
        let Ok(page) = page else {
            tracing::warn!("the datasets' status could not be listed; the next sweep looks again");
            break;
        };
        let names = page.contents().iter().filter_map(|object| {
            object
                .key()?
                .strip_prefix("status/")?
                .strip_suffix(".json")
                .map(str::to_owned)
        });
        datasets.extend(names);
    }
    datasets
}

/// The datasets an S3 event in a queue's message is about: the first folder of each key.
pub(crate) fn datasets_of(body: &str) -> Vec<String> {
    let event: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    let records = event["Records"].as_array().cloned().unwrap_or_default();
    let keys = records
        .iter()
        .filter_map(|record| record["s3"]["object"]["key"].as_str());
    keys.filter_map(|key| {
        let folder = key.split_once('/')?.0.replace('+', " ");
        Some(
            percent_encoding::percent_decode_str(&folder)
                .decode_utf8()
                .ok()?
                .into_owned(),
        )
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_look_is_when_the_status_asks_for_it() {
        let now = Timestamp::from_second(1_000).unwrap();
        let check_at = Timestamp::from_second(1_030).unwrap();
        assert_eq!(
            next_look(check_at, now, None).wait,
            Duration::from_secs(30) + SLACK
        );
    }

    #[test]
    fn a_status_that_keeps_asking_for_a_time_gone_by_is_looked_at_ever_less_often() {
        let now = Timestamp::from_second(1_000).unwrap();
        let mut before = None;
        let mut waits = Vec::new();
        for _ in 0..12 {
            let next = next_look(now, now, before);
            before = Some(next.repeat);
            waits.push(next.wait.as_secs());
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
    }

    #[test]
    fn an_event_names_the_dataset_it_is_about() {
        let body = json!({"Records": [{"s3": {"object": {"key": "my+cats/a%2Bb/1.txt"}}}, {"s3": {"object": {"key": "loose.txt"}}}]});
        assert_eq!(datasets_of(&body.to_string()), ["my cats"]);
        assert!(datasets_of("not JSON").is_empty());
    }
}
