//! Accounts of people who are in no team file and in no group: an admin is notified once.

use std::collections::{BTreeMap, BTreeSet};

use futures::stream::{self, StreamExt};
use shared::crew::JoinMarker;
use shared::documents;
use shared::layout::{self, JoinMarkerKey};
use shared::notice::{Notice, NoticeMarker};
use shared::port::crew::{Account, AccountStatus, Directory};

use crate::error::SyncError;
use crate::member::each::AT_ONCE;
use crate::ports::Ports;
use crate::run::Run;

/// More in one sweep are one notice.
const MAX_SINGLE_NOTICES: usize = 5;

/// From the marker that a sign-in left.
pub(crate) async fn announce_sign_in<P: Ports>(run: &Run<'_, P>, hash: &str) -> Result<(), SyncError> {
    let key = format!("{}_unlisted/{hash}", layout::JOINED);
    let marker = documents::load_if_readable::<JoinMarker>(run.ports.store(), &key).await?;
    let Some(joined) = marker.document else {
        return Ok(());
    };
    let mut accounts = run.accounts.iter().flat_map(BTreeMap::values);
    let account = accounts.find(|account| account.sub == joined.sub);
    let email = account.map(|account| account.email.as_str());
    run.announce(&Notice::worker_unlisted(hash, &joined, email)).await
}

/// From all accounts: `listed` are the people of all rosters, `grouped` the user names in any team's groups. Gives how many
/// there are.
pub(crate) async fn announce_accounts<P: Ports>(
    run: &Run<'_, P>,
    listed: &BTreeSet<String>,
    grouped: &BTreeSet<String>,
) -> Result<usize, SyncError> {
    let announced = run.announced_ids(Notice::UNLISTED).await?;
    let mut unknown: Vec<(String, &Account)> = Vec::new();
    for (person, account) in run.accounts.iter().flatten() {
        let hash = hash_of(&account.sub);
        let is_known =
            listed.contains(person) || grouped.contains(&account.username) || announced.contains(&hash);
        if account.status == AccountStatus::Confirmed && account.enabled && !is_known {
            unknown.push((hash, account));
        }
    }
    let unlisted = without_group(run, unknown).await?;
    let as_one_notice = unlisted.len() > MAX_SINGLE_NOTICES;
    if as_one_notice {
        let emails = unlisted.iter().map(|(_, account)| account.email.as_str());
        run.announce(&Notice::workers_unlisted(&emails.collect::<Vec<_>>()))
            .await?;
    }
    for (hash, account) in &unlisted {
        tracing::info!(account = hash, "account in no team file and no group");
        let joined = JoinMarker {
            at: run.current_time(),
            username: account.username.clone(),
            sub: account.sub.clone(),
        };
        let notice = Notice::worker_unlisted(hash, &joined, Some(&account.email));
        match as_one_notice {
            true => mark_announced(run, notice).await?,
            false => run.announce(&notice).await?,
        }
    }
    Ok(unlisted.len())
}

/// Announced together with others: only the marker is written.
async fn mark_announced<P: Ports>(run: &Run<'_, P>, notice: Notice) -> Result<(), SyncError> {
    let marker = layout::notice_marker(&notice.id);
    let announced = NoticeMarker {
        at: run.current_time(),
        notice,
    };
    documents::create_json(run.ports.store(), &marker, &announced).await?;
    Ok(())
}

/// A person in any group of the pool was put there by an admin: into a work team made by hand, or for another use of the
/// pool. Each is a call, and none is made for people who have been announced.
async fn without_group<'a, P: Ports>(
    run: &Run<'_, P>,
    accounts: Vec<(String, &'a Account)>,
) -> Result<Vec<(String, &'a Account)>, SyncError> {
    let mut checked = stream::iter(accounts)
        .map(|(hash, account)| async move {
            if run.is_out_of_time() {
                return Ok(None);
            }
            let groups = run.ports.directory().groups_of(&account.username).await?;
            let has_none = groups.is_some_and(|groups| groups.is_empty());
            Ok::<_, SyncError>(has_none.then_some((hash, account)))
        })
        .buffered(AT_ONCE);
    let mut unlisted = Vec::new();
    while let Some(account) = checked.next().await {
        unlisted.extend(account?);
    }
    Ok(unlisted)
}

/// As the marker's key has it.
fn hash_of(sub: &str) -> String {
    match layout::parse_join_marker(&layout::unlisted_join_marker(sub)) {
        Some(JoinMarkerKey::Unlisted(hash)) => hash,
        _ => String::new(),
    }
}
