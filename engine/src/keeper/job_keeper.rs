//! The keeper of one job.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::SignedDuration;

use super::{announce, finish, open};
use crate::core::Core;
use crate::output::{self, IncompletePolicy, item_results};
use crate::running_job::{Inputs, RunningJob};
use crate::state::{JobRecord, JobStatus, StoreError, StoredDocument, UnfinishedMarker, keys};

/// Reading all items may take at most a twentieth of the time, and so may writing snapshots.
const COSTLY_WORK_SHARE: u32 = 20;
/// The list of finished items is written again when it has grown by a tenth.
const FINISHED_GROWTH_SHARE: u32 = 10;
/// How long an engine that stops may spend on a quick next start.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(5);
/// A marker without a job is deleted when it is older than this: the creation of its job was interrupted.
const STRAY_MARKER_AGE: SignedDuration = SignedDuration::from_mins(10);
/// How often the pause doubles between attempts at what keeps failing.
const DOUBLINGS: u32 = 6;

/// What the keeper remembers between two steps.
struct KeeperState {
    running: Option<Arc<RunningJob>>,
    /// As read when the job was opened, until the job runs.
    inputs: Option<Inputs>,
    record: Option<StoredDocument<JobRecord>>,
    /// When the job's document was last read.
    checked: Instant,
    next_refresh: Instant,
    next_snapshot: Instant,
    /// Labeled items in the last snapshot.
    snapshot_labeled: u32,
    /// Items in the list of finished items, as last written.
    finished_written: u32,
    /// When this keeper first saw that the job had ended.
    ended: Option<Instant>,
    /// Steps in a row that failed or found no job.
    failures: u32,
}

enum NextStep {
    /// Something changed: take the next step at once.
    AtOnce,
    Wait,
    /// There is a marker, and no document of the job yet.
    WaitForJob,
    /// The job needs no keeper any more.
    Done,
}

/// Runs until the end of the job is announced, or the engine stops.
pub(super) async fn run_keeper(core: Arc<Core>, job: String) {
    let now = Instant::now();
    let mut state = KeeperState {
        running: None,
        inputs: None,
        record: None,
        checked: now,
        next_refresh: now + core.timing.refresh,
        next_snapshot: now + core.timing.snapshot,
        snapshot_labeled: 0,
        finished_written: 0,
        ended: None,
        failures: 0,
    };
    while !core.stop.is_cancelled() {
        match step(&core, &job, &mut state).await {
            Ok(NextStep::AtOnce) => {
                state.failures = 0;
                continue;
            }
            Ok(NextStep::Done) => break,
            Ok(NextStep::Wait) => state.failures = 0,
            Ok(NextStep::WaitForJob) => state.failures += 1,
            Err(error) => {
                let retry_in = pause(core.timing.tick, state.failures);
                tracing::warn!(job, %error, ?retry_in, "keeper of a job failed; will be retried");
                state.failures += 1;
                state.record = None;
            }
        }
        wait(&core, &state).await;
    }
    if let Some(running) = state.running.take().filter(|_| core.stop.is_cancelled()) {
        let last_write = write_finished(&running, &mut state, 1);
        let _too_slow = tokio::time::timeout(SHUTDOWN_GRACE, last_write).await;
    }
    core.running_jobs.remove(&job);
}

async fn wait(core: &Core, state: &KeeperState) {
    let woken = async {
        match &state.running {
            Some(running) if state.failures == 0 => running.wake.notified().await,
            _ => std::future::pending().await,
        }
    };
    tokio::select! {
        () = core.stop.cancelled() => {}
        () = woken => {}
        () = tokio::time::sleep(pause(core.timing.tick, state.failures.saturating_sub(1))) => {}
    }
}

/// With the usual tick of a second, a store that is away gets one request a minute from each job in the end.
fn pause(tick: Duration, failures: u32) -> Duration {
    tick * 2_u32.pow(failures.min(DOUBLINGS))
}

async fn step(core: &Arc<Core>, job: &str, state: &mut KeeperState) -> Result<NextStep, StoreError> {
    if state.record.is_none() || state.checked.elapsed() >= core.timing.tick {
        state.checked = Instant::now();
        state.record = match &state.running {
            Some(running) => running.items.check_job().await?,
            None => core.documents.load(&keys::job(job)).await?,
        };
    }
    let Some(record) = state.record.clone() else {
        return without_job(core, job).await;
    };
    match record.value.status {
        JobStatus::Initializing => {
            state.inputs = open::open(core, &record).await?;
            state.record = None;
            Ok(NextStep::AtOnce)
        }
        JobStatus::InProgress | JobStatus::Stopping => {
            let running = match &state.running {
                Some(running) => running.clone(),
                None => match open::resume(core, &record.value, state.inputs.take()).await? {
                    Ok(running) => state.running.insert(running).clone(),
                    Err(reason) => {
                        fail_job(core, &record, &reason).await?;
                        state.record = None;
                        return Ok(NextStep::AtOnce);
                    }
                },
            };
            advance(core, &record, &running, state).await
        }
        JobStatus::Completed | JobStatus::Failed | JobStatus::Stopped => {
            announce_end(core, &record.value, state).await
        }
    }
}

