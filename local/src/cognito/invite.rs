//! Accounts that an administrator makes: an address, a temporary password, an invitation.
//! <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminCreateUser.html>

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::attributes::Attributes;
use super::error::PoolError;
use super::mail::{Mail, MailKind};
use super::pool::Cognito;
use super::store::record::{Status, User};
use super::{password_policy, passwords};
use crate::outbox::Entry;

/// How long a temporary password is valid.
pub(super) const TEMPORARY_LIFE: SignedDuration =
    SignedDuration::from_hours(24 * password_policy::TEMPORARY_DAYS as i64);

/// AdminCreateUser, read and checked.
pub(super) struct Invitation {
    pub(super) email: String,
    pub(super) attributes: Attributes,
    /// `None`: one is made.
    pub(super) password: Option<String>,
    pub(super) is_mailed: bool,
    pub(super) metadata: Option<Map<String, Value>>,
}

impl Cognito {
    /// The account is the lock: a second invitation of an address is refused, and nothing is mailed twice.
    pub(super) async fn invite(&self, invitation: Invitation) -> Result<User, PoolError> {
        let Invitation {
            email,
            attributes,
            password,
            is_mailed,
            metadata,
        } = invitation;
        // Before the hashing, which is slow on purpose.
        if self.pool.store.view()?.find(&email)?.is_some() {
            return Err(PoolError::UserExists);
        }
        let mut user = User::new(&email, Status::ForceChangePassword, self.pool.time.timestamp());
        attributes.apply(&mut user);
        let password = match password {
            Some(password) => {
                password_policy::check(&password)?;
                Some(password)
            }
            // No one would learn it.
            None if !is_mailed => None,
            None => Some(password_policy::generate()),
        };
        if let Some(password) = &password {
            user.password_hash = Some(passwords::hash(password).await?);
        }
        user.temporary_until = Some(self.temporary_password_expiry());
        // Written with the account, so that a process killed before the mail leaves a trace of it.
        user.mail_due = is_mailed.then(|| metadata.clone().unwrap_or_default());
        let record = user.clone();
        self.pool
            .store
            .write(move |transaction| transaction.add_user(&record))
            .await?;
        if let Some(password) = password.filter(|_| is_mailed) {
            self.mail_invitation(&user, &password, metadata.as_ref()).await?;
        }
        Ok(user)
    }

    /// RESEND: a new temporary password, with its full time; the old one is void.
    pub(super) async fn invite_again(
        &self,
        name: &str,
        password: Option<String>,
        metadata: Option<&Map<String, Value>>,
    ) -> Result<User, PoolError> {
        let known = self.user(name)?;
        check_is_invited(&known)?;
        let password = password.unwrap_or_else(password_policy::generate);
        password_policy::check(&password)?;
        let hash = passwords::hash(&password).await?;
        let until = self.temporary_password_expiry();
        let due = metadata.cloned().unwrap_or_default();
        let user = self
            .change_user(&known.username, move |user| {
                check_is_invited(user)?;
                user.mail_due = Some(due);
                user.password_hash = Some(hash);
                user.temporary_until = Some(until);
                Ok(())
            })
            .await?;
        self.mail_invitation(&user, &password, metadata).await?;
        Ok(user)
    }

    pub(super) fn temporary_password_expiry(&self) -> Timestamp {
        self.pool.time.timestamp() + TEMPORARY_LIFE
    }

    async fn mail_invitation(
        &self,
        user: &User,
        password: &str,
        metadata: Option<&Map<String, Value>>,
    ) -> Result<(), PoolError> {
        let mail = Mail {
            kind: MailKind::Invitation,
            client_id: None,
            metadata,
            secret: password,
        };
        self.mail(user, &mail).await?;
        self.set_mailed(&user.username).await
    }

    async fn set_mailed(&self, username: &str) -> Result<(), PoolError> {
        let done = self.change_user(username, |user| {
            user.mail_due = None;
            Ok(())
        });
        done.await.map(drop)
    }

    /// Mails the invitations that an earlier process made an account for and did not mail. Runs once the triggers are set.
    pub(crate) async fn mail_unsent_invitations(&self) {
        if let Err(error) = self.try_mail_unsent_invitations().await {
            tracing::error!(%error, "failed to mail all unsent invitations; the next start tries again");
        }
    }

    /// The account keeps no password that could be mailed, so there is a new one. A mail in the outbox was sent.
    async fn try_mail_unsent_invitations(&self) -> Result<(), PoolError> {
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
            let is_to_user = |entry: &Entry| entry.to == user.email && entry.at >= user.modified;
            if sent.iter().any(is_to_user) {
                self.set_mailed(&user.username).await?;
            } else {
                self.invite_again(&user.username, None, user.mail_due.as_ref())
                    .await?;
            }
        }
        Ok(())
    }
}

fn check_is_invited(user: &User) -> Result<(), PoolError> {
    if user.status == Status::ForceChangePassword {
        return Ok(());
    }
    let status = user.status.name();
    Err(PoolError::WrongState(format!(
        "Resend not possible. {status} is not FORCE_CHANGE_PASSWORD: the person has a password already."
    )))
}
