//! What is under way: remembered sign-ins (a cookie) and authorization codes waiting to be exchanged. In memory: after
//! a restart people sign in again.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::SESSION_SECONDS;

/// A code is exchanged at once by the portal's server.
const CODE_LIFE: Duration = Duration::from_secs(300);
const SESSION_LIFE: Duration = Duration::from_secs(SESSION_SECONDS.unsigned_abs());
/// Far more than people sign in at once; a bound on memory.
const MOST: usize = 10_000;

#[derive(Default)]
pub(super) struct Grants {
    codes: Mutex<Kept<Grant>>,
    sessions: Mutex<Kept<Session>>,
}

/// What a code stands for.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    pub(super) username: String,
    pub(super) redirect_uri: String,
    /// PKCE, S256.
    pub(super) challenge: Option<String>,
    pub(super) nonce: Option<String>,
    pub(super) scope: String,
    pub(super) auth_time: Timestamp,
}

#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) username: String,
    pub(super) auth_time: Timestamp,
}

impl Grants {
    pub(super) fn issue(&self, grant: Grant) -> String {
        self.codes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .keep(grant, CODE_LIFE)
    }

    /// A code is good once.
    pub(super) fn redeem(&self, code: &str) -> Option<Grant> {
        self.codes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take(code)
    }

    pub(super) fn remember(&self, session: Session) -> String {
        self.sessions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .keep(session, SESSION_LIFE)
    }

    pub(super) fn session(&self, cookie: &str) -> Option<Session> {
        self.sessions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(cookie)
    }

    pub(super) fn forget(&self, cookie: &str) {
        self.sessions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take(cookie);
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

/// Values under names nobody can guess, for a while.
struct Kept<T>(HashMap<String, (Instant, T)>);

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T: Clone> Kept<T> {
    fn keep(&mut self, value: T, life: Duration) -> String {
        let now = Instant::now();
        self.0.retain(|_, (until, _)| *until > now);
        if self.0.len() >= MOST {
            let soonest = self
                .0
                .iter()
                .min_by_key(|(_, (until, _))| *until)
                .map(|(name, _)| name.clone());
            soonest.map(|name| self.0.remove(&name));
        }
        let name = super::passwords::random_secret();
        self.0.insert(name.clone(), (now + life, value));
        name
    }

    fn get(&self, name: &str) -> Option<T> {
        self.0
            .get(name)
            .filter(|(until, _)| *until > Instant::now())
            .map(|(_, value)| value.clone())
    }

    fn take(&mut self, name: &str) -> Option<T> {
        self.0
            .remove(name)
            .filter(|(until, _)| *until > Instant::now())
            .map(|(_, value)| value)
    }
}
