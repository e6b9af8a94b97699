//! Tells work teams of "available or expiring work items" (CreateWorkteam's NotificationConfiguration): once when a job
//! has work for the team, once when what is left of it is about to end.
//!
//! A marker in the state bucket says who is about to tell, and then that it was told. So a restart tells nothing again, two
//! engines on one store tell once, and a crash between the telling and the marker tells twice rather than never.

mod text;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::core::Core;
use crate::state::{StoreError, TeamRecord, keys};
use crate::work::Running;
use text::About;

/// Ground Truth does not say how long before the end it tells. A day is enough to find an hour; a short job keeps the
/// proportion, and one that is over within the hour is not worth a second mail.
const AT_MOST_BEFORE: u32 = 24 * 3600;
const PART_BEFORE: u32 = 4;
const SHORTEST_JOB: u32 = 3600;
/// Whoever set out to tell has this long; then somebody else may.
const TELLING: SignedDuration = SignedDuration::from_secs(60);
const PATIENCE: Duration = Duration::from_secs(30);
/// Notices on their way at once.
const AT_ONCE: usize = 8;
/// The pause after a failure doubles so many times.
const DOUBLINGS: u32 = 9;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    New,
    Expiring,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::New => "new",
            Kind::Expiring => "expiring",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Marker {
    /// Until then nobody else tells.
    Telling(Timestamp),
    Told(Timestamp),
}

/// What is known of one job's notices, so that the store is not asked again and again.
#[derive(Default)]
struct Known {
    told: Vec<Kind>,
    failures: u32,
    again: Option<Instant>,
}

pub(crate) async fn tell_for_ever(core: Arc<Core>) {
    let mut known: HashMap<String, Known> = HashMap::new();
    loop {
        tokio::select! {
            () = core.stop.cancelled() => return,
            () = tokio::time::sleep(core.pace.tick) => {}
        }
        let running = core.all_running();
        known.retain(|job, _| running.iter().any(|running| running.spec.name == *job));
        let due: Vec<_> = running
            .iter()
            .filter_map(|job| due(&core, job, known.entry(job.spec.name.clone()).or_default()))
            .collect();
        let mut told = stream::iter(due)
            .map(|due| due.tell(core.clone()))
            .buffer_unordered(AT_ONCE);
        while let Some((due, told)) = told.next().await {
            let job = &due.job.spec.name;
            note(&core, known.entry(job.clone()).or_default(), &due, told);
        }
    }
}

/// A notice a job's team is to get.
struct Due {
    job: Arc<Running>,
    team: Arc<TeamRecord>,
    topic: String,
    kind: Kind,
}

impl Due {
    async fn tell(self, core: Arc<Core>) -> (Due, Result<bool, String>) {
        let told = tell(&core, &self).await;
        (self, told)
    }

    fn about<'a>(&'a self, core: &'a Core) -> About<'a> {
        let spec = &self.job.spec;
        About {
            topic_arn: &self.topic,
            team: &self.team.name,
            job: &spec.name,
            title: &spec.title,
            description: &spec.description,
            waiting: self.job.index().left(),
            until: ends(&self.job),
            portal_url: &core.place.portal_url,
        }
    }
}

/// The notice the job's team is to get now, as far as is known here.
fn due(core: &Core, job: &Arc<Running>, known: &Known) -> Option<Due> {
    let team = core.team(&job.spec.team)?;
    let topic = team.topic.clone()?;
    let kind = kind(job, job.now())?;
    let is_told = known.told.contains(&kind) || known.told.contains(&Kind::Expiring);
    let is_paused = known.again.is_some_and(|again| Instant::now() < again);
    let job = job.clone();
    let is_due = !is_told && !is_paused && job.index().left() > 0;
    is_due.then_some(Due {
        job,
        team,
        topic,
        kind,
    })
}

/// New until it is about to end: somebody told of the end needs no word of the beginning.
fn kind(job: &Running, now: Timestamp) -> Option<Kind> {
    let whole = job.spec.availability;
    let before = (whole / PART_BEFORE).min(AT_MOST_BEFORE);
    let left = ends(job).duration_since(now).as_secs();
    match left {
        ..=0 => None,
        left if whole >= SHORTEST_JOB && left <= i64::from(before) => Some(Kind::Expiring),
        _ => Some(Kind::New),
    }
}

fn ends(job: &Running) -> Timestamp {
    job.opened + SignedDuration::from_secs(i64::from(job.spec.availability))
}

/// `false` while another engine is at it.
async fn tell(core: &Core, due: &Due) -> Result<bool, String> {
    let job = &due.job.spec.name;
    let at = keys::notice(job, due.kind.name());
    let etag = match claim(core, &at).await.map_err(|error| error.to_string())? {
        Claim::Mine(etag) => etag,
        Claim::Others => return Ok(false),
        Claim::Told => return Ok(true),
    };
    let notice = due.about(core).notice(due.kind, due.job.now());
    let sent = tokio::time::timeout(PATIENCE, core.events.work_notice(notice)).await;
    let sent = sent.unwrap_or_else(|_| Err(format!("no answer within {PATIENCE:?}")));
    if let Err(reason) = sent {
        // Free for the next attempt; should this fail too, the claim runs out by itself.
        let _unclaimed = core
            .documents
            .replace(&at, &Marker::Telling((core.clock)()), &etag)
            .await;
        return Err(reason);
    }
    let told = Marker::Told((core.clock)());
    match core.documents.replace(&at, &told, &etag).await {
        Ok(_) | Err(StoreError::Changed) => Ok(true),
        // Told it is; a restart before the claim runs out and is taken over would tell once more.
        Err(error) => {
            tracing::warn!(job, %error, "a work notice is out, and could not be marked");
            Ok(true)
        }
    }
}

enum Claim {
    Mine(String),
    Others,
    Told,
}

async fn claim(core: &Core, at: &str) -> Result<Claim, StoreError> {
    let now = (core.clock)();
    let mine = Marker::Telling(now + TELLING);
    let claimed = match core.documents.load::<Marker>(at).await? {
        None => core.documents.create(at, &mine).await,
        Some(stored) => match stored.value {
            Marker::Told(_) => return Ok(Claim::Told),
            Marker::Telling(until) if now < until => return Ok(Claim::Others),
            Marker::Telling(_) => core.documents.replace(at, &mine, &stored.etag).await,
        },
    };
    match claimed {
        Ok(etag) => Ok(Claim::Mine(etag)),
        Err(StoreError::Changed) => Ok(Claim::Others),
        Err(error) => Err(error),
    }
}

fn note(core: &Core, known: &mut Known, due: &Due, told: Result<bool, String>) {
    known.again = None;
    match told {
        Ok(true) => {
            known.failures = 0;
            known.told.push(due.kind);
        }
        // Another engine is telling: look again when the others are looked at.
        Ok(false) => known.again = Some(Instant::now() + core.pace.refresh),
        Err(reason) => {
            let pause = core.pace.tick * 2_u32.pow(known.failures.min(DOUBLINGS));
            known.failures += 1;
            known.again = Some(Instant::now() + pause);
            let (job, notice) = (&due.job.spec.name, due.kind.name());
            tracing::warn!(job, notice, reason, again_in = ?pause, "a work team could not be told");
        }
    }
}

#[cfg(test)]
mod tests;
