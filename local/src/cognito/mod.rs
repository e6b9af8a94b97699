//! Sign-in on one machine, standing in for a Cognito user pool: people and groups, invitations and codes by mail, the
//! hosted sign-in as an OpenID Connect provider, triggers, and the part of Cognito's API that manages it all. What is
//! not here is refused by name.

mod api;
mod client;
mod error;
mod flow;
mod grants;
mod guessing;
mod hosted;
mod keys;
mod mail;
mod passwords;
mod policy;
mod settings;
mod spraying;
mod store;
#[cfg(test)]
mod tests;
mod time;
mod tokens;
mod triggers;

use std::sync::{Arc, OnceLock};

use axum::Router;
use futures::FutureExt;
use futures::future::BoxFuture;

use crate::data_dir::DataDir;
use crate::error::StackError;
use crate::info::{FirstWorker, OUTPUT_BUCKET};
use crate::outbox::Outbox;
use client::{Client, ClientSettings};
pub(crate) use error::PoolError;
use grants::Grants;
use guessing::Guessing;
use keys::SigningKey;
pub(crate) use passwords::random_secret;
use settings::{PoolRecord, PoolSettings};
use spraying::Spraying;
use store::record::{Group, Status, User};
use store::{Changes, Store};
use time::Time;
pub(crate) use triggers::TriggerFn;

/// The one pool. Its id has the shape of Cognito's: region, underscore, letters and digits.
pub(crate) const POOL_ID: &str = "us-east-1_Groundcrew";
/// The portal's app client.
pub(crate) const CLIENT_ID: &str = "groundcrewportal";
/// Under this name the pool's own record is kept.
const POOL: &str = "pool";

/// The pool, its app clients, and what is under way. Cheap to clone.
#[derive(Clone)]
pub(crate) struct SignIn {
    pool: Arc<Pool>,
}

struct Pool {
    /// `<web origin>/cognito/<pool id>`
    issuer: String,
    web_origin: String,
    client_secret: String,
    store: Store,
    outbox: Outbox,
    key: SigningKey,
    grants: Grants,
    /// Of passwords, of codes, and of how often mail is asked for.
    guessing: Guessing,
    known_guessing: Guessing,
    spraying: Spraying,
    code_guessing: Guessing,
    code_spraying: Spraying,
    mailing: Guessing,
    triggers: OnceLock<TriggerFn>,
    time: Time,
}

impl SignIn {
    pub(crate) async fn open(data: &DataDir, web_origin: &str, outbox: Outbox) -> Result<Self, StackError> {
        let pool = Pool {
            issuer: format!("{web_origin}/cognito/{POOL_ID}"),
            web_origin: web_origin.to_owned(),
            client_secret: data.load_or_create("sign-in-client.json", random_secret)?,
            store: Store::open(data)?,
            outbox,
            key: SigningKey::open(data)?,
            grants: Grants::default(),
            guessing: Guessing::default(),
            known_guessing: Guessing::default(),
            spraying: Spraying::default(),
            code_guessing: Guessing::default(),
            code_spraying: Spraying::default(),
            mailing: Guessing::default(),
            triggers: OnceLock::new(),
            time: Time::default(),
        };
        let sign_in = Self { pool: Arc::new(pool) };
        let settled = sign_in.settle().await;
        settled.map_err(|error| StackError::Part {
            what: "the sign-in",
            reason: error.to_string(),
        })?;
        Ok(sign_in)
    }

