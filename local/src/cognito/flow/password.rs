//! Signing in with a password, and putting a password of one's own in the place of a temporary one.

use std::time::Duration;

use jiff::Timestamp;

use crate::cognito::client::same;
use crate::cognito::error::PoolError;
use crate::cognito::spraying::Guest;
use crate::cognito::store::Changes;
use crate::cognito::store::record::{Status, User};
use crate::cognito::tokens::digest;
use crate::cognito::{SignIn, passwords};

/// How a right password is answered; a wrong one is an error, the same as an address nobody has.
pub(in crate::cognito) enum Checked {
    /// It is the person's own.
    In(User),
    /// It is a temporary one, and still good: one's own has to be chosen.
    Temporary(User),
    /// It was a temporary one.
    RunOut,
}

impl SignIn {
    /// Tells nothing about an account to somebody who does not know its password: wrong and unknown take as long and
    /// read the same, and both are slowed down.
    pub(in crate::cognito) async fn check_password(
        &self,
        name: &str,
        password: &str,
        guest: &Guest,
    ) -> Result<Checked, PoolError> {
        let locked = |wait: Duration| PoolError::Locked {
            seconds: wait.as_secs() + 1,
        };
        let user = self.pool.store.view()?.find(name)?;
        let known_browser = user.as_ref().is_some_and(|user| self.is_known_to(guest, user));
        let known = guest.is_admin || known_browser;
        let _turn = self.pool.spraying.turn().await;
        if !known {
            let allowed = self.pool.spraying.allows(guest, self.pool.time.instant());
            allowed.map_err(locked)?;
        }
        let address = user.as_ref().map_or(name, |user| user.email.as_str());
        // A browser the person has signed in with is counted apart: strangers who guess lock out strangers.
        let guessing = match known_browser {
            true => &self.pool.known_guessing,
            false => &self.pool.guessing,
        };
        let begun = guessing.begin(address, self.pool.time.instant());
        begun.map_err(locked)?;
        let hash = user.as_ref().and_then(|user| user.password_hash.clone());
        let right = passwords::matches(password, hash).await;
        if !right && !known {
            self.pool.spraying.failed(guest, self.pool.time.instant());
        }
        let Some(user) = user.filter(|_| right) else {
            return Err(PoolError::not_authorized("Incorrect username or password."));
        };
        guessing.succeeded(&user.email);
        if !user.enabled {
            return Err(PoolError::not_authorized("User is disabled."));
        }
        match user.status {
            Status::Confirmed => Ok(Checked::In(user)),
            Status::Unconfirmed => Err(PoolError::NotConfirmed),
            Status::ResetRequired => Err(PoolError::ResetRequired),
            Status::ForceChangePassword if self.has_run_out(user.temporary_until) => Ok(Checked::RunOut),
            Status::ForceChangePassword => Ok(Checked::Temporary(user)),
        }
    }

    /// What a browser keeps of a sign-in: it says whose, to nobody but us, and opens nothing.
    pub(in crate::cognito) fn mark(&self, user: &User) -> String {
        digest(&format!("known|{}|{}", self.pool.client_secret, user.username))
    }

    fn is_known_to(&self, guest: &Guest, user: &User) -> bool {
        let mark = guest.mark.as_deref();
        mark.is_some_and(|mark| same(mark, &self.mark(user)))
    }

    fn has_run_out(&self, until: Option<Timestamp>) -> bool {
        until.is_some_and(|until| until <= self.pool.time.now())
    }

    /// After the right temporary password: one's own. `temporary` is the hash that was right then; an invitation sent
    /// again since, or a password set since, makes it void.
    pub(in crate::cognito) async fn choose_password(
        &self,
        username: &str,
        temporary: Option<String>,
        password: &str,
        write: impl FnOnce(&mut User) + Send + 'static,
    ) -> Result<User, PoolError> {
        self.settings()?.policies.password_policy.allows(password)?;
        let hash = passwords::hash(password).await?;
        let now = self.pool.time.now();
        self.change_password(username, move |user| {
            let same = user.status == Status::ForceChangePassword && user.password_hash == temporary;
            if !same || !user.enabled {
                return Err(PoolError::not_authorized("Invalid session for the user."));
            }
            user.settle_password(hash, now);
            write(user);
            Ok(())
        })
        .await
    }

    /// AdminSetUserPassword.
    pub(in crate::cognito) async fn set_password(
        &self,
        name: &str,
        password: &str,
        permanent: bool,
    ) -> Result<(), PoolError> {
        let settings = self.settings()?;
        let known = self.pool.store.view()?.find(name)?.ok_or(PoolError::NoSuchUser)?;
        settings.policies.password_policy.allows(password)?;
        let hash = passwords::hash(password).await?;
        let now = self.pool.time.now();
        let until = now + settings.temporary_life();
        let changed = self.change_password(&known.username, move |user| {
            user.settle_password(hash, now);
            if !permanent {
                user.status = Status::ForceChangePassword;
                user.temporary_until = Some(until);
            }
            Ok(())
        });
        changed.await.map(drop)
    }

    /// A change of password ends what was signed in by the old one.
    pub(in crate::cognito) async fn change_password(
        &self,
        name: &str,
        change: impl FnOnce(&mut User) -> Result<(), PoolError> + Send + 'static,
    ) -> Result<User, PoolError> {
        let end_sign_ins = |changes: &mut Changes<'_>, user: &User| changes.end_sign_ins(&user.username);
        let user = self.change_user_and(name, change, end_sign_ins).await?;
        // The password or code that was mailed has done its work.
        let (outbox, address) = (self.pool.outbox.clone(), user.email.clone());
        let forgotten = tokio::task::spawn_blocking(move || outbox.forget_secrets_of(&address)).await;
        if let Ok(Err(error)) = forgotten {
            tracing::warn!(%error, "used secrets stay in the outbox until they expire");
        }
        Ok(user)
    }
}
