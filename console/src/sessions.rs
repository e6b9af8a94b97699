//! Who has opened the console: links that work once, and the sessions of the browsers that used one. A session ends when it
//! is signed out, when it was not used for a while, when it is old, and when the process ends.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};

/// Without a request for this long, a session is over.
pub(crate) const IDLE: Duration = Duration::from_secs(12 * 60 * 60);
/// However it is used, a session is over after this.
pub(crate) const LONGEST: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// A link that nobody has opened by then opens nothing.
const LINK_LIFE: Duration = Duration::from_secs(24 * 60 * 60);
/// A clock that was set back a little between the link and its use.
const SKEW: Duration = Duration::from_secs(60);
/// One person has a handful of browsers; beyond this the session used longest ago ends.
const MOST: usize = 100;

/// What a link carries: when it was made, something random, and proof that it was made with the stack's secret.
/// `groundcrew link` makes one without asking the process that will take it.
pub fn link_token(secret: &str) -> String {
    let made = since_epoch().as_millis();
    let body = format!("{made}.{}", random());
    let proof = proof(secret, &body);
    format!("{body}.{proof}")
}

fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// 128 bits, in hexadecimal digits.
fn random() -> String {
    let mut bytes = [0; 16];
    // Without random numbers nothing may be opened: an empty name is refused below.
    match getrandom::fill(&mut bytes) {
        Ok(()) => hex::encode(bytes),
        Err(_) => String::new(),
    }
}

fn proof(secret: &str, body: &str) -> String {
    // A key of any length is taken; an empty proof would be refused.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return String::new();
    };
    mac.update(b"groundcrew console link ");
    mac.update(body.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

/// Compared by their hashes: how long it takes says nothing of how much was right.
pub(crate) fn same(given: &str, right: &str) -> bool {
    !right.is_empty() && Sha256::digest(given) == Sha256::digest(right)
}

#[derive(Clone, Copy)]
struct Session {
    begun: Instant,
    used: Instant,
}

impl Session {
    fn is_over(&self, now: Instant) -> bool {
        now.duration_since(self.used) >= IDLE || now.duration_since(self.begun) >= LONGEST
    }
}

pub(crate) struct Sessions {
    secret: String,
    /// Links made before this process are an earlier one's.
    started: Duration,
    used_links: Mutex<HashSet<String>>,
    /// By the hash of what the browser holds.
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

    /// What the browser is to hold, if the link is one of ours and is opened for the first time.
    pub(crate) fn begin(&self, token: &str, now: Instant) -> Option<String> {
        self.spend(token)?;
        let name = Some(random()).filter(|name| !name.is_empty())?;
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, session| !session.is_over(now));
        if open.len() >= MOST {
            let oldest = open
                .iter()
                .min_by_key(|(_, session)| session.used)
                .map(|(key, _)| *key);
            oldest.map(|key| open.remove(&key));
        }
        let session = Session {
            begun: now,
            used: now,
        };
        open.insert(key(&name), session);
        Some(name)
    }

    fn spend(&self, token: &str) -> Option<()> {
        let (body, given) = token.rsplit_once('.')?;
        let made: u64 = body.split_once('.')?.0.parse().ok()?;
        let (made, now) = (Duration::from_millis(made), since_epoch());
        let right = same(given, &proof(&self.secret, body));
        let fresh = made + SKEW >= self.started && made + LINK_LIFE >= now && made <= now + SKEW;
        // Only links that were made with the secret are remembered, so nobody else makes this grow.
        let mut used = self.used_links.lock().unwrap_or_else(PoisonError::into_inner);
        (right && fresh && used.insert(body.to_owned())).then_some(())
    }

    /// Whether this is a session, which is used by that.
    pub(crate) fn is_open(&self, name: &str, now: Instant) -> bool {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(session) = open.get_mut(&key(name)) else {
            return false;
        };
        if session.is_over(now) {
            open.remove(&key(name));
            return false;
        }
        session.used = now;
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
        let session = sessions.begin(&link, now).unwrap();
        assert!(sessions.is_open(&session, now));
        assert_eq!(sessions.begin(&link, now), None, "used");
        assert!(sessions.begin(&link_token(SECRET), now).is_some(), "another link");
    }

    #[test]
    fn what_was_not_made_with_the_secret_opens_nothing() {
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
            assert_eq!(sessions.begin(&bad, now), None, "{bad}");
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
        assert_eq!(sessions.begin(&made_at(before), Instant::now()), None);
        sessions.started = Duration::ZERO;
        let old = since_epoch() - LINK_LIFE - Duration::from_secs(1);
        assert_eq!(sessions.begin(&made_at(old), Instant::now()), None);
        assert!(sessions.begin(&made_at(before), Instant::now()).is_some());
    }

    #[test]
    fn a_session_ends_when_it_is_left_when_it_is_old_and_when_it_is_signed_out() {
        let (sessions, start) = (Sessions::new(SECRET), Instant::now());
        let begin = || sessions.begin(&link_token(SECRET), start).unwrap();
        let (left, kept, out) = (begin(), begin(), begin());
        assert!(!sessions.is_open(&left, start + IDLE));
        let mut now = start;
        while now < start + LONGEST - IDLE {
            now += IDLE / 2;
            assert!(sessions.is_open(&kept, now));
        }
        assert!(!sessions.is_open(&kept, start + LONGEST));
        sessions.end(&out);
        assert!(!sessions.is_open(&out, start));
    }

    #[test]
    fn no_more_sessions_are_kept_than_a_person_has_browsers() {
        let (sessions, now) = (Sessions::new(SECRET), Instant::now());
        for _ in 0..=MOST {
            sessions.begin(&link_token(SECRET), now).unwrap();
        }
        assert_eq!(sessions.open.lock().unwrap().len(), MOST);
    }
}
