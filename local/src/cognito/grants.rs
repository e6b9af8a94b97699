//! What is under way: remembered sign-ins (a cookie), authorization codes waiting to be exchanged, and people about to
//! choose a password. In memory: after a restart people sign in again.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::tokens::{Identity, Signed};

/// A code is exchanged at once by the portal's server.
const CODE_LIFE: Duration = Duration::from_secs(300);
/// A sign-in is remembered as long as Cognito remembers one.
pub(super) const SESSION_SECONDS: u32 = 3600;
/// Far more than people sign in at once; a bound on memory.
const MOST: usize = 10_000;

#[derive(Default)]
pub(super) struct Grants {
    codes: Mutex<Kept<Grant>>,
    sessions: Mutex<Kept<Session>>,
    challenges: Mutex<Kept<Challenge>>,
}

/// What a code stands for.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    pub(super) identity: Identity,
    pub(super) client_id: String,
    pub(super) redirect_uri: String,
    /// PKCE, S256.
    pub(super) challenge: Option<String>,
    pub(super) signed: Signed,
}

#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) username: String,
    pub(super) auth_time: Timestamp,
}

/// Somebody who gave the right temporary password and has to choose another.
#[derive(Clone, Debug)]
pub(super) struct Challenge {
    pub(super) username: String,
    pub(super) client_id: String,
    /// The hash of the temporary password: another one since, and this is void.
    pub(super) temporary: Option<String>,
}

impl Grants {
    pub(super) fn issue(&self, grant: Grant, now: Instant) -> String {
        open(&self.codes).keep(grant, now, CODE_LIFE)
    }

    /// A code is good once.
    pub(super) fn redeem(&self, code: &str, now: Instant) -> Option<Grant> {
        open(&self.codes).take(code, now)
    }

    pub(super) fn remember(&self, session: Session, now: Instant) -> String {
        open(&self.sessions).keep(session, now, Duration::from_secs(SESSION_SECONDS.into()))
    }

    pub(super) fn session(&self, cookie: &str, now: Instant) -> Option<Session> {
        open(&self.sessions).get(cookie, now)
    }

    pub(super) fn forget(&self, cookie: &str, now: Instant) {
        open(&self.sessions).take(cookie, now);
    }

    pub(super) fn challenge(&self, challenge: Challenge, now: Instant, life: Duration) -> String {
        open(&self.challenges).keep(challenge, now, life)
    }

    /// Stays good until it is [met](Self::met): a password that breaks a rule may be followed by another.
    pub(super) fn challenged(&self, name: &str, now: Instant) -> Option<Challenge> {
        open(&self.challenges).get(name, now)
    }

    pub(super) fn met(&self, name: &str, now: Instant) {
        open(&self.challenges).take(name, now);
    }
}

impl Grant {
    pub(super) fn verifier_fits(&self, verifier: Option<&str>) -> bool {
        match (&self.challenge, verifier) {
            (None, None) => true,
            (Some(challenge), Some(verifier)) => {
                *challenge == URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
            }
            _ => false,
        }
    }
}

fn open<T>(kept: &Mutex<Kept<T>>) -> std::sync::MutexGuard<'_, Kept<T>> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Values under names nobody can guess, for a while.
struct Kept<T>(HashMap<String, (Instant, T)>);

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T: Clone> Kept<T> {
    fn keep(&mut self, value: T, now: Instant, life: Duration) -> String {
        if self.0.len() >= MOST {
            self.make_room(now);
        }
        let name = super::passwords::random_secret();
        self.0.insert(name.clone(), (now + life, value));
        name
    }

    fn make_room(&mut self, now: Instant) {
        self.0.retain(|_, (until, _)| *until > now);
        if self.0.len() >= MOST {
            let soonest = self
                .0
                .iter()
                .min_by_key(|(_, (until, _))| *until)
                .map(|(name, _)| name.clone());
            soonest.map(|name| self.0.remove(&name));
        }
    }

    fn get(&self, name: &str, now: Instant) -> Option<T> {
        self.0
            .get(name)
            .filter(|(until, _)| *until > now)
            .map(|(_, value)| value.clone())
    }

    fn take(&mut self, name: &str, now: Instant) -> Option<T> {
        self.0
            .remove(name)
            .filter(|(until, _)| *until > now)
            .map(|(_, value)| value)
    }
}
