//! Signing in with a password, and choosing a password of one's own.

use std::time::Duration;

use super::client::is_same_secret;
use super::error::PoolError;
use super::limits::client::Caller;
use super::password_policy;
use super::passwords;
use super::pool::Cognito;
use super::store::Transaction;
use super::store::record::{Status, User};
use super::tokens::digest;

/// What a right password is. A wrong one is an error, the same as for an address without an account.
pub(super) enum PasswordCheck {
    /// The person's own.
    Own(User),
    /// A temporary one that is still valid: the person has to choose their own.
    Temporary(User),
    /// A temporary one that has expired.
    Expired,
}

impl Cognito {
    /// Shows nothing about an account to a caller who does not know its password: a wrong password and an unknown address
    /// take as long, read the same, and are both limited.
    pub(super) async fn check_password(
        &self,
        name: &str,
        password: &str,
        caller: &Caller,
    ) -> Result<PasswordCheck, PoolError> {
        let locked = |wait: Duration| PoolError::Locked {
            seconds: wait.as_secs() + 1,
        };
        let limits = &self.pool.limits;
        let user = self.pool.store.view()?.find(name)?;
        let is_known_browser = user.as_ref().is_some_and(|user| self.is_marked(caller, user));
        // Held until the comparison is done.
        let _permit = limits.password_clients.comparison_permit().await;
        let now = self.pool.time.instant();
        if !is_known_browser {
            limits.password_clients.check(caller, now).map_err(locked)?;
        }
        let address = user.as_ref().map_or(name, |user| user.email.as_str());
        let limit = match is_known_browser {
            true => &limits.passwords_of_known_browsers,
            false => &limits.passwords,
        };
        limit.begin(address, now).map_err(locked)?;
        let hash = user.as_ref().and_then(|user| user.password_hash.clone());
        let is_right = passwords::matches(password, hash).await;
        if !is_right && !is_known_browser {
            limits.password_clients.count_failure(caller, now);
        }
        let Some(user) = user.filter(|_| is_right) else {
            return Err(PoolError::not_authorized("Incorrect username or password."));
        };
        limit.record_success(&user.email);
        Ok(match user.status {
            Status::Confirmed => PasswordCheck::Own(user),
            Status::ForceChangePassword if self.has_expired(&user) => PasswordCheck::Expired,
            Status::ForceChangePassword => PasswordCheck::Temporary(user),
        })
    }

    /// The cookie of a browser in which this person has signed in. It names the person to this pool only, and grants
    /// nothing.
    pub(super) fn browser_mark(&self, user: &User) -> String {
        digest(&format!("known|{}|{}", self.pool.client_secret, user.username))
    }

    fn is_marked(&self, caller: &Caller, user: &User) -> bool {
        let mark = caller.browser_mark.as_deref();
        mark.is_some_and(|mark| is_same_secret(mark, &self.browser_mark(user)))
    }

    fn has_expired(&self, user: &User) -> bool {
        user.temporary_until
            .is_some_and(|until| until <= self.pool.time.timestamp())
    }

    /// Replaces a temporary password by the person's own. `temporary_hash` is the hash that was right before: an
    /// invitation sent again since, or a password set since, makes it void.
    pub(super) async fn choose_password(
        &self,
        username: &str,
        temporary_hash: Option<String>,
        password: &str,
        write: impl FnOnce(&mut User) + Send + 'static,
    ) -> Result<User, PoolError> {
        password_policy::check(password)?;
        let hash = passwords::hash(password).await?;
        let now = self.pool.time.timestamp();
        self.change_password(username, move |user| {
            if user.status != Status::ForceChangePassword || user.password_hash != temporary_hash {
                return Err(PoolError::not_authorized("Invalid session for the user."));
            }
            user.set_own_password(hash, now);
            write(user);
            Ok(())
        })
        .await
    }

    /// AdminSetUserPassword.
    pub(super) async fn set_password(
        &self,
        name: &str,
        password: &str,
        permanent: bool,
    ) -> Result<(), PoolError> {
        let known = self.user(name)?;
        password_policy::check(password)?;
        let hash = passwords::hash(password).await?;
        let (now, until) = (self.pool.time.timestamp(), self.temporary_password_expiry());
        let changed = self.change_password(&known.username, move |user| {
            user.set_own_password(hash, now);
            if !permanent {
                user.status = Status::ForceChangePassword;
                user.temporary_until = Some(until);
            }
            Ok(())
        });
        changed.await.map(drop)
    }

    /// Ends every sign-in of a person: refresh tokens, access tokens at this API, browser sessions.
    pub(super) async fn sign_out_everywhere(&self, name: &str) -> Result<(), PoolError> {
        let now = self.pool.time.timestamp();
        let signed_out = self.change_password(name, move |user| {
            user.signed_out = Some(now);
            Ok(())
        });
        signed_out.await.map(drop)
    }

    /// A change that ends every sign-in made with the old password.
    pub(super) async fn change_password(
        &self,
        name: &str,
        change: impl FnOnce(&mut User) -> Result<(), PoolError> + Send + 'static,
    ) -> Result<User, PoolError> {
        let end_sign_ins =
            |transaction: &mut Transaction<'_>, user: &User| transaction.end_sign_ins(&user.username);
        let user = self.change_user_and(name, change, end_sign_ins).await?;
        // The password or code that was mailed is used or void now.
        let (outbox, address) = (self.pool.outbox.clone(), user.email.clone());
        let removed = tokio::task::spawn_blocking(move || outbox.remove_secrets_to(&address)).await;
        if let Ok(Err(error)) = removed {
            tracing::warn!(%error, "failed to remove used secrets from the outbox; they stay until they expire");
        }
        Ok(user)
    }
}
