//! Notices to work teams about "available or expiring work items" (CreateWorkteam's NotificationConfiguration): one when a
//! job has work for the team, one when what is left of it is about to end.
//!
//! A marker in the state bucket says which engine is sending a notice, and then that it was sent. So a restart sends nothing
//! again, two engines on one store send once, and a crash between sending and marking sends twice rather than never.

mod text;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::core::Core;
use crate::running_job::RunningJob;
use crate::state::{StoreError, TeamRecord, keys};
use text::{NoticeFacts, NoticeKind};

/// Ground Truth does not say how long before the end it sends its notice. A day is enough to find an hour for the work; a
/// short job keeps the proportion, and one that is over within an hour is not worth a second mail.
const MAX_SECONDS_BEFORE_END: u32 = 24 * 3600;
const SHARE_BEFORE_END: u32 = 4;
const SHORTEST_JOB_SECONDS: u32 = 3600;
/// How long the claim on a notice is valid. After that another engine may send it.
const CLAIM: SignedDuration = SignedDuration::from_secs(60);
const SEND_TIMEOUT: Duration = Duration::from_secs(30);
/// Notices sent at once.
const SENDERS: usize = 8;
/// How often the pause doubles between attempts at what keeps failing.
const DOUBLINGS: u32 = 9;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum NoticeMarker {
    /// An engine sends the notice; until this time no other does.
    Claimed(Timestamp),
    Sent(Timestamp),
}

/// What is known of one job's notices, so that the store is not read again and again.
#[derive(Default)]
struct NoticeProgress {
    sent: Vec<NoticeKind>,
    failures: u32,
    retry_at: Option<Instant>,
}

/// Runs until the engine stops.
pub(crate) async fn run_notices(core: Arc<Core>) {
    let mut progress: HashMap<String, NoticeProgress> = HashMap::new();
    loop {
        tokio::select! {
            () = core.stop.cancelled() => return,
            () = tokio::time::sleep(core.timing.tick) => {}
        }
        let running = core.running_jobs.list();
        progress.retain(|job, _| running.iter().any(|running| running.spec.name == *job));
        let due: Vec<_> = running
            .iter()
            .filter_map(|job| due_notice(&core, job, progress.entry(job.spec.name.clone()).or_default()))
            .collect();
        let mut sent = stream::iter(due)
            .map(|notice| {
                let core = core.clone();
                async move {
                    let sent = publish_notice(&core, &notice).await;
                    (notice, sent)
                }
            })
            .buffer_unordered(SENDERS);
        while let Some((notice, sent)) = sent.next().await {
            let job = notice.job.spec.name.clone();
            record_attempt(&core, progress.entry(job).or_default(), &notice, sent);
        }
    }
}

/// A notice that a job's team is to get.
struct DueNotice {
    job: Arc<RunningJob>,
    team: Arc<TeamRecord>,
    topic: String,
    kind: NoticeKind,
}

impl DueNotice {
    fn facts<'a>(&'a self, core: &'a Core) -> NoticeFacts<'a> {
        let spec = &self.job.spec;
        NoticeFacts {
            topic_arn: &self.topic,
            team: &self.team.name,
            job: &spec.name,
            title: &spec.title,
            description: &spec.description,
            waiting: self.job.index().remaining_count(),
            until: end_of(&self.job),
            portal_url: &core.location.portal_url,
        }
    }
}

/// The notice the job's team is to get now, as far as this engine knows.
fn due_notice(core: &Core, job: &Arc<RunningJob>, progress: &NoticeProgress) -> Option<DueNotice> {
    let team = core.teams.get(&job.spec.team)?;
    let topic = team.topic.clone()?;
    let kind = kind(job, job.current_time())?;
    let is_sent = progress.sent.contains(&kind) || progress.sent.contains(&NoticeKind::Expiring);
    let is_paused = progress.retry_at.is_some_and(|at| Instant::now() < at);
    let is_due = !is_sent && !is_paused && job.index().remaining_count() > 0;
    is_due.then_some(DueNotice {
        job: job.clone(),
        team,
        topic,
        kind,
    })
}

