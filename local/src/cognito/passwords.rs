//! Passwords: made, hashed (argon2id), compared. Never logged.

use std::sync::Mutex;

use argon2::password_hash::rand_core::OsRng;
use argon2::password_hash::{Output, ParamsString, PasswordHash, SaltString};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use rand::Rng;
use rand::distr::Alphanumeric;
use tokio::sync::Semaphore;

use super::error::PoolError;
use super::password_policy::LONGEST;
use crate::lock::lock;

/// Short, distinct, and hard to mishear.
const WORDS: [&str; 64] = [
    "acorn", "amber", "apple", "badge", "banjo", "basil", "beach", "birch", "bison", "brick", "cabin",
    "camel", "candle", "cedar", "chalk", "cider", "clover", "coral", "crane", "daisy", "delta", "drum",
    "eagle", "ember", "fable", "falcon", "fern", "flint", "garnet", "ginger", "grape", "harbor", "hazel",
    "heron", "indigo", "ivory", "jasper", "juniper", "kayak", "lagoon", "lantern", "lemon", "lilac", "maple",
    "marble", "meadow", "mango", "nectar", "oasis", "olive", "onyx", "otter", "pebble", "pepper", "plum",
    "quartz", "raven", "river", "saddle", "tulip", "velvet", "walnut", "willow", "zephyr",
];

/// A password that can be read aloud: four words and a number, about fifty bits.
pub(crate) fn readable_password() -> String {
    let mut random = rand::rng();
    // Capitals, dashes and digits: the password follows every rule of the policy.
    let mut word = || {
        let (first, rest) = WORDS[random.random_range(0..WORDS.len())].split_at(1);
        format!("{}{rest}", first.to_uppercase())
    };
    let words = [word(), word(), word(), word()].join("-");
    format!("{words}-{}", rand::rng().random_range(1000..10_000))
}

/// 48 random letters and digits.
pub(crate) fn random_secret() -> String {
    rand::rng()
        .sample_iter(Alphanumeric)
        .take(48)
        .map(char::from)
        .collect()
}

/// Each hashing takes 19 MiB, and anyone may cause one: this many run at once, and the others wait.
const MOST_AT_ONCE: usize = 2;
static AT_ONCE: Semaphore = Semaphore::const_new(MOST_AT_ONCE);

/// The memory is kept and reused. Given back to the allocator, it would stay with the thread that had it, and in the end
/// every thread of the pool would hold as much.
static MEMORY: Mutex<Vec<Vec<Block>>> = Mutex::new(Vec::new());

/// Bytes of a hash, as argon2's crate makes them by default.
const HASH_BYTES: usize = 32;

/// Off the async threads: it takes tens of milliseconds on purpose.
async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let _permit = AT_ONCE.acquire().await.ok()?;
    tokio::task::spawn_blocking(work).await.ok()
}

/// Argon2id in memory that is used again.
fn argon2id(params: Params, password: &[u8], salt: &[u8], out: &mut [u8]) -> Result<(), argon2::Error> {
    let blocks = params.block_count();
    let mut memory = lock(&MEMORY).pop().unwrap_or_default();
    memory.resize(blocks, Block::default());
    let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hashed = hasher.hash_password_into_with_memory(password, salt, out, &mut memory[..blocks]);
    lock(&MEMORY).push(memory);
    hashed
}

fn hash_now(password: &str) -> Option<String> {
    let salt = SaltString::generate(&mut OsRng);
    let mut bytes = [0; 64];
    let salt_bytes = salt.decode_b64(&mut bytes).ok()?;
    let mut out = [0; HASH_BYTES];
    argon2id(Params::default(), password.as_bytes(), salt_bytes, &mut out).ok()?;
    let hash = PasswordHash {
        algorithm: argon2::ARGON2ID_IDENT,
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(&Params::default()).ok()?,
        salt: Some(salt.as_salt()),
        hash: Some(Output::new(&out).ok()?),
    };
    Some(hash.to_string())
}

fn matches_now(password: &str, hash: &str) -> Option<bool> {
    let hash = PasswordHash::new(hash).ok()?;
    if hash.algorithm != argon2::ARGON2ID_IDENT {
        return None;
    }
    let params = Params::try_from(&hash).ok()?;
    let mut bytes = [0; 64];
    let salt = hash.salt?.decode_b64(&mut bytes).ok()?;
    let right = hash.hash?;
    let mut out = [0; HASH_BYTES];
    let out = out.get_mut(..right.len())?;
    argon2id(params, password.as_bytes(), salt, out).ok()?;
    // `Output` is compared in constant time.
    Some(Output::new(out).ok()? == right)
}

/// The caller checks the policy; only the length is checked here.
pub(super) async fn hash(password: &str) -> Result<String, PoolError> {
    if password.chars().count() > LONGEST {
        return Err(PoolError::BadPassword("Password too long"));
    }
    let password = password.to_owned();
    match off_thread(move || hash_now(&password)).await.flatten() {
        Some(hash) => Ok(hash),
        None => Err(PoolError::internal("the password could not be hashed")),
    }
}

/// Takes as long when there is no hash to compare with, so that the time does not show who has an account.
pub(super) async fn matches(password: &str, hash: Option<String>) -> bool {
    if password.chars().count() > LONGEST {
        return false;
    }
    let password = password.to_owned();
    let compare = move || match hash {
        Some(hash) => matches_now(&password, &hash).unwrap_or(false),
        None => {
            let _unused = hash_now(&password);
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
        assert_ne!(readable_password(), readable_password());
    }

    #[tokio::test]
    async fn hashes_are_read_and_made_as_the_crate_itself_does() {
        use argon2::password_hash::{PasswordHasher, PasswordVerifier};
        let salt = SaltString::generate(&mut OsRng);
        let theirs = Argon2::default()
            .hash_password(b"horse", &salt)
            .unwrap()
            .to_string();
        assert!(matches("horse", Some(theirs)).await);
        let ours = hash("horse").await.unwrap();
        let ours = PasswordHash::new(&ours).unwrap();
        assert!(Argon2::default().verify_password(b"horse", &ours).is_ok());
        assert!(Argon2::default().verify_password(b"house", &ours).is_err());
    }

    #[tokio::test]
    async fn many_attempts_at_once_keep_the_memory_of_a_few() {
        let attempts = (0..8).map(|_| matches("wrong", None));
        futures::future::join_all(attempts).await;
        let kept = MEMORY.lock().unwrap().len();
        assert!((1..=MOST_AT_ONCE).contains(&kept), "{kept}");
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
