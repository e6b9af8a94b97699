//! Attempts by one client at many addresses. Each address allows a few failures, so one password can be tried at many of
//! them; what is counted here is the client's network address. A few dozen failures are a class that signs in for the
//! first time; after that there is one attempt every two seconds. A browser in which a person has signed in before is not
//! limited for that person: a stranger behind the same proxy does not lock them out of that browser.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Duration;

use ipnet::IpNet;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use crate::client_address::client_network;
use crate::lock::lock;

/// Failures in a row without a wait.
const FREE: u32 = 30;
/// One failure is forgotten after this long.
const FORGOTTEN: Duration = Duration::from_secs(2);
/// Passwords compared at once: as many may pass when the last free attempt is used up.
const AT_ONCE: usize = 4;
/// Clients remembered; beyond that those without a counted failure are forgotten, and then all are.
const REMEMBERED: usize = 10_000;

/// Who makes an attempt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::cognito) struct Caller {
    /// `None`: through the API, which listens on this machine only.
    pub(in crate::cognito) address: Option<IpAddr>,
    /// The cookie of an earlier sign-in in this browser.
    pub(in crate::cognito) browser_mark: Option<String>,
}

pub(in crate::cognito) struct ClientLimit {
    /// When all wrong passwords of a client will be forgotten.
    forgotten_at: Mutex<HashMap<Option<IpNet>, Instant>>,
    comparisons: Semaphore,
}

impl Default for ClientLimit {
    fn default() -> Self {
        Self {
            forgotten_at: Mutex::default(),
            comparisons: Semaphore::new(AT_ONCE),
        }
    }
}

impl ClientLimit {
    /// Held while a password is compared, so that many attempts at once gain nothing.
    pub(in crate::cognito) async fn comparison_permit(&self) -> Option<SemaphorePermit<'_>> {
        self.comparisons.acquire().await.ok()
    }

    /// `Err`: how long to wait.
    pub(in crate::cognito) fn check(&self, caller: &Caller, now: Instant) -> Result<(), Duration> {
        let clients = lock(&self.forgotten_at);
        let Some(forgotten_at) = clients.get(&caller.address.map(client_network)) else {
            return Ok(());
        };
        let counted = forgotten_at.saturating_duration_since(now);
        match counted.checked_sub(FORGOTTEN * (FREE - 1)) {
            None | Some(Duration::ZERO) => Ok(()),
            Some(wait) => Err(wait),
        }
    }

    pub(in crate::cognito) fn count_failure(&self, caller: &Caller, now: Instant) {
        let mut clients = lock(&self.forgotten_at);
        if clients.len() >= REMEMBERED {
            clients.retain(|_, forgotten_at| *forgotten_at > now);
        }
        if clients.len() >= REMEMBERED {
            clients.clear();
        }
        let forgotten_at = clients.entry(caller.address.map(client_network)).or_insert(now);
        *forgotten_at = (*forgotten_at).max(now) + FORGOTTEN;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(address: &str) -> Caller {
        Caller {
            address: Some(address.parse().unwrap()),
            ..Caller::default()
        }
    }

    #[test]
    fn after_a_few_dozen_there_is_one_every_two_seconds_and_in_a_minute_all_is_forgotten() {
        let (limit, mallory, start) = (ClientLimit::default(), caller("192.0.2.1"), Instant::now());
        for _ in 0..FREE {
            assert_eq!(limit.check(&mallory, start), Ok(()));
            limit.count_failure(&mallory, start);
        }
        assert_eq!(limit.check(&mallory, start), Err(FORGOTTEN));
        assert_eq!(
            limit.check(&caller("192.0.2.2"), start),
            Ok(()),
            "others are not limited"
        );
        let later = start + FORGOTTEN;
        assert_eq!(limit.check(&mallory, later), Ok(()));
        limit.count_failure(&mallory, later);
        assert_eq!(limit.check(&mallory, later), Err(FORGOTTEN));
        let forgotten = later + FORGOTTEN * FREE;
        for _ in 0..FREE {
            assert_eq!(limit.check(&mallory, forgotten), Ok(()));
            limit.count_failure(&mallory, forgotten);
        }
    }

    #[test]
    fn all_addresses_of_one_connection_are_one_client() {
        let (limit, start) = (ClientLimit::default(), Instant::now());
        for number in 0..FREE {
            limit.count_failure(&caller(&format!("2001:db8::{number:x}")), start);
            limit.count_failure(&caller("::ffff:192.0.2.1"), start);
        }
        assert!(limit.check(&caller("2001:db8::ffff"), start).is_err());
        assert!(limit.check(&caller("2001:db8:0:1::1"), start).is_ok());
        assert!(limit.check(&caller("192.0.2.1"), start).is_err());
    }
}
