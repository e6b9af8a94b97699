//! The tables, and reading them: one set of functions serves both a reader's snapshot and the transaction being
//! written.

use redb::{ReadOnlyTable, ReadTransaction, ReadableTable, Table, TableDefinition, WriteTransaction};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::record::{Group, RefreshToken, User};
use crate::cognito::error::PoolError;

type Records = TableDefinition<'static, &'static str, &'static [u8]>;

/// By user name.
const USERS: Records = TableDefinition::new("users");
/// Lower-cased address to user name: the lock that makes an address one account.
const ADDRESSES: TableDefinition<'static, &'static str, &'static str> = TableDefinition::new("addresses");
const GROUPS: Records = TableDefinition::new("groups");
/// Group and user name, so that a group of thousands is read a page at a time. The user's own record says the same.
const MEMBERS: TableDefinition<'static, (&'static str, &'static str), ()> = TableDefinition::new("members");
/// User name and the sign-in's id.
const TOKENS: TableDefinition<'static, (&'static str, &'static str), &'static [u8]> =
    TableDefinition::new("tokens");
const CLIENTS: Records = TableDefinition::new("clients");
/// Single values, by name.
const SETTINGS: Records = TableDefinition::new("settings");

/// Sorts after every user name.
const PAST_ALL: &str = "\u{10ffff}";

/// Everything as it was at one moment.
pub(in crate::cognito) struct View {
    users: ReadOnlyTable<&'static str, &'static [u8]>,
    addresses: ReadOnlyTable<&'static str, &'static str>,
    groups: ReadOnlyTable<&'static str, &'static [u8]>,
    members: ReadOnlyTable<(&'static str, &'static str), ()>,
    tokens: ReadOnlyTable<(&'static str, &'static str), &'static [u8]>,
    clients: ReadOnlyTable<&'static str, &'static [u8]>,
    settings: ReadOnlyTable<&'static str, &'static [u8]>,
}

impl View {
    pub(super) fn of(read: &ReadTransaction) -> Result<Self, redb::TableError> {
        Ok(Self {
            users: read.open_table(USERS)?,
            addresses: read.open_table(ADDRESSES)?,
            groups: read.open_table(GROUPS)?,
            members: read.open_table(MEMBERS)?,
            tokens: read.open_table(TOKENS)?,
            clients: read.open_table(CLIENTS)?,
            settings: read.open_table(SETTINGS)?,
        })
    }

    /// By user name or e-mail address; addresses are compared without regard to case.
    pub(in crate::cognito) fn find(&self, name: &str) -> Result<Option<User>, PoolError> {
        find(&self.users, &self.addresses, name)
    }

    /// Users after this user name, in the order of user names.
    pub(in crate::cognito) fn users_after(
        &self,
        after: &str,
    ) -> Result<impl Iterator<Item = Result<User, PoolError>>, PoolError> {
        Ok(after_key(&self.users, after)?.map(|found| found.map(|(_, user)| user)))
    }

    pub(in crate::cognito) fn count(&self) -> Result<u64, PoolError> {
        redb::ReadableTableMetadata::len(&self.users).map_err(PoolError::internal)
    }

    pub(in crate::cognito) fn group(&self, name: &str) -> Result<Option<Group>, PoolError> {
        get(&self.groups, name)
    }

    pub(in crate::cognito) fn groups_after(
        &self,
        after: &str,
    ) -> Result<impl Iterator<Item = Result<Group, PoolError>>, PoolError> {
        Ok(after_key(&self.groups, after)?.map(|found| found.map(|(_, group)| group)))
    }

    pub(in crate::cognito) fn members_after(
        &self,
        group: &str,
        after: &str,
    ) -> Result<impl Iterator<Item = Result<User, PoolError>>, PoolError> {
        let range = self.members.range((group, after)..(group, PAST_ALL));
        let after = after.to_owned();
        Ok(range.map_err(PoolError::internal)?.filter_map(move |entry| {
            let (key, ()) = match entry {
                Ok((key, value)) => (key, value.value()),
                Err(error) => return Some(Err(PoolError::internal(error))),
            };
            let name = key.value().1;
            if name == after {
                return None;
            }
            get(&self.users, name).transpose()
        }))
    }

    pub(in crate::cognito) fn token(
        &self,
        username: &str,
        id: &str,
    ) -> Result<Option<RefreshToken>, PoolError> {
        let found = self.tokens.get((username, id)).map_err(PoolError::internal)?;
        found.map(|found| decode(found.value())).transpose()
    }

