//! The protocol: from who has signed in to the groups of their teams.

use std::sync::{Mutex, PoisonError};

use futures::future::{FutureExt, join, join_all};
use shared::crew::{JoinMarker, Membership, Person, made_group, made_group_before};
use shared::documents::{self, DocumentError};
use shared::layout;
use shared::name::TeamName;
use shared::port::crew::Directory;
use shared::port::{Store, StoreError};

use crate::Deps;
use crate::trigger::{SignInTrigger, TriggerKind};

/// Groups added in this invocation, also in one that ran out of time.
#[derive(Default)]
pub(crate) struct AddedGroups(Mutex<Vec<String>>);

impl AddedGroups {
    fn add(&self, team: &TeamName) {
        let mut groups = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        groups.push(team.to_string());
    }

    pub(crate) fn into_names(self) -> Vec<String> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Nothing that goes wrong in here stops a sign-in: what was added is in `added`, and the next sign-in or the sweep
/// of `sync-team` does the rest. One read is all that a sign-in costs when nothing is missing.
///
/// 1. Still the temporary password? Then nothing.
/// 2. The person's document; for a person in no team file and no group, a marker that is announced to an admin.
/// 3. Whether it is this person's: the same pool, and the same account or a verified address.
/// 4. Whether the event is of the account it names, as the pool has it: a caller of this function could put another user
///    name beside a person's `sub`.
/// 5. AdminAddUserToGroup for every team whose group is missing, all at once, where the group is the team's own.
/// 6. A marker for each that was added: `sync-team` announces and subscribes the person.
pub(crate) async fn assign<S: Store, D: Directory>(
    deps: &Deps<S, D>,
    trigger: &SignInTrigger,
    added: &AddedGroups,
) {
    if trigger.password_is_temporary {
        return;
    }
    let Ok(found) = find_person(deps, trigger).await else {
        return;
    };
    let Some((id, person)) = found else {
        return mark_unlisted(deps, trigger).await;
    };
    deps.metrics
        .count_foreign_events(usize::from(person.user_pool != trigger.user_pool));
    if let Err(reason) = check_owner(trigger, &person) {
        tracing::warn!(reason, "event skipped; no group changed");
        return;
    }
    let missing = person
        .teams
        .iter()
        .filter(|(team, _)| !trigger.groups.contains(team));
    let missing: Vec<(TeamName, &Membership)> = missing
        .filter_map(|(team, membership)| Some((TeamName::new(team).ok()?, membership)))
        .collect();
    if missing.is_empty() {
        return;
    }
    let pool = (deps.directory)(&trigger.user_pool);
    let pool = &*pool;
    // All at once, and no team waits for another's group: the sign-in waits for all of this.
    let account = is_the_account(pool, trigger).shared();
    let teams = missing.iter().map(|(team, membership)| {
        let (account, id) = (account.clone(), &id);
        async move {
            if join(account, has_own_group(deps, pool, team, membership)).await == (true, true) {
                add_to_group(deps, pool, trigger, (team, id), added).await;
            }
        }
    });
    join_all(teams).await;
}

/// Whether user name, `sub` and address are those of one account, as the pool has it.
async fn is_the_account<D: Directory>(pool: &D, trigger: &SignInTrigger) -> bool {
    match pool.find(&trigger.username).await {
        Ok(Some(account)) => {
            let email = trigger.email.as_deref().unwrap_or_default();
            let same = account.username == trigger.username
                && account.sub == trigger.sub
                && account.email.eq_ignore_ascii_case(email)
                && account.verified >= trigger.email_verified;
            if !same {
                tracing::warn!(
                    reason = "the pool has another account of this name",
                    "event skipped; no group changed"
                );
            }
            same
        }
        Ok(None) => {
            tracing::warn!("account not found; no group changed");
            false
        }
        Err(error) => {
            tracing::error!(%error, "failed to look up account; the sweep adds it to its groups");
            false
        }
    }
}

/// Whether the group of the team's name is the one this person belongs to, and not one that others made since.
async fn has_own_group<S: Store, D: Directory>(
    deps: &Deps<S, D>,
    pool: &D,
    team: &TeamName,
    membership: &Membership,
) -> bool {
    match pool.group(team.as_str()).await {
        Ok(Some(group)) => {
            let own = made_group(&group, &deps.stack, team, membership.group)
                || (membership.group.is_none() && made_group_before(&group));
            if !own {
                tracing::warn!(%team, "the group is not the team's own; no one was added");
            }
            own
        }
        Ok(None) => {
            tracing::warn!(%team, "group not found; the sweep creates it");
            false
        }
        Err(error) => {
            tracing::error!(%team, %error, "failed to look up group; the sweep adds people to it");
            false
        }
    }
}

/// `Err`: the document could not be read, which has been logged. `Ok(None)`: the person is in no team file.
async fn find_person<S: Store, D>(
    deps: &Deps<S, D>,
    trigger: &SignInTrigger,
) -> Result<Option<(String, Person)>, ()> {
    let Some(email) = &trigger.email else {
        return Ok(None);
    };
    let id = layout::person_id(email);
    match documents::load(&deps.store, &layout::person(&id)).await {
        Ok(person) => Ok(person.document.map(|person| (id, person))),
        Err(error) => {
            log_unread(&error);
            Err(())
        }
    }
}

/// Without the error's text: it names the key, which is made of the address.
fn log_unread(error: &DocumentError) {
    match error {
        DocumentError::Store(error) => {
            let refused = matches!(error, StoreError::Refused { .. });
            tracing::error!(
                refused,
                "failed to read a person's document; the sweep adds them to their groups"
            );
        }
        _ => tracing::error!("unreadable person's document; sync-team writes it again"),
    }
}

/// `Err`: why the document is not used for this event.
fn check_owner(trigger: &SignInTrigger, person: &Person) -> Result<(), &'static str> {
    if person.user_pool != trigger.user_pool {
        return Err("another user pool");
    }
    match &person.sub {
        Some(sub) if *sub == trigger.sub => Ok(()),
        Some(_) => Err("another account with this address"),
        None if trigger.email_verified => Ok(()),
        None => Err("an address that is not verified"),
    }
}

async fn add_to_group<S: Store, D: Directory>(
    deps: &Deps<S, D>,
    pool: &D,
    trigger: &SignInTrigger,
    (team, id): (&TeamName, &str),
    added: &AddedGroups,
) {
    match pool.add_to_group(&trigger.username, team.as_str()).await {
        Ok(true) => {
            tracing::info!(%team, person = id, "member added to group");
            added.add(team);
        }
        Ok(false) => return tracing::warn!(%team, "account not found; no group changed"),
        Err(error) => {
            return tracing::error!(%team, %error, "failed to add member to group; the sweep does it");
        }
    }
    create_marker(deps, &layout::join_marker(team, id), trigger).await;
}

/// A person who resets a password was known before, and that event does not name their groups.
async fn mark_unlisted<S: Store, D>(deps: &Deps<S, D>, trigger: &SignInTrigger) {
    if trigger.groups.is_empty() && trigger.kind != TriggerKind::Confirmed {
        create_marker(deps, &layout::unlisted_join_marker(&trigger.sub), trigger).await;
    }
}

async fn create_marker<S: Store, D>(deps: &Deps<S, D>, key: &str, trigger: &SignInTrigger) {
    let joined = JoinMarker {
        at: trigger.at,
        username: trigger.username.clone(),
        sub: trigger.sub.clone(),
    };
    if documents::create_json(&deps.store, key, &joined).await.is_err() {
        tracing::error!("failed to write the marker of a sign-in; the sweep repairs it");
    }
}
