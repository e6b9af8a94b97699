//! The protocol that brings one team to what its file says. Every step can be repeated, and the whole can stop after
//! any of them.

use std::collections::BTreeSet;

use shared::crew::{MemberState, Ownership, Roster, TeamFile, TeamProblem};
use shared::layout;
use shared::name::TeamName;
use shared::notice::Notice;
use shared::spec::Spec;
use shared::yaml::FileError;

use crate::member::{self, Moved};
use crate::people::Served;
use crate::place::{self, Place, Wanted};
use crate::problems::Problems;
use crate::run::Run;
use crate::{Ports, SyncError, bounds, joined, leave, names, own, people, roster};

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// There is no such file: a deleted one changes nothing.
    NoFile,
    /// It cannot be used; the team stays as it is.
    Rejected,
    /// The workforce or the work team cannot be made as it is.
    Refused,
    /// Everything is done, or written down as somebody else's to do.
    Settled,
    /// There was no time for everything; the sweep goes on.
    Unfinished,
}

/// The file was changed, or its team written by somebody else, so often while it was read.
const TRIES: usize = 8;

/// Brings a team to what its file says.
pub(crate) async fn reconcile<P: Ports>(run: &Run<'_, P>, team: &TeamName) -> Result<Outcome, SyncError> {
    let mut touched = BTreeSet::new();
    for _ in 0..TRIES {
        if let Some(outcome) = attempt(run, team, &mut touched).await? {
            tracing::info!(%team, ?outcome, "looked at a team");
            return Ok(outcome);
        }
    }
    Err(SyncError::Contended {
        what: layout::team_file(team),
        tries: TRIES,
    })
}

/// `None`: somebody has another version of the file; read it again.
async fn attempt<P: Ports>(
    run: &Run<'_, P>,
    team: &TeamName,
    touched: &mut BTreeSet<String>,
) -> Result<Option<Outcome>, SyncError> {
    let (file, etag, ahead) = match written_ahead(run, team, touched).await? {
        Ahead::Written(ahead) => *ahead,
        Ahead::Ended(outcome) => return Ok(Some(outcome)),
    };
    // 3. The team's own group; one that others made stays as it is.
    let group = own::make_group(run, team, &file, &ahead).await?;
    // 4-7. The workforce, the topic, the work team, the portal's addresses.
    let mut problems = Problems::of(&file);
    let wanted = Wanted {
        team,
        file: &file,
        roster: &ahead,
        group: &group,
    };
    let place = place::make(run, &wanted, &mut problems).await?;
    if !place_known(run, team, &etag, &place).await? {
        return Ok(None);
    }
    touched.extend(unfinished(&ahead));
    // 8. Those who come: only where there is a team to come to.
    let served = match &place {
        Place::Made(_) => people::serve(run, team, group.own(), &ahead).await,
        Place::Refused(_) | Place::Foreign(_) => Served::default(),
    };
    // 9. Those who go.
    let left = leave::serve(run, team, &group, &ahead).await;
    // 10. How it stands now, and what somebody has to be told.
    let served = served.and(left);
    if let Place::Made(made) = &place {
        joined::subscribe_come(run, made.topic_arn.as_deref(), &ahead, &served.moved).await?;
    }
    let Some(after) = settled(run, team, &ahead, &place, &problems, &served).await? else {
        return Ok(None);
    };
    problems.tell(run, team, &place, &after).await?;
    served.failure()?;
    Ok(Some(match place {
        Place::Refused(_) | Place::Foreign(_) => Outcome::Refused,
        Place::Made(_) if served.unfinished => Outcome::Unfinished,
        Place::Made(_) => Outcome::Settled,
    }))
}

enum Ahead {
    /// What the file says, its ETag, and the roster as it is now.
    Written(Box<(TeamFile, String, Roster)>),
    /// There is nothing to be done.
    Ended(Outcome),
}

