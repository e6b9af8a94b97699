//! Passwords: made, hashed (argon2id), compared. Never logged.

use argon2::Argon2;
use argon2::password_hash::rand_core::OsRng;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use rand::Rng;
use rand::distr::Alphanumeric;
use tokio::sync::Semaphore;

use super::error::PoolError;
use super::policy::LONGEST;

/// Short, distinct, and hard to mishear.
const WORDS: [&str; 64] = [
    "acorn", "amber", "apple", "badge", "banjo", "basil", "beach", "birch", "bison", "brick", "cabin",
    "camel", "candle", "cedar", "chalk", "cider", "clover", "coral", "crane", "daisy", "delta", "drum",
    "eagle", "ember", "fable", "falcon", "fern", "flint", "garnet", "ginger", "grape", "harbor", "hazel",
    "heron", "indigo", "ivory", "jasper", "juniper", "kayak", "lagoon", "lantern", "lemon", "lilac", "maple",
    "marble", "meadow", "mango", "nectar", "oasis", "olive", "onyx", "otter", "pebble", "pepper", "plum",
    "quartz", "raven", "river", "saddle", "tulip", "velvet", "walnut", "willow", "zephyr",
];

pub(super) fn readable() -> String {
    let mut random = rand::rng();
    // Capitals, dashes and digits: whatever a pool asks of a password, these have it.
    let mut word = || {
        let (first, rest) = WORDS[random.random_range(0..WORDS.len())].split_at(1);
        format!("{}{rest}", first.to_uppercase())
    };
    let words = [word(), word(), word(), word()].join("-");
    format!("{words}-{}", rand::rng().random_range(1000..10_000))
}

/// 48 letters and digits nobody can guess.
pub(crate) fn random_secret() -> String {
    rand::rng()
        .sample_iter(Alphanumeric)
        .take(48)
        .map(char::from)
        .collect()
}

/// Hashing takes 19 MiB each time, and anybody may ask for it: so many at once, and the others wait.
static AT_ONCE: Semaphore = Semaphore::const_new(4);

/// Off the async threads: it takes tens of milliseconds on purpose.
async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let _turn = AT_ONCE.acquire().await.ok()?;
    tokio::task::spawn_blocking(work).await.ok()
}

/// The policy is the caller's business; the longest password is not.
pub(super) async fn hash(password: &str) -> Result<String, PoolError> {
    if password.chars().count() > LONGEST {
        return Err(PoolError::BadPassword("Password too long"));
    }
    let password = password.to_owned();
    let hashed = off_thread(move || {
        let salt = SaltString::generate(&mut OsRng);
        Argon2::default()
            .hash_password(password.as_bytes(), &salt)
            .map(|hash| hash.to_string())
    });
    match hashed.await {
        Some(Ok(hash)) => Ok(hash),
        _ => Err(PoolError::internal("the password could not be hashed")),
    }
}

/// Takes as long when there is no hash to compare with, so that time does not tell who has an account.
pub(super) async fn matches(password: &str, hash: Option<String>) -> bool {
    if password.chars().count() > LONGEST {
        return false;
    }
    let password = password.to_owned();
    let compare = move || match hash {
        Some(hash) => PasswordHash::new(&hash).is_ok_and(|hash| {
            Argon2::default()
                .verify_password(password.as_bytes(), &hash)
                .is_ok()
        }),
        None => {
            let salt = SaltString::generate(&mut OsRng);
            let _spent = Argon2::default().hash_password(password.as_bytes(), &salt);
            false
        }
    };
    off_thread(compare).await.unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readable_passwords_use_distinct_words_and_differ() {
        let mut words = WORDS.to_vec();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), 64);
        assert_ne!(readable(), readable());
    }

    #[tokio::test]
    async fn only_the_right_password_matches() {
        let hashed = hash("correct horse").await.unwrap();
        assert!(matches("correct horse", Some(hashed.clone())).await);
        assert!(!matches("wrong horse", Some(hashed)).await);
        assert!(!matches("correct horse", None).await);
        assert!(hash(&"long".repeat(100)).await.is_err());
    }
}