/// New until the job is about to end: a team that got the notice of the end needs none of the beginning.
fn kind(job: &RunningJob, now: Timestamp) -> Option<NoticeKind> {
    let whole = job.spec.availability;
    let before_end = (whole / SHARE_BEFORE_END).min(MAX_SECONDS_BEFORE_END);
    let left = end_of(job).duration_since(now).as_secs();
    match left {
        ..=0 => None,
        left if whole >= SHORTEST_JOB_SECONDS && left <= i64::from(before_end) => Some(NoticeKind::Expiring),
        _ => Some(NoticeKind::New),
    }
}

fn end_of(job: &RunningJob) -> Timestamp {
    job.opened + SignedDuration::from_secs(i64::from(job.spec.availability))
}

/// Claims, sends and marks a notice. `false` while another engine sends it.
async fn publish_notice(core: &Core, due: &DueNotice) -> Result<bool, String> {
    let job = &due.job.spec.name;
    let key = keys::notice(job, due.kind.name());
    let etag = match claim(core, &key).await.map_err(|error| error.to_string())? {
        Claim::Own(etag) => etag,
        Claim::OtherEngine => return Ok(false),
        Claim::AlreadySent => return Ok(true),
    };
    let notice = due.facts(core).notice(due.kind, due.job.current_time());
    let sent = tokio::time::timeout(SEND_TIMEOUT, core.events.work_notice(notice)).await;
    let sent = sent.unwrap_or_else(|_| Err(format!("no reply within {SEND_TIMEOUT:?}")));
    if let Err(reason) = sent {
        // Ends the claim for the next attempt. If this write fails too, the claim expires by itself.
        let ended = NoticeMarker::Claimed((core.clock)());
        let _unclaimed = core.documents.replace(&key, &ended, &etag).await;
        return Err(reason);
    }
    let marker = NoticeMarker::Sent((core.clock)());
    match core.documents.replace(&key, &marker, &etag).await {
        Ok(_) | Err(StoreError::Changed) => Ok(true),
        // After a restart the notice would be sent once more.
        Err(error) => {
            tracing::warn!(job, %error, "work notice sent; failed to mark it as sent");
            Ok(true)
        }
    }
}

enum Claim {
    /// This engine sends the notice; the ETag of its marker.
    Own(String),
    OtherEngine,
    AlreadySent,
}

async fn claim(core: &Core, key: &str) -> Result<Claim, StoreError> {
    let now = (core.clock)();
    let own = NoticeMarker::Claimed(now + CLAIM);
    let claimed = match core.documents.load::<NoticeMarker>(key).await? {
        None => core.documents.create(key, &own).await,
        Some(stored) => match stored.value {
            NoticeMarker::Sent(_) => return Ok(Claim::AlreadySent),
            NoticeMarker::Claimed(until) if now < until => return Ok(Claim::OtherEngine),
            NoticeMarker::Claimed(_) => core.documents.replace(key, &own, &stored.etag).await,
        },
    };
    match claimed {
        Ok(etag) => Ok(Claim::Own(etag)),
        Err(StoreError::Changed) => Ok(Claim::OtherEngine),
        Err(error) => Err(error),
    }
}

fn record_attempt(core: &Core, progress: &mut NoticeProgress, due: &DueNotice, sent: Result<bool, String>) {
    progress.retry_at = None;
    match sent {
        Ok(true) => {
            progress.failures = 0;
            progress.sent.push(due.kind);
        }
        // Another engine is sending it. Its marker is read again after a while.
        Ok(false) => progress.retry_at = Some(Instant::now() + core.timing.refresh),
        Err(reason) => {
            let pause = core.timing.tick * 2_u32.pow(progress.failures.min(DOUBLINGS));
            progress.failures += 1;
            progress.retry_at = Some(Instant::now() + pause);
            let (job, notice) = (&due.job.spec.name, due.kind.name());
            tracing::warn!(job, notice, reason, retry_in = ?pause, "failed to publish work notice; will be retried");
        }
    }
}

#[cfg(test)]
mod tests;
