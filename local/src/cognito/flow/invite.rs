//! Accounts an administrator makes: an address, a temporary password, an invitation.
//! <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminCreateUser.html>

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::cognito::error::PoolError;
use crate::cognito::mail::Letter;
use crate::cognito::store::record::{Status, User};
use crate::cognito::{SignIn, passwords};
use crate::outbox::Entry;

/// AdminCreateUser, read and checked.
pub(in crate::cognito) struct Invitation {
    pub(in crate::cognito) email: String,
    pub(in crate::cognito) attributes: Attributes,
    /// One that fits the policy is made where none is given.
    pub(in crate::cognito) password: Option<String>,
    pub(in crate::cognito) mailed: bool,
    pub(in crate::cognito) metadata: Option<Map<String, Value>>,
}

/// Attributes as they are written: what the record keeps apart is kept apart here.
#[derive(Debug, Default)]
pub(in crate::cognito) struct Attributes {
    pub(in crate::cognito) email: Option<String>,
    pub(in crate::cognito) email_verified: Option<bool>,
    pub(in crate::cognito) others: BTreeMap<String, String>,
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
/// Longest value of an attribute.
const LONGEST: usize = 2048;

impl Attributes {
    pub(in crate::cognito) fn read<'a>(
        given: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, PoolError> {
        let mut read = Self::default();
        for (name, value) in given {
            if value.chars().count() > LONGEST {
                return Err(PoolError::invalid(format!(
                    "Attributes did not conform to the schema: {name}: String must be no longer than {LONGEST} characters"
                )));
            }
            match name {
                "email" => read.email = Some(address(value)?),
                "email_verified" => read.email_verified = Some(value.eq_ignore_ascii_case("true")),
                "sub" => return Err(PoolError::invalid("Cannot modify the non-mutable attribute sub")),
                name if STANDARD.contains(&name) => {
                    read.others.insert(name.to_owned(), value.to_owned());
                }
                name => {
                    return Err(PoolError::invalid(format!(
                        "Attributes did not conform to the schema: {name}: Attribute does not exist in the schema."
                    )));
                }
            }
        }
        Ok(read)
    }

    /// A changed address has to be verified anew.
    pub(in crate::cognito) fn apply(self, user: &mut User) {
        if let Some(email) = self.email {
            if !email.eq_ignore_ascii_case(&user.email) {
                user.email_verified = false;
            }
            user.email = email;
        }
        if let Some(verified) = self.email_verified {
            user.email_verified = verified;
        }
        for (name, value) in self.others {
            // An empty value takes the attribute away.
            if value.is_empty() {
                user.attributes.remove(&name);
            } else {
                user.attributes.insert(name, value);
            }
        }
    }
}

pub(in crate::cognito) fn address(text: &str) -> Result<String, PoolError> {
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

impl SignIn {
    /// The account is the lock: whoever asks second for an address is refused, and nothing is mailed twice.
    pub(in crate::cognito) async fn invite(&self, invitation: Invitation) -> Result<User, PoolError> {
        let Invitation {
            email,
            attributes,
            password,
            mailed,
            metadata,
        } = invitation;
        // Hashing costs something on purpose: not for an address that is taken.
        if self.pool.store.view()?.find(&email)?.is_some() {
            return Err(PoolError::UserExists);
        }
        let settings = self.settings()?;
        let now = self.pool.time.now();
        let mut user = User::new(&email, Status::ForceChangePassword, now);
        attributes.apply(&mut user);
        let password = match password {
            Some(password) => {
                settings.policies.password_policy.allows(&password)?;
                Some(password)
            }
            // Told to nobody: it may as well not be there.
            None if !mailed => None,
            None => Some(settings.policies.password_policy.generate()),
        };
        if let Some(password) = &password {
            user.password_hash = Some(passwords::hash(password).await?);
        }
        user.temporary_until = Some(now + settings.temporary_life());
        user.mail_due = mailed.then(|| metadata.clone().unwrap_or_default());
        let record = user.clone();
        self.pool
            .store
            .write(move |changes| changes.add_user(&record))
            .await?;
        if let Some(password) = password.filter(|_| mailed) {
            self.mail_invitation(&user, &password, metadata.as_ref()).await?;
        }
        Ok(user)
    }

    /// RESEND: a new temporary password, good for as long as a new one; the old one is worth nothing any more.
    pub(in crate::cognito) async fn invite_again(
        &self,
        name: &str,
        password: Option<String>,
        metadata: Option<&Map<String, Value>>,
    ) -> Result<User, PoolError> {
        let known = self.pool.store.view()?.find(name)?.ok_or(PoolError::NoSuchUser)?;
        check_invited(&known)?;
        let settings = self.settings()?;
        let password = match password {
            Some(password) => password,
            None => settings.policies.password_policy.generate(),
        };
        settings.policies.password_policy.allows(&password)?;
        let hash = passwords::hash(&password).await?;
        let until = self.pool.time.now() + settings.temporary_life();
        let due = metadata.cloned().unwrap_or_default();
        let user = self
            .change_user(&known.username, move |user| {
                check_invited(user)?;
                user.mail_due = Some(due);
                user.password_hash = Some(hash);
                user.temporary_until = Some(until);
                Ok(())
            })
            .await?;
        self.mail_invitation(&user, &password, metadata).await?;
        Ok(user)
    }

    async fn mail_invitation(
        &self,
        user: &User,
        password: &str,
        metadata: Option<&Map<String, Value>>,
    ) -> Result<(), PoolError> {
        let letter = Letter {
            source: "CustomMessage_AdminCreateUser",
            client_id: None,
            metadata,
            secret: password,
        };
        self.mail(user, &letter).await?;
        self.is_mailed(&user.username).await
    }

    async fn is_mailed(&self, username: &str) -> Result<(), PoolError> {
        let done = self.change_user(username, |user| {
            user.mail_due = None;
            Ok(())
        });
        done.await.map(drop)
    }

    /// The invitations that a process before this one made an account for, and did not live to mail. The account keeps no
    /// password that could be mailed, so there is a new one. Whatever lies in the outbox has left.
    pub(in crate::cognito) async fn mail_what_is_due(&self) -> Result<(), PoolError> {
        let view = self.pool.store.view()?;
        let due: Vec<User> = view
            .users_after("")?
            .filter(|user| user.as_ref().map_or(true, |user| user.mail_due.is_some()))
            .collect::<Result<_, _>>()?;
        drop(view);
        let sent = self.pool.outbox.entries();
        for user in due
            .into_iter()
            .filter(|user| user.status == Status::ForceChangePassword)
        {
            let has_left = |entry: &Entry| entry.to == user.email && entry.at >= user.modified;
            if sent.iter().any(has_left) {
                self.is_mailed(&user.username).await?;
            } else {
                self.invite_again(&user.username, None, user.mail_due.as_ref())
                    .await?;
            }
        }
        Ok(())
    }
}

fn check_invited(user: &User) -> Result<(), PoolError> {
    if user.status == Status::ForceChangePassword {
        return Ok(());
    }
    let status = user.status.name();
    Err(PoolError::WrongState(format!(
        "Resend not possible. {status} is not FORCE_CHANGE_PASSWORD: the person has a password already."
    )))
}
