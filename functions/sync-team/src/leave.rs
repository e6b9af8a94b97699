//! Step 9: those who go. They leave the team's document, group and topic, in this order: a sign-in between the first
//! two would put them back the other way round. Their account and everything else of theirs stays.

use shared::crew::{Member, MemberState, Person, Roster};
use shared::name::TeamName;
use shared::port::crew::{Directory, WorkTopics};

use crate::member::Standing;
use crate::own::OwnGroup;
use crate::people::{Served, each};
use crate::reconcile::in_state;
use crate::run::Run;
use crate::{Ports, SyncError, person};

pub(crate) async fn serve<P: Ports>(
    run: &Run<'_, P>,
    team: &TeamName,
    group: &OwnGroup,
    roster: &Roster,
) -> Served {
    let leaving = in_state(roster, MemberState::Leaving);
    let topic = roster.topic_arn.as_deref();
    let from = Places {
        topic,
        group: group.may_change(),
    };
    each(run, leaving, |member| go(run, team, from, member)).await
}

/// What somebody leaves beside the team's document.
#[derive(Clone, Copy)]
pub(crate) struct Places<'p> {
    pub(crate) topic: Option<&'p str>,
    /// The group of the team's name is not others'.
    pub(crate) group: bool,
}

pub(crate) async fn go<P: Ports>(
    run: &Run<'_, P>,
    team: &TeamName,
    from: Places<'_>,
    member: Member,
) -> Result<Option<Standing>, SyncError> {
    let known = person::change(run, &member.person, |before| {
        let mut after: Person = before?.clone();
        after.teams.remove(team.as_str());
        Some(after)
    })
    .await?;
    if let Some(known) = known {
        let directory = run.ports.directory();
        let username = match known.username {
            Some(username) => Some(username),
            // Made just before this function was stopped, perhaps.
            None => directory
                .find(&known.email)
                .await?
                .map(|account| account.username),
        };
        if let Some(username) = username.filter(|_| from.group) {
            directory.remove_from_group(&username, team.as_str()).await?;
        }
        if let Some(topic) = from.topic {
            run.ports.work_topics().unsubscribe(topic, &known.email).await?;
        }
    }
    tracing::info!(%team, person = member.person, "left");
    Ok(Some(Standing::new(MemberState::Left, run.now())))
}
