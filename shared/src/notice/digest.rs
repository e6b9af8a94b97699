//! How many notices leave one by one: ten an hour, and what comes beyond leaves as one digest after the hour.
//!
//! Whoever may drop files could otherwise send a mail with every file. Nothing is lost: a notice that waits has its marker,
//! which holds all of it, and its line in the ledger is written before the marker is.

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::message::subject;
use super::tell::short_hash;
use super::{AnnounceError, Notice, NoticeKind, is_marked, mark};
use crate::port::{Replaced, Store, StoreError, Topic};
use crate::{documents, layout, shell};

/// Notices that leave one by one in an hour.
pub const HOURLY: usize = 10;
/// So many an hour need no counting.
pub const UNBOUNDED: usize = usize::MAX;
/// Waiting notices named in the ledger, and so in the digest; of more, the number is kept.
const MOST: usize = 1_000;
/// Lines of a digest's text.
const LINES: usize = 50;
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// Who counts together. Each has a ledger of its own, written and sent by functions that share nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Desk {
    /// Datasets: build-manifest and start-job write, build-manifest's sweep sends.
    Datasets,
    /// Teams: sync-team.
    Teams,
}

impl Desk {
    fn name(self) -> &'static str {
        match self {
            Self::Datasets => "datasets",
            Self::Teams => "teams",
        }
    }
}

impl NoticeKind {
    /// Where it is counted. What ends well or badly because people labeled is told of one by one: a job each, and jobs have
    /// a bound of their own.
    pub(super) fn desk(self) -> Option<Desk> {
        match self {
            Self::JobRefused
            | Self::SpecRejected
            | Self::FilesRejected
            | Self::DatasetHalted
            | Self::DailyBound => Some(Desk::Datasets),
            Self::TeamRejected | Self::TeamProblems | Self::TeamRefused | Self::WorkerUnlisted => {
                Some(Desk::Teams)
            }
            Self::JobCompleted | Self::JobFailed | Self::JobStopped | Self::WorkerJoined | Self::Digest => {
                None
            }
        }
    }
}

/// `digest/<desk>.json`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Ledger {
    /// The hour that is counted.
    hour: Timestamp,
    /// Ids of the notices that leave one by one in it.
    alone: Vec<String>,
    /// The hour in which the first of those that wait came.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    since: Option<Timestamp>,
    waiting: Vec<Waiting>,
    /// Those that wait and are not named.
    #[serde(default)]
    more: u64,
    /// The digest that is leaving: named before it does, so that a second try is the same.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    leaving: Option<Leaving>,
}

/// A notice that waits for its digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Waiting {
    id: String,
    /// The team it is about.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    team: Option<String>,
    subject: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Leaving {
    since: Timestamp,
    notices: Vec<Waiting>,
    more: u64,
}

/// How a notice leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leave {
    Alone,
    InDigest,
}

impl Ledger {
    fn new(now: Timestamp) -> Self {
        Self {
            hour: hour_of(now),
            alone: Vec::new(),
            since: None,
            waiting: Vec::new(),
            more: 0,
            leaving: None,
        }
    }

    /// How the notice leaves, after it was written down; a second try leaves as the first did.
    fn enter(&mut self, notice: &Notice, now: Timestamp, hourly: usize) -> Leave {
        let leaving = self.leaving.iter().flat_map(|leaving| &leaving.notices);
        if self
            .waiting
            .iter()
            .chain(leaving)
            .any(|waiting| waiting.id == notice.id)
        {
            return Leave::InDigest;
        }
        // A clock that is behind counts in the hour that others have begun.
        if hour_of(now) > self.hour {
            (self.hour, self.alone) = (hour_of(now), Vec::new());
        }
        if self.alone.contains(&notice.id) {
            return Leave::Alone;
        }
        if self.alone.len() < hourly {
            self.alone.push(notice.id.clone());
            return Leave::Alone;
        }
        self.since = self.since.or(Some(self.hour));
        if self.waiting.len() < MOST {
            self.waiting.push(Waiting {
                id: notice.id.clone(),
                team: notice.team.clone(),
                subject: notice.subject.clone(),
            });
        } else {
            self.more += 1;
        }
        Leave::InDigest
    }

