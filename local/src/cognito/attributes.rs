//! A user's attributes as requests give them: checked, and written to the record.

use std::collections::BTreeMap;

use super::error::PoolError;
use super::store::record::User;

/// The record keeps the address and its verification apart from the other attributes; so does this.
#[derive(Debug, Default)]
pub(super) struct Attributes {
    pub(super) email: Option<String>,
    email_verified: Option<bool>,
    others: BTreeMap<String, String>,
}

/// Standard attributes besides the address; the pool has no custom ones.
const STANDARD: [&str; 18] = [
    "address",
    "birthdate",
    "family_name",
    "gender",
    "given_name",
    "locale",
    "middle_name",
    "name",
    "nickname",
    "phone_number",
    "phone_number_verified",
    "picture",
    "preferred_username",
    "profile",
    "updated_at",
    "website",
    "zoneinfo",
    "identities",
];
/// Longest value of an attribute, in characters.
const LONGEST: usize = 2048;

impl Attributes {
    pub(super) fn read<'a>(given: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, PoolError> {
        let mut read = Self::default();
        for (name, value) in given {
            let does_not_conform = |why: &str| {
                PoolError::invalid(format!("Attributes did not conform to the schema: {name}: {why}"))
            };
            if value.chars().count() > LONGEST {
                return Err(does_not_conform(&format!(
                    "String must be no longer than {LONGEST} characters"
                )));
            }
            match name {
                "email" => read.email = Some(checked_address(value)?),
                "email_verified" => read.email_verified = Some(value.eq_ignore_ascii_case("true")),
                "sub" => return Err(PoolError::invalid("Cannot modify the non-mutable attribute sub")),
                name if STANDARD.contains(&name) => {
                    read.others.insert(name.to_owned(), value.to_owned());
                }
                _ => return Err(does_not_conform("Attribute does not exist in the schema.")),
            }
        }
        Ok(read)
    }

    /// All but the address: it is what the account was made for, and never changes.
    pub(super) fn apply(self, user: &mut User) {
        if let Some(verified) = self.email_verified {
            user.email_verified = verified;
        }
        for (name, value) in self.others {
            // An empty value removes the attribute.
            if value.is_empty() {
                user.attributes.remove(&name);
            } else {
                user.attributes.insert(name, value);
            }
        }
    }
}

pub(super) fn checked_address(text: &str) -> Result<String, PoolError> {
    let text = text.trim();
    let well_formed = text
        .rsplit_once('@')
        .is_some_and(|(name, host)| !name.is_empty() && host.contains('.') && !host.starts_with('.'));
    let odd = |c: char| c.is_whitespace() || c.is_control() || "<>,;\"".contains(c);
    if well_formed && text.len() <= 254 && !text.contains(odd) && text.matches('@').count() == 1 {
        Ok(text.to_owned())
    } else {
        Err(PoolError::invalid("Username should be an email."))
    }
}
