//! `crew/<team>.json`, changed by compare-and-swap alone.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use shared::crew::{Member, MemberState, Roster, TeamFile, Worker};
use shared::documents::{self, Snapshot};
use shared::layout;
use shared::name::TeamName;
use shared::port::ReplaceOutcome;

use crate::error::SyncError;
use crate::ports::Ports;
use crate::run::Run;

pub(crate) async fn load<P: Ports>(run: &Run<'_, P>, team: &TeamName) -> Result<Snapshot<Roster>, SyncError> {
    Ok(documents::load(run.ports.store(), &layout::roster(team)).await?)
}

/// Writes the roster if it is still as it was read; `None`: another process wrote in between. A roster that says the same is
/// not written.
pub(crate) async fn replace<P: Ports>(
    run: &Run<'_, P>,
    snapshot: &Snapshot<Roster>,
    after: Roster,
) -> Result<Option<Roster>, SyncError> {
    let after = with_time(after, snapshot.document.as_ref(), run.current_time());
    if snapshot.document.as_ref() == Some(&after) {
        return Ok(Some(after));
    }
    Ok(match snapshot.replace(run.ports.store(), &after).await? {
        ReplaceOutcome::Done { .. } => Some(after),
        ReplaceOutcome::Changed => None,
    })
}

/// Lets `change` make the next roster from the present one, until no other process has written in between. `None` leaves it
/// as it is, and is returned: the caller has to decide again.
pub(crate) async fn update<P: Ports>(
    run: &Run<'_, P>,
    team: &TeamName,
    mut change: impl FnMut(Option<&Roster>) -> Option<Roster> + Send,
) -> Result<Option<Roster>, SyncError> {
    let mut is_left = false;
    let next = |before: Option<&Roster>| {
        let after = change(before);
        is_left = after.is_none();
        after.map(|after| with_time(after, before, run.current_time()))
    };
    let roster = documents::update(run.ports.store(), &layout::roster(team), next).await?;
    Ok(roster.filter(|_| !is_left))
}

/// A roster that says the same keeps its time, and so is the same.
fn with_time(after: Roster, before: Option<&Roster>, now: Timestamp) -> Roster {
    if let Some(before) = before {
        let unchanged = Roster {
            at: before.at,
            ..after
        };
        return match unchanged == *before {
            true => unchanged,
            false => Roster { at: now, ..unchanged },
        };
    }
    Roster { at: now, ..after }
}

/// Members in this state, in the order of the roster.
pub(crate) fn members_in_state(roster: &Roster, state: MemberState) -> Vec<Member> {
    let members = roster.members.iter().filter(|member| member.state == state);
    members.cloned().collect()
}

/// What the file asks for, before anything is done for it: a new person in the file waits, a person no longer in it leaves.
/// `touched` are people whom an earlier attempt of this invocation dealt with by an older file, perhaps after another
/// process had dealt with them by the newer one: they are dealt with again, whatever the roster says of them.
pub(crate) fn next_roster(
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
            Some(worker) => keep_member(member, worker, touched, now),
            None => start_leaving(member, touched, now),
        }
    }
    // In the file's order: the first in it are the first to be invited.
    members.extend(
        workers
            .iter()
            .filter(|w| new.contains_key(w.person.as_str()))
            .map(|w| waiting_member(w, now)),
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

fn keep_member(member: &mut Member, worker: &Worker, touched: &BTreeSet<String>, now: Timestamp) {
    member.email.clone_from(&worker.email);
    let was_touched = touched.contains(&member.person) && member.state != MemberState::Waiting;
    if was_touched || matches!(member.state, MemberState::Leaving | MemberState::Left) {
        *member = waiting_member(worker, now);
    }
}

fn start_leaving(member: &mut Member, touched: &BTreeSet<String>, now: Timestamp) {
    let has_left = member.state == MemberState::Left && !touched.contains(&member.person);
    if !has_left && member.state != MemberState::Leaving {
        member.state = MemberState::Leaving;
        member.since = now;
        member.problem = None;
        member.account_deleted = false;
    }
}

fn waiting_member(worker: &Worker, now: Timestamp) -> Member {
    Member {
        person: worker.person.clone(),
        email: worker.email.clone(),
        state: MemberState::Waiting,
        since: now,
        sub: None,
        invitations: 0,
        problem: None,
        account_deleted: false,
    }
}
