//! One password tried at many addresses. Each address may fail a few times unnoticed, so what is counted here is who asks:
//! wrong passwords from one network address, whoever they were for. A few dozen are a class that signs in for the first
//! time; after that there is one every two seconds. A browser in which somebody has signed in before may always try for
//! that person: whoever sprays from behind the same proxy locks nobody out of the browser they work in.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Duration;

use ipnet::IpNet;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use crate::client_address::client_network;
use crate::lock::lock;

/// Wrong passwords in a row.
const FREE: u32 = 30;
/// One is forgotten after this long.
const FORGOTTEN: Duration = Duration::from_secs(2);
/// Passwords compared at once: as many may slip through when the last free one is used up.
const AT_ONCE: usize = 4;
/// Clients remembered; beyond that those that are forgiven are forgotten, and then all are.
const REMEMBERED: usize = 10_000;

/// Who tries a password.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Guest {
    /// `None`: through the API, which listens on this machine only.
    pub(super) client: Option<IpAddr>,
    /// What the browser shows of an earlier sign-in.
    pub(super) mark: Option<String>,
    /// Somebody who signs for the request with the stack's own keys.
    pub(super) is_admin: bool,
}

impl Guest {
    pub(super) fn admin() -> Self {
        Self {
            is_admin: true,
            ..Self::default()
        }
    }
}

pub(super) struct Spraying {
    /// When all wrong passwords of a client will be forgotten.
    forgiven: Mutex<HashMap<Option<IpNet>, Instant>>,
    turns: Semaphore,
}

impl Default for Spraying {
    fn default() -> Self {
        Self {
            forgiven: Mutex::default(),
            turns: Semaphore::new(AT_ONCE),
        }
    }
}

impl Spraying {
    /// To be held while a password is compared, so that many tries at once gain nothing.
    pub(super) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        self.turns.acquire().await.ok()
    }

    /// `Err`: how long to wait.
    pub(super) fn allows(&self, guest: &Guest, now: Instant) -> Result<(), Duration> {
        let forgiven = lock(&self.forgiven);
        let Some(forgiven) = forgiven.get(&guest.client.map(client_network)) else {
            return Ok(());
        };
        let counted = forgiven.saturating_duration_since(now);
        match counted.checked_sub(FORGOTTEN * (FREE - 1)) {
            None | Some(Duration::ZERO) => Ok(()),
            Some(wait) => Err(wait),
        }
    }

    pub(super) fn failed(&self, guest: &Guest, now: Instant) {
        let mut all = lock(&self.forgiven);
        if all.len() >= REMEMBERED {
            all.retain(|_, forgiven| *forgiven > now);
        }
        if all.len() >= REMEMBERED {
            all.clear();
        }
        let forgiven = all.entry(guest.client.map(client_network)).or_insert(now);
        *forgiven = (*forgiven).max(now) + FORGOTTEN;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guest(address: &str) -> Guest {
        Guest {
            client: Some(address.parse().unwrap()),
            ..Guest::default()
        }
    }

    #[test]
    fn after_a_few_dozen_there_is_one_every_two_seconds_and_in_a_minute_all_is_forgotten() {
        let (spraying, mallory, start) = (Spraying::default(), guest("192.0.2.1"), Instant::now());
        for _ in 0..FREE {
            assert_eq!(spraying.allows(&mallory, start), Ok(()));
            spraying.failed(&mallory, start);
        }
        assert_eq!(spraying.allows(&mallory, start), Err(FORGOTTEN));
        assert_eq!(
            spraying.allows(&guest("192.0.2.2"), start),
            Ok(()),
            "others are not held up"
        );
        let later = start + FORGOTTEN;
        assert_eq!(spraying.allows(&mallory, later), Ok(()));
        spraying.failed(&mallory, later);
        assert_eq!(spraying.allows(&mallory, later), Err(FORGOTTEN));
        let forgotten = later + FORGOTTEN * FREE;
        for _ in 0..FREE {
            assert_eq!(spraying.allows(&mallory, forgotten), Ok(()));
            spraying.failed(&mallory, forgotten);
        }
    }

    #[test]
    fn all_addresses_of_one_connection_are_one_client() {
        let (spraying, start) = (Spraying::default(), Instant::now());
        for number in 0..FREE {
            spraying.failed(&guest(&format!("2001:db8::{number:x}")), start);
            spraying.failed(&guest("::ffff:192.0.2.1"), start);
        }
        assert!(spraying.allows(&guest("2001:db8::ffff"), start).is_err());
        assert!(spraying.allows(&guest("2001:db8:0:1::1"), start).is_ok());
        assert!(spraying.allows(&guest("192.0.2.1"), start).is_err());
    }
}
