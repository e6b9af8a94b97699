//! People with an account who are on no team's list and in no group: an admin hears of them once.

use std::collections::{BTreeMap, BTreeSet};

use futures::stream::{self, StreamExt};
use shared::crew::JoinMarker;
use shared::layout::{self, JoinMarkerKey};
use shared::notice::{Notice, NoticeMarker};
use shared::port::crew::{Account, AccountStatus, Directory};
use shared::port::{Bucket, Store};

use crate::people::AT_ONCE;
use crate::run::Run;
use crate::{Ports, SyncError};

/// More at once are one notice.
const ONE_BY_ONE: usize = 5;

/// From the marker a sign-in left.
pub(crate) async fn tell<P: Ports>(run: &Run<'_, P>, hash: &str) -> Result<(), SyncError> {
    let key = format!("{}_unlisted/{hash}", layout::JOINED);
    let Some(stored) = run.ports.store().get(Bucket::Output, &key, None).await? else {
        return Ok(());
    };
    let Ok(joined) = serde_json::from_slice::<JoinMarker>(&stored.bytes) else {
        tracing::warn!("a marker nobody here wrote");
        return Ok(());
    };
    let accounts = run.accounts.iter().flat_map(BTreeMap::values);
    let email = accounts.into_iter().find(|account| account.sub == joined.sub);
    let email = email.map(|account| account.email.as_str());
    run.tell(&Notice::worker_unlisted(hash, &joined, email)).await
}

/// From all accounts: `listed` are the people of all rosters, `grouped` the user names in any team's groups.
pub(crate) async fn find<P: Ports>(
    run: &Run<'_, P>,
    listed: &BTreeSet<String>,
    grouped: &BTreeSet<String>,
) -> Result<usize, SyncError> {
    let told = told(run).await?;
    let mut unknown: Vec<(String, &Account)> = Vec::new();
    for (person, account) in run.accounts.iter().flatten() {
        let hash = hash_of(&account.sub);
        let known = listed.contains(person) || grouped.contains(&account.username) || told.contains(&hash);
        if account.status == AccountStatus::Confirmed && account.enabled && !known {
            unknown.push((hash, account));
        }
    }
    let unlisted = in_no_group(run, unknown).await?;
    if unlisted.len() > ONE_BY_ONE {
        let names: Vec<&str> = unlisted
            .iter()
            .map(|(_, account)| account.email.as_str())
            .collect();
        run.tell(&Notice::workers_unlisted(&names)).await?;
    }
    for (hash, account) in &unlisted {
        tracing::info!(account = hash, "an account on no list and in no group");
        let joined = JoinMarker {
            at: run.now(),
            username: account.username.clone(),
            sub: account.sub.clone(),
        };
        let notice = Notice::worker_unlisted(hash, &joined, Some(&account.email));
        if unlisted.len() > ONE_BY_ONE {
            let marker = layout::notice_marker(&notice.id);
            let told = NoticeMarker {
                at: run.now(),
                notice,
            };
            let body = serde_json::to_vec_pretty(&told).unwrap_or_default();
            run.ports.store().create(&marker, body, &BTreeMap::new()).await?;
        } else {
            run.tell(&notice).await?;
        }
    }
    Ok(unlisted.len())
}

/// Whoever is in any group of the pool was put there by somebody: into a work team made by hand, or into what the pool
/// is there for besides. The pool is asked one by one, and of nobody who has been told of.
async fn in_no_group<'a, P: Ports>(
    run: &Run<'_, P>,
    unknown: Vec<(String, &'a Account)>,
) -> Result<Vec<(String, &'a Account)>, SyncError> {
    let mut asked = stream::iter(unknown)
        .map(|(hash, account)| async move {
            if run.out_of_time() {
                return Ok(None);
            }
            let groups = run.ports.directory().groups_of(&account.username).await?;
            Ok::<_, SyncError>(
                groups
                    .is_some_and(|groups| groups.is_empty())
                    .then_some((hash, account)),
            )
        })
        .buffered(AT_ONCE);
    let mut unlisted = Vec::new();
    while let Some(found) = asked.next().await {
        unlisted.extend(found?);
    }
    Ok(unlisted)
}

async fn told<P: Ports>(run: &Run<'_, P>) -> Result<BTreeSet<String>, SyncError> {
    let prefix = layout::notice_marker(Notice::UNLISTED);
    let markers = run.list(Bucket::Output, &prefix).await?;
    let hashes = markers
        .iter()
        .filter_map(|object| object.key.strip_prefix(&prefix));
    Ok(hashes.map(str::to_owned).collect())
}

/// As the marker's key has it.
fn hash_of(sub: &str) -> String {
    match layout::parse_join_marker(&layout::unlisted_join_marker(sub)) {
        Some(JoinMarkerKey::Unlisted(hash)) => hash,
        _ => String::new(),
    }
}