    /// The digest that is leaving, or is to leave now.
    fn due(&mut self, now: Timestamp) -> Option<&Leaving> {
        let since = self
            .since
            .filter(|since| self.leaving.is_none() && end_of(*since) <= now);
        if let Some(since) = since {
            self.since = None;
            self.leaving = Some(Leaving {
                since,
                notices: std::mem::take(&mut self.waiting),
                more: std::mem::take(&mut self.more),
            });
        }
        self.leaving.as_ref()
    }
}

fn hour_of(now: Timestamp) -> Timestamp {
    let second = now.as_second();
    Timestamp::from_second(second - second.rem_euclid(HOUR.as_secs())).unwrap_or(now)
}

fn end_of(hour: Timestamp) -> Timestamp {
    hour.saturating_add(HOUR).unwrap_or(Timestamp::MAX)
}

/// Counts a notice; tried again, it is counted once.
pub(super) async fn enter(
    store: &impl Store,
    desk: Desk,
    notice: &Notice,
    now: Timestamp,
    hourly: usize,
) -> Result<Leave, StoreError> {
    let mut leave = Leave::Alone;
    documents::update_if_readable(store, &key(desk), |before: Option<&Ledger>| {
        let mut ledger = before.cloned().unwrap_or_else(|| Ledger::new(now));
        leave = ledger.enter(notice, now, hourly);
        Some(ledger)
    })
    .await?;
    Ok(leave)
}

/// Sends the digest of the hours that are over, if notices wait. Called by the sweep of the desk's function.
///
/// 1. Write down what it is of.
/// 2. Publish it, unless its marker is there, and write the marker.
/// 3. Take it out of the ledger.
pub async fn send_digest(
    store: &impl Store,
    topic: &impl Topic,
    desk: Desk,
    now: Timestamp,
) -> Result<bool, AnnounceError> {
    let mut sent = false;
    if topic.hourly() == UNBOUNDED {
        return Ok(sent);
    }
    for _ in 0..documents::ATTEMPTS {
        let before = documents::load_if_readable::<Ledger>(store, &key(desk)).await?;
        let Some(ledger) = &before.document else {
            return Ok(sent);
        };
        let mut next = ledger.clone();
        let Some(leaving) = next.due(now) else {
            return Ok(sent);
        };
        let notice = Notice::digest(desk, leaving);
        if next != *ledger {
            before.replace(store, &next).await?;
            continue;
        }
        if !is_marked(store, &notice).await? {
            topic.publish(&notice.message()).await?;
            mark(store, &notice, now).await?;
            sent = true;
        }
        next.leaving = None;
        if let Replaced::Done { .. } = before.replace(store, &next).await? {
            return Ok(true);
        }
    }
    Err(documents::contended(&key(desk)).into())
}

/// The desk's ledger. An unreadable one (an admin edited it) is begun again: the markers hold every notice that waited.
fn key(desk: Desk) -> String {
    layout::digest(desk.name())
}

impl Notice {
    fn digest(desk: Desk, leaving: &Leaving) -> Self {
        let Leaving { since, notices, more } = leaving;
        let ids: Vec<&str> = notices.iter().map(|waiting| waiting.id.as_str()).collect();
        let all = notices.len() as u64 + more;
        let hash = short_hash(json!([since, ids, more]).to_string().as_bytes());
        Self {
            id: format!("digest/{}/{}-{hash}", desk.name(), since.strftime("%Y%m%d%H")),
            kind: NoticeKind::Digest,
            dataset: String::new(),
            team: None,
            subject: subject(&format!("Groundcrew: {all} more notices about {}", desk.name())),
            text: digest_text(leaving, all),
            detail: json!({"since": since, "count": all, "notices": notices}),
        }
    }
}

fn digest_text(leaving: &Leaving, all: u64) -> String {
    let since = leaving.since.strftime("%Y-%m-%d %H:%M UTC");
    let mut text = format!("{all} more notices have come since {since} than are sent one by one:\n\n");
    for Waiting { subject, .. } in leaving.notices.iter().take(LINES) {
        let _ = writeln!(text, "  {subject}");
    }
    let named = leaving.notices.len().min(LINES) as u64;
    if all > named {
        let _ = writeln!(text, "\n  and {} more.", all - named);
    }
    let place = shell::word(&format!("s3://<output bucket>/{}", layout::notified("")));
    let _ = writeln!(
        text,
        "\nEach says what to do. The console shows the newest, and all of them are in the\noutput bucket:\n\n    aws s3 ls \
         --recursive {place}"
    );
    text
}
