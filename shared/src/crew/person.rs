//! `people/<sha256 of the lower-cased address>`: which teams an invited person belongs to. The only source of
//! membership; nothing a worker can write is asked.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Changed by If-Match alone; written by `sync-team`, read by `assign-worker` and `invite-message`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// As it was first written in a team file, trimmed.
    pub email: String,
    /// The user pool that invites this person: events of any other pool are not for this person.
    pub user_pool: String,
    /// Known once the account has been made or found.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sub: Option<String>,
    /// By team; the name of its Cognito group is the name of the team.
    pub teams: BTreeMap<String, Membership>,
    #[serde(default)]
    pub invitation: Invitation,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    pub since: Timestamp,
    /// When the team's own group was made, where it is known: a group of its name made at another time is another one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub group: Option<Timestamp>,
}

/// What has been mailed. It is written here before it is sent: a crash in between costs one mail, never sends one
/// twice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// When the latest was sent; absent: none yet (`times` is 0), or unknown, because no answer came.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sent: Option<Timestamp>,
    /// How many, the first included.
    #[serde(default)]
    pub times: u32,
    /// The team whose words it had.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub team: Option<String>,
    /// Why the address cannot be reached, when a mail came back or was refused.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub problem: Option<String>,
}

/// `joined/<team>/<person>` and `joined/_unlisted/<hash>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinMarker {
    pub at: Timestamp,
    pub username: String,
    pub sub: String,
}
