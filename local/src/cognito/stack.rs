//! What the stack and the engine ask of the user pool: the first worker, the group of a team, and whether a work team's
//! group exists.

use futures::FutureExt;
use futures::future::BoxFuture;

use super::attributes::checked_address;
use super::error::PoolError;
use super::passwords;
use super::pool::{Cognito, POOL_ID};
use super::store::Transaction;
use super::store::record::{Group, Status, User, checked_group_name};
use crate::info::{FirstWorker, OUTPUT_BUCKET};

impl Cognito {
    /// A person with a password of their own, in these groups. An account that exists gets both.
    pub(crate) async fn ensure_worker(
        &self,
        email: &str,
        password: &str,
        groups: &[&str],
    ) -> Result<(), PoolError> {
        let email = checked_address(email)?;
        let hash = passwords::hash(password).await?;
        for group in groups {
            self.ensure_group(group).await?;
        }
        let groups: Vec<String> = groups.iter().map(|&group| group.to_owned()).collect();
        let now = self.pool.time.timestamp();
        let ensure = move |transaction: &mut Transaction<'_>| {
            let mut user = match transaction.find(&email)? {
                Some(user) => user,
                None => {
                    let mut user = User::new(&email, Status::Confirmed, now);
                    user.email_verified = true;
                    transaction.add_user(&user)?;
                    user
                }
            };
            user.set_own_password(hash, now);
            user.groups.extend(groups);
            user.modified = now;
            transaction.put_user(&user)
        };
        self.pool.store.write(ensure).await
    }

    pub(crate) fn knows(&self, email: &str) -> Result<bool, PoolError> {
        Ok(self.pool.store.view()?.find(email)?.is_some())
    }

    /// Whether to show a password that was kept: this is no sign-in, so it counts no attempts.
    pub(crate) async fn is_password_of(&self, worker: &FirstWorker) -> bool {
        let user = self.user(&worker.email).ok();
        passwords::matches(&worker.password, user.and_then(|user| user.password_hash)).await
    }

    /// The group of a team that the stack makes itself. `sync-team` changes only groups with this description; a group
    /// without one gets it.
    pub(crate) async fn ensure_group(&self, name: &str) -> Result<(), PoolError> {
        let (name, now) = (checked_group_name(name)?, self.pool.time.timestamp());
        let description = format!("Groundcrew team {name} of {OUTPUT_BUCKET}");
        let ensure = move |transaction: &mut Transaction<'_>| {
            let group = match transaction.group(&name)? {
                Some(known) if known.description.is_some() => return Ok(()),
                Some(known) => Group {
                    description: Some(description),
                    ..known
                },
                None => Group {
                    name,
                    description: Some(description),
                    precedence: None,
                    role_arn: None,
                    created: now,
                },
            };
            transaction.put_group(&group)
        };
        self.pool.store.write(ensure).await
    }

    /// Whether the pool is this one and has the group and the client; `Err` says what is missing.
    fn check_group(&self, pool: &str, group: &str, client: &str) -> Result<(), String> {
        if pool != POOL_ID {
            return Err(format!("there is no user pool {pool}"));
        }
        let known = self.pool.store.view().and_then(|view| view.group(group));
        if known.map_err(|error| error.to_string())?.is_none() {
            return Err(format!("the user pool {pool} has no group {group}"));
        }
        self.client(client).map(drop).map_err(|error| match error {
            PoolError::NotFound(_) => format!("the user pool {pool} has no app client {client}"),
            error => error.to_string(),
        })
    }
}

impl engine::GroupDirectory for Cognito {
    fn check<'a>(
        &'a self,
        pool: &'a str,
        group: &'a str,
        client: &'a str,
    ) -> BoxFuture<'a, Result<(), String>> {
        std::future::ready(self.check_group(pool, group, client)).boxed()
    }
}