    pub(in crate::cognito) fn client<T: DeserializeOwned>(&self, id: &str) -> Result<Option<T>, PoolError> {
        get(&self.clients, id)
    }

    pub(in crate::cognito) fn setting<T: DeserializeOwned>(
        &self,
        name: &str,
    ) -> Result<Option<T>, PoolError> {
        get(&self.settings, name)
    }
}

/// The transaction being written. An operation must look first and change afterwards: after an error it must not have
/// changed anything, because others share the transaction.
pub(in crate::cognito) struct Transaction<'txn> {
    users: Table<'txn, &'static str, &'static [u8]>,
    addresses: Table<'txn, &'static str, &'static str>,
    groups: Table<'txn, &'static str, &'static [u8]>,
    members: Table<'txn, (&'static str, &'static str), ()>,
    tokens: Table<'txn, (&'static str, &'static str), &'static [u8]>,
    clients: Table<'txn, &'static str, &'static [u8]>,
    settings: Table<'txn, &'static str, &'static [u8]>,
}

impl<'txn> Transaction<'txn> {
    pub(super) fn begin(transaction: &'txn WriteTransaction) -> Result<Self, redb::TableError> {
        Ok(Self {
            users: transaction.open_table(USERS)?,
            addresses: transaction.open_table(ADDRESSES)?,
            groups: transaction.open_table(GROUPS)?,
            members: transaction.open_table(MEMBERS)?,
            tokens: transaction.open_table(TOKENS)?,
            clients: transaction.open_table(CLIENTS)?,
            settings: transaction.open_table(SETTINGS)?,
        })
    }

    pub(in crate::cognito) fn find(&self, name: &str) -> Result<Option<User>, PoolError> {
        find(&self.users, &self.addresses, name)
    }

    /// A new user. The address is the lock: a second account for it is refused.
    pub(in crate::cognito) fn add_user(&mut self, user: &User) -> Result<(), PoolError> {
        if self.find(&user.email)?.is_some() {
            return Err(PoolError::UserExists);
        }
        self.addresses
            .insert(user.email.to_lowercase().as_str(), user.username.as_str())
            .map_err(PoolError::internal)?;
        put(&mut self.users, &user.username, user)
    }

    /// Replaces a user's record and memberships. The address stays what it was.
    pub(in crate::cognito) fn put_user(&mut self, user: &User) -> Result<(), PoolError> {
        let before: User = get(&self.users, &user.username)?.ok_or(PoolError::NoSuchUser)?;
        for left in before.groups.difference(&user.groups) {
            let member = (left.as_str(), user.username.as_str());
            self.members.remove(member).map_err(PoolError::internal)?;
        }
        for joined in user.groups.difference(&before.groups) {
            let member = (joined.as_str(), user.username.as_str());
            self.members.insert(member, ()).map_err(PoolError::internal)?;
        }
        put(&mut self.users, &user.username, user)
    }

    pub(in crate::cognito) fn remove_user(&mut self, user: &User) -> Result<(), PoolError> {
        for group in &user.groups {
            let member = (group.as_str(), user.username.as_str());
            self.members.remove(member).map_err(PoolError::internal)?;
        }
        self.end_sign_ins(&user.username)?;
        self.addresses
            .remove(user.email.to_lowercase().as_str())
            .map_err(PoolError::internal)?;
        remove(&mut self.users, &user.username)
    }

    pub(in crate::cognito) fn group(&self, name: &str) -> Result<Option<Group>, PoolError> {
        get(&self.groups, name)
    }

    pub(in crate::cognito) fn put_group(&mut self, group: &Group) -> Result<(), PoolError> {
        put(&mut self.groups, &group.name, group)
    }

    /// The group and its memberships.
    pub(in crate::cognito) fn remove_group(&mut self, name: &str) -> Result<(), PoolError> {
        let range = self.members.range((name, "")..(name, PAST_ALL));
        let members: Result<Vec<String>, _> = range
            .map_err(PoolError::internal)?
            .map(|entry| entry.map(|(key, _)| key.value().1.to_owned()))
            .collect();
        for member in members.map_err(PoolError::internal)? {
            if let Some(mut user) = get::<User>(&self.users, &member)? {
                user.groups.remove(name);
                self.put_user(&user)?;
            }
        }
        remove(&mut self.groups, name)
    }

