//! The shape of a team file: which keys there are and what kind of value each takes. Nothing here knows a rule. The
//! JSON Schema is made from these types, and the texts on them are what an editor shows.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::yaml::at::At;

/// teams/<team>.yaml: who is in a team of workers. The file's name is the team's.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Team file", rename = "TeamFile")]
pub(super) struct RawTeam {
    /// Who asks for the work: named in the invitation, up to 128 characters.
    #[schemars(required, length(min = 1, max = 128))]
    pub(super) organization: Option<At<String>>,
    /// An e-mail address for questions: named in the invitation.
    #[schemars(required, extend("format" = "email"))]
    pub(super) contact: Option<At<String>>,
    /// What the team is for: up to 200 characters.
    #[schemars(required, length(min = 1, max = 200))]
    pub(super) description: Option<At<String>>,
    /// E-mail addresses. Who is new is invited; who is taken out leaves the team.
    #[schemars(length(max = 10_000))]
    pub(super) workers: Option<At<Vec<At<String>>>>,
    /// Groups of the user pool whose members are in the team too.
    #[schemars(length(max = 9))]
    pub(super) groups: Option<At<Vec<At<String>>>>,
    /// Whether the people are mailed when work waits or is about to expire: false, when not given.
    pub(super) notify_workers: Option<At<bool>>,
    /// Networks the work may be done from, for all teams together: anywhere, when not given.
    #[schemars(length(max = 10), example = vec!["203.0.113.0/24"])]
    pub(super) networks: Option<At<Vec<At<String>>>>,
    /// Own words for the invitation.
    pub(super) invitation: Option<At<RawInvitation>>,
    /// Sign-in through an OpenID Connect provider instead of a Cognito user pool.
    pub(super) sign_in: Option<At<RawSignIn>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Invitation")]
pub(super) struct RawInvitation {
    /// Of the mail: up to 140 characters. {organization}, {contact}, {team} and {portal} are filled in.
    #[schemars(length(min = 1, max = 140))]
    pub(super) subject: Option<At<String>>,
    /// Markdown, with {username} and {password} in it.
    pub(super) text: Option<At<String>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SignIn")]
pub(super) struct RawSignIn {
    /// As the workforce has it: https://…
    #[schemars(required, regex(pattern = r"^https://"))]
    pub(super) issuer: Option<At<String>>,
    /// The provider's groups whose members are the team.
    #[schemars(required, length(min = 1, max = 10))]
    pub(super) groups: Option<At<Vec<At<String>>>>,
}
