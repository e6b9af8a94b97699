//! `users.json`, in which earlier versions kept everybody: taken over once, then put aside.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::Timestamp;
use serde::Deserialize;

use super::record::{Group, Status, User};
use super::tables::Changes;
use crate::cognito::error::PoolError;
use crate::data_dir::read_json;
use crate::database::DatabaseFile;
use crate::error::StackError;

/// In the settings, once it is done: a crash before the file is put aside must not bring old passwords back.
const DONE: &str = "users.json";

#[derive(Deserialize)]
struct People {
    users: BTreeMap<String, Person>,
    groups: BTreeMap<String, Group>,
}

#[derive(Deserialize)]
struct Person {
    username: String,
    email: String,
    created: Timestamp,
    modified: Timestamp,
    password_hash: Option<String>,
    groups: BTreeSet<String>,
}

pub(super) fn take_over(database: &DatabaseFile, path: &Path) -> Result<(), StackError> {
    let Some(people) = read_json::<People>(path)? else {
        return Ok(());
    };
    let failed = |reason: String| StackError::Data {
        what: "cannot take over",
        path: path.to_owned(),
        reason,
    };
    super::change(database, |changes| insert(changes, people)).map_err(|error| failed(error.to_string()))?;
    std::fs::rename(path, path.with_extension("json.taken-over")).map_err(|error| failed(error.to_string()))
}

fn insert(changes: &mut Changes<'_>, people: People) -> Result<(), PoolError> {
    if changes.setting::<bool>(DONE)?.is_some() {
        return Ok(());
    }
    for group in people.groups.values() {
        changes.put_group(group)?;
    }
    for person in people.users.into_values() {
        let groups = person.groups.clone();
        let mut user = user(person);
        changes.add_user(&user)?;
        user.groups = groups;
        changes.put_user(&user)?;
    }
    changes.put_setting(DONE, &true)
}

fn user(person: Person) -> User {
    let status = if person.password_hash.is_some() {
        Status::Confirmed
    } else {
        Status::ForceChangePassword
    };
    User {
        username: person.username,
        // Only addresses of the administrator's own giving were ever in that file.
        email_verified: true,
        password_hash: person.password_hash,
        modified: person.modified,
        ..User::new(&person.email, status, person.created)
    }
}
