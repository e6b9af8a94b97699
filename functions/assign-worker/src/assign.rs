//! The protocol: from who has signed in to the groups of their teams.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use futures::future::{FutureExt, join, join_all};
use shared::crew::{JoinMarker, Membership, Person, made_group, made_group_before};
use shared::layout;
use shared::name::TeamName;
use shared::port::crew::Directory;
use shared::port::{Bucket, Store};

use crate::Deps;
use crate::event::{Asked, Kind};

/// Groups added in this invocation, also of one that ran out of time.
pub(crate) type Added = Mutex<Vec<String>>;

/// Nothing that goes wrong in here stops a sign-in: what was added is in `added`, and the next sign-in or the sweep
/// of `sync-team` does the rest. One read is all that a sign-in costs when nothing is missing.
///
/// 1. Still the temporary password? Then nothing.
/// 2. The person's document; on no list and in no group: a marker, and an admin hears of it.
/// 3. Whether it is this person's: the same pool, and the same account or a verified address.
/// 4. Whether the event is of the account it names, as the pool has it: who may call this function could put another
///    user name beside somebody's `sub`.
/// 5. AdminAddUserToGroup for every team whose group is missing, all at once, where the group is the team's own.
/// 6. A marker for each that was added: `sync-team` announces and subscribes the person.
pub(crate) async fn assign<S: Store, D: Directory>(deps: &Deps<S, D>, asked: &Asked, added: &Added) {
    if asked.password_is_temporary {
        return;
    }
    let Some(found) = person(deps, asked).await else {
        return;
    };
    let Some((id, person)) = found else {
        return unlisted(deps, asked).await;
    };
    deps.metrics
        .count_foreign_events(usize::from(person.user_pool != asked.user_pool));
    if let Err(doubt) = is_theirs(asked, &person) {
        tracing::warn!(why = doubt, "dropped an event; nobody was put into a group");
        return;
    }
    let missing = person
        .teams
        .iter()
        .filter(|(team, _)| !asked.groups.contains(team));
    let missing: Vec<(TeamName, &Membership)> = missing
        .filter_map(|(team, membership)| Some((TeamName::new(team).ok()?, membership)))
        .collect();
    if missing.is_empty() {
        return;
    }
    let pool = (deps.directory)(&asked.user_pool);
    let pool = &*pool;
    // Side by side, and no team waits for another's group: a sign-in waits for all of this.
    let account = is_the_account(pool, asked).shared();
    let teams = missing.iter().map(|(team, membership)| {
        let (account, id) = (account.clone(), &id);
        async move {
            if join(account, own_group(deps, pool, team, membership)).await == (true, true) {
                add(deps, pool, asked, team, id, added).await;
            }
        }
    });
    join_all(teams).await;
}

/// Whether user name, `sub` and address are those of one account, as the pool has it.
async fn is_the_account<D: Directory>(pool: &D, asked: &Asked) -> bool {
    match pool.find(&asked.username).await {
        Ok(Some(account)) => {
            let email = asked.email.as_deref().unwrap_or_default();
            let same = account.username == asked.username
                && account.sub == asked.sub
                && account.email.eq_ignore_ascii_case(email)
                && account.verified >= asked.email_verified;
            if !same {
                tracing::warn!(
                    why = "the pool has another account of this name",
                    "dropped an event; nobody was put into a group"
                );
            }
            same
        }
        Ok(None) => {
            tracing::warn!("the account has gone; nobody was put into the group");
            false
        }
        Err(error) => {
            tracing::error!(%error, "the account could not be looked up; the sweep puts it into its groups");
            false
        }
    }
}

/// Whether the group of the team's name is the one this person belongs into, and not one that others made since.
async fn own_group<S: Store, D: Directory>(
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
                tracing::warn!(%team, "the group is not the team's own; nobody was put into it");
            }
            own
        }
        Ok(None) => {
            tracing::warn!(%team, "there is no group; the sweep makes it");
            false
        }
        Err(error) => {
            tracing::error!(%team, %error, "the group could not be looked up; the sweep puts people into it");
            false
        }
    }
}

/// Outer `None`: it could not be looked up. Inner: on no list.
async fn person<S: Store, D>(deps: &Deps<S, D>, asked: &Asked) -> Option<Option<(String, Person)>> {
    let Some(email) = &asked.email else {
        return Some(None);
    };
    let id = layout::person_id(email);
    let stored = match deps.store.get(Bucket::Output, &layout::person(&id), None).await {
        Ok(Some(stored)) => stored,
        Ok(None) => return Some(None),
        Err(error) => {
            // Its text names the key, which is made of the address.
            let refused = matches!(error, shared::port::StoreError::Refused { .. });
            tracing::error!(
                refused,
                "the person's document could not be read; the sweep puts them into their groups"
            );
            return None;
        }
    };
    match serde_json::from_slice(&stored.bytes) {
        Ok(person) => Some(Some((id, person))),
        Err(_) => {
            tracing::error!("the person's document is none of ours; sync-team writes it anew");
            None
        }
    }
}

/// Why the document is not to be believed for this event.
fn is_theirs(asked: &Asked, person: &Person) -> Result<(), &'static str> {
    if person.user_pool != asked.user_pool {
        return Err("another user pool");
    }
    match &person.sub {
        Some(sub) if *sub == asked.sub => Ok(()),
        Some(_) => Err("another account with this address"),
        None if asked.email_verified => Ok(()),
        None => Err("an address that is not verified"),
    }
}

async fn add<S: Store, D: Directory>(
    deps: &Deps<S, D>,
    pool: &D,
    asked: &Asked,
    team: &TeamName,
    id: &str,
    added: &Added,
) {
    match pool.add_to_group(&asked.username, team.as_str()).await {
        Ok(true) => {
            tracing::info!(%team, person = id, "put into the group");
            added
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(team.to_string());
        }
        Ok(false) => return tracing::warn!(%team, "the account has gone; nobody was put into the group"),
        Err(error) => return tracing::error!(%team, %error, "not put into the group; the sweep does it"),
    }
    mark(deps, &layout::join_marker(team, id), asked).await;
}

/// Whoever resets a password has been known before; in which groups they are is not in that event.
async fn unlisted<S: Store, D>(deps: &Deps<S, D>, asked: &Asked) {
    if asked.groups.is_empty() && asked.kind != Kind::Confirmed {
        mark(deps, &layout::unlisted_join_marker(&asked.sub), asked).await;
    }
}

async fn mark<S: Store, D>(deps: &Deps<S, D>, key: &str, asked: &Asked) {
    let joined = JoinMarker {
        at: asked.at,
        username: asked.username.clone(),
        sub: asked.sub.clone(),
    };
    let body = serde_json::to_vec(&joined).unwrap_or_default();
    if deps.store.create(key, body, &BTreeMap::new()).await.is_err() {
        tracing::error!("the marker of a sign-in could not be written; the sweep makes good for it");
    }
}
