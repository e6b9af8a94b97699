//! The user pool: its parts, how it is opened, and the reads and writes that everything else is built on.

use std::sync::{Arc, OnceLock};

use futures::future::BoxFuture;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::client::{Client, ClientSettings};
use super::error::PoolError;
use super::grants::Grants;
use super::keys::SigningKey;
use super::limits::Limits;
use super::passwords::random_secret;
use super::store::record::User;
use super::store::{Store, Transaction};
use super::time::Time;
use crate::data_dir::DataDir;
use crate::error::StackError;
use crate::outbox::Outbox;
use crate::wiring::Trigger;

/// The one pool. Its id has the shape of Cognito's: region, underscore, letters and digits.
pub(crate) const POOL_ID: &str = "us-east-1_Groundcrew";
/// The portal's app client, the only one.
pub(crate) const CLIENT_ID: &str = "groundcrewportal";
/// The name of the pool's own record in the settings.
const POOL_RECORD: &str = "pool";

/// Calls the function of a trigger: event in, event with its response out.
pub(crate) type TriggerFn =
    Arc<dyn Fn(Trigger, Value) -> BoxFuture<'static, Result<Value, String>> + Send + Sync>;

/// The user pool and its app client. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Cognito {
    pub(super) pool: Arc<Pool>,
}

pub(super) struct Pool {
    /// `<web origin>/cognito/<pool id>`
    pub(super) issuer: String,
    pub(super) web_origin: String,
    pub(super) client_secret: String,
    pub(super) store: Store,
    pub(super) outbox: Outbox,
    pub(super) key: SigningKey,
    pub(super) grants: Grants,
    pub(super) limits: Limits,
    pub(super) triggers: OnceLock<TriggerFn>,
    pub(super) time: Time,
}

/// What the pool keeps about itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct PoolRecord {
    pub(super) created: Timestamp,
    /// Where the portal was when it was last started.
    pub(super) portal: String,
}

impl Cognito {
    pub(crate) async fn open(data: &DataDir, web_origin: &str, outbox: Outbox) -> Result<Self, StackError> {
        let pool = Pool {
            issuer: format!("{web_origin}/cognito/{POOL_ID}"),
            web_origin: web_origin.to_owned(),
            client_secret: data.load_or_create("sign-in-client.json", random_secret)?,
            store: Store::open(data)?,
            outbox,
            key: SigningKey::open(data)?,
            grants: Grants::default(),
            limits: Limits::default(),
            triggers: OnceLock::new(),
            time: Time::default(),
        };
        let cognito = Self { pool: Arc::new(pool) };
        let written = cognito.write_own_records().await;
        written.map_err(|error| StackError::Part {
            what: "the sign-in",
            reason: error.to_string(),
        })?;
        Ok(cognito)
    }

    /// The pool and the portal's client: made at the first start. After that they follow the portal's address.
    async fn write_own_records(&self) -> Result<(), PoolError> {
        let (now, portal) = (self.pool.time.timestamp(), self.pool.web_origin.clone());
        let secret = self.pool.client_secret.clone();
        let write = move |transaction: &mut Transaction<'_>| {
            let mut record = transaction.setting(POOL_RECORD)?.unwrap_or_else(|| PoolRecord {
                created: now,
                portal: portal.clone(),
            });
            let mut client = transaction.client(CLIENT_ID)?.unwrap_or_else(|| Client {
                id: CLIENT_ID.to_owned(),
                secret: secret.clone(),
                created: now,
                modified: now,
                settings: ClientSettings::of_portal(&portal),
            });
            if record.portal != portal {
                client.settings.move_portal(&record.portal, &portal);
                record.portal = portal;
            }
            client.secret = secret;
            transaction.put_client(CLIENT_ID, &client)?;
            transaction.put_setting(POOL_RECORD, &record)
        };
        self.pool.store.write(write).await
    }

    /// The functions of the triggers. Until they are set, whatever fires one fails.
    pub(crate) fn set_triggers(&self, triggers: TriggerFn) {
        let _set_once = self.pool.triggers.set(triggers);
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.pool.issuer
    }

    pub(crate) fn client_secret(&self) -> &str {
        &self.pool.client_secret
    }

    pub(super) fn record(&self) -> Result<PoolRecord, PoolError> {
        let record = self.pool.store.view()?.setting(POOL_RECORD)?;
        record.ok_or_else(|| PoolError::internal("the pool's own record is missing"))
    }

    pub(super) fn client(&self, id: &str) -> Result<Client, PoolError> {
        let missing = || PoolError::NotFound(format!("User pool client {id} does not exist."));
        self.pool.store.view()?.client(id)?.ok_or_else(missing)
    }

    /// By user name or e-mail address.
    pub(super) fn user(&self, name: &str) -> Result<User, PoolError> {
        self.pool.store.view()?.find(name)?.ok_or(PoolError::NoSuchUser)
    }

    /// Takes effect when it is on disk, or not at all.
    pub(super) async fn change_user(
        &self,
        name: &str,
        change: impl FnOnce(&mut User) -> Result<(), PoolError> + Send + 'static,
    ) -> Result<User, PoolError> {
        self.change_user_and(name, change, |_, _| Ok(())).await
    }

    /// The same with a further step in the same transaction.
    pub(super) async fn change_user_and(
        &self,
        name: &str,
        change: impl FnOnce(&mut User) -> Result<(), PoolError> + Send + 'static,
        further: impl FnOnce(&mut Transaction<'_>, &User) -> Result<(), PoolError> + Send + 'static,
    ) -> Result<User, PoolError> {
        let (name, now) = (name.to_owned(), self.pool.time.timestamp());
        let write = move |transaction: &mut Transaction<'_>| {
            let mut user = transaction.find(&name)?.ok_or(PoolError::NoSuchUser)?;
            change(&mut user)?;
            user.modified = now;
            transaction.put_user(&user)?;
            further(transaction, &user)?;
            Ok(user)
        };
        self.pool.store.write(write).await
    }
}

impl std::fmt::Debug for Cognito {
    /// Without secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cognito")
    }
}
