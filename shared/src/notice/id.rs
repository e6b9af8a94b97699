//! Parts of a notice's id: the same cause always gives the same id.

use sha2::{Digest, Sha256};

pub(super) fn short_hash(bytes: &[u8]) -> String {
    hex::encode(&Sha256::digest(bytes)[..10])
}

/// Of what a message says, without the request ids, times and numbers that differ each time it is said.
pub(super) fn cause_hash(message: &str) -> String {
    let words = message
        .split_whitespace()
        .filter(|word| !word.contains(|c: char| c.is_ascii_digit()));
    short_hash(words.collect::<Vec<_>>().join(" ").as_bytes())
}

/// Only what an id may hold; job names and hashes already are.
pub(super) fn id_part(text: &str) -> String {
    let ok = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    text.chars()
        .take(128)
        .map(|c| if ok(c) { c.to_ascii_lowercase() } else { '-' })
        .collect()
}
