//! Who is signed in: a document for each session, in the state bucket, that the browser's cookie opens.
//!
//! What a cookie itself says cannot be taken back. A document can: signing out deletes it, and what the provider says of
//! the person's groups is asked again every few minutes with the provider's refresh token.
use super::refusal::Refusal;
use super::seal::Secret;
use crate::clock::Clock;
use crate::sign_in::{SignInClient, SignInError, Vouched};
use crate::state::{Documents, StoreError, Stored, keys};
use crate::work::{Turns, Worker};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio_util::sync::CancellationToken;

/// Older than this, the groups are asked for again.
const FRESH: SignedDuration = SignedDuration::from_mins(5);
/// The same for somebody in no group, who is waiting to be put into one.
const FRESH_WITHOUT_GROUPS: SignedDuration = SignedDuration::from_secs(30);
/// While the provider cannot be asked (it is away, or gave no refresh token), groups are believed for so long.
const BELIEVED: SignedDuration = SignedDuration::from_hours(1);
/// Between two attempts to ask, also of two engines on one store.
const ATTEMPT: SignedDuration = SignedDuration::from_secs(30);
/// A browser that is not used for a working day signs in again.
const IDLE: SignedDuration = SignedDuration::from_hours(12);
/// What another engine did to a session is seen after at most this time.
const SEEN: SignedDuration = SignedDuration::from_secs(10);
/// Sessions remembered in memory.
const REMEMBERED: usize = 10_000;
const BETWEEN_SWEEPS: std::time::Duration = std::time::Duration::from_secs(3600);

#[derive(Clone, Deserialize, Serialize)]
struct Session {
    worker: Worker,
    /// The provider that vouched, as [`SignInClient::provider`] tells it.
    provider: String,
    refresh: Option<String>,
    /// When the provider last vouched for the person.
    confirmed: Timestamp,
    /// When an engine last set out to ask it again.
    asked: Option<Timestamp>,
    until: Timestamp,
}

/// As it is stored.
#[derive(Deserialize, Serialize)]
struct Document {
    /// Not sealed, so that what is over can be swept away.
    until: Timestamp,
    sealed: String,
}

struct Known {
    session: Session,
    seen: Timestamp,
}

#[derive(Clone)]
pub(super) struct Sessions(Arc<Inner>);

struct Inner {
    documents: Documents,
    clock: Clock,
    sign_in: Arc<SignInClient>,
    /// By name.
    known: Mutex<HashMap<String, Known>>,
    turns: Turns,
}

impl Session {
    fn new(vouched: Vouched, now: Timestamp) -> Session {
        Session {
            worker: vouched.worker,
            provider: vouched.provider,
            refresh: vouched.refresh,
            confirmed: now,
            asked: None,
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
        Sessions(Arc::new(Inner {
            documents,
            clock,
            sign_in,
            known: Mutex::default(),
            turns: Turns::new(),
        }))
    }

    pub(super) async fn begin(&self, vouched: Vouched) -> Result<Secret, SignInError> {
        let secret = Secret::random();
        let session = Session::new(vouched, self.0.now());
        let stored = self.0.store(&secret, session, None).await;
        stored.map_err(|error| SignInError::NotKept(error.to_string()))?;
        Ok(secret)
    }

    /// Ends the session for good: a copy of the cookie opens nothing any more, here at once, at other engines on the same
    /// store within ten seconds.
    pub(super) async fn end(&self, secret: &Secret) -> Result<(), StoreError> {
        self.0.discard(&secret.name()).await
    }

    /// The worker whose browser sent this secret, with the groups of the last few minutes.
    pub(super) async fn worker(&self, secret: Secret) -> Result<Worker, Refusal> {
        let session = self.0.read(&secret).await?.ok_or(Refusal::SignedOut)?;
        let now = self.0.now();
        if now >= session.until || self.0.sign_in.provider().as_ref() != Some(&session.provider) {
            return Err(Refusal::SignedOut);
        }
        if session.is_fresh(now) {
            return Ok(session.worker);
        }
        let inner = self.0.clone();
        // To its end even if the browser goes away: a provider may give a refresh token only once.
        let renewed = tokio::spawn(async move { inner.renew(&secret).await }).await;
        let session = renewed.unwrap_or(Err(Refusal::Unconfirmed))?;
        match session.refresh {
            _ if now < session.confirmed + BELIEVED => Ok(session.worker),
            Some(_) => Err(Refusal::Unconfirmed),
            None => Err(Refusal::SignedOut),
        }
    }

    /// Takes away the documents of sessions that are over.
    pub(super) async fn sweep(&self) -> Result<(), StoreError> {
        let now = self.0.now();
        for listed in self.0.documents.list(keys::SESSIONS).await? {
            let is_over = match self.0.documents.load::<Document>(&listed.key).await {
                Ok(stored) => stored.is_some_and(|stored| stored.value.until < now),
                // It opens for no cookie: the person has signed in again.
                Err(StoreError::Unreadable(_)) => true,
                Err(error) => {
                    tracing::warn!(%error, "a session could not be looked at; the next sweep will");
                    continue;
                }
            };
            if is_over {
                self.0.documents.delete(&listed.key).await?;
            }
        }
        Ok(())
    }

    pub(super) async fn sweep_for_ever(self, stop: CancellationToken) {
        loop {
            if let Err(error) = self.sweep().await {
                tracing::warn!(%error, "could not sweep away old sessions; trying again in an hour");
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(BETWEEN_SWEEPS) => {}
            }
        }
    }
}

impl Inner {
    fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// As remembered, else as stored.
    async fn read(&self, secret: &Secret) -> Result<Option<Session>, Refusal> {
        let (name, now) = (secret.name(), self.now());
        if let Some(known) = self.known().get(&name)
            && now < known.seen + SEEN
        {
            return Ok(Some(known.session.clone()));
        }
        Ok(self.reload(secret).await?.map(|stored| stored.value))
    }

