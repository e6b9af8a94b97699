//! A forgotten password: a code by mail, and the new password with it. Six digits are few, so codes expire, are void after
//! a few attempts, and guessing them is limited as guessing passwords is.

use std::net::IpAddr;

use aws_lc_rs::hmac;
use jiff::SignedDuration;
use rand::Rng;
use serde_json::{Map, json};

use super::client::is_same_secret;
use super::error::PoolError;
use super::limits::client::Caller;
use super::mail::{Mail, MailKind};
use super::pool::Cognito;
use super::store::record::{Code, Status, User};
use super::triggers::{TriggerCall, TriggerSource};
use super::{password_policy, passwords};

/// Cognito's.
pub(super) const CODE_LIFE: SignedDuration = SignedDuration::from_hours(1);
/// Codes compared with one that was mailed; after that it is void, and another one has to be sent.
const MOST_ATTEMPTS: u8 = 5;

impl Cognito {
    /// Mails a code for a new password. It makes the code before it void.
    pub(super) async fn mail_reset_code(&self, name: &str, client_id: &str) -> Result<(), PoolError> {
        let begun = self.pool.limits.mails.begin(name, self.pool.time.instant());
        begun.map_err(|_| PoolError::TooManyAttempts)?;
        let user = self.user(name)?;
        if user.status != Status::Confirmed {
            return Err(PoolError::not_authorized(
                "User password cannot be reset in the current state.",
            ));
        }
        if !user.email_verified {
            return Err(PoolError::invalid(
                "Cannot reset password for the user as there is no registered/verified email or phone_number",
            ));
        }
        let code = format!("{:06}", rand::rng().random_range(0..1_000_000));
        let record = Code {
            hash: self.code_hash(&user, &code),
            until: self.pool.time.timestamp() + CODE_LIFE,
            attempts: 0,
        };
        let user = self
            .change_user(&user.username, move |user| {
                user.code = Some(record);
                Ok(())
            })
            .await?;
        let mail = Mail {
            kind: MailKind::PasswordReset,
            client_id: Some(client_id),
            metadata: None,
            secret: &code,
        };
        self.mail(&user, &mail).await
    }

    /// Sets a new password with the code. An address without an account is answered as a wrong code is.
    pub(super) async fn reset_password(
        &self,
        name: &str,
        code: &str,
        password: &str,
        caller: Option<IpAddr>,
        client_id: &str,
    ) -> Result<(), PoolError> {
        password_policy::check(password)?;
        let user = self.check_code(name, code, caller).await?;
        let hash = passwords::hash(password).await?;
        let (now, used) = (self.pool.time.timestamp(), user.code.map(|code| code.hash));
        let user = self
            .change_password(&user.username, move |user| {
                // Two requests at once with one code: only one of them may use it.
                if user.code.as_ref().map(|code| &code.hash) != used.as_ref() {
                    return Err(PoolError::WrongCode);
                }
                user.set_own_password(hash, now);
                Ok(())
            })
            .await?;
        self.pool.limits.passwords.record_success(&user.email);
        let call = TriggerCall {
            source: TriggerSource::PasswordReset,
            client_id: Some(client_id),
            metadata: None,
            request: Map::new(),
            response: json!({}),
        };
        self.fire(&user, call).await.map(drop)
    }

    async fn check_code(&self, name: &str, code: &str, address: Option<IpAddr>) -> Result<User, PoolError> {
        let caller = Caller {
            address,
            ..Caller::default()
        };
        let (limits, now) = (&self.pool.limits, self.pool.time.instant());
        let too_many = |_| PoolError::TooManyAttempts;
        limits.code_clients.check(&caller, now).map_err(too_many)?;
        let user = self.pool.store.view()?.find(name)?;
        let email = user
            .as_ref()
            .map_or_else(|| name.to_owned(), |user| user.email.clone());
        limits.codes.begin(&email, now).map_err(too_many)?;
        match self.compare_code(user, code).await {
            Err(PoolError::WrongCode) => {
                limits.code_clients.count_failure(&caller, now);
                Err(PoolError::WrongCode)
            }
            // An expired code was the right one all the same.
            right @ (Ok(_) | Err(PoolError::CodeExpired)) => {
                limits.codes.record_success(&email);
                right
            }
            other => other,
        }
    }

    /// The attempt is counted in the account before the comparison, so that a code is void after a few attempts however
    /// many come at once.
    async fn compare_code(&self, user: Option<User>, code: &str) -> Result<User, PoolError> {
        let user = user
            .filter(|user| user.code.is_some())
            .ok_or(PoolError::WrongCode)?;
        let user = self.change_user(&user.username, count_attempt).await?;
        let mailed = user
            .code
            .as_ref()
            .filter(|code| code.attempts <= MOST_ATTEMPTS)
            .ok_or(PoolError::WrongCode)?;
        if !is_same_secret(&mailed.hash, &self.code_hash(&user, code.trim())) {
            return Err(PoolError::WrongCode);
        }
        if mailed.until <= self.pool.time.timestamp() {
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

fn count_attempt(user: &mut User) -> Result<(), PoolError> {
    if let Some(code) = &mut user.code {
        code.attempts = code.attempts.saturating_add(1);
    }
    Ok(())
}
