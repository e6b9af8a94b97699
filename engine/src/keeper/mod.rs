//! Looks after one job from its creation to the announcement of its end. Every step can be taken again, by this engine or
//! another: the job's document says how far it got, and only a conditional write to it moves it on.

mod event;
mod finish;
mod open;

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::SignedDuration;

use crate::blocking::blocking;
use crate::core::Core;
use crate::output::{self, Rest, decide};
use crate::state::{JobRecord, JobStatus, Marker, StoreError, Stored, keys};
use crate::work::{Inputs, Running};

/// Reading everything again takes at most one part of so many of the time.
const RARELY: u32 = 20;
/// What is done for good is written down again when it has grown by one part of so many.
const SETTLED_PART: u32 = 10;
/// What an engine that is stopped may spend on a quick next start.
const LAST_WORDS: Duration = Duration::from_secs(5);
/// A marker that has no job after this time gets none any more.
const STRAY: SignedDuration = SignedDuration::from_mins(10);
/// The pause between two attempts at what keeps failing doubles so many times.
const DOUBLINGS: u32 = 6;

/// What the keeper remembers between two looks.
struct Kept {
    running: Option<Arc<Running>>,
    /// As they were read when the job began, until it is put to work.
    inputs: Option<Inputs>,
    record: Option<Stored<JobRecord>>,
    looked: Instant,
    refresh: Instant,
    snapshot: Instant,
    snapshot_of: u32,
    /// Objects done for good that are written down for the next start.
    settled: u32,
    ended: Option<Instant>,
    /// Steps in a row that led nowhere.
    fruitless: u32,
}

enum Next {
    /// Something changed: the next step at once.
    Again,
    Wait,
    /// There is no document of the job.
    Nothing,
    Gone,
}

pub(crate) async fn keep(core: Arc<Core>, job: String) {
    let now = Instant::now();
    let mut kept = Kept {
        running: None,
        inputs: None,
        record: None,
        looked: now,
        refresh: now + core.pace.refresh,
        snapshot: now + core.pace.snapshot,
        snapshot_of: 0,
        settled: 0,
        ended: None,
        fruitless: 0,
    };
    while !core.stop.is_cancelled() {
        match step(&core, &job, &mut kept).await {
            Ok(Next::Again) => {
                kept.fruitless = 0;
                continue;
            }
            Ok(Next::Gone) => break,
            Ok(Next::Wait) => kept.fruitless = 0,
            Ok(Next::Nothing) => kept.fruitless += 1,
            Err(error) => {
                let again_in = pause(core.pace.tick, kept.fruitless);
                tracing::warn!(job, %error, ?again_in, "could not look after the job; trying again");
                kept.fruitless += 1;
                kept.record = None;
            }
        }
        wait(&core, &kept).await;
    }
    if let Some(running) = kept.running.take().filter(|_| core.stop.is_cancelled()) {
        let last = write_settled(&running, &mut kept, 1);
        let _too_slow = tokio::time::timeout(LAST_WORDS, last).await;
    }
    core.set_running(&job, None);
}

async fn wait(core: &Core, kept: &Kept) {
    let woken = async {
        match &kept.running {
            Some(running) if kept.fruitless == 0 => running.wake.notified().await,
            _ => std::future::pending().await,
        }
    };
    tokio::select! {
        () = core.stop.cancelled() => {}
        () = woken => {}
        () = tokio::time::sleep(pause(core.pace.tick, kept.fruitless.saturating_sub(1))) => {}
    }
}

/// A store that is away is asked once a minute in the end, not once a second by every job.
fn pause(tick: Duration, failures: u32) -> Duration {
    tick * 2_u32.pow(failures.min(DOUBLINGS))
}

async fn step(core: &Arc<Core>, job: &str, kept: &mut Kept) -> Result<Next, StoreError> {
    if kept.record.is_none() || kept.looked.elapsed() >= core.pace.tick {
        kept.looked = Instant::now();
        kept.record = match &kept.running {
            Some(running) => running.look().await?,
            None => core.documents.load(&keys::job(job)).await?,
        };
    }
    let Some(record) = kept.record.clone() else {
        return without_job(core, job).await;
    };
    match record.value.status {
        JobStatus::Initializing => {
            kept.inputs = open::open(core, &record).await?;
            kept.record = None;
            Ok(Next::Again)
        }
        JobStatus::InProgress | JobStatus::Stopping => {
            let running = match &kept.running {
                Some(running) => running.clone(),
                None => match open::resume(core, &record.value, kept.inputs.take()).await? {
                    Ok(running) => kept.running.insert(running).clone(),
                    Err(reason) => {
                        give_up(core, &record, &reason).await?;
                        kept.record = None;
                        return Ok(Next::Again);
                    }
                },
            };
            tend(core, &record, &running, kept).await
        }
        JobStatus::Completed | JobStatus::Failed | JobStatus::Stopped => end(core, &record.value, kept).await,
    }
}

