//! The pool's password policy, Cognito's default: the rules, in Cognito's words and in a person's, and temporary passwords
//! that follow them.

use rand::Rng;
use rand::seq::{IndexedRandom, SliceRandom};
use serde_json::{Value, json};

use super::error::PoolError;

/// Cognito's own limit, in characters; it also keeps hashing cheap.
pub(super) const LONGEST: usize = 256;
const SHORTEST: usize = 8;
/// How long a temporary password is valid.
pub(super) const TEMPORARY_DAYS: u32 = 7;
/// What counts as a symbol.
/// <https://docs.aws.amazon.com/cognito/latest/developerguide/managing-users-passwords.html>
const SYMBOLS: &str = "^$*.[]{}()?\"!@#%&/\\,><':;|_~`=+-";
/// Without characters that look like another, or that a mail program might take for markup.
const UPPER: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ";
const LOWER: &[u8] = b"abcdefghijkmnpqrstuvwxyz";
const DIGITS: &[u8] = b"23456789";
const PLAIN_SYMBOLS: &[u8] = b"!#%*+-=?@_";
/// Of a temporary password: some seventy bits.
const GENERATED_LENGTH: usize = 12;

/// A rule, and whether a password follows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    /// How Cognito names the breach.
    breach: &'static str,
    /// What a password needs.
    pub(super) text: &'static str,
    pub(super) is_met: bool,
}

/// The limit on length is among them only where it is broken: it is rarely in the way.
pub(super) fn rules(password: &str) -> Vec<Rule> {
    let has = |fits: fn(char) -> bool| password.chars().any(fits);
    let length = password.chars().count();
    let has_symbol = has(|c| SYMBOLS.contains(c)) || password.trim().contains(' ');
    let rule = |breach, text, is_met| Rule { breach, text, is_met };
    let mut rules = vec![
        rule(
            "Password not long enough",
            "at least 8 characters",
            length >= SHORTEST,
        ),
        rule(
            "Password must have lowercase characters",
            "a lower-case letter",
            has(|c| c.is_ascii_lowercase()),
        ),
        rule(
            "Password must have uppercase characters",
            "an upper-case letter",
            has(|c| c.is_ascii_uppercase()),
        ),
        rule(
            "Password must have numeric characters",
            "a digit",
            has(|c| c.is_ascii_digit()),
        ),
        rule(
            "Password must have symbol characters",
            "a symbol, such as ! or -",
            has_symbol,
        ),
    ];
    if length > LONGEST {
        rules.push(rule("Password too long", "at most 256 characters", false));
    }
    rules
}

pub(super) fn check(password: &str) -> Result<(), PoolError> {
    if password.trim() != password {
        return Err(PoolError::invalid(
            "Password: spaces at the beginning or the end are not allowed",
        ));
    }
    match rules(password).iter().find(|rule| !rule.is_met) {
        Some(rule) => Err(PoolError::BadPassword(rule.breach)),
        None => Ok(()),
    }
}

/// A temporary password.
pub(super) fn generate() -> String {
    let mut random = rand::rng();
    let kinds = [UPPER, LOWER, DIGITS, PLAIN_SYMBOLS];
    let all = kinds.concat();
    let mut password: Vec<u8> = kinds
        .iter()
        .filter_map(|kind| kind.choose(&mut random).copied())
        .collect();
    while password.len() < GENERATED_LENGTH {
        password.push(all[random.random_range(0..all.len())]);
    }
    password.shuffle(&mut random);
    password.into_iter().map(char::from).collect()
}

/// As DescribeUserPool answers it.
pub(super) fn describe() -> Value {
    json!({
        "MinimumLength": SHORTEST,
        "RequireUppercase": true,
        "RequireLowercase": true,
        "RequireNumbers": true,
        "RequireSymbols": true,
        "TemporaryPasswordValidityDays": TEMPORARY_DAYS,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_is_named_when_it_is_broken() {
        for (password, breach) in [
            ("Ab1!", "Password not long enough"),
            ("ABCDEFG1!", "Password must have lowercase characters"),
            ("abcdefg1!", "Password must have uppercase characters"),
            ("Abcdefgh!", "Password must have numeric characters"),
            ("Abcdefgh1", "Password must have symbol characters"),
        ] {
            assert_eq!(check(password), Err(PoolError::BadPassword(breach)), "{password}");
        }
        assert_eq!(check("correct Horse 1"), Ok(()), "a space inside is a symbol");
        assert!(check(" Abcdefg1!").is_err());
        assert!(check(&"Ab1!".repeat(100)).is_err());
    }

    #[test]
    fn generated_passwords_follow_every_rule_and_differ() {
        for _ in 0..200 {
            assert_eq!(check(&generate()), Ok(()));
        }
        assert_ne!(generate(), generate());
    }
}