    async fn reload(&self, secret: &Secret) -> Result<Option<Stored<Session>>, Refusal> {
        let name = secret.name();
        let stored = self.documents.load::<Document>(&key(&name)).await;
        let stored = match stored {
            Err(StoreError::Unreadable(_)) => None,
            stored => stored.map_err(|error| unconfirmed(&error))?,
        };
        let opened = stored.and_then(|stored| {
            let text = secret.open(&stored.value.sealed).ok()?;
            Some(Stored {
                value: serde_json::from_slice::<Session>(&text).ok()?,
                etag: stored.etag,
            })
        });
        match &opened {
            Some(stored) => self.remember(name, stored.value.clone()),
            None => drop(self.known().remove(&name)),
        }
        Ok(opened)
    }

    /// Asks the provider, unless somebody has just done so; the session as it then is.
    async fn renew(&self, secret: &Secret) -> Result<Session, Refusal> {
        let name = secret.name();
        let _turn = self.turns.take(&name).await;
        let Stored { value: session, etag } = self.reload(secret).await?.ok_or(Refusal::SignedOut)?;
        let now = self.now();
        let is_asked = session.asked.is_some_and(|asked| now < asked + ATTEMPT);
        let Some(refresh) = session
            .refresh
            .clone()
            .filter(|_| !is_asked && !session.is_fresh(now))
        else {
            return Ok(session);
        };
        // Said first: of two engines that ask with one refresh token, the second may be refused, and the person signed out.
        let asking = Session {
            asked: Some(now),
            ..session.clone()
        };
        let etag = match self.store(secret, asking, Some(&etag)).await {
            Ok(etag) => etag,
            Err(StoreError::Changed) => return self.read(secret).await?.ok_or(Refusal::SignedOut),
            Err(error) => return Err(unconfirmed(&error)),
        };
        match self.sign_in.renew(&refresh, &session.worker).await {
            Ok(vouched) => self.renewed(secret, vouched, &etag).await,
            Err(error) if error.is_final() => {
                tracing::info!(
                    worker = session.worker.id,
                    cause = error.cause(),
                    "a session was ended by the provider"
                );
                self.discard(&name).await.map_err(|error| unconfirmed(&error))?;
                Err(Refusal::SignedOut)
            }
            Err(error) => {
                tracing::warn!(
                    cause = error.cause(),
                    "the provider could not be asked again who is in which group"
                );
                Ok(session)
            }
        }
    }

    async fn renewed(&self, secret: &Secret, vouched: Vouched, etag: &str) -> Result<Session, Refusal> {
        let session = Session::new(vouched, self.now());
        match self.store(secret, session.clone(), Some(etag)).await {
            Ok(_) => Ok(session),
            // Signed out meanwhile.
            Err(StoreError::Changed) => self.read(secret).await?.ok_or(Refusal::SignedOut),
            Err(error) => Err(unconfirmed(&error)),
        }
    }

    /// Writes a new session, or the next version of one.
    async fn store(
        &self,
        secret: &Secret,
        session: Session,
        etag: Option<&str>,
    ) -> Result<String, StoreError> {
        let name = secret.name();
        self.known().remove(&name);
        let refused = |_| StoreError::Refused("the session could not be sealed".to_owned());
        let text = serde_json::to_vec(&session).map_err(|error| StoreError::Refused(error.to_string()))?;
        let document = Document {
            until: session.until,
            sealed: secret.seal(&text).map_err(refused)?,
        };
        let etag = match etag {
            Some(etag) => self.documents.replace(&key(&name), &document, etag).await?,
            None => self.documents.create(&key(&name), &document).await?,
        };
        self.remember(name, session);
        Ok(etag)
    }

    async fn discard(&self, name: &str) -> Result<(), StoreError> {
        let deleted = self.documents.delete(&key(name)).await;
        self.known().remove(name);
        deleted
    }

    fn remember(&self, name: String, session: Session) {
        let now = self.now();
        let mut known = self.known();
        if known.len() >= REMEMBERED {
            known.retain(|_, known| now < known.seen + SEEN);
        }
        known.insert(name, Known { session, seen: now });
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(name: &str) -> String {
    format!("{}{name}.json", keys::SESSIONS)
}

fn unconfirmed(error: &StoreError) -> Refusal {
    tracing::warn!(%error, "the state store failed");
    Refusal::Unconfirmed
}
