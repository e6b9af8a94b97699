//! The text of one invitation: which team it is for, and what the team file says.

use serde::de::DeserializeOwned;
use shared::crew::{InvitationMail, InvitationValues, Person, Roster, render};
use shared::documents::{self, DocumentError};
use shared::layout;
use shared::name::TeamName;
use shared::port::{Store, StoreError};

use crate::Deps;
use crate::trigger::InvitationTrigger;

/// Characters: Cognito's limits.
const MAX_SUBJECT: usize = 140;
const MAX_TEXT: usize = 20_000;

/// `None`: the pool's own text.
pub(crate) async fn invitation_mail<S: Store>(
    deps: &Deps<S>,
    trigger: &InvitationTrigger,
) -> Option<InvitationMail> {
    let team = match &trigger.team {
        Some(team) => team.clone(),
        None => team_of(deps, trigger).await?,
    };
    let roster: Roster = load(&deps.store, &layout::roster(&team)).await?;
    if roster.portal_url.is_empty() {
        tracing::warn!(%team, "the team has no portal yet; the user pool's own text is sent");
        return None;
    }
    let values = InvitationValues {
        organization: &roster.organization,
        contact: &roster.contact,
        team: team.as_str(),
        portal: &roster.portal_url,
        username: &trigger.username,
        password: &trigger.password,
    };
    let mail = render(roster.invitation.as_ref(), &values);
    if !is_sendable(&mail, trigger) {
        tracing::warn!(%team, "Cognito would not send the invitation; the user pool's own text is sent");
        return None;
    }
    tracing::info!(%team, "invitation written");
    Some(mail)
}

/// Invited by hand, perhaps with the AWS CLI: the team of the invitation before, or the first of the person's.
async fn team_of<S: Store>(deps: &Deps<S>, trigger: &InvitationTrigger) -> Option<TeamName> {
    let id = layout::person_id(trigger.email.as_deref()?);
    let person: Person = load(&deps.store, &layout::person(&id)).await?;
    let ours = person.user_pool == trigger.user_pool;
    if !ours {
        tracing::warn!(reason = "another user pool", "event skipped");
        deps.metrics.count_foreign_events(1);
    }
    let before = person.invitation.team.as_ref();
    let before = before.filter(|team| person.teams.contains_key(*team));
    let team = before.or_else(|| person.teams.keys().next()).filter(|_| ours)?;
    TeamName::new(team).ok()
}

async fn load<T: DeserializeOwned>(store: &impl Store, key: &str) -> Option<T> {
    match documents::load(store, key).await {
        Ok(snapshot) => snapshot.document,
        // Without the error's text: it names the key, which may be made of an address.
        Err(DocumentError::Store(error)) => {
            let refused = matches!(error, StoreError::Refused { .. });
            tracing::error!(
                refused,
                "failed to read the team; the user pool's own text is sent"
            );
            None
        }
        Err(_) => {
            tracing::error!("unreadable document of the team; the user pool's own text is sent");
            None
        }
    }
}

/// Cognito refuses a mail without the user name or the password, or sends its own text instead.
fn is_sendable(mail: &InvitationMail, trigger: &InvitationTrigger) -> bool {
    let is_whole = [&trigger.username, &trigger.password]
        .iter()
        .all(|part| mail.html.contains(*part));
    is_whole && mail.html.chars().count() <= MAX_TEXT && mail.subject.chars().count() <= MAX_SUBJECT
}
