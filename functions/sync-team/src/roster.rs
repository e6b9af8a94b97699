//! `crew/<team>.json`, changed by compare-and-swap alone.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use shared::crew::{Member, MemberState, Roster, TeamFile, Worker};
use shared::layout;
use shared::name::TeamName;
use shared::port::{Bucket, ReplaceOutcome, Store};

use crate::mail::damaged;
use crate::run::Run;
use crate::{Ports, SyncError};

pub(crate) const TRIES: usize = 20;

/// The roster as it was at some time.
pub(crate) struct Seen {
    roster: Option<Roster>,
    etag: Option<String>,
}

pub(crate) async fn seen<P: Ports>(run: &Run<'_, P>, team: &TeamName) -> Result<Seen, SyncError> {
    let key = layout::roster(team);
    let stored = run.ports.store().get(Bucket::Output, &key, None).await?;
    Ok(match stored {
        Some(stored) => Seen {
            roster: Some(serde_json::from_slice(&stored.bytes).map_err(|_| damaged(&key))?),
            etag: Some(stored.etag),
        },
        None => Seen {
            roster: None,
            etag: None,
        },
    })
}

/// Writes the roster, if it is as it was seen; `None`: somebody came between. One that says the same is not written.
pub(crate) async fn replace<P: Ports>(
    run: &Run<'_, P>,
    team: &TeamName,
    seen: &Seen,
    mut after: Roster,
) -> Result<Option<Roster>, SyncError> {
    if let Some(before) = &seen.roster {
        after.at = before.at;
        if after == *before {
            return Ok(Some(after));
        }
    }
    after.at = run.now();
    let body = serde_json::to_vec(&after).unwrap_or_default();
    let (store, key) = (run.ports.store(), layout::roster(team));
    let written = store.replace(&key, body, seen.etag.as_deref()).await?;
    Ok(match written {
        ReplaceOutcome::Done { .. } => Some(after),
        ReplaceOutcome::Changed => None,
    })
}

/// Reads the roster, lets `decide` change it (`None`: leave it, the caller has to think again) and writes it, until
/// nobody came between.
pub(crate) async fn change<P: Ports>(
    run: &Run<'_, P>,
    team: &TeamName,
    mut decide: impl FnMut(Option<&Roster>) -> Option<Roster> + Send,
) -> Result<Option<Roster>, SyncError> {
    for _ in 0..TRIES {
        let seen = seen(run, team).await?;
        let Some(after) = decide(seen.roster.as_ref()) else {
            return Ok(None);
        };
        if let Some(after) = replace(run, team, &seen, after).await? {
            return Ok(Some(after));
        }
    }
    Err(SyncError::Contended {
        what: layout::roster(team),
        tries: TRIES,
    })
}

impl Seen {
    /// The roster, or one of nobody for a team that has none yet.
    pub(crate) fn or_empty(&self, team: &TeamName, now: Timestamp) -> Roster {
        self.roster.clone().unwrap_or_else(|| Roster::empty(team, now))
    }
}

/// What is to be true, before anything is done for it: who is in the file and new waits, who is not in it any more
/// leaves. `touched` are people an earlier try of this invocation served by an older file, perhaps after somebody else
/// had served them by the newer one: whatever the roster says of them, they are served again.
pub(crate) fn written_ahead(
    before: Roster,
    file: &TeamFile,
    etag: &str,
    touched: &BTreeSet<String>,
    now: Timestamp,
) -> Roster {
    let workers: &[Worker] = file.cognito().map_or(&[], |team| &team.workers);
    let mut new: BTreeMap<&str, &Worker> = workers.iter().map(|w| (w.person.as_str(), w)).collect();
    let mut members = before.members;
    for member in &mut members {
        match new.remove(member.person.as_str()) {
            Some(worker) => stays(member, worker, touched, now),
            None => goes(member, touched, now),
        }
    }
    // In the file's order: the first in it are the first to be invited.
    members.extend(
        workers
            .iter()
            .filter(|w| new.contains_key(w.person.as_str()))
            .map(|w| waiting(w, now)),
    );
    Roster {
        settled: before.settled && before.file_etag == etag,
        file_etag: etag.to_owned(),
        organization: file.organization.clone(),
        contact: file.contact.clone(),
        description: file.description.clone(),
        invitation: file.cognito().and_then(|team| team.invitation.clone()),
        members,
        ..before
    }
}

fn stays(member: &mut Member, worker: &Worker, touched: &BTreeSet<String>, now: Timestamp) {
    member.email.clone_from(&worker.email);
    let served = touched.contains(&member.person) && member.state != MemberState::Waiting;
    if served || matches!(member.state, MemberState::Leaving | MemberState::Left) {
        *member = waiting(worker, now);
    }
}

fn goes(member: &mut Member, touched: &BTreeSet<String>, now: Timestamp) {
    let left = member.state == MemberState::Left && !touched.contains(&member.person);
    if !left && member.state != MemberState::Leaving {
        member.state = MemberState::Leaving;
        member.since = now;
        member.problem = None;
    }
}

fn waiting(worker: &Worker, now: Timestamp) -> Member {
    Member {
        person: worker.person.clone(),
        email: worker.email.clone(),
        state: MemberState::Waiting,
        since: now,
        sub: None,
        invitations: 0,
        problem: None,
    }
}
