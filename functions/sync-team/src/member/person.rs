//! The documents under `people/`, changed by compare-and-swap alone.

use std::collections::BTreeMap;

use jiff::Timestamp;
use shared::crew::{Invitation, Membership, Person};
use shared::documents;
use shared::layout;
use shared::name::TeamName;
use shared::port::crew::Account;

use crate::error::SyncError;
use crate::ports::Ports;
use crate::run::Run;

/// Lets `change` make the next document from the present one, until no other process has written in between. `None`
/// leaves it as it is. Gives the document as it is afterwards.
pub(crate) async fn update<P: Ports>(
    run: &Run<'_, P>,
    person: &str,
    change: impl FnMut(Option<&Person>) -> Option<Person> + Send,
) -> Result<Option<Person>, SyncError> {
    Ok(documents::update(run.ports.store(), &layout::person(person), change).await?)
}

/// The person belongs to the team from now on, whatever happens next. A person who is put in again is tried again.
/// `group` is when the team's own group was made: a sign-in puts people into no other.
pub(crate) async fn add_to_team<P: Ports>(
    run: &Run<'_, P>,
    (team, group): (&TeamName, Option<Timestamp>),
    person: &str,
    email: &str,
) -> Result<Person, SyncError> {
    let (now, pool) = (run.current_time(), run.ports.settings().user_pool.as_str());
    let with_team = |before: Option<&Person>| {
        let mut person = before.cloned().unwrap_or_else(|| new_person(email, pool));
        if person.user_pool != pool {
            // Accounts of another pool are other accounts.
            person = Person {
                teams: person.teams,
                ..new_person(email, pool)
            };
        }
        match person.teams.get_mut(team.as_str()) {
            Some(membership) => membership.group = group.or(membership.group),
            None => {
                let membership = Membership { since: now, group };
                person.teams.insert(team.to_string(), membership);
                if person.invitation.problem.is_some() {
                    person.invitation = Invitation::default();
                }
            }
        }
        person
    };
    let after = update(run, person, |before| Some(with_team(before))).await?;
    Ok(after.unwrap_or_else(|| with_team(None)))
}

fn new_person(email: &str, pool: &str) -> Person {
    Person {
        email: email.to_owned(),
        user_pool: pool.to_owned(),
        username: None,
        sub: None,
        teams: BTreeMap::new(),
        invitation: Invitation::default(),
    }
}

/// The account is this person's. `invitation` makes what is known of the mail from what was known.
pub(crate) async fn record_account<P: Ports>(
    run: &Run<'_, P>,
    person: &str,
    account: &Account,
    invitation: impl Fn(&Invitation) -> Invitation + Send + Sync,
) -> Result<Option<Person>, SyncError> {
    update(run, person, |before| {
        let before = before?.clone();
        Some(Person {
            username: Some(account.username.clone()),
            sub: Some(account.sub.clone()),
            invitation: invitation(&before.invitation),
            ..before
        })
    })
    .await
}

/// There is no account any more, or never was.
pub(crate) async fn forget_account<P: Ports>(run: &Run<'_, P>, person: &str) -> Result<(), SyncError> {
    update(run, person, |before| {
        Some(Person {
            username: None,
            sub: None,
            invitation: Invitation::default(),
            ..before?.clone()
        })
    })
    .await?;
    Ok(())
}

/// Why the person cannot be reached.
pub(crate) async fn record_problem<P: Ports>(
    run: &Run<'_, P>,
    person: &str,
    problem: &str,
) -> Result<(), SyncError> {
    update(run, person, |before| {
        let mut after = before?.clone();
        after.invitation.problem = Some(problem.to_owned());
        Some(after)
    })
    .await?;
    Ok(())
}
