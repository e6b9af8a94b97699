//! People and groups, kept in one file that is replaced whole. A pool here holds a crew, not a public.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::data_dir::write_json;
use crate::error::StackError;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UserError {
    #[error("User does not exist.")]
    NoSuchUser,
    #[error("An account with the given email already exists.")]
    UserExists,
    #[error("Group not found.")]
    NoSuchGroup,
    #[error("A group with the name already exists.")]
    GroupExists,
    #[error("{0}")]
    BadPassword(String),
    #[error("{0}")]
    Invalid(String),
    #[error("{0}")]
    Internal(String),
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct People {
    /// By user name.
    users: BTreeMap<String, User>,
    groups: BTreeMap<String, Group>,
}

/// The pool takes e-mail addresses to sign in with, so the user name is Cognito's own: the `sub`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct User {
    pub(super) username: String,
    pub(super) email: String,
    pub(super) created: Timestamp,
    pub(super) modified: Timestamp,
    /// Without one nobody can sign in: the state Cognito calls FORCE_CHANGE_PASSWORD.
    pub(super) password_hash: Option<String>,
    pub(super) groups: BTreeSet<String>,
}

impl User {
    pub(super) fn status(&self) -> &'static str {
        if self.password_hash.is_some() {
            "CONFIRMED"
        } else {
            "FORCE_CHANGE_PASSWORD"
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) created: Timestamp,
}

pub(super) struct Users {
    path: PathBuf,
    people: Mutex<People>,
}

impl Users {
    pub(super) fn open(path: &Path) -> Result<Self, StackError> {
        let people = super::read_users(path)?.unwrap_or_default();
        Ok(Self {
            path: path.to_owned(),
            people: Mutex::new(people),
        })
    }

    /// By user name or e-mail address; addresses are compared without regard to case.
    pub(super) fn find(&self, name: &str) -> Option<User> {
        self.read(|people| people.find(name).cloned())
    }

    pub(super) fn all(&self) -> Vec<User> {
        self.read(|people| people.users.values().cloned().collect())
    }

    pub(super) fn groups(&self) -> Vec<Group> {
        self.read(|people| people.groups.values().cloned().collect())
    }

    pub(super) fn group(&self, name: &str) -> Option<Group> {
        self.read(|people| people.groups.get(name).cloned())
    }

    pub(super) fn create(&self, email: &str) -> Result<User, UserError> {
        let well_formed = email
            .split_once('@')
            .is_some_and(|(name, host)| !name.is_empty() && host.contains('.'));
        if !well_formed || email.len() > 254 || email.contains(char::is_whitespace) {
            return Err(UserError::Invalid("Username should be an email.".to_owned()));
        }
        self.change(|people| {
            if people.find(email).is_some() {
                return Err(UserError::UserExists);
            }
            let now = Timestamp::now();
            let user = User {
                username: uuid::Uuid::new_v4().to_string(),
                email: email.to_owned(),
                created: now,
                modified: now,
                password_hash: None,
                groups: BTreeSet::new(),
            };
            people.users.insert(user.username.clone(), user.clone());
            Ok(user)
        })
    }

    pub(super) fn set_password(&self, name: &str, hash: String) -> Result<(), UserError> {
        self.change_user(name, |user| user.password_hash = Some(hash))
    }

    pub(super) fn create_group(&self, name: &str, description: Option<String>) -> Result<Group, UserError> {
        if name.is_empty() || name.chars().count() > 128 || name.contains(char::is_whitespace) {
            return Err(UserError::Invalid(
                "GroupName: from 1 to 128 characters, no spaces".to_owned(),
            ));
        }
        self.change(|people| {
            if people.groups.contains_key(name) {
                return Err(UserError::GroupExists);
            }
            let group = Group {
                name: name.to_owned(),
                description,
                created: Timestamp::now(),
            };
            people.groups.insert(name.to_owned(), group.clone());
            Ok(group)
        })
    }

    pub(super) fn add_to_group(&self, name: &str, group: &str) -> Result<(), UserError> {
        self.group(group).ok_or(UserError::NoSuchGroup)?;
        self.change_user(name, |user| {
            user.groups.insert(group.to_owned());
        })
    }

    pub(super) fn remove_from_group(&self, name: &str, group: &str) -> Result<(), UserError> {
        self.group(group).ok_or(UserError::NoSuchGroup)?;
        self.change_user(name, |user| {
            user.groups.remove(group);
        })
    }

    fn read<T>(&self, look: impl FnOnce(&People) -> T) -> T {
        look(&self.people.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn change_user(&self, name: &str, change: impl FnOnce(&mut User)) -> Result<(), UserError> {
        self.change(|people| {
            let username = people.find(name).ok_or(UserError::NoSuchUser)?.username.clone();
            let user = people.users.get_mut(&username).ok_or(UserError::NoSuchUser)?;
            change(user);
            user.modified = Timestamp::now();
            Ok(())
        })
    }

    /// Takes effect when it is on disk, or not at all.
    fn change<T>(&self, change: impl FnOnce(&mut People) -> Result<T, UserError>) -> Result<T, UserError> {
        let mut people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        let mut changed = people.clone();
        let answer = change(&mut changed)?;
        write_json(&self.path, &changed).map_err(|error| UserError::Internal(error.to_string()))?;
        *people = changed;
        Ok(answer)
    }
}

impl People {
    fn find(&self, name: &str) -> Option<&User> {
        let email = name.to_lowercase();
        self.users.get(name).or_else(|| {
            self.users
                .values()
                .find(|user| user.email.to_lowercase() == email)
        })
    }
}
