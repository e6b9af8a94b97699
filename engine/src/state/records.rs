//! The documents of labeling jobs, work teams and workforces. The document of an item is beside the rules that change it,
//! in `running/item.rs`.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::worker::IdentityProvider;

/// Keys in the state bucket.
pub(crate) mod keys {
    /// Names of labeling jobs, work teams and workforces are unique without regard to case.
    pub(crate) const JOBS: &str = "labeling-jobs/";
    pub(crate) const UNFINISHED: &str = "unfinished/";
    pub(crate) const TEAMS: &str = "workteams/";
    pub(crate) const WORKFORCES: &str = "workforces/";
    /// There is one workforce, so there is one key for every name: if two engines create one, the first write wins.
    pub(crate) const WORKFORCE: &str = "workforces/default.json";
    pub(crate) const NOTICES: &str = "notices/";
    pub(crate) const SESSIONS: &str = "portal/sessions/";

    pub(crate) fn job(name: &str) -> String {
        format!("{JOBS}{}.json", name.to_ascii_lowercase())
    }

    /// Exists until the end of the job is announced: an engine that starts reads these instead of every job.
    pub(crate) fn unfinished_marker(name: &str) -> String {
        format!("{UNFINISHED}{}", name.to_ascii_lowercase())
    }

    pub(crate) fn items(job: &str) -> String {
        format!("jobs/{}/items/", job.to_ascii_lowercase())
    }

    pub(crate) fn item(job: &str, index: u32) -> String {
        format!("{}{index:06}.json", items(job))
    }

    /// The list of finished items, for a quick start.
    pub(crate) fn finished_items(job: &str) -> String {
        format!("jobs/{}/settled", job.to_ascii_lowercase())
    }

    /// The job's own copies of its inputs: nothing outside can change them while the job runs.
    pub(crate) fn input(job: &str, what: &str) -> String {
        format!("jobs/{}/input/{what}", job.to_ascii_lowercase())
    }

    /// Says that a notice about the job was sent to its team.
    pub(crate) fn notice(job: &str, kind: &str) -> String {
        format!("{NOTICES}{}/{kind}.json", job.to_ascii_lowercase())
    }

    pub(crate) fn team(name: &str) -> String {
        format!("{TEAMS}{}.json", name.to_ascii_lowercase())
    }
}

/// `unfinished/<job>`: the job needs a keeper. It is written before the job's document.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct UnfinishedMarker {
    /// When the job's creation began.
    #[serde(default)]
    pub(crate) since: Option<Timestamp>,
    /// The job was refused after the marker was written.
    #[serde(default)]
    pub(crate) given_back: bool,
}

