//! Attempts at one address: after five failures it is locked for a second, and for twice as long after each further one,
//! up to a quarter of an hour. Addresses without an account are locked too, so that a lock does not show who has one.
//! These are Cognito's own figures.
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/authentication.html>

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use crate::lock::lock;

const FREE_FAILURES: u32 = 5;
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// After this long without an attempt, failures are forgotten.
const FORGOTTEN: Duration = Duration::from_secs(24 * 60 * 60);
/// Addresses remembered; beyond that the one locked longest ago is forgotten.
const REMEMBERED: usize = 10_000;

#[derive(Default)]
pub(in crate::cognito) struct AddressLimit {
    failures: Mutex<HashMap<String, Failures>>,
}

#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    locked_until: Instant,
}

impl AddressLimit {
    /// Counts an attempt as a failure until it [succeeds](Self::record_success), so that many attempts at once gain nothing.
    /// `Err`: how long to wait.
    pub(in crate::cognito) fn begin(&self, address: &str, now: Instant) -> Result<(), Duration> {
        let mut failures = lock(&self.failures);
        if failures.len() >= REMEMBERED {
            forget_oldest(&mut failures);
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

    pub(in crate::cognito) fn record_success(&self, address: &str) {
        lock(&self.failures).remove(&key(address));
    }
}

fn key(address: &str) -> String {
    address.trim().to_lowercase().chars().take(254).collect()
}

fn forget_oldest(failures: &mut HashMap<String, Failures>) {
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
        let limit = AddressLimit::default();
        let start = Instant::now();
        for _ in 0..FREE_FAILURES {
            assert_eq!(limit.begin("a@example.com", start), Ok(()));
        }
        assert_eq!(limit.begin("A@example.com ", start), Err(Duration::from_secs(1)));
        let later = start + Duration::from_secs(1);
        assert_eq!(limit.begin("a@example.com", later), Ok(()));
        assert_eq!(limit.begin("a@example.com", later), Err(Duration::from_secs(2)));
        assert_eq!(
            limit.begin("b@example.com", later),
            Ok(()),
            "others are not held up"
        );
        limit.record_success("a@example.com");
        assert_eq!(limit.begin("a@example.com", later), Ok(()));
    }
}