/// A marker is written before its document. It stays alone if the job was refused or its creation was interrupted.
async fn without_job(core: &Core, job: &str) -> Result<NextStep, StoreError> {
    let key = keys::unfinished_marker(job);
    let marker = match core.documents.load::<UnfinishedMarker>(&key).await {
        Err(StoreError::Unreadable(_)) => UnfinishedMarker::default(),
        loaded => match loaded? {
            Some(stored) => stored.value,
            None => return Ok(NextStep::Done),
        },
    };
    let is_young = |since| (core.clock)() < since + STRAY_MARKER_AGE;
    if marker.since.is_some_and(is_young) {
        return Ok(NextStep::WaitForJob);
    }
    tracing::info!(job, "marker without a job deleted");
    core.documents.delete(&key).await?;
    Ok(NextStep::Done)
}

/// Fails a job in progress whose inputs cannot be used any more: the engine's own copies were deleted.
async fn fail_job(core: &Core, record: &StoredDocument<JobRecord>, reason: &str) -> Result<(), StoreError> {
    let mut job = record.value.clone();
    job.modified = (core.clock)();
    finish::mark_failed(&mut job, reason);
    finish::store_and_announce(core, &job, &record.etag).await
}

/// One step of a running job: expired leases, output, other engines' changes, the end.
async fn advance(
    core: &Core,
    record: &StoredDocument<JobRecord>,
    job: &Arc<RunningJob>,
    state: &mut KeeperState,
) -> Result<NextStep, StoreError> {
    let now = (core.clock)();
    let is_expired = now >= job.opened + SignedDuration::from_secs(i64::from(job.spec.availability));
    let is_finished = {
        let mut index = job.index();
        index.expire(now);
        if is_expired {
            index.end_handing_out();
        }
        index.is_finished(now)
    };
    write_raw_answers(core, job).await?;
    // What other engines on the store have changed.
    if state.next_refresh <= Instant::now() {
        let began = Instant::now();
        job.items.refresh().await?;
        let pause = core.timing.refresh.max(began.elapsed() * COSTLY_WORK_SHARE);
        state.next_refresh = Instant::now() + pause;
    }
    if is_finished || !record.value.is_open() {
        let policy = match is_expired {
            true => IncompletePolicy::Expire,
            false => IncompletePolicy::LeaveUnlabeled,
        };
        finish::finish(core, record, job, policy).await?;
        state.record = None;
        return Ok(NextStep::AtOnce);
    }
    write_snapshot(core, job, state).await?;
    let growth = core
        .timing
        .finished_items
        .max(state.finished_written / FINISHED_GROWTH_SHARE);
    write_finished(job, state, growth).await;
    Ok(NextStep::Wait)
}

/// Writes the list of finished items once it has grown enough. Written at each growth by a part of itself, it is written a
/// few times over in all. A write that fails costs the next start some time, and is retried after the same growth.
async fn write_finished(job: &Arc<RunningJob>, state: &mut KeeperState, growth: u32) {
    let finished = job.index().finished_count();
    if finished < state.finished_written + growth {
        return;
    }
    if let Err(error) = job.items.write_finished().await {
        tracing::warn!(job = job.spec.name, %error, "failed to write finished items; the next start reads more");
    }
    state.finished_written = finished;
}

/// Writes raw answers while the job runs, so that little is left to do at its end.
async fn write_raw_answers(core: &Core, job: &RunningJob) -> Result<(), StoreError> {
    let finished = job.items.take_finished();
    let written = output::write_raw_answers(core.objects.as_ref(), job, &finished).await;
    match written {
        Ok(()) => Ok(()),
        // A retry would not help. The end of the job reports it.
        Err(output::RawWriteError {
            error: StoreError::Refused(_),
            ..
        }) => Ok(()),
        Err(output::RawWriteError { error, items }) => {
            job.items.return_finished(items);
            Err(error)
        }
    }
}

async fn write_snapshot(
    core: &Core,
    job: &Arc<RunningJob>,
    state: &mut KeeperState,
) -> Result<(), StoreError> {
    let labeled = job.index().counters().human_labeled;
    if labeled == state.snapshot_labeled || state.next_snapshot > Instant::now() {
        return Ok(());
    }
    let began = Instant::now();
    let results = item_results(job, IncompletePolicy::LeaveUnlabeled).await?;
    output::write_snapshot(core.objects.as_ref(), job, results).await?;
    state.snapshot_labeled = labeled;
    let pause = core.timing.snapshot.max(began.elapsed() * COSTLY_WORK_SHARE);
    state.next_snapshot = Instant::now() + pause;
    Ok(())
}

/// The job's document says that the job ended; the end has to be announced. The engine that ended the job does that. Other
/// engines do it only if it has not happened after a while.
async fn announce_end(core: &Core, job: &JobRecord, state: &mut KeeperState) -> Result<NextStep, StoreError> {
    core.running_jobs.remove(&job.name);
    state.running = None;
    let since = *state.ended.get_or_insert_with(Instant::now);
    let may_announce = since.elapsed() >= core.timing.grace.max(Duration::from_millis(1));
    if !job.announced && !may_announce {
        return Ok(NextStep::Wait);
    }
    announce::announce(core, job).await?;
    Ok(NextStep::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_keeps_failing_is_retried_less_and_less_often() {
        let tick = Duration::from_secs(1);
        let pauses: Vec<u64> = [0, 1, 2, 5, 6, 7, 1000]
            .map(|n| pause(tick, n).as_secs())
            .to_vec();
        assert_eq!(pauses, [1, 2, 4, 32, 64, 64, 64]);
    }
}
