//! The rules for times and amounts: of a task, of a batch, of a job.

use std::time::Duration;

use super::unit::{duration, whole_number};
use crate::spec::{BatchRules, StopAfter};
use crate::spec_file::raw::{RawBatch, RawStopAfter};
use crate::task::Task;
use crate::yaml::at::At;
use crate::yaml::error::Problem;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// At least 30 s (API reference, TaskTimeLimitInSeconds); at most 8 h for images and text (same), 7 days for frames
/// and point clouds (their task pages).
pub(super) fn timeout(text: Option<&At<String>>, task: Task) -> Result<Duration, Problem> {
    let info = task.info();
    let limits = (30 * SECOND, info.max_timeout);
    let why = "the labeling service's limits for one task";
    text.map_or(Ok(info.default_timeout), |text| {
        duration("task_timeout", text, limits, why)
    })
}

/// 60 s to 30 days (API reference, TaskAvailabilityLifetimeInSeconds). The console's default is ten days.
pub(super) fn expiration(text: Option<&At<String>>) -> Result<Duration, Problem> {
    let why = "a labeling job lives 30 days at most";
    text.map_or(Ok(10 * DAY), |text| {
        duration("task_expiration", text, (MINUTE, 30 * DAY), why)
    })
}

/// The times are ours. The number of items is the service's for one job ("Input data quotas").
pub(super) fn batch(raw: Option<&RawBatch>, task: Task) -> Result<BatchRules, Problem> {
    let (quiet, max_wait) = match raw {
        Some(raw) => (raw.quiet.as_ref(), raw.max_wait.as_ref()),
        None => (None, None),
    };
    let why = "long enough to see that an upload is over, and no longer than people will wait";
    let quiet = quiet.map_or(Ok(2 * MINUTE), |text| duration("quiet", text, (SECOND, DAY), why))?;
    let why = "it cannot be shorter than `quiet`, which is waited for first";
    let max_wait = max_wait.map_or(Ok(HOUR.max(quiet)), |text| {
        duration("max_wait", text, (quiet, 7 * DAY), why)
    })?;
    let most = task.info().max_items;
    let max_items = raw.map_or(Ok(most), |raw| {
        whole_number("max_items", &raw.max_items, (most, 1, most))
    })?;
    Ok(BatchRules {
        quiet,
        max_wait,
        max_items,
    })
}

/// API reference, StoppingConditions.
pub(super) fn stop_after(raw: &At<RawStopAfter>) -> Result<StopAfter, Problem> {
    const MOST: u32 = i32::MAX.unsigned_abs();
    match (&raw.value.items, &raw.value.percent) {
        (items @ Some(_), None) => whole_number("items", items, (1, 1, MOST)).map(StopAfter::Items),
        (None, percent @ Some(_)) => whole_number("percent", percent, (1, 1, 100)).map(StopAfter::Percent),
        _ => Err(
            Problem::new(raw.at, "`stop_after` takes either `items` or `percent`")
                .hint("for example `stop_after: {items: 5000}`"),
        ),
    }
}