/// The roster is looked at before the file is read, and written only if it is still the same: so nobody who was held up
/// with an older file takes back what somebody else has made of a newer one.
async fn written_ahead<P: Ports>(
    run: &Run<'_, P>,
    team: &TeamName,
    touched: &BTreeSet<String>,
) -> Result<Ahead, SyncError> {
    let key = layout::team_file(team);
    for _ in 0..roster::TRIES {
        let seen = roster::seen(run, team).await?;
        let before = seen.or_empty(team, run.now());
        // 1. What the file says.
        let Some(text) = run.team_file(&key).await? else {
            return Ok(Ahead::Ended(Outcome::NoFile));
        };
        let file = match TeamFile::parse(team, &text.bytes) {
            Ok(file) => file,
            Err(error) => {
                let after = rejected(before, &text.etag, &error);
                if roster::replace(run, team, &seen, after).await?.is_none() {
                    continue;
                }
                let notice = Notice::team_rejected(team, &error, &Spec::sha256(&text.bytes));
                run.tell(&notice).await?;
                return Ok(Ahead::Ended(Outcome::Rejected));
            }
        };
        if let Some(first) = names::twin(run, team, &before).await? {
            let message = names::refusal(team, &first);
            let after = refused(before, &file, &text.etag, &message);
            if roster::replace(run, team, &seen, after).await?.is_none() {
                continue;
            }
            run.tell(&Notice::team_refused(team, &message)).await?;
            return Ok(Ahead::Ended(Outcome::Refused));
        }
        let file = bounds::people(file, &before, &run.ports.settings().allowed_domains);
        // 2. Who comes and who goes, written down before anything is done for them.
        let after = roster::written_ahead(before, &file, &text.etag, touched, run.now());
        if let Some(ahead) = roster::replace(run, team, &seen, after).await? {
            return Ok(Ahead::Written(Box::new((file, text.etag, ahead))));
        }
    }
    Err(SyncError::Contended {
        what: layout::roster(team),
        tries: roster::TRIES,
    })
}

/// A file nobody can use: told once per content, seen in the roster, and nothing else changes.
fn rejected(before: Roster, etag: &str, error: &FileError) -> Roster {
    Roster {
        file_etag: etag.to_owned(),
        problems: vec![crate::problems::of_file(error)],
        settled: true,
        ..before
    }
}

/// A file for a name that is another team's: nobody of it comes or goes.
fn refused(before: Roster, file: &TeamFile, etag: &str, message: &str) -> Roster {
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

/// Written before anybody is invited: the invitation names the portal.
async fn place_known<P: Ports>(
    run: &Run<'_, P>,
    team: &TeamName,
    etag: &str,
    place: &Place,
) -> Result<bool, SyncError> {
    let Place::Made(made) = place else { return Ok(true) };
    let written = roster::change(run, team, |before| {
        let before = before.filter(|roster| roster.file_etag == etag)?;
        let owned = before.owned.clone().unwrap_or_default();
        Some(Roster {
            owned: Some(Ownership {
                group: made.group.or(owned.group),
                work_team: Some(made.work_team),
                adopted: made.adopted.clone().or(owned.adopted),
            }),
            portal_url: made.portal_url.clone(),
            workteam_arn: made.workteam_arn.clone(),
            ..before.clone()
        })
    });
    Ok(written.await?.is_some())
}

async fn settled<P: Ports>(
    run: &Run<'_, P>,
    team: &TeamName,
    ahead: &Roster,
    place: &Place,
    problems: &Problems,
    served: &Served,
) -> Result<Option<Roster>, SyncError> {
    let mut moved: Vec<Moved> = served.moved.clone();
    moved.sort_by(|a, b| a.person.cmp(&b.person));
    roster::change(run, team, |before| {
        let before = before.filter(|roster| roster.file_etag == ahead.file_etag)?;
        if let Place::Made(made) = place
            && made.topic_arn.is_some()
            && before.topic_arn.is_none()
            && has_come_meanwhile(before, ahead)
        {
            return None;
        }
        let mut after = before.clone();
        member::apply(&mut after, &moved);
        after.problems = problems.listed(place);
        after.adoptable = matches!(place, Place::Foreign(_));
        after.settled = !served.unfinished && served.errors.is_empty();
        if let Place::Made(made) = place {
            // Only now: whoever stops before this subscribes the rest the next time.
            after.topic_arn.clone_from(&made.topic_arn);
        }
        Some(after)
    })
    .await
}

/// Somebody whose joining was told of while there was no topic to subscribe them to.
fn has_come_meanwhile(now: &Roster, ahead: &Roster) -> bool {
    let joined = in_state(ahead, MemberState::Joined);
    let had = |person: &str| joined.iter().any(|member| member.person == person);
    let mut joined_now = now
        .members
        .iter()
        .filter(|member| member.state == MemberState::Joined);
    joined_now.any(|member| !had(&member.person))
}

/// Who is about to be served.
fn unfinished(roster: &Roster) -> Vec<String> {
    let served = |state| matches!(state, MemberState::Waiting | MemberState::Leaving);
    let members = roster.members.iter().filter(|member| served(member.state));
    members.map(|member| member.person.clone()).collect()
}

/// Members in this state, in the order of the roster.
pub(crate) fn in_state(roster: &Roster, state: MemberState) -> Vec<shared::crew::Member> {
    let members = roster.members.iter().filter(|member| member.state == state);
    members.cloned().collect()
}
