//! The protocol that brings one team to what its file says. Every step can be repeated, and the whole can stop after
//! any of them.

use std::collections::BTreeSet;

use shared::crew::{MemberState, Ownership, Roster, TeamFile, TeamProblem};
use shared::documents;
use shared::layout;
use shared::name::TeamName;
use shared::notice::Notice;
use shared::spec::Spec;
use shared::yaml::FileError;

use crate::error::SyncError;
use crate::member::each::MembersOutcome;
use crate::member::invite::invite_waiting;
use crate::member::join_notice::subscribe_joined;
use crate::member::leave::{TeamPlaces, remove_leaving};
use crate::member::update;
use crate::ports::Ports;
use crate::problems::{Problems, from_file_error};
use crate::roster::{self, members_in_state};
use crate::run::Run;
use crate::setup::outcome::TeamSetup;
use crate::setup::{self, TeamRequest, ownership};
use crate::team_file::allowed_domains::without_other_domains;
use crate::team_file::name_spelling;

/// How a reconcile ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// There is no such file: a deleted one changes nothing.
    NoFile,
    /// It cannot be used; the team stays as it is.
    Rejected,
    /// The workforce or the work team cannot be made as it is.
    Refused,
    /// Everything is done, or recorded as something an admin has to do.
    Settled,
    /// There was no time for everything; the sweep continues.
    Unfinished,
}

/// The file, or its team's roster, may change so often while it is applied.
const ATTEMPTS: usize = 8;

/// Brings a team to what its file says.
pub(crate) async fn reconcile<P: Ports>(run: &Run<'_, P>, team: &TeamName) -> Result<Outcome, SyncError> {
    let mut touched = BTreeSet::new();
    for _ in 0..ATTEMPTS {
        if let Some(outcome) = attempt(run, team, &mut touched).await? {
            tracing::info!(%team, ?outcome, "team reconciled");
            return Ok(outcome);
        }
    }
    Err(SyncError::TeamFileChanged {
        key: layout::team_file(team),
        attempts: ATTEMPTS,
    })
}

/// `None`: another process has another version of the file; read it again.
async fn attempt<P: Ports>(
    run: &Run<'_, P>,
    team: &TeamName,
    touched: &mut BTreeSet<String>,
) -> Result<Option<Outcome>, SyncError> {
    // 1-2. What the file says, written into the roster.
    let (file, etag, planned) = match write_plan(run, team, touched).await? {
        Plan::Written(plan) => *plan,
        Plan::Ended(outcome) => return Ok(Some(outcome)),
    };
    // 3. The team's own group; one that others made stays as it is.
    let group = ownership::ensure_group(run, team, &file, &planned).await?;
    // 4-7. The workforce, the topic, the work team, the portal's addresses.
    let mut problems = Problems::of(&file);
    let request = TeamRequest {
        team,
        file: &file,
        roster: &planned,
        group: &group,
    };
    let setup = setup::set_up(run, &request, &mut problems).await?;
    if !record_setup(run, team, &etag, &setup).await? {
        return Ok(None);
    }
    touched.extend(members_to_change(&planned));
    // 8. New members: only where there is a team for them.
    let invited = match &setup {
        TeamSetup::Ready(_) => invite_waiting(run, team, group.own_since(), &planned).await,
        TeamSetup::Refused(_) | TeamSetup::Foreign(_) => MembersOutcome::default(),
    };
    // 9. Members who leave.
    let places = TeamPlaces {
        topic: planned.topic_arn.as_deref(),
        group: group.may_change(),
    };
    let members = invited.and(remove_leaving(run, team, places, &planned).await);
    // 10. The team as it is now, and notices of what an admin has to do.
    if let TeamSetup::Ready(ready) = &setup {
        subscribe_joined(run, ready.topic_arn.as_deref(), &planned, &members.updates).await?;
    }
    let Some(after) = record_members(run, team, &planned, &setup, &problems, &members).await? else {
        return Ok(None);
    };
    problems.announce(run, team, &setup, &after).await?;
    members.first_failure()?;
    Ok(Some(match setup {
        TeamSetup::Refused(_) | TeamSetup::Foreign(_) => Outcome::Refused,
        TeamSetup::Ready(_) if members.unfinished => Outcome::Unfinished,
        TeamSetup::Ready(_) => Outcome::Settled,
    }))
}

enum Plan {
    /// What the file says, its ETag, and the roster as it is now.
    Written(Box<(TeamFile, String, Roster)>),
    /// There is nothing to do.
    Ended(Outcome),
}

