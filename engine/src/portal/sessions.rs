//! Who is signed in: a document for each session, in the state bucket, which the browser's cookie opens.
//!
//! A cookie cannot be revoked, a document can: signing out deletes it. The person's groups are requested from the identity
//! provider again every few minutes, with its refresh token.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::error::PortalError;
use super::seal::SessionSecret;
use crate::clock::Clock;
use crate::keyed_locks::KeyedLocks;
use crate::lock::lock;
use crate::sign_in::{SignInClient, SignInError, VerifiedPerson};
use crate::state::{Documents, StoreError, StoredDocument, keys};
use crate::worker::Worker;

/// Groups older than this are requested again.
const FRESH: SignedDuration = SignedDuration::from_mins(5);
/// The same for a person without a group, who waits to be put into one.
const FRESH_WITHOUT_GROUPS: SignedDuration = SignedDuration::from_secs(30);
/// How long groups are used while they cannot be requested: the provider is away, or gave no refresh token.
const USED_UNCONFIRMED: SignedDuration = SignedDuration::from_hours(1);
/// Between two requests for groups, also of two engines on one store.
const BETWEEN_REQUESTS: SignedDuration = SignedDuration::from_secs(30);
/// A browser that is not used for a working day signs in again.
const IDLE: SignedDuration = SignedDuration::from_hours(12);
/// How long a session is used from memory. A change by another engine is seen after at most this time.
const CACHED: SignedDuration = SignedDuration::from_secs(10);
/// Sessions in memory.
const MAX_CACHED: usize = 10_000;
const BETWEEN_SWEEPS: std::time::Duration = std::time::Duration::from_secs(3600);

#[derive(Clone, Deserialize, Serialize)]
struct Session {
    worker: Worker,
    /// The provider that vouched for the person, as [`SignInClient::provider`] names it.
    provider: String,
    refresh: Option<String>,
    /// When the provider last vouched for the person.
    confirmed: Timestamp,
    /// When an engine last requested the groups again.
    #[serde(rename = "asked")]
    requested: Option<Timestamp>,
    until: Timestamp,
}

/// The stored form of a session.
#[derive(Deserialize, Serialize)]
struct SessionDocument {
    /// Not sealed, so that expired sessions can be deleted.
    until: Timestamp,
    sealed: String,
}

struct CachedSession {
    session: Session,
    read: Timestamp,
}

#[derive(Clone)]
pub(super) struct Sessions(Arc<Store>);

struct Store {
    documents: Documents,
    clock: Clock,
    sign_in: Arc<SignInClient>,
    /// Sessions in memory, by name.
    cached: Mutex<HashMap<String, CachedSession>>,
    /// By session name: one request to the provider at a time.
    locks: KeyedLocks,
}

impl Session {
    fn new(person: VerifiedPerson, now: Timestamp) -> Session {
        Session {
            worker: person.worker,
            provider: person.provider,
            refresh: person.refresh,
            confirmed: now,
            requested: None,
            until: now + IDLE,
        }
    }

    fn is_fresh(&self, now: Timestamp) -> bool {
        let fresh = match self.worker.groups.is_empty() {
            true => FRESH_WITHOUT_GROUPS,
            false => FRESH,
        };
        now < self.confirmed + fresh
    }
}

impl Sessions {
    pub(super) fn new(documents: Documents, clock: Clock, sign_in: Arc<SignInClient>) -> Sessions {
        Sessions(Arc::new(Store {
            documents,
            clock,
            sign_in,
            cached: Mutex::default(),
            locks: KeyedLocks::new(),
        }))
    }

    pub(super) async fn begin(&self, person: VerifiedPerson) -> Result<SessionSecret, SignInError> {
        let secret = SessionSecret::random();
        let session = Session::new(person, self.0.current_time());
        let stored = self.0.store(&secret, session, None).await;
        stored.map_err(|error| SignInError::NotStored(error.to_string()))?;
        Ok(secret)
    }

