//! Links to the console that work once, and the sessions of the browsers that used one. A session ends when it is
//! signed out, when it was not used for a while, when it is old, and when the process ends.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};

/// A session without a request for this long is over.
pub(crate) const MAX_IDLE: Duration = Duration::from_secs(12 * 60 * 60);
/// A session is over after this, even if it is in use.
pub(crate) const MAX_AGE: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// A link that was not opened by then has expired.
const LINK_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);
/// How far the clock may have been set back between the link and its use.
const CLOCK_SKEW: Duration = Duration::from_secs(60);
/// One person has a few browsers; beyond this the session that was used longest ago ends.
const MAX_SESSIONS: usize = 100;

/// What a link carries: when it was made, something random, and a proof that it was made with the stack's secret.
/// `groundcrew link` makes one without asking the process that will accept it.
pub fn link_token(secret: &str) -> String {
    let made = since_epoch().as_millis();
    let body = format!("{made}.{}", random_name());
    let proof = proof(secret, &body);
    format!("{body}.{proof}")
}

fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// 128 bits, in hexadecimal digits.
fn random_name() -> String {
    let mut bytes = [0; 16];
    // Without random numbers no session may begin: an empty name is refused below.
    match getrandom::fill(&mut bytes) {
        Ok(()) => hex::encode(bytes),
        Err(_) => String::new(),
    }
}

fn proof(secret: &str, body: &str) -> String {
    // HMAC takes a key of any length; an empty proof would be refused.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return String::new();
    };
    mac.update(b"groundcrew console link ");
    mac.update(body.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

/// Compared by their hashes, so that the time it takes says nothing of how much was right.
pub(crate) fn is_equal_secret(given: &str, right: &str) -> bool {
    !right.is_empty() && Sha256::digest(given) == Sha256::digest(right)
}

#[derive(Clone, Copy)]
struct Session {
    started: Instant,
    last_used: Instant,
}

impl Session {
    fn is_over(&self, now: Instant) -> bool {
        now.duration_since(self.last_used) >= MAX_IDLE || now.duration_since(self.started) >= MAX_AGE
    }
}

pub(crate) struct Sessions {
    secret: String,
    /// Links that were made before this process started do not work.
    started: Duration,
    used_links: Mutex<HashSet<String>>,
    /// By the hash of the name in the browser's cookie.
    open: Mutex<HashMap<[u8; 32], Session>>,
}

impl Sessions {
    pub(crate) fn new(secret: &str) -> Self {
        Self {
            secret: secret.to_owned(),
            started: since_epoch(),
            used_links: Mutex::default(),
            open: Mutex::default(),
        }
    }

    /// The session's name for the browser's cookie, if the link is valid and is opened for the first time.
    pub(crate) fn start(&self, token: &str, now: Instant) -> Option<String> {
        self.use_link(token)?;
        let name = Some(random_name()).filter(|name| !name.is_empty())?;
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, session| !session.is_over(now));
        if open.len() >= MAX_SESSIONS {
            let oldest = open
                .iter()
                .min_by_key(|(_, session)| session.last_used)
                .map(|(key, _)| *key);
            oldest.map(|key| open.remove(&key));
        }
        let session = Session {
            started: now,
            last_used: now,
        };
        open.insert(key(&name), session);
        Some(name)
    }

    fn use_link(&self, token: &str) -> Option<()> {
        let (body, given) = token.rsplit_once('.')?;
        let made: u64 = body.split_once('.')?.0.parse().ok()?;
        let (made, now) = (Duration::from_millis(made), since_epoch());
        let is_valid = is_equal_secret(given, &proof(&self.secret, body));
        let is_fresh =
            made + CLOCK_SKEW >= self.started && made + LINK_LIFETIME >= now && made <= now + CLOCK_SKEW;
        // Only links that were made with the secret are remembered, so that other requests cannot make this grow.
        let mut used = self.used_links.lock().unwrap_or_else(PoisonError::into_inner);
        (is_valid && is_fresh && used.insert(body.to_owned())).then_some(())
    }

    /// Whether the session is open; asking counts as using it.
    pub(crate) fn is_open(&self, name: &str, now: Instant) -> bool {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(session) = open.get_mut(&key(name)) else {
            return false;
        };
        if session.is_over(now) {
            open.remove(&key(name));
            return false;
        }
        session.last_used = now;
        true
    }

    pub(crate) fn end(&self, name: &str) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.remove(&key(name));
    }
}

fn key(name: &str) -> [u8; 32] {
    Sha256::digest(name).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn a_link_opens_one_session() {
        let (sessions, now) = (Sessions::new(SECRET), Instant::now());
        let link = link_token(SECRET);
        let session = sessions.start(&link, now).unwrap();
        assert!(sessions.is_open(&session, now));
        assert_eq!(sessions.start(&link, now), None, "used");
        assert!(sessions.start(&link_token(SECRET), now).is_some(), "another link");
    }

    #[test]
    fn a_token_that_was_not_made_with_the_secret_opens_nothing() {
        let (sessions, now) = (Sessions::new(SECRET), Instant::now());
        let good = link_token(SECRET);
        let (body, proof) = good.rsplit_once('.').unwrap();
        for bad in [
            String::new(),
            "..".to_owned(),
            SECRET.to_owned(),
            link_token("another"),
            format!("{body}."),
            format!("1.00.{proof}"),
            format!("{body}x.{proof}"),
        ] {
            assert_eq!(sessions.start(&bad, now), None, "{bad}");
        }
    }

    #[test]
    fn a_link_of_an_earlier_process_and_an_old_one_open_nothing() {
        let mut sessions = Sessions::new(SECRET);
        let made_at = |made: Duration| {
            let body = format!("{}.00", made.as_millis());
            format!("{body}.{}", proof(SECRET, &body))
        };
        let before = sessions.started - Duration::from_secs(120);
        assert_eq!(sessions.start(&made_at(before), Instant::now()), None);
        sessions.started = Duration::ZERO;
        let old = since_epoch() - LINK_LIFETIME - Duration::from_secs(1);
        assert_eq!(sessions.start(&made_at(old), Instant::now()), None);
        assert!(sessions.start(&made_at(before), Instant::now()).is_some());
    }

    #[test]
    fn a_session_ends_when_it_is_idle_when_it_is_old_and_when_it_is_signed_out() {
        let (sessions, start) = (Sessions::new(SECRET), Instant::now());
        let open_session = || sessions.start(&link_token(SECRET), start).unwrap();
        let (idle, used, signed_out) = (open_session(), open_session(), open_session());
        assert!(!sessions.is_open(&idle, start + MAX_IDLE));
        let mut now = start;
        while now < start + MAX_AGE - MAX_IDLE {
            now += MAX_IDLE / 2;
            assert!(sessions.is_open(&used, now));
        }
        assert!(!sessions.is_open(&used, start + MAX_AGE));
        sessions.end(&signed_out);
        assert!(!sessions.is_open(&signed_out, start));
    }

    #[test]
    fn the_number_of_sessions_is_bounded() {
        let (sessions, now) = (Sessions::new(SECRET), Instant::now());
        for _ in 0..=MAX_SESSIONS {
            sessions.start(&link_token(SECRET), now).unwrap();
        }
        assert_eq!(sessions.open.lock().unwrap().len(), MAX_SESSIONS);
    }
}
