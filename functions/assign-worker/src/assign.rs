//! The protocol: from who has signed in to the groups of their teams.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use futures::future::join_all;
use shared::crew::{Joined, Person};
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
/// 4. AdminAddUserToGroup for every team whose group is missing, all at once.
/// 5. A marker for each that was added: `sync-team` announces and subscribes the person.
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
        .foreign(usize::from(person.user_pool != asked.user_pool));
    if let Err(doubt) = is_theirs(asked, &person) {
        tracing::warn!(why = doubt, "dropped an event; nobody was put into a group");
        return;
    }
    let missing = person.teams.keys().filter(|team| !asked.groups.contains(team));
    let missing: Vec<TeamName> = missing.filter_map(|team| TeamName::new(team).ok()).collect();
    if missing.is_empty() {
        return;
    }
    let pool = (deps.directory)(&asked.user_pool);
    join_all(
        missing
            .iter()
            .map(|team| join(deps, &*pool, asked, team, &id, added)),
    )
    .await;
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

async fn join<S: Store, D: Directory>(
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
    mark(deps, &layout::joined(team, id), asked).await;
}

/// Whoever resets a password has been known before; in which groups they are is not in that event.
async fn unlisted<S: Store, D>(deps: &Deps<S, D>, asked: &Asked) {
    if asked.groups.is_empty() && asked.kind != Kind::Confirmed {
        mark(deps, &layout::joined_unlisted(&asked.sub), asked).await;
    }
}

async fn mark<S: Store, D>(deps: &Deps<S, D>, key: &str, asked: &Asked) {
    let joined = Joined {
        at: asked.at,
        username: asked.username.clone(),
        sub: asked.sub.clone(),
    };
    let body = serde_json::to_vec(&joined).unwrap_or_default();
    if deps.store.create(key, body, &BTreeMap::new()).await.is_err() {
        tracing::error!("the marker of a sign-in could not be written; the sweep makes good for it");
    }
}