    /// Ends the session: a copy of the cookie opens nothing any more, here at once, at other engines on the same store within
    /// ten seconds.
    pub(super) async fn end(&self, secret: &SessionSecret) -> Result<(), StoreError> {
        self.0.discard(&secret.name()).await
    }

    /// The worker whose browser sent this secret, with the groups of the last few minutes.
    pub(super) async fn worker(&self, secret: SessionSecret) -> Result<Worker, PortalError> {
        let session = self.0.read(&secret).await?.ok_or(PortalError::SignedOut)?;
        let now = self.0.current_time();
        if now >= session.until || self.0.sign_in.provider().as_ref() != Some(&session.provider) {
            return Err(PortalError::SignedOut);
        }
        if session.is_fresh(now) {
            return Ok(session.worker);
        }
        let store = self.0.clone();
        // Runs to its end even if the browser goes away: a provider may give a refresh token only once.
        let renewed = tokio::spawn(async move { store.renew(&secret).await }).await;
        let session = renewed.unwrap_or(Err(PortalError::Unconfirmed))?;
        match session.refresh {
            _ if now < session.confirmed + USED_UNCONFIRMED => Ok(session.worker),
            Some(_) => Err(PortalError::Unconfirmed),
            None => Err(PortalError::SignedOut),
        }
    }

    /// Deletes the documents of expired sessions.
    pub(super) async fn sweep(&self) -> Result<(), StoreError> {
        let now = self.0.current_time();
        for listed in self.0.documents.list(keys::SESSIONS).await? {
            let is_expired = match self.0.documents.load::<SessionDocument>(&listed.key).await {
                Ok(stored) => stored.is_some_and(|stored| stored.value.until < now),
                // No cookie opens it; the person signs in again.
                Err(StoreError::Unreadable(_)) => true,
                Err(error) => {
                    tracing::warn!(%error, "failed to read a session; the next sweep will retry");
                    continue;
                }
            };
            if is_expired {
                self.0.documents.delete(&listed.key).await?;
            }
        }
        Ok(())
    }

    /// Runs until the engine stops.
    pub(super) async fn run_sweep(self, stop: CancellationToken) {
        loop {
            if let Err(error) = self.sweep().await {
                tracing::warn!(%error, "sweep of expired sessions failed; will be retried in an hour");
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(BETWEEN_SWEEPS) => {}
            }
        }
    }
}

impl Store {
    fn current_time(&self) -> Timestamp {
        (self.clock)()
    }

    /// From memory if it was read recently, else from the store.
    async fn read(&self, secret: &SessionSecret) -> Result<Option<Session>, PortalError> {
        let (name, now) = (secret.name(), self.current_time());
        if let Some(cached) = self.cached_sessions().get(&name)
            && now < cached.read + CACHED
        {
            return Ok(Some(cached.session.clone()));
        }
        Ok(self.reload(secret).await?.map(|stored| stored.value))
    }

    async fn reload(&self, secret: &SessionSecret) -> Result<Option<StoredDocument<Session>>, PortalError> {
        let name = secret.name();
        let stored = self.documents.load::<SessionDocument>(&key(&name)).await;
        let stored = match stored {
            Err(StoreError::Unreadable(_)) => None,
            stored => stored.map_err(|error| unconfirmed_error(&error))?,
        };
        let opened = stored.and_then(|stored| {
            let text = secret.open(&stored.value.sealed).ok()?;
            Some(StoredDocument {
                value: serde_json::from_slice::<Session>(&text).ok()?,
                etag: stored.etag,
            })
        });
        match &opened {
            Some(stored) => self.cache(name, stored.value.clone()),
            None => drop(self.cached_sessions().remove(&name)),
        }
        Ok(opened)
    }

