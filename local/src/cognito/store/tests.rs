//! The store: one account for an address, and nothing lost.

use std::time::Instant;

use jiff::Timestamp;

use super::Store;
use super::record::{Status, User};
use crate::cognito::error::PoolError;
use crate::data_dir::DataDir;

fn data(folder: &tempfile::TempDir) -> DataDir {
    DataDir::open(&folder.path().join("data")).unwrap()
}

fn user(email: &str) -> User {
    User::new(email, Status::ForceChangePassword, Timestamp::now())
}

#[tokio::test]
async fn an_address_is_one_account_however_many_ask_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&data(&folder)).unwrap();
    let add = |email: &str| {
        let user = user(email);
        store.write(move |transaction| transaction.add_user(&user))
    };
    let all = futures::future::join_all(["a@x.org", "A@x.org", "a@X.ORG", "b@x.org"].map(add)).await;
    assert_eq!(all.iter().filter(|one| one.is_ok()).count(), 2);
    assert_eq!(all[1], Err(PoolError::UserExists));
    assert_eq!(store.view().unwrap().count().unwrap(), 2);
}

#[tokio::test]
async fn five_thousand_accounts_are_written_without_as_many_waits_for_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&data(&folder)).unwrap();
    let began = Instant::now();
    let adds = (0..5_000).map(|n| {
        let user = user(&format!("w{n}@example.org"));
        store.write(move |transaction| transaction.add_user(&user))
    });
    for added in futures::future::join_all(adds).await {
        added.unwrap();
    }
    println!("5,000 accounts in {:?}", began.elapsed());
    assert_eq!(store.view().unwrap().count().unwrap(), 5_000);
}

#[tokio::test]
async fn a_group_that_is_deleted_has_no_members_left() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&data(&folder)).unwrap();
    let mut ana = user("ana@example.org");
    let name = ana.username.clone();
    store
        .write(move |transaction| {
            transaction.add_user(&ana)?;
            ana.groups.insert("g".to_owned());
            transaction.put_user(&ana)
        })
        .await
        .unwrap();
    store
        .write(|transaction| transaction.remove_group("g"))
        .await
        .unwrap();
    let view = store.view().unwrap();
    assert!(view.find(&name).unwrap().unwrap().groups.is_empty());
    assert_eq!(view.members_after("g", "").unwrap().count(), 0);
}