/// The roster is read before the file, and written only if it is still the same: so a process that was held up with an
/// older file does not take back what another process has made of a newer one.
async fn write_plan<P: Ports>(
    run: &Run<'_, P>,
    team: &TeamName,
    touched: &BTreeSet<String>,
) -> Result<Plan, SyncError> {
    let key = layout::team_file(team);
    for _ in 0..documents::ATTEMPTS {
        let snapshot = roster::load(run, team).await?;
        let empty = || Roster::empty(team, run.current_time());
        let before = snapshot.document.clone().unwrap_or_else(empty);
        // 1. What the file says.
        let Some(text) = run.team_file(&key).await? else {
            return Ok(Plan::Ended(Outcome::NoFile));
        };
        let file = match TeamFile::parse(team, &text.bytes) {
            Ok(file) => file,
            Err(error) => {
                let after = with_rejected_file(before, &text.etag, &error);
                if roster::replace(run, &snapshot, after).await?.is_none() {
                    continue;
                }
                let notice = Notice::team_rejected(team, &error, &Spec::sha256(&text.bytes));
                run.announce(&notice).await?;
                return Ok(Plan::Ended(Outcome::Rejected));
            }
        };
        if let Some(first) = name_spelling::other_spelling(run, team, &before).await? {
            let message = name_spelling::refusal(team, &first);
            let after = with_refused_name(before, &file, &text.etag, &message);
            if roster::replace(run, &snapshot, after).await?.is_none() {
                continue;
            }
            run.announce(&Notice::team_refused(team, &message)).await?;
            return Ok(Plan::Ended(Outcome::Refused));
        }
        let file = without_other_domains(file, &before, &run.ports.settings().allowed_domains);
        // 2. Who joins and who leaves, recorded before anything is done for them.
        let after = roster::next_roster(before, &file, &text.etag, touched, run.current_time());
        if let Some(planned) = roster::replace(run, &snapshot, after).await? {
            return Ok(Plan::Written(Box::new((file, text.etag, planned))));
        }
    }
    Err(documents::contention_error(&layout::roster(team)).into())
}

/// A file that cannot be used: announced once per content, listed in the roster, and nothing else changes.
fn with_rejected_file(before: Roster, etag: &str, error: &FileError) -> Roster {
    Roster {
        file_etag: etag.to_owned(),
        problems: vec![from_file_error(error)],
        settled: true,
        ..before
    }
}

/// A file for a name that is another team's: none of its people join or leave.
fn with_refused_name(before: Roster, file: &TeamFile, etag: &str, message: &str) -> Roster {
    Roster {
        file_etag: etag.to_owned(),
        organization: file.organization.clone(),
        contact: file.contact.clone(),
        description: file.description.clone(),
        problems: vec![TeamProblem {
            message: message.to_owned(),
            line: None,
        }],
        settled: true,
        ..before
    }
}

/// Written before anyone is invited: the invitation names the portal.
async fn record_setup<P: Ports>(
    run: &Run<'_, P>,
    team: &TeamName,
    etag: &str,
    setup: &TeamSetup,
) -> Result<bool, SyncError> {
    let TeamSetup::Ready(ready) = setup else {
        return Ok(true);
    };
    let written = roster::update(run, team, |before| {
        let before = before.filter(|roster| roster.file_etag == etag)?;
        let owned = before.owned.clone().unwrap_or_default();
        Some(Roster {
            owned: Some(Ownership {
                group: ready.group.or(owned.group),
                work_team: Some(ready.work_team),
                adopted: ready.adopted.clone().or(owned.adopted),
            }),
            portal_url: ready.portal_url.clone(),
            workteam_arn: ready.workteam_arn.clone(),
            ..before.clone()
        })
    });
    Ok(written.await?.is_some())
}

async fn record_members<P: Ports>(
    run: &Run<'_, P>,
    team: &TeamName,
    planned: &Roster,
    setup: &TeamSetup,
    problems: &Problems,
    members: &MembersOutcome,
) -> Result<Option<Roster>, SyncError> {
    let updates = members.sorted_updates();
    roster::update(run, team, |before| {
        let before = before.filter(|roster| roster.file_etag == planned.file_etag)?;
        if let TeamSetup::Ready(ready) = setup
            && ready.topic_arn.is_some()
            && before.topic_arn.is_none()
            && has_new_joined(before, planned)
        {
            return None;
        }
        let mut after = before.clone();
        update::apply(&mut after, &updates);
        after.problems = problems.to_list(setup);
        after.adoptable = matches!(setup, TeamSetup::Foreign(_));
        after.settled = !members.unfinished && members.errors.is_empty();
        if let TeamSetup::Ready(ready) = setup {
            // Only now: a process that is stopped before this subscribes the rest the next time.
            after.topic_arn.clone_from(&ready.topic_arn);
        }
        Some(after)
    })
    .await
}

/// A member whose joining was announced while there was no topic to subscribe them to.
fn has_new_joined(now: &Roster, planned: &Roster) -> bool {
    let joined = members_in_state(planned, MemberState::Joined);
    let had_joined = |person: &str| joined.iter().any(|member| member.person == person);
    let mut joined_now = now
        .members
        .iter()
        .filter(|member| member.state == MemberState::Joined);
    joined_now.any(|member| !had_joined(&member.person))
}

/// Members who are about to be invited or removed.
fn members_to_change(roster: &Roster) -> Vec<String> {
    let will_change = |state| matches!(state, MemberState::Waiting | MemberState::Leaving);
    let members = roster.members.iter().filter(|member| will_change(member.state));
    members.map(|member| member.person.clone()).collect()
}