    pub(in crate::cognito) fn put_token(
        &mut self,
        username: &str,
        id: &str,
        token: &RefreshToken,
    ) -> Result<(), PoolError> {
        let record = encode(token)?;
        self.tokens
            .insert((username, id), record.as_slice())
            .map_err(PoolError::internal)?;
        Ok(())
    }

    pub(in crate::cognito) fn remove_token(&mut self, username: &str, id: &str) -> Result<(), PoolError> {
        self.tokens.remove((username, id)).map_err(PoolError::internal)?;
        Ok(())
    }

    /// Removes every refresh token of a user.
    pub(in crate::cognito) fn end_sign_ins(&mut self, username: &str) -> Result<(), PoolError> {
        self.tokens
            .retain_in((username, "")..(username, PAST_ALL), |_, _| false)
            .map_err(PoolError::internal)
    }

    /// Removes expired refresh tokens of a user.
    pub(in crate::cognito) fn remove_expired_tokens(
        &mut self,
        username: &str,
        now: jiff::Timestamp,
    ) -> Result<(), PoolError> {
        let valid = |record: &[u8]| decode::<RefreshToken>(record).is_ok_and(|token| token.until > now);
        self.tokens
            .retain_in((username, "")..(username, PAST_ALL), |_, record| valid(record))
            .map_err(PoolError::internal)
    }

    pub(in crate::cognito) fn client<T: DeserializeOwned>(&self, id: &str) -> Result<Option<T>, PoolError> {
        get(&self.clients, id)
    }

    pub(in crate::cognito) fn put_client(
        &mut self,
        id: &str,
        client: &impl Serialize,
    ) -> Result<(), PoolError> {
        put(&mut self.clients, id, client)
    }

    pub(in crate::cognito) fn setting<T: DeserializeOwned>(
        &self,
        name: &str,
    ) -> Result<Option<T>, PoolError> {
        get(&self.settings, name)
    }

    pub(in crate::cognito) fn put_setting(
        &mut self,
        name: &str,
        value: &impl Serialize,
    ) -> Result<(), PoolError> {
        put(&mut self.settings, name, value)
    }
}

fn find(
    users: &impl ReadableTable<&'static str, &'static [u8]>,
    addresses: &impl ReadableTable<&'static str, &'static str>,
    name: &str,
) -> Result<Option<User>, PoolError> {
    if let Some(user) = get(users, name)? {
        return Ok(Some(user));
    }
    let address = name.trim().to_lowercase();
    match addresses.get(address.as_str()).map_err(PoolError::internal)? {
        Some(username) => get(users, username.value()),
        None => Ok(None),
    }
}

fn get<T: DeserializeOwned>(
    table: &impl ReadableTable<&'static str, &'static [u8]>,
    key: &str,
) -> Result<Option<T>, PoolError> {
    let found = table.get(key).map_err(PoolError::internal)?;
    found.map(|found| decode(found.value())).transpose()
}

fn after_key<T: DeserializeOwned>(
    table: &ReadOnlyTable<&'static str, &'static [u8]>,
    after: &str,
) -> Result<impl Iterator<Item = Result<(String, T), PoolError>>, PoolError> {
    let after = after.to_owned();
    let range = table.range(after.as_str()..).map_err(PoolError::internal)?;
    Ok(range.filter_map(move |entry| match entry {
        Ok((key, _)) if key.value() == after => None,
        Ok((key, value)) => Some(decode(value.value()).map(|value| (key.value().to_owned(), value))),
        Err(error) => Some(Err(PoolError::internal(error))),
    }))
}

fn put(
    table: &mut Table<'_, &'static str, &'static [u8]>,
    key: &str,
    value: &impl Serialize,
) -> Result<(), PoolError> {
    let record = encode(value)?;
    table
        .insert(key, record.as_slice())
        .map_err(PoolError::internal)?;
    Ok(())
}

fn remove(table: &mut Table<'_, &'static str, &'static [u8]>, key: &str) -> Result<(), PoolError> {
    table.remove(key).map_err(PoolError::internal)?;
    Ok(())
}

fn encode(value: &impl Serialize) -> Result<Vec<u8>, PoolError> {
    serde_json::to_vec(value).map_err(PoolError::internal)
}

fn decode<T: DeserializeOwned>(record: &[u8]) -> Result<T, PoolError> {
    serde_json::from_slice(record)
        .map_err(|error| PoolError::internal(format!("a record is damaged: {error}")))
}
