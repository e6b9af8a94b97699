//! `crew/<team>.json`, changed by compare-and-swap alone.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use shared::crew::{Member, MemberState, Roster, TeamFile, Worker};
use shared::layout;
use shared::name::TeamName;
use shared::port::{Bucket, Replaced, Store};

use crate::mail::damaged;
use crate::run::Run;
use crate::{Ports, SyncError};

const TRIES: usize = 20;

/// Reads the roster, lets `decide` change it (`None`: leave it, the caller has to think again) and writes it, until
/// nobody came between. A roster that says the same is not written.
pub(crate) async fn change<P: Ports>(
    run: &Run<'_, P>,
    team: &TeamName,
    mut decide: impl FnMut(Option<&Roster>) -> Option<Roster> + Send,
) -> Result<Option<Roster>, SyncError> {
    let (store, key) = (run.ports.store(), layout::roster(team));
    for _ in 0..TRIES {
        let stored = store.get(Bucket::Output, &key, None).await?;
        let before: Option<Roster> = match &stored {
            Some(stored) => Some(serde_json::from_slice(&stored.bytes).map_err(|_| damaged(&key))?),
            None => None,
        };
        let Some(mut after) = decide(before.as_ref()) else {
            return Ok(None);
        };
        if let Some(before) = &before {
            after.at = before.at;
            if after == *before {
                return Ok(Some(after));
            }
        }
        after.at = run.now();
        let etag = stored.as_ref().map(|stored| stored.etag.as_str());
        let body = serde_json::to_vec(&after).unwrap_or_default();
        if let Replaced::Done { .. } = store.replace(&key, body, etag).await? {
            return Ok(Some(after));
        }
    }
    Err(SyncError::Contended {
        what: key,
        tries: TRIES,
    })
}

/// A roster of nobody, for a team that has none yet.
pub(crate) fn empty(team: &TeamName, now: Timestamp) -> Roster {
    Roster {
        team: team.to_string(),
        file_etag: String::new(),
        at: now,
        organization: String::new(),
        contact: String::new(),
        description: String::new(),
        portal_url: String::new(),
        workteam_arn: String::new(),
        topic_arn: None,
        invitation: None,
        members: Vec::new(),
        problems: Vec::new(),
        settled: false,
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
