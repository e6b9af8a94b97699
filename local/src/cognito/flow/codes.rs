//! Codes by mail: for a forgotten password, and for an address somebody signed up with. Six digits are few: they are
//! good for a while, and guessing them is slowed down as guessing passwords is.

use std::net::IpAddr;

use aws_lc_rs::hmac;
use jiff::SignedDuration;
use rand::Rng;
use serde_json::{Map, Value};

use crate::cognito::client::same;
use crate::cognito::error::PoolError;
use crate::cognito::mail::Letter;
use crate::cognito::spraying::Guest;
use crate::cognito::store::record::{Code, Purpose, Status, User};
use crate::cognito::{SignIn, passwords};

/// Cognito's: an hour for a password, a day for an address.
fn life(purpose: Purpose) -> SignedDuration {
    match purpose {
        Purpose::Password => SignedDuration::from_hours(1),
        Purpose::SignUp => SignedDuration::from_hours(24),
    }
}

/// Codes compared with one that was mailed; after that it is void, and another one has to be sent.
const MOST_TRIES: u8 = 5;

/// Who asks: for the trigger, and for what one client may try.
#[derive(Clone, Debug, Default)]
pub(in crate::cognito) struct Asker {
    /// `None`: through the API, which listens on this machine only.
    pub(in crate::cognito) address: Option<IpAddr>,
    pub(in crate::cognito) client_id: Option<String>,
    pub(in crate::cognito) metadata: Option<Map<String, Value>>,
}

impl SignIn {
    /// A code for a new password, to the address of whoever is called this.
    pub(in crate::cognito) async fn forgot_password(
        &self,
        name: &str,
        asker: &Asker,
    ) -> Result<User, PoolError> {
        self.slow_mail(name)?;
        let user = self.pool.store.view()?.find(name)?.ok_or(PoolError::NoSuchUser)?;
        if !user.enabled {
            return Err(PoolError::not_authorized("User is disabled."));
        }
        if !matches!(user.status, Status::Confirmed | Status::ResetRequired) {
            return Err(PoolError::not_authorized(
                "User password cannot be reset in the current state.",
            ));
        }
        if !user.email_verified {
            return Err(PoolError::invalid(
                "Cannot reset password for the user as there is no registered/verified email or phone_number",
            ));
        }
        self.mail_code(&user, Purpose::Password, "CustomMessage_ForgotPassword", asker)
            .await?;
        Ok(user)
    }

    /// Nobody's mailbox is filled by strangers.
    pub(in crate::cognito) fn slow_mail(&self, name: &str) -> Result<(), PoolError> {
        let begun = self.pool.mailing.begin(name, self.pool.time.instant());
        begun.map_err(|_| PoolError::TooManyTries)
    }

    /// A new code makes the one before it void.
    pub(in crate::cognito) async fn mail_code(
        &self,
        user: &User,
        purpose: Purpose,
        source: &'static str,
        asker: &Asker,
    ) -> Result<(), PoolError> {
        let code = format!("{:06}", rand::rng().random_range(0..1_000_000));
        let kept = Code {
            purpose,
            hash: self.code_hash(user, &code),
            until: self.pool.time.now() + life(purpose),
            tries: 0,
        };
        let user = self
            .change_user(&user.username, move |user| {
                user.code = Some(kept);
                Ok(())
            })
            .await?;
        let letter = Letter {
            source,
            client_id: asker.client_id.as_deref(),
            metadata: asker.metadata.as_ref(),
            secret: &code,
        };
        self.mail(&user, &letter).await
    }

    /// The code that came back, and a new password. An address nobody has is answered as a wrong code is.
    pub(in crate::cognito) async fn confirm_forgot_password(
        &self,
        name: &str,
        code: &str,
        password: &str,
        asker: &Asker,
    ) -> Result<User, PoolError> {
        self.settings()?.policies.password_policy.allows(password)?;
        let user = self
            .check_code(name, code, Purpose::Password, asker.address)
            .await?;
        let hash = passwords::hash(password).await?;
        let (now, used) = (self.pool.time.now(), user.code.map(|code| code.hash));
        let user = self
            .change_password(&user.username, move |user| {
                // Two at once with one code: one of them.
                if user.code.as_ref().map(|code| &code.hash) != used.as_ref() {
                    return Err(PoolError::WrongCode);
                }
                user.settle_password(hash, now);
                Ok(())
            })
            .await?;
        self.pool.guessing.succeeded(&user.email);
        let source = "PostConfirmation_ConfirmForgotPassword";
        self.fire_post_confirmation(source, &user, asker.client_id.as_deref(), asker.metadata.as_ref())
            .await?;
        Ok(user)
    }

