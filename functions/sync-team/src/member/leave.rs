//! Step 9: members who leave. They leave the team's document, group and topic, in this order: a sign-in between the first
//! two would put them back the other way round. Their account and everything else of theirs stays.

use shared::crew::{Member, MemberState, Person, Roster};
use shared::name::TeamName;
use shared::port::crew::{Directory, WorkTopics};

use crate::error::SyncError;
use crate::member::each::{MembersOutcome, for_each};
use crate::member::person;
use crate::member::update::NextState;
use crate::ports::Ports;
use crate::roster::members_in_state;
use crate::run::Run;

pub(crate) async fn remove_leaving<P: Ports>(
    run: &Run<'_, P>,
    team: &TeamName,
    places: TeamPlaces<'_>,
    roster: &Roster,
) -> MembersOutcome {
    let leaving = members_in_state(roster, MemberState::Leaving);
    for_each(run, leaving, |member| remove(run, team, places, member)).await
}

/// Where a member is removed from, beside the team's document.
#[derive(Clone, Copy)]
pub(crate) struct TeamPlaces<'p> {
    pub(crate) topic: Option<&'p str>,
    /// The group of the team's name belongs to this team.
    pub(crate) group: bool,
}

pub(crate) async fn remove<P: Ports>(
    run: &Run<'_, P>,
    team: &TeamName,
    from: TeamPlaces<'_>,
    member: Member,
) -> Result<Option<NextState>, SyncError> {
    let person = person::update(run, &member.person, |before| {
        let mut after: Person = before?.clone();
        after.teams.remove(team.as_str());
        Some(after)
    })
    .await?;
    if let Some(person) = person {
        let directory = run.ports.directory();
        let username = match person.username {
            Some(username) => Some(username),
            // The account may have been made just before this function was stopped.
            None => directory
                .find(&person.email)
                .await?
                .map(|account| account.username),
        };
        if let Some(username) = username.filter(|_| from.group) {
            directory.remove_from_group(&username, team.as_str()).await?;
        }
        if let Some(topic) = from.topic {
            run.ports.work_topics().unsubscribe(topic, &person.email).await?;
        }
    }
    tracing::info!(%team, person = member.person, "member left");
    Ok(Some(NextState::new(MemberState::Left, run.current_time())))
}
