//! The pool's mail: an invitation or a code, with the text of the CustomMessage trigger or of the pool. It goes to the
//! outbox as HTML, which is what Cognito sends, and as plain text.
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-custom-message.html>

use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use super::error::PoolError;
use super::invite::TEMPORARY_LIFE;
use super::mail_text::{CODE, USERNAME, fill, plain_text};
use super::password_reset::CODE_LIFE;
use super::pool::Cognito;
use super::store::record::User;
use super::triggers::{TriggerCall, TriggerSource};
use crate::outbox::{Delivery, Entry};
use crate::page::escape;

const FROM: &str = "no-reply@verificationemail.com";
/// Cognito's limits, in characters.
const LONGEST_SUBJECT: usize = 140;
const LONGEST_MESSAGE: usize = 20_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MailKind {
    Invitation,
    PasswordReset,
}

pub(super) struct Mail<'a> {
    pub(super) kind: MailKind,
    pub(super) client_id: Option<&'a str>,
    pub(super) metadata: Option<&'a Map<String, Value>>,
    /// The temporary password or the code.
    pub(super) secret: &'a str,
}

/// Subject and message, with placeholders.
struct MailText {
    subject: String,
    message: String,
}

impl MailKind {
    fn trigger_source(self) -> TriggerSource {
        match self {
            Self::Invitation => TriggerSource::InvitationMail,
            Self::PasswordReset => TriggerSource::PasswordResetMail,
        }
    }

    /// How long the secret is valid.
    fn secret_life(self) -> SignedDuration {
        match self {
            Self::Invitation => TEMPORARY_LIFE,
            Self::PasswordReset => CODE_LIFE,
        }
    }

    /// Cognito's own words.
    fn pool_text(self) -> MailText {
        let (subject, message) = match self {
            Self::Invitation => (
                "Your temporary password",
                "<p>Your username is:</p><p>{username}</p><p>Your temporary password is:</p><p>{####}</p>",
            ),
            Self::PasswordReset => (
                "Your verification code",
                "<p>Your password reset code is:</p><p>{####}</p>",
            ),
        };
        MailText {
            subject: subject.to_owned(),
            message: message.to_owned(),
        }
    }

    fn has_placeholders(self, message: &str) -> bool {
        message.contains(CODE) && (self != Self::Invitation || message.contains(USERNAME))
    }
}

impl Cognito {
    /// In the outbox when this returns.
    pub(super) async fn mail(&self, user: &User, mail: &Mail<'_>) -> Result<(), PoolError> {
        let text = match self.trigger_text(user, mail).await? {
            Some(text) => text,
            None => mail.kind.pool_text(),
        };
        let html = fill(&text.message, &escape(&user.email), &escape(mail.secret));
        let now = self.pool.time.timestamp();
        let entry = Entry {
            id: uuid::Uuid::new_v4().to_string(),
            at: now,
            protocol: "email".to_owned(),
            to: user.email.clone(),
            from: FROM.to_owned(),
            subject: Some(fill(&text.subject, &user.email, mail.secret)),
            text: plain_text(&html),
            html: Some(html),
            state: Delivery::Delivered,
            secret_until: Some(now + mail.kind.secret_life()),
        };
        let outbox = self.pool.outbox.clone();
        let put = move || {
            // The new password or code makes those mailed before void.
            outbox.remove_secrets_to(&entry.to)?;
            outbox.put(entry)
        };
        match tokio::task::spawn_blocking(put).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(PoolError::NotDelivered(format!(
                "The mail could not be kept: {error}"
            ))),
            Err(panic) => Err(PoolError::internal(panic)),
        }
    }

    /// The text of the CustomMessage trigger, if it gives one.
    async fn trigger_text(&self, user: &User, mail: &Mail<'_>) -> Result<Option<MailText>, PoolError> {
        let username = (mail.kind == MailKind::Invitation).then_some(USERNAME);
        let request = [
            ("codeParameter", json!(CODE)),
            ("linkParameter", json!("{##Click Here##}")),
            ("usernameParameter", json!(username)),
        ];
        let no_metadata = Map::new();
        let call = TriggerCall {
            source: mail.kind.trigger_source(),
            client_id: mail.client_id,
            // The trigger gets it even when the caller gave none.
            metadata: Some(mail.metadata.unwrap_or(&no_metadata)),
            request: Map::from_iter(request.map(|(name, value)| (name.to_owned(), value))),
            response: json!({"smsMessage": null, "emailMessage": null, "emailSubject": null}),
        };
        let response = self.fire(user, call).await?;
        let text = |name: &str, longest: usize| match response.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.chars().count() <= longest => Ok(Some(text.clone())),
            Some(_) => Err(PoolError::BadTriggerResponse),
        };
        let subject = text("emailSubject", LONGEST_SUBJECT)?;
        let Some(message) = text("emailMessage", LONGEST_MESSAGE)? else {
            return Ok(None);
        };
        if !mail.kind.has_placeholders(&message) {
            tracing::warn!("message of the trigger has no placeholders; the pool's text is sent instead");
            return Ok(None);
        }
        let subject = subject.unwrap_or_else(|| mail.kind.pool_text().subject);
        Ok(Some(MailText { subject, message }))
    }
}