    /// Requests the groups again, unless that was done just now. Returns the session after that.
    async fn renew(&self, secret: &SessionSecret) -> Result<Session, PortalError> {
        let name = secret.name();
        let _lock = self.locks.lock(&name).await;
        let StoredDocument { value: session, etag } =
            self.reload(secret).await?.ok_or(PortalError::SignedOut)?;
        let now = self.current_time();
        let is_requested = session
            .requested
            .is_some_and(|requested| now < requested + BETWEEN_REQUESTS);
        let Some(refresh) = session
            .refresh
            .clone()
            .filter(|_| !is_requested && !session.is_fresh(now))
        else {
            return Ok(session);
        };
        // Stored first: if two engines used one refresh token, the second could be refused, and the person signed out.
        let requesting = Session {
            requested: Some(now),
            ..session.clone()
        };
        let etag = match self.store(secret, requesting, Some(&etag)).await {
            Ok(etag) => etag,
            Err(StoreError::Changed) => return self.read(secret).await?.ok_or(PortalError::SignedOut),
            Err(error) => return Err(unconfirmed_error(&error)),
        };
        match self.sign_in.renew(&refresh, &session.worker).await {
            Ok(person) => self.store_renewed(secret, person, &etag).await,
            Err(error) if error.is_final() => {
                tracing::info!(
                    worker = session.worker.id,
                    cause = error.cause(),
                    "session ended by the identity provider"
                );
                self.discard(&name)
                    .await
                    .map_err(|error| unconfirmed_error(&error))?;
                Err(PortalError::SignedOut)
            }
            Err(error) => {
                tracing::warn!(
                    cause = error.cause(),
                    "failed to request groups from the identity provider; will be retried"
                );
                Ok(session)
            }
        }
    }

    async fn store_renewed(
        &self,
        secret: &SessionSecret,
        person: VerifiedPerson,
        etag: &str,
    ) -> Result<Session, PortalError> {
        let session = Session::new(person, self.current_time());
        match self.store(secret, session.clone(), Some(etag)).await {
            Ok(_) => Ok(session),
            // The person signed out meanwhile.
            Err(StoreError::Changed) => self.read(secret).await?.ok_or(PortalError::SignedOut),
            Err(error) => Err(unconfirmed_error(&error)),
        }
    }

    /// Writes a new session, or the next version of one.
    async fn store(
        &self,
        secret: &SessionSecret,
        session: Session,
        etag: Option<&str>,
    ) -> Result<String, StoreError> {
        let name = secret.name();
        self.cached_sessions().remove(&name);
        let refused = |_| StoreError::Refused("the session could not be sealed".to_owned());
        let text = serde_json::to_vec(&session).map_err(|error| StoreError::Refused(error.to_string()))?;
        let document = SessionDocument {
            until: session.until,
            sealed: secret.seal(&text).map_err(refused)?,
        };
        let etag = match etag {
            Some(etag) => self.documents.replace(&key(&name), &document, etag).await?,
            None => self.documents.create(&key(&name), &document).await?,
        };
        self.cache(name, session);
        Ok(etag)
    }

    async fn discard(&self, name: &str) -> Result<(), StoreError> {
        let deleted = self.documents.delete(&key(name)).await;
        self.cached_sessions().remove(name);
        deleted
    }

    fn cache(&self, name: String, session: Session) {
        let now = self.current_time();
        let mut cached = self.cached_sessions();
        if cached.len() >= MAX_CACHED {
            cached.retain(|_, cached| now < cached.read + CACHED);
        }
        cached.insert(name, CachedSession { session, read: now });
    }

    fn cached_sessions(&self) -> MutexGuard<'_, HashMap<String, CachedSession>> {
        lock(&self.cached)
    }
}

fn key(name: &str) -> String {
    format!("{}{name}.json", keys::SESSIONS)
}

fn unconfirmed_error(error: &StoreError) -> PortalError {
    tracing::warn!(%error, "state store failed");
    PortalError::Unconfirmed
}

#[cfg(test)]
mod tests;
