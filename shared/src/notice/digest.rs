//! The ledger of an hour's notices: ten are published one by one, the rest as one digest after the hour.
//!
//! Without it, a person who drops a thousand bad files would send a thousand mails. Nothing is lost: a notice that waits
//! has its marker, which holds all of it, and its line in the ledger is written before the marker.

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::id::short_hash;
use super::message::subject;
use super::model::{Notice, NoticeKind};
use crate::{layout, shell};

/// Waiting notices named in the ledger, and so in the digest; of more, the number is kept.
const MOST: usize = 1_000;
/// Lines of a digest's text.
const LINES: usize = 50;
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// Notices that are counted together. Each group has a ledger of its own, written and sent by functions that share nothing
/// else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DigestGroup {
    /// Datasets: build-manifest and start-job write, build-manifest's sweep sends.
    Datasets,
    /// Teams: sync-team.
    Teams,
}

impl DigestGroup {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Datasets => "datasets",
            Self::Teams => "teams",
        }
    }
}

impl NoticeKind {
    /// Where it is counted. Notices of jobs that people labeled are published one by one: there is one a job, and jobs have
    /// a bound of their own.
    pub(super) fn digest_group(self) -> Option<DigestGroup> {
        match self {
            Self::JobRefused
            | Self::SpecRejected
            | Self::FilesRejected
            | Self::DatasetHalted
            | Self::DailyBound => Some(DigestGroup::Datasets),
            Self::TeamRejected | Self::TeamProblems | Self::TeamRefused | Self::WorkerUnlisted => {
                Some(DigestGroup::Teams)
            }
            Self::JobCompleted | Self::JobFailed | Self::JobStopped | Self::WorkerJoined | Self::Digest => {
                None
            }
        }
    }
}

/// `digest/<group>.json`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ledger {
    /// The hour that is counted.
    hour: Timestamp,
    /// Ids of the notices published one by one in it.
    alone: Vec<String>,
    /// The hour of the first notice that waits.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    since: Option<Timestamp>,
    waiting: Vec<WaitingNotice>,
    /// How many more wait and are not named.
    #[serde(default)]
    more: u64,
    /// The digest being published: written down before, so that a second attempt publishes the same.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    leaving: Option<PendingDigest>,
}

/// A notice that waits for its digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct WaitingNotice {
    id: String,
    /// The team it is about.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    team: Option<String>,
    subject: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PendingDigest {
    since: Timestamp,
    notices: Vec<WaitingNotice>,
    more: u64,
}

/// How a notice is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delivery {
    Alone,
    InDigest,
}

impl Ledger {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            hour: hour_of(now),
            alone: Vec::new(),
            since: None,
            waiting: Vec::new(),
            more: 0,
            leaving: None,
        }
    }

    /// How the notice is published, once the ledger is written; a second attempt is published as the first was.
    pub(super) fn count(&mut self, notice: &Notice, now: Timestamp, hourly_limit: usize) -> Delivery {
        let leaving = self.leaving.iter().flat_map(|leaving| &leaving.notices);
        if self
            .waiting
            .iter()
            .chain(leaving)
            .any(|waiting| waiting.id == notice.id)
        {
            return Delivery::InDigest;
        }
        // A clock that is behind counts in the hour that others have begun.
        if hour_of(now) > self.hour {
            (self.hour, self.alone) = (hour_of(now), Vec::new());
        }
        if self.alone.contains(&notice.id) {
            return Delivery::Alone;
        }
        if self.alone.len() < hourly_limit {
            self.alone.push(notice.id.clone());
            return Delivery::Alone;
        }
        self.since = self.since.or(Some(self.hour));
        if self.waiting.len() < MOST {
            self.waiting.push(WaitingNotice {
                id: notice.id.clone(),
                team: notice.team.clone(),
                subject: notice.subject.clone(),
            });
        } else {
            self.more += 1;
        }
        Delivery::InDigest
    }

    /// The digest that is being published, or is to be published now.
    pub(super) fn due_digest(&mut self, now: Timestamp) -> Option<&PendingDigest> {
        let since = self
            .since
            .filter(|since| self.leaving.is_none() && end_of(*since) <= now);
        if let Some(since) = since {
            self.since = None;
            self.leaving = Some(PendingDigest {
                since,
                notices: std::mem::take(&mut self.waiting),
                more: std::mem::take(&mut self.more),
            });
        }
        self.leaving.as_ref()
    }

    /// It has been published.
    pub(super) fn forget_digest(&mut self) {
        self.leaving = None;
    }
}

fn hour_of(now: Timestamp) -> Timestamp {
    let second = now.as_second();
    Timestamp::from_second(second - second.rem_euclid(HOUR.as_secs())).unwrap_or(now)
}

fn end_of(hour: Timestamp) -> Timestamp {
    hour.saturating_add(HOUR).unwrap_or(Timestamp::MAX)
}

impl Notice {
    pub(super) fn digest(group: DigestGroup, digest: &PendingDigest) -> Self {
        let PendingDigest { since, notices, more } = digest;
        let ids: Vec<&str> = notices.iter().map(|waiting| waiting.id.as_str()).collect();
        let all = notices.len() as u64 + more;
        let hash = short_hash(json!([since, ids, more]).to_string().as_bytes());
        Self {
            id: format!("digest/{}/{}-{hash}", group.name(), since.strftime("%Y%m%d%H")),
            kind: NoticeKind::Digest,
            dataset: String::new(),
            team: None,
            subject: subject(&format!("Groundcrew: {all} more notices about {}", group.name())),
            text: digest_text(digest, all),
            detail: json!({"since": since, "count": all, "notices": notices}),
        }
    }
}

fn digest_text(digest: &PendingDigest, all: u64) -> String {
    let since = digest.since.strftime("%Y-%m-%d %H:%M UTC");
    let mut text = format!("{all} more notices have come since {since} than are sent one by one:\n\n");
    for WaitingNotice { subject, .. } in digest.notices.iter().take(LINES) {
        let _ = writeln!(text, "  {subject}");
    }
    let named = digest.notices.len().min(LINES) as u64;
    if all > named {
        let _ = writeln!(text, "\n  and {} more.", all - named);
    }
    let place = shell::word(&format!("s3://<output bucket>/{}", layout::notice_marker("")));
    let _ = writeln!(
        text,
        "\nEach says what to do. The console shows the newest, and all of them are in the\noutput bucket:\n\n    aws s3 ls \
         --recursive {place}"
    );
    text
}