impl UnfinishedMarker {
    pub(crate) fn is_younger(&self, age: SignedDuration, now: Timestamp) -> bool {
        !self.given_back && self.since.is_some_and(|since| now < since + age)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct JobRecord {
    /// As the client gave it; the ARN has it in lower case.
    pub(crate) name: String,
    pub(crate) arn: String,
    pub(crate) reference_code: String,
    pub(crate) status: JobStatus,
    pub(crate) failure_reason: Option<String>,
    pub(crate) created: Timestamp,
    pub(crate) modified: Timestamp,
    /// When the first task could be handed out.
    pub(crate) opened: Option<Timestamp>,
    /// As of the last change of this document. The counters of a running job are computed from its items.
    pub(crate) counters: Counters,
    /// URI of the output manifest.
    pub(crate) output: Option<String>,
    /// The end is being written: no more answers.
    #[serde(default)]
    pub(crate) closing: bool,
    /// ETag of the output manifest of an earlier job, which may be overwritten. No other manifest may be, so that if two
    /// engines write the output, the first one wins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) replaces: Option<String>,
    /// The state-change event of the end was sent.
    pub(crate) announced: bool,
    pub(crate) tags: Vec<Tag>,
    /// The CreateLabelingJob request, without its tags.
    pub(crate) request: Value,
}

impl JobRecord {
    /// The last part of the work team's ARN.
    pub(crate) fn team(&self) -> &str {
        let arn = self.request["HumanTaskConfig"]["WorkteamArn"].as_str();
        arn.and_then(|arn| arn.rsplit('/').next()).unwrap_or_default()
    }

    /// The job takes answers.
    pub(crate) fn is_open(&self) -> bool {
        self.status == JobStatus::InProgress && !self.closing
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum JobStatus {
    Initializing,
    InProgress,
    Completed,
    Failed,
    Stopping,
    Stopped,
}

impl JobStatus {
    pub(crate) fn name(self) -> &'static str {
        match self {
            JobStatus::Initializing => "Initializing",
            JobStatus::InProgress => "InProgress",
            JobStatus::Completed => "Completed",
            JobStatus::Failed => "Failed",
            JobStatus::Stopping => "Stopping",
            JobStatus::Stopped => "Stopped",
        }
    }

    pub(crate) fn is_terminal(self) -> bool {
        matches!(
            self,
            JobStatus::Completed | JobStatus::Failed | JobStatus::Stopped
        )
    }
}

/// LabelCounters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counters {
    pub(crate) total_labeled: u32,
    pub(crate) human_labeled: u32,
    pub(crate) failed: u32,
    pub(crate) unlabeled: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tag {
    #[serde(rename = "Key")]
    pub(crate) key: String,
    #[serde(rename = "Value")]
    pub(crate) value: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct TeamRecord {
    pub(crate) name: String,
    pub(crate) arn: String,
    pub(crate) workforce: String,
    pub(crate) description: String,
    /// MemberDefinitions as given.
    pub(crate) members: Value,
    /// NotificationTopicArn: where the team's work notices go.
    #[serde(default)]
    pub(crate) topic: Option<String>,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
    pub(crate) tags: Vec<Tag>,
}

impl TeamRecord {
    /// The groups of this kind of provider whose people are in the team.
    pub(crate) fn groups(&self, provider: IdentityProvider) -> impl Iterator<Item = &str> {
        self.members
            .as_array()
            .into_iter()
            .flatten()
            .flat_map(move |member| {
                let cognito = member["CognitoMemberDefinition"]["UserGroup"].as_str();
                let oidc = member["OidcMemberDefinition"]["Groups"].as_array();
                let (cognito, oidc) = match provider {
                    IdentityProvider::Cognito => (cognito, None),
                    IdentityProvider::Oidc => (None, oidc),
                };
                cognito
                    .into_iter()
                    .chain(oidc.into_iter().flatten().filter_map(Value::as_str))
            })
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct WorkforceRecord {
    pub(crate) name: String,
    pub(crate) arn: String,
    /// CognitoConfig or OidcConfig, and SourceIpConfig, as given, without the client secret.
    pub(crate) config: Value,
    /// OidcConfig's ClientSecret: no reply of the API contains it.
    #[serde(default)]
    pub(crate) secret: StoredSecret,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
    pub(crate) tags: Vec<Tag>,
}

impl WorkforceRecord {
    /// Where its people sign in.
    pub(crate) fn provider(&self) -> IdentityProvider {
        match self.config.get("OidcConfig") {
            Some(_) => IdentityProvider::Oidc,
            None => IdentityProvider::Cognito,
        }
    }

    /// SourceIpConfig: the networks people may work from; an empty list admits every network. An error if it is not a list
    /// of texts.
    pub(crate) fn cidrs(&self) -> Result<Vec<&str>, ()> {
        let Some(given) = self.config.as_object().ok_or(())?.get("SourceIpConfig") else {
            return Ok(Vec::new());
        };
        let cidrs = given["Cidrs"].as_array().ok_or(())?;
        cidrs.iter().map(|cidr| cidr.as_str().ok_or(())).collect()
    }
}

/// A secret in a document. Its debug form does not show it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct StoredSecret(pub(crate) Option<String>);

impl std::fmt::Debug for StoredSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() {
            "StoredSecret(…)"
        } else {
            "StoredSecret(none)"
        })
    }
}
