//! Step 8: members who wait are invited, or join at once where they have a password.

use jiff::Timestamp;
use shared::crew::{Member, MemberState, Roster};
use shared::name::TeamName;

use crate::error::SyncError;
use crate::member::each::{MembersOutcome, for_each};
use crate::member::newcomer::Newcomer;
use crate::member::person;
use crate::member::update::NextState;
use crate::ports::Ports;
use crate::roster::members_in_state;
use crate::run::Run;

/// Everyone who waits. A mail that was set aside for a person who did not need it is for the next one. `group` is when the
/// team's own group was made.
pub(crate) async fn invite_waiting<P: Ports>(
    run: &Run<'_, P>,
    team: &TeamName,
    group: Option<Timestamp>,
    roster: &Roster,
) -> MembersOutcome {
    let mut waiting = members_in_state(roster, MemberState::Waiting);
    let mut all = MembersOutcome::default();
    loop {
        let round = for_each(run, waiting.clone(), |member| invite(run, team, group, member)).await;
        let (updates, has_failed) = (round.updates.len(), !round.errors.is_empty());
        waiting.retain(|member| !round.updates.iter().any(|update| update.person == member.person));
        all = all.and(round);
        if updates == 0 || has_failed || waiting.is_empty() || !run.mail.is_left().await {
            return all;
        }
    }
}

/// The person's document comes first, so that a sign-in a moment later gives them the team. They are invited once: creating
/// the account is the lock.
async fn invite<P: Ports>(
    run: &Run<'_, P>,
    team: &TeamName,
    group: Option<Timestamp>,
    member: Member,
) -> Result<Option<NextState>, SyncError> {
    let person = person::add_to_team(run, (team, group), &member.person, &member.email).await?;
    let newcomer = Newcomer {
        run,
        team,
        group,
        id: &member.person,
        email: &person.email,
    };
    newcomer.invite_or_join(&person).await
}
