//! The words of one invitation: what the user pool asks, whose team it is, and the answer.
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-custom-message.html>

use serde_json::{Map, Value};
use shared::crew::{InvitationMail, InvitationValues, Person, Roster, render};
use shared::layout;
use shared::name::TeamName;
use shared::port::{Bucket, Store};

use crate::Deps;

/// AdminCreateUser, also with RESEND. Other messages, such as the code of a forgotten password, are the pool's own.
const SOURCE: &str = "CustomMessage_AdminCreateUser";
/// Characters: Cognito's limits.
const MAX_SUBJECT: usize = 140;
const MAX_TEXT: usize = 20_000;

/// An invitation to be worded.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Asked {
    user_pool: String,
    /// Said by whoever invited: `sync-team` names the team.
    team: Option<TeamName>,
    email: Option<String>,
    /// What Cognito puts the user name and the temporary password in place of.
    username: String,
    password: String,
}

impl Asked {
    /// `None`: another message, or a shape we do not know.
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

/// `None`: the pool's own words.
pub(crate) async fn message<S: Store>(deps: &Deps<S>, asked: &Asked) -> Option<InvitationMail> {
    let team = match &asked.team {
        Some(team) => team.clone(),
        None => team_of(deps, asked).await?,
    };
    let roster: Roster = read(&deps.store, &layout::roster(&team)).await?;
    if roster.portal_url.is_empty() {
        tracing::warn!(%team, "the team has no portal yet; the user pool's own words go out");
        return None;
    }
    let values = InvitationValues {
        organization: &roster.organization,
        contact: &roster.contact,
        team: team.as_str(),
        portal: &roster.portal_url,
        username: &asked.username,
        password: &asked.password,
    };
    let mail = render(roster.invitation.as_ref(), &values);
    let sendable = is_sendable(&mail, asked);
    if !sendable {
        tracing::warn!(%team, "the invitation is not one Cognito would send; the user pool's own words go out");
    }
    if sendable {
        tracing::info!(%team, "worded an invitation");
    }
    sendable.then_some(mail)
}

/// Invited by hand, with the AWS CLI perhaps: the team whose words went out before, or the first of the person's.
async fn team_of<S: Store>(deps: &Deps<S>, asked: &Asked) -> Option<TeamName> {
    let id = layout::person_id(asked.email.as_deref()?);
    let person: Person = read(&deps.store, &layout::person(&id)).await?;
    let ours = person.user_pool == asked.user_pool;
    if !ours {
        tracing::warn!(why = "another user pool", "dropped an event");
        deps.metrics.count_foreign_events(1);
    }
    let before = person.invitation.team.as_ref();
    let before = before.filter(|team| person.teams.contains_key(*team));
    let team = before.or_else(|| person.teams.keys().next()).filter(|_| ours)?;
    TeamName::new(team).ok()
}

async fn read<T: serde::de::DeserializeOwned>(store: &impl Store, key: &str) -> Option<T> {
    match store.get(Bucket::Output, key, None).await {
        Ok(stored) => {
            let document = serde_json::from_slice(&stored?.bytes);
            document
                .inspect_err(|_| tracing::error!("a document of the team is none of ours"))
                .ok()
        }
        Err(error) => {
            // Its text names the key, which may be made of an address.
            let refused = matches!(error, shared::port::StoreError::Refused { .. });
            tracing::error!(
                refused,
                "the team could not be read; the user pool's own words go out"
            );
            None
        }
    }
}

/// A mail without the user name or the password is refused, or goes out in the pool's words; either way not this one.
fn is_sendable(mail: &InvitationMail, asked: &Asked) -> bool {
    let whole = [&asked.username, &asked.password]
        .iter()
        .all(|part| mail.html.contains(*part));
    whole && mail.html.chars().count() <= MAX_TEXT && mail.subject.chars().count() <= MAX_SUBJECT
}

pub(crate) fn answer(event: &mut Value, mail: InvitationMail) -> Option<()> {
    let response = event.as_object_mut()?.entry("response").or_insert(Value::Null);
    if response.is_null() {
        *response = Value::Object(Map::new());
    }
    let response = response.as_object_mut()?;
    response.insert("emailSubject".to_owned(), Value::String(mail.subject));
    response.insert("emailMessage".to_owned(), Value::String(mail.html));
    Some(())
}
