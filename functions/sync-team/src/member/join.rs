//! A member with a password joins: into the group, and a marker whose event announces it.

use jiff::Timestamp;
use shared::crew::{Invitation, JoinMarker, MemberState};
use shared::documents;
use shared::layout;
use shared::name::TeamName;
use shared::port::crew::{Account, CrewError, Directory};

use crate::error::SyncError;
use crate::member::person;
use crate::member::update::NextState;
use crate::ports::Ports;
use crate::run::Run;

/// The account has a password already: into the group at once, without a mail. `group` is when the team's own group was
/// made.
pub(crate) async fn join<P: Ports>(
    run: &Run<'_, P>,
    (team, group): (&TeamName, Option<Timestamp>),
    id: &str,
    account: &Account,
) -> Result<NextState, SyncError> {
    person::add_to_team(run, (team, group), id, &account.email).await?;
    person::record_account(run, id, account, Invitation::clone).await?;
    let directory = run.ports.directory();
    if !directory.add_to_group(&account.username, team.as_str()).await? {
        return Err(account_missing("AdminAddUserToGroup"));
    }
    create_marker(run, team, id, account).await?;
    tracing::info!(%team, person = id, "member added to group");
    Ok(NextState::new(MemberState::Joined, run.current_time()).with_sub(&account.sub))
}

/// Cognito has just said that the account is there; it will be found a moment later.
pub(crate) fn account_missing(operation: &'static str) -> SyncError {
    SyncError::Crew(CrewError::Transient {
        operation,
        reason: "an account that exists is not found".to_owned(),
    })
}

/// Created once; its event makes this function announce it.
async fn create_marker<P: Ports>(
    run: &Run<'_, P>,
    team: &TeamName,
    id: &str,
    account: &Account,
) -> Result<(), SyncError> {
    let joined = JoinMarker {
        at: run.current_time(),
        username: account.username.clone(),
        sub: account.sub.clone(),
    };
    documents::create_json(run.ports.store(), &layout::join_marker(team, id), &joined).await?;
    Ok(())
}