/// A marker is written before its document, and stays alone if the job was refused or its creation broke off.
async fn without_job(core: &Core, job: &str) -> Result<Next, StoreError> {
    let key = keys::unfinished(job);
    let marker = match core.documents.load::<Marker>(&key).await {
        Err(StoreError::Unreadable(_)) => Marker::default(),
        found => match found? {
            Some(found) => found.value,
            None => return Ok(Next::Gone),
        },
    };
    if marker.since.is_some_and(|since| (core.clock)() < since + STRAY) {
        return Ok(Next::Nothing);
    }
    tracing::info!(job, "a marker without a job is taken away");
    core.documents.delete(&key).await?;
    Ok(Next::Gone)
}

/// A job in progress whose inputs cannot be used any more: its own copies were taken away.
async fn give_up(core: &Core, record: &Stored<JobRecord>, reason: &str) -> Result<(), StoreError> {
    let mut job = record.value.clone();
    job.modified = (core.clock)();
    finish::fail(&mut job, reason);
    end_with(core, &job, &record.etag).await
}

/// Stores how a job ended, and announces it; another engine that got there first has the last word.
async fn end_with(core: &Core, job: &JobRecord, etag: &str) -> Result<(), StoreError> {
    match core.documents.replace(&keys::job(&job.name), job, etag).await {
        Ok(_) if job.status.is_terminal() => event::announce(core, job).await,
        Ok(_) | Err(StoreError::Changed) => Ok(()),
        Err(error) => Err(error),
    }
}

async fn tend(
    core: &Core,
    record: &Stored<JobRecord>,
    job: &Arc<Running>,
    kept: &mut Kept,
) -> Result<Next, StoreError> {
    let now = (core.clock)();
    let is_expired = now >= job.opened + SignedDuration::from_secs(i64::from(job.spec.availability));
    let is_finished = {
        let mut index = job.index();
        index.expire(now);
        if is_expired {
            index.shut();
        }
        index.is_finished(now)
    };
    write_raw_answers(core, job).await?;
    if kept.refresh <= Instant::now() {
        let began = Instant::now();
        job.refresh().await?;
        kept.refresh = Instant::now() + core.pace.refresh.max(began.elapsed() * RARELY);
    }
    if is_finished || !record.value.is_open() {
        let rest = if is_expired {
            Rest::Expired
        } else {
            Rest::Unlabeled
        };
        finish::finish(core, record, job, rest).await?;
        kept.record = None;
        return Ok(Next::Again);
    }
    take_snapshot(core, job, kept).await?;
    let growth = core.pace.settled.max(kept.settled / SETTLED_PART);
    write_settled(job, kept, growth).await;
    Ok(Next::Wait)
}

/// For a quick next start, when there is so much more to say. What grows by a part of itself each time is written a few
/// times over in all; what fails costs that start some time, and is tried again when it has grown.
async fn write_settled(job: &Arc<Running>, kept: &mut Kept, growth: u32) {
    let settled = job.index().settled_count();
    if settled < kept.settled + growth {
        return;
    }
    if let Err(error) = job.write_settled().await {
        tracing::warn!(job = job.spec.name, %error, "the next start will have more to read");
    }
    kept.settled = settled;
}

/// Raw answers are written while the job runs, so that little is left to do at its end.
async fn write_raw_answers(core: &Core, job: &Running) -> Result<(), StoreError> {
    let done = job.take_done();
    let written = output::write_raw_answers(core.objects.as_ref(), job, &done).await;
    match written {
        // Not a matter of trying again: the end of the job will tell.
        Ok(()) => Ok(()),
        Err(output::Unwritten {
            error: StoreError::Refused(_),
            ..
        }) => Ok(()),
        Err(output::Unwritten { error, objects }) => {
            job.give_back_done(objects);
            Err(error)
        }
    }
}

async fn take_snapshot(core: &Core, job: &Arc<Running>, kept: &mut Kept) -> Result<(), StoreError> {
    let labeled = job.index().counters().human_labeled;
    if labeled == kept.snapshot_of || kept.snapshot > Instant::now() {
        return Ok(());
    }
    let began = Instant::now();
    let decisions = decisions(job, Rest::Unlabeled).await?;
    output::write_snapshot(core.objects.as_ref(), job, decisions).await?;
    kept.snapshot_of = labeled;
    kept.snapshot = Instant::now() + core.pace.snapshot.max(began.elapsed() * RARELY);
    Ok(())
}

/// Consolidation is arithmetic and may take a second.
async fn decisions(job: &Arc<Running>, rest: Rest) -> Result<Arc<Vec<output::Decision>>, StoreError> {
    let job = job.clone();
    blocking(move || Arc::new(decide(&job, rest))).await
}

/// The job's document says that it ended; what is left is to say so to the world. Whoever ended it does that; others only
/// if it has not happened after a while.
async fn end(core: &Core, job: &JobRecord, kept: &mut Kept) -> Result<Next, StoreError> {
    core.set_running(&job.name, None);
    kept.running = None;
    let since = *kept.ended.get_or_insert_with(Instant::now);
    let is_mine = since.elapsed() >= core.pace.grace.max(Duration::from_millis(1));
    if !job.announced && !is_mine {
        return Ok(Next::Wait);
    }
    event::announce(core, job).await?;
    Ok(Next::Gone)
}

#[cfg(test)]
mod tests;