    /// The pool and the portal's client: made the first time, and following the portal's address after that.
    async fn settle(&self) -> Result<(), PoolError> {
        let (now, portal) = (self.pool.time.now(), self.pool.web_origin.clone());
        let secret = self.pool.client_secret.clone();
        let settle = move |changes: &mut Changes<'_>| {
            let mut record = changes.setting(POOL)?.unwrap_or_else(|| PoolRecord {
                created: now,
                modified: now,
                domain: Some("groundcrew".to_owned()),
                portal: portal.clone(),
                settings: PoolSettings::first(),
            });
            let mut client = changes.client(CLIENT_ID)?.unwrap_or_else(|| Client {
                id: CLIENT_ID.to_owned(),
                secret: None,
                created: now,
                modified: now,
                settings: ClientSettings::of_the_portal(&portal),
            });
            if record.portal != portal {
                client.settings.follow_the_portal(&record.portal, &portal);
                record.portal = portal;
            }
            client.secret = Some(secret);
            changes.put_client(CLIENT_ID, &client)?;
            changes.put_setting(POOL, &record)
        };
        self.pool.store.write(settle).await
    }

    /// The functions behind the triggers, once they are there: until then whatever needs one fails.
    pub(crate) fn set_triggers(&self, triggers: TriggerFn) {
        let _set_once = self.pool.triggers.set(triggers);
    }

    /// What an earlier process left to be mailed; the triggers have to be there.
    pub(crate) async fn catch_up(&self) {
        if let Err(error) = self.mail_what_is_due().await {
            tracing::error!(%error, "not every invitation that was under way could be mailed; the next start tries again");
        }
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.pool.issuer
    }

    pub(crate) fn client_secret(&self) -> &str {
        &self.pool.client_secret
    }

    /// The hosted sign-in, on the web port.
    pub(crate) fn hosted(&self) -> Router {
        hosted::router(self.clone())
    }

    /// `AWSCognitoIdentityProviderService.*`, without authentication: the caller wraps what is not [open to all](is_open).
    pub(crate) fn api(&self) -> Router {
        api::router(self.clone())
    }

    /// A person with a password of their own, in these groups; what is there already is brought in line.
    pub(crate) async fn ensure_worker(
        &self,
        email: &str,
        password: &str,
        groups: &[&str],
    ) -> Result<(), PoolError> {
        let email = flow::invite::address(email)?;
        let hash = passwords::hash(password).await?;
        for group in groups {
            self.ensure_group(group).await?;
        }
        let groups: Vec<String> = groups.iter().map(|&group| group.to_owned()).collect();
        let now = self.pool.time.now();
        let ensure = move |changes: &mut Changes<'_>| {
            let mut user = match changes.find(&email)? {
                Some(user) => user,
                None => {
                    let mut user = User::new(&email, Status::Confirmed, now);
                    user.email_verified = true;
                    changes.add_user(&user)?;
                    user
                }
            };
            user.settle_password(hash, now);
            user.groups.extend(groups);
            user.modified = now;
            changes.put_user(&user)
        };
        self.pool.store.write(ensure).await
    }

    pub(crate) fn knows(&self, email: &str) -> Result<bool, PoolError> {
        Ok(self.pool.store.view()?.find(email)?.is_some())
    }

    /// To be shown or not by whoever has kept it: this is no way to sign in.
    pub(crate) async fn is_password_of(&self, worker: &FirstWorker) -> bool {
        let found = self.pool.store.view().and_then(|view| view.find(&worker.email));
        let user = found.ok().flatten().filter(|user| user.enabled);
        passwords::matches(&worker.password, user.and_then(|user| user.password_hash)).await
    }

    /// The group of a team that this machine brings along: `sync-team` goes on with groups described so, and with no other.
    /// One without a description is of a version that gave none.
    pub(crate) async fn ensure_group(&self, name: &str) -> Result<(), PoolError> {
        let (name, now) = (api::groups::checked_name(name)?, self.pool.time.now());
        let description = format!("Groundcrew team {name} of {OUTPUT_BUCKET}");
        let ensure = move |changes: &mut Changes<'_>| {
            let group = match changes.group(&name)? {
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
                    modified: None,
                },
            };
            changes.put_group(&group)
        };
        self.pool.store.write(ensure).await
    }

    async fn create_group(&self, group: Group) -> Result<Group, PoolError> {
        self.pool
            .store
            .write(move |changes| {
                if changes.group(&group.name)?.is_some() {
                    return Err(PoolError::GroupExists);
                }
                changes.put_group(&group)?;
                Ok(group)
            })
            .await
    }

    /// Whether the pool is this one and has the group and the client.
    fn has(&self, pool: &str, group: &str, client: &str) -> Result<(), String> {
        if pool != POOL_ID {
            return Err(format!("there is no user pool {pool}"));
        }
        let view = self.pool.store.view().map_err(|error| error.to_string())?;
        let (group_there, client_there) = (view.group(group), view.client::<Client>(client));
        match (
            group_there.map_err(|error| error.to_string())?,
            client_there.map_err(|error| error.to_string())?,
        ) {
            (None, _) => Err(format!("the user pool {pool} has no group {group}")),
            (_, None) => Err(format!("the user pool {pool} has no app client {client}")),
            _ => Ok(()),
        }
    }

    fn settings(&self) -> Result<PoolSettings, PoolError> {
        Ok(self.record()?.settings)
    }

    fn record(&self) -> Result<PoolRecord, PoolError> {
        let record = self.pool.store.view()?.setting(POOL)?;
        record.ok_or_else(|| PoolError::internal("the pool's own record is missing"))
    }

    fn client(&self, id: &str) -> Result<Client, PoolError> {
        let missing = || PoolError::NotFound(format!("User pool client {id} does not exist."));
        self.pool.store.view()?.client(id)?.ok_or_else(missing)
    }

    /// Takes effect when it is on disk, or not at all.
    async fn change_user(
        &self,
        name: &str,
        change: impl FnOnce(&mut User) -> Result<(), PoolError> + Send + 'static,
    ) -> Result<User, PoolError> {
        self.change_user_and(name, change, |_, _| Ok(())).await
    }

    /// With what else has to happen in the same step.
    async fn change_user_and(
        &self,
        name: &str,
        change: impl FnOnce(&mut User) -> Result<(), PoolError> + Send + 'static,
        besides: impl FnOnce(&mut Changes<'_>, &User) -> Result<(), PoolError> + Send + 'static,
    ) -> Result<User, PoolError> {
        let (name, now) = (name.to_owned(), self.pool.time.now());
        self.pool
            .store
            .write(move |changes| {
                let mut user = changes.find(&name)?.ok_or(PoolError::NoSuchUser)?;
                change(&mut user)?;
                user.modified = now;
                changes.put_user(&user)?;
                besides(changes, &user)?;
                Ok(user)
            })
            .await
    }
}

impl std::fmt::Debug for SignIn {
    /// Without anything of what it keeps.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SignIn")
    }
}

/// What the engine asks of the user pool.
impl engine::GroupDirectory for SignIn {
    fn check<'a>(
        &'a self,
        pool: &'a str,
        group: &'a str,
        client: &'a str,
    ) -> BoxFuture<'a, Result<(), String>> {
        std::future::ready(self.has(pool, group, client)).boxed()
    }
}

/// Whether Cognito takes this operation from anybody, unsigned: what it needs lies in the request itself.
pub(crate) fn is_open(operation: &str) -> bool {
    api::OPEN.contains(&operation)
}

/// A password that can be read aloud: four words and a number, about fifty bits.
pub(crate) fn readable_password() -> String {
    passwords::readable()
}
