//! The user pool's event for a message to a person, and the answer to it.
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-custom-message.html>

use serde_json::{Map, Value};
use shared::crew::InvitationMail;
use shared::name::TeamName;

/// AdminCreateUser, also with RESEND. Other messages, such as the code of a forgotten password, are the pool's own.
const SOURCE: &str = "CustomMessage_AdminCreateUser";

/// An invitation that the user pool is about to send.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct InvitationTrigger {
    pub(crate) user_pool: String,
    /// `sync-team` names the team; an admin who invites by hand does not.
    pub(crate) team: Option<TeamName>,
    pub(crate) email: Option<String>,
    /// Cognito replaces these with the user name and the temporary password.
    pub(crate) username: String,
    pub(crate) password: String,
}

impl InvitationTrigger {
    /// `None`: another message, or a shape this function does not know.
    pub(crate) fn read(event: &Value) -> Option<Self> {
        (event.get("triggerSource")?.as_str()? == SOURCE).then_some(())?;
        let request = event.get("request")?;
        let team = request.pointer("/clientMetadata/team").and_then(Value::as_str);
        let email = request.pointer("/userAttributes/email").and_then(Value::as_str);
        let response = event.get("response");
        response
            .is_none_or(|response| response.is_object() || response.is_null())
            .then_some(())?;
        Some(Self {
            user_pool: event.get("userPoolId")?.as_str()?.to_owned(),
            team: team.and_then(|team| TeamName::new(team).ok()),
            email: email.map(str::to_owned),
            username: placeholder(request, "usernameParameter")?,
            password: placeholder(request, "codeParameter")?,
        })
    }
}

/// Verbatim: `{####}` in what is sent, `####` in the documentation.
fn placeholder(request: &Value, name: &str) -> Option<String> {
    let text = request.get(name)?.as_str()?;
    (!text.is_empty()).then(|| text.to_owned())
}

/// Puts the mail into the event.
pub(crate) fn set_mail(event: &mut Value, mail: InvitationMail) -> Option<()> {
    let response = event.as_object_mut()?.entry("response").or_insert(Value::Null);
    if response.is_null() {
        *response = Value::Object(Map::new());
    }
    let response = response.as_object_mut()?;
    response.insert("emailSubject".to_owned(), Value::String(mail.subject));
    response.insert("emailMessage".to_owned(), Value::String(mail.html));
    Some(())
}