    /// The code that came back to somebody who signed up.
    pub(in crate::cognito) async fn confirm_sign_up(
        &self,
        name: &str,
        code: &str,
        asker: &Asker,
    ) -> Result<(), PoolError> {
        let user = self
            .check_code(name, code, Purpose::SignUp, asker.address)
            .await?;
        let user = self
            .change_user(&user.username, |user| {
                confirm(user)?;
                user.email_verified = true;
                Ok(())
            })
            .await?;
        let source = "PostConfirmation_ConfirmSignUp";
        self.fire_post_confirmation(source, &user, asker.client_id.as_deref(), asker.metadata.as_ref())
            .await
    }

    /// AdminConfirmSignUp: without a code, and without vouching for the address.
    pub(in crate::cognito) async fn confirm_as_admin(
        &self,
        name: &str,
        metadata: Option<&Map<String, Value>>,
    ) -> Result<(), PoolError> {
        let user = self.change_user(name, confirm).await?;
        self.fire_post_confirmation("PostConfirmation_ConfirmSignUp", &user, None, metadata)
            .await
    }

    /// Each comparison is counted in the account before it is made, so that a code is void after a few, however many
    /// tries come at once and whatever else is asked for meanwhile.
    async fn check_code(
        &self,
        name: &str,
        code: &str,
        purpose: Purpose,
        client: Option<IpAddr>,
    ) -> Result<User, PoolError> {
        let guest = Guest {
            client,
            ..Guest::default()
        };
        let now = self.pool.time.instant();
        self.pool
            .code_spraying
            .allows(&guest, now)
            .map_err(|_| PoolError::TooManyTries)?;
        let user = self.pool.store.view()?.find(name)?;
        let address = user
            .as_ref()
            .map_or_else(|| name.to_owned(), |user| user.email.clone());
        let begun = self.pool.code_guessing.begin(&address, now);
        begun.map_err(|_| PoolError::TooManyTries)?;
        match self.compared_code(user, code, purpose).await {
            Err(PoolError::WrongCode) => {
                self.pool.code_spraying.failed(&guest, now);
                Err(PoolError::WrongCode)
            }
            // An expired code was the right one all the same.
            right @ (Ok(_) | Err(PoolError::CodeExpired)) => {
                self.pool.code_guessing.succeeded(&address);
                right
            }
            other => other,
        }
    }

    async fn compared_code(
        &self,
        user: Option<User>,
        code: &str,
        purpose: Purpose,
    ) -> Result<User, PoolError> {
        let user = user.filter(|user| user.enabled).ok_or(PoolError::WrongCode)?;
        if user.code.is_none() {
            return Err(PoolError::WrongCode);
        }
        let user = self.change_user(&user.username, count_try).await?;
        let kept = user
            .code
            .as_ref()
            .filter(|code| code.purpose == purpose && code.tries <= MOST_TRIES)
            .ok_or(PoolError::WrongCode)?;
        if !same(&kept.hash, &self.code_hash(&user, code.trim())) {
            return Err(PoolError::WrongCode);
        }
        if kept.until <= self.pool.time.now() {
            return Err(PoolError::CodeExpired);
        }
        Ok(user)
    }

    fn code_hash(&self, user: &User, code: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.pool.client_secret.as_bytes());
        let text = format!("code|{}|{code}", user.username);
        hex::encode(hmac::sign(&key, text.as_bytes()))
    }
}

fn count_try(user: &mut User) -> Result<(), PoolError> {
    if let Some(code) = &mut user.code {
        code.tries = code.tries.saturating_add(1);
    }
    Ok(())
}

fn confirm(user: &mut User) -> Result<(), PoolError> {
    if user.status != Status::Unconfirmed {
        return Err(PoolError::not_authorized(format!(
            "User cannot be confirmed. Current status is {}",
            user.status.name()
        )));
    }
    user.status = Status::Confirmed;
    user.code = None;
    Ok(())
}
