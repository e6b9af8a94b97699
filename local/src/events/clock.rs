//! The clock: a sweep of every function at the start and every fifteen minutes, and between two sweeps a check of a dataset
//! at the time its status asks for (`check_at`), so that no batch waits for the next sweep.

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

use super::functions::Functions;
use crate::wiring::{BUILD_MANIFEST, FUNCTIONS, SCHEDULE_MINUTES};

/// S3 dates objects by whole seconds, and a check a moment too early finds nothing settled.
const SLACK: Duration = Duration::from_millis(50);
/// A status that asks for a time that has passed is checked again after this, doubled each time.
const FIRST_REPEAT: Duration = Duration::from_secs(1);
const LONGEST_REPEAT: Duration = Duration::from_secs(15 * 60);

pub(crate) struct Clock {
    pub(crate) functions: Functions,
    pub(crate) s3: Client,
    pub(crate) output_bucket: String,
    /// Datasets whose status may have changed...
    pub(crate) changed: mpsc::UnboundedReceiver<String>,
    /// ...as the clock itself and the queue of build-manifest report them.
    pub(crate) changed_datasets: mpsc::UnboundedSender<String>,
}

/// When to check a dataset.
struct ScheduledCheck {
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
    /// Runs until stopped; sweeps that have begun are finished first.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let running = TaskTracker::new();
        let mut scheduled: HashMap<String, ScheduledCheck> = HashMap::new();
        let mut sweeps = tokio::time::interval(Duration::from_secs(u64::from(SCHEDULE_MINUTES) * 60));
        sweeps.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let next = scheduled.values().map(|check| check.at).min();
            tokio::select! {
                () = stop.cancelled() => break,
                _ = sweeps.tick() => {
                    running.spawn(self.sweep_all());
                }
                Some(dataset) = self.changed.recv() => self.schedule(dataset, &mut scheduled).await,
                () = sleep_until(next) => {
                    let now = Instant::now();
                    for (dataset, check) in scheduled.iter_mut().filter(|(_, check)| check.at <= now) {
                        // It stays, postponed: its repeat is needed if the status still asks for the same time.
                        check.at = now + LONGEST_REPEAT;
                        running.spawn(self.sweep_one(dataset.clone()));
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
            self.changed_datasets.clone(),
        );
        async move {
            for (name, function) in functions {
                if let Err(reason) = function(json!({"sweep": "all"})).await {
                    tracing::error!(
                        function = name,
                        reason,
                        "sweep failed; the next sweep tries again"
                    );
                }
            }
            for dataset in datasets(&s3, &bucket).await {
                let _clock_stopped = changed.send(dataset);
            }
        }
    }

    fn sweep_one(&self, dataset: String) -> impl Future<Output = ()> + use<> {
        let function = self.functions.get(BUILD_MANIFEST.name).cloned();
        let changed = self.changed_datasets.clone();
        async move {
            let Some(function) = function else { return };
            if let Err(reason) = function(json!({"sweep": [dataset]})).await {
                tracing::error!(
                    dataset,
                    reason,
                    "check of a dataset failed; the next sweep tries again"
                );
            }
            let _clock_stopped = changed.send(dataset);
        }
    }

    async fn schedule(&self, dataset: String, scheduled: &mut HashMap<String, ScheduledCheck>) {
        let Some(check_at) = self.check_at(&dataset).await else {
            scheduled.remove(&dataset);
            return;
        };
        let before = scheduled
            .get(&dataset)
            .filter(|check| check.check_at == check_at)
            .map(|check| check.repeat);
        let next = next_check(check_at, Timestamp::now(), before);
        scheduled.insert(
            dataset,
            ScheduledCheck {
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
struct NextCheck {
    wait: Duration,
    repeat: Duration,
}

/// `before`: the pause after the last check that left the status asking for the same time.
fn next_check(check_at: Timestamp, now: Timestamp, before: Option<Duration>) -> NextCheck {
    let left = Duration::try_from(now.duration_until(check_at)).unwrap_or_default();
    if !left.is_zero() {
        return NextCheck {
            wait: left + SLACK,
            repeat: FIRST_REPEAT,
        };
    }
    let repeat = before.map_or(FIRST_REPEAT, |before| (before * 2).min(LONGEST_REPEAT));
    NextCheck { wait: repeat, repeat }
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
            tracing::warn!("failed to list the status of the datasets; the next sweep tries again");
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_check_is_when_the_status_asks_for_it() {
        let now = Timestamp::from_second(1_000).unwrap();
        let check_at = Timestamp::from_second(1_030).unwrap();
        assert_eq!(
            next_check(check_at, now, None).wait,
            Duration::from_secs(30) + SLACK
        );
    }

    #[test]
    fn a_status_that_keeps_asking_for_a_past_time_is_checked_ever_less_often() {
        let now = Timestamp::from_second(1_000).unwrap();
        let mut before = None;
        let mut waits = Vec::new();
        for _ in 0..12 {
            let next = next_check(now, now, before);
            before = Some(next.repeat);
            waits.push(next.wait.as_secs());
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
    }
}
