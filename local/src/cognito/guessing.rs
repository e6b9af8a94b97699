//! Guessing passwords and codes is slowed down: after five failures an address is locked for a second, and for twice as long
//! after each further one, up to a quarter of an hour. The same goes for addresses nobody has, so that the lock
//! does not tell who has an account. These are Cognito's own figures.
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/authentication.html>

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

const FREE_FAILURES: u32 = 5;
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// After this long without a try, all is forgotten.
const FORGOTTEN: Duration = Duration::from_secs(24 * 60 * 60);
/// Addresses remembered; beyond that the one locked longest ago is forgotten.
const REMEMBERED: usize = 10_000;

#[derive(Default)]
pub(super) struct Guessing {
    failures: Mutex<HashMap<String, Failures>>,
}

#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    locked_until: Instant,
}

impl Guessing {
    /// A try begins: it counts as a failure until it turns out well, so that many tries at once gain nothing.
    /// `Err`: how long to wait.
    pub(super) fn begin(&self, address: &str, now: Instant) -> Result<(), Duration> {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= REMEMBERED {
            forget_one(&mut failures);
        }
        let known = failures.entry(key(address)).or_insert(Failures {
            count: 0,
            locked_until: now,
        });
        if known.locked_until > now {
            return Err(known.locked_until - now);
        }
        if now > known.locked_until + FORGOTTEN {
            known.count = 0;
        }
        known.count += 1;
        known.locked_until = now;
        if known.count >= FREE_FAILURES {
            let doublings = (known.count - FREE_FAILURES).min(20);
            known.locked_until = now + Duration::from_secs(1 << doublings).min(LONGEST);
        }
        Ok(())
    }

    pub(super) fn succeeded(&self, address: &str) {
        self.failures
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&key(address));
    }
}

fn key(address: &str) -> String {
    address.trim().to_lowercase().chars().take(254).collect()
}

fn forget_one(failures: &mut HashMap<String, Failures>) {
    let oldest = failures
        .iter()
        .min_by_key(|(_, failures)| failures.locked_until)
        .map(|(address, _)| address.clone());
    if let Some(oldest) = oldest {
        failures.remove(&oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_after_the_fifth_doubles_the_wait() {
        let guessing = Guessing::default();
        let start = Instant::now();
        for _ in 0..FREE_FAILURES {
            assert_eq!(guessing.begin("a@example.com", start), Ok(()));
        }
        assert_eq!(
            guessing.begin("A@example.com ", start),
            Err(Duration::from_secs(1))
        );
        let later = start + Duration::from_secs(1);
        assert_eq!(guessing.begin("a@example.com", later), Ok(()));
        assert_eq!(
            guessing.begin("a@example.com", later),
            Err(Duration::from_secs(2))
        );
        assert_eq!(
            guessing.begin("b@example.com", later),
            Ok(()),
            "others are not held up"
        );
        guessing.succeeded("a@example.com");
        assert_eq!(guessing.begin("a@example.com", later), Ok(()));
    }
}
