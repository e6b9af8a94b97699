//! The pool's password policy: what a password has to have, said as Cognito says it and as a person reads it, and
//! temporary passwords that have it.

use rand::Rng;
use rand::seq::{IndexedRandom, SliceRandom};
use serde::{Deserialize, Serialize};

use super::error::PoolError;

/// Cognito's own limit; also keeps hashing cheap.
pub(super) const LONGEST: usize = 256;
/// What counts as a symbol.
/// <https://docs.aws.amazon.com/cognito/latest/developerguide/managing-users-passwords.html>
const SYMBOLS: &str = "^$*.[]{}()?\"!@#%&/\\,><':;|_~`=+-";
/// Without those that look like another, or that a mail program might take for markup.
const UPPER: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ";
const LOWER: &[u8] = b"abcdefghijkmnpqrstuvwxyz";
const DIGITS: &[u8] = b"23456789";
const PLAIN_SYMBOLS: &[u8] = b"!#%*+-=?@_";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Policy {
    #[serde(default = "eight")]
    minimum_length: usize,
    #[serde(default)]
    require_uppercase: bool,
    #[serde(default)]
    require_lowercase: bool,
    #[serde(default)]
    require_numbers: bool,
    #[serde(default)]
    require_symbols: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    password_history_size: Option<u32>,
    #[serde(default)]
    temporary_password_validity_days: u32,
}

fn eight() -> usize {
    8
}

impl Default for Policy {
    /// Of a pool that names none.
    fn default() -> Self {
        Self {
            minimum_length: 8,
            require_uppercase: true,
            require_lowercase: true,
            require_numbers: true,
            require_symbols: true,
            password_history_size: None,
            temporary_password_validity_days: 7,
        }
    }
}

/// One rule: how Cognito names the breach, how a person reads the rule, and whether the password keeps it.
struct Rule {
    breach: &'static str,
    told: String,
    kept: bool,
}

impl Policy {
    pub(super) fn validity_days(&self) -> u32 {
        // Zero counts as the default.
        match self.temporary_password_validity_days {
            0 => 7,
            days => days,
        }
    }

    pub(super) fn check(&self) -> Result<(), PoolError> {
        if !(6..=99).contains(&self.minimum_length) {
            return Err(PoolError::invalid("MinimumLength is from 6 to 99"));
        }
        if self.temporary_password_validity_days > 365 {
            return Err(PoolError::invalid(
                "TemporaryPasswordValidityDays is from 0 to 365",
            ));
        }
        if self.password_history_size.is_some_and(|size| size > 0) {
            return Err(PoolError::unsupported(
                "PasswordHistorySize is not supported by the sign-in of this stack",
            ));
        }
        Ok(())
    }

    fn rules(&self, password: &str) -> Vec<Rule> {
        let has = |fits: fn(char) -> bool| password.chars().any(fits);
        let length = password.chars().count();
        let inner_space = password.trim().contains(' ');
        let mut rules = vec![Rule {
            breach: "Password not long enough",
            told: format!("at least {} characters", self.minimum_length),
            kept: length >= self.minimum_length,
        }];
        let mut rule = |wanted: bool, breach, told: &str, kept| {
            if wanted {
                let told = told.to_owned();
                rules.push(Rule { breach, told, kept });
            }
        };
        let lower = has(|c| c.is_ascii_lowercase());
        let upper = has(|c| c.is_ascii_uppercase());
        let digit = has(|c| c.is_ascii_digit());
        let symbol = has(|c| SYMBOLS.contains(c)) || inner_space;
        rule(
            self.require_lowercase,
            "Password must have lowercase characters",
            "a lower-case letter",
            lower,
        );
        rule(
            self.require_uppercase,
            "Password must have uppercase characters",
            "an upper-case letter",
            upper,
        );
        rule(
            self.require_numbers,
            "Password must have numeric characters",
            "a digit",
            digit,
        );
        rule(
            self.require_symbols,
            "Password must have symbol characters",
            "a symbol, such as ! or -",
            symbol,
        );
        rule(
            length > LONGEST,
            "Password too long",
            "at most 256 characters",
            false,
        );
        rules
    }

    pub(super) fn allows(&self, password: &str) -> Result<(), PoolError> {
        if password.trim() != password {
            return Err(PoolError::invalid(
                "Password: spaces at the beginning or the end are not allowed",
            ));
        }
        match self.rules(password).iter().find(|rule| !rule.kept) {
            Some(rule) => Err(PoolError::BadPassword(rule.breach)),
            None => Ok(()),
        }
    }

    /// For the page: each rule, and whether this password keeps it.
    pub(super) fn told(&self, password: &str) -> Vec<(String, bool)> {
        self.rules(password)
            .into_iter()
            .map(|rule| (rule.told, rule.kept))
            .collect()
    }

    /// A temporary password, a little longer than asked: 12 characters are some seventy bits.
    pub(super) fn generate(&self) -> String {
        let mut random = rand::rng();
        let every: Vec<u8> = [UPPER, LOWER, DIGITS, PLAIN_SYMBOLS].concat();
        let mut password: Vec<u8> = [UPPER, LOWER, DIGITS, PLAIN_SYMBOLS]
            .iter()
            .filter_map(|kind| kind.choose(&mut random).copied())
            .collect();
        while password.len() < self.minimum_length.max(12) {
            password.push(every[random.random_range(0..every.len())]);
        }
        password.shuffle(&mut random);
        password.into_iter().map(char::from).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_is_named_when_it_is_broken() {
        let policy = Policy::default();
        for (password, breach) in [
            ("Ab1!", "Password not long enough"),
            ("ABCDEFG1!", "Password must have lowercase characters"),
            ("abcdefg1!", "Password must have uppercase characters"),
            ("Abcdefgh!", "Password must have numeric characters"),
            ("Abcdefgh1", "Password must have symbol characters"),
        ] {
            assert_eq!(
                policy.allows(password),
                Err(PoolError::BadPassword(breach)),
                "{password}"
            );
        }
        assert_eq!(
            policy.allows("correct Horse 1"),
            Ok(()),
            "a space inside is a symbol"
        );
        assert!(policy.allows(" Abcdefg1!").is_err());
        assert!(policy.allows(&"Ab1!".repeat(100)).is_err());
    }

    #[test]
    fn generated_passwords_keep_every_rule_and_differ() {
        let policy = Policy {
            minimum_length: 30,
            ..Policy::default()
        };
        for _ in 0..200 {
            assert_eq!(policy.allows(&policy.generate()), Ok(()));
        }
        assert_ne!(policy.generate(), policy.generate());
    }
}
