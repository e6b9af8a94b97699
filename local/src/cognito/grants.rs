//! What lasts only as long as this process: browser sessions (a cookie), authorization codes waiting to be exchanged, and
//! people about to choose a password. After a restart people sign in again.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::identity::Identity;
use super::passwords::random_secret;
use crate::lock::lock;

/// The portal's server exchanges a code at once.
const CODE_LIFE: Duration = Duration::from_secs(300);
/// Cognito's.
pub(super) const SESSION_SECONDS: u32 = 3600;
/// Far more than people sign in at once; a bound on memory.
const MOST: usize = 10_000;

#[derive(Default)]
pub(super) struct Grants {
    codes: Mutex<ExpiringMap<CodeGrant>>,
    sessions: Mutex<ExpiringMap<Session>>,
    challenges: Mutex<ExpiringMap<Challenge>>,
}

/// How and when a person signed in, for the tokens' claims.
#[derive(Clone, Debug)]
pub(super) struct Authentication {
    pub(super) auth_time: Timestamp,
    pub(super) scope: String,
    pub(super) nonce: Option<String>,
}

/// What an authorization code is exchanged for.
#[derive(Clone, Debug)]
pub(super) struct CodeGrant {
    pub(super) identity: Identity,
    pub(super) client_id: String,
    pub(super) redirect_uri: String,
    /// PKCE, S256.
    pub(super) code_challenge: Option<String>,
    pub(super) authentication: Authentication,
}

#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) username: String,
    pub(super) auth_time: Timestamp,
}

/// A person who gave the right temporary password and has to choose another.
#[derive(Clone, Debug)]
pub(super) struct Challenge {
    pub(super) username: String,
    pub(super) client_id: String,
    /// The hash of the temporary password: once the account has another, the challenge is void.
    pub(super) temporary_hash: Option<String>,
}

impl Grants {
    pub(super) fn issue_code(&self, grant: CodeGrant, now: Instant) -> String {
        lock(&self.codes).insert(grant, now, CODE_LIFE)
    }

    /// A code is valid once.
    pub(super) fn redeem_code(&self, code: &str, now: Instant) -> Option<CodeGrant> {
        lock(&self.codes).remove(code, now)
    }

    pub(super) fn start_session(&self, session: Session, now: Instant) -> String {
        lock(&self.sessions).insert(session, now, Duration::from_secs(SESSION_SECONDS.into()))
    }

    pub(super) fn session(&self, cookie: &str, now: Instant) -> Option<Session> {
        lock(&self.sessions).get(cookie, now)
    }

    pub(super) fn end_session(&self, cookie: &str, now: Instant) {
        lock(&self.sessions).remove(cookie, now);
    }

    pub(super) fn start_challenge(&self, challenge: Challenge, now: Instant, life: Duration) -> String {
        lock(&self.challenges).insert(challenge, now, life)
    }

    /// Valid until it is [ended](Self::end_challenge): a password that breaks a rule may be followed by another.
    pub(super) fn challenge(&self, name: &str, now: Instant) -> Option<Challenge> {
        lock(&self.challenges).get(name, now)
    }

    pub(super) fn end_challenge(&self, name: &str, now: Instant) {
        lock(&self.challenges).remove(name, now);
    }
}

impl CodeGrant {
    pub(super) fn accepts_verifier(&self, verifier: Option<&str>) -> bool {
        match (&self.code_challenge, verifier) {
            (None, None) => true,
            (Some(challenge), Some(verifier)) => {
                *challenge == URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
            }
            _ => false,
        }
    }
}

/// Values under random names, each with the time until which it is valid.
struct ExpiringMap<T>(HashMap<String, (Instant, T)>);

impl<T> Default for ExpiringMap<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T: Clone> ExpiringMap<T> {
    fn insert(&mut self, value: T, now: Instant, life: Duration) -> String {
        if self.0.len() >= MOST {
            self.make_room(now);
        }
        let name = random_secret();
        self.0.insert(name.clone(), (now + life, value));
        name
    }

    /// Removes what has expired; if that is not enough, what expires first.
    fn make_room(&mut self, now: Instant) {
        self.0.retain(|_, (until, _)| *until > now);
        if self.0.len() >= MOST {
            let first = self.0.iter().min_by_key(|(_, (until, _))| *until);
            let first = first.map(|(name, _)| name.clone());
            first.map(|name| self.0.remove(&name));
        }
    }

    fn get(&self, name: &str, now: Instant) -> Option<T> {
        let (until, value) = self.0.get(name)?;
        (*until > now).then(|| value.clone())
    }

    fn remove(&mut self, name: &str, now: Instant) -> Option<T> {
        let (until, value) = self.0.remove(name)?;
        (until > now).then_some(value)
    }
}
