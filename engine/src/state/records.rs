//! The documents of labeling jobs, work teams and workforces. (The document of an item is beside the rules that change
//! it, in `work`.)

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::work::IdentityProvider;

/// Keys in the state bucket.
pub(crate) mod keys {
    /// Names of labeling jobs, work teams and workforces are unique without regard to case.
    pub(crate) const JOBS: &str = "labeling-jobs/";
    pub(crate) const UNFINISHED: &str = "unfinished/";
    pub(crate) const TEAMS: &str = "workteams/";
    pub(crate) const WORKFORCES: &str = "workforces/";
    /// There is one workforce, so it has one key, whatever its name: of two engines that create one, the store takes the
    /// first. (Earlier versions had a key for each name, and most were of this name.)
    pub(crate) const WORKFORCE: &str = "workforces/default.json";
    pub(crate) const NOTICES: &str = "notices/";
    pub(crate) const SESSIONS: &str = "portal/sessions/";

    pub(crate) fn job(name: &str) -> String {
        format!("{JOBS}{}.json", name.to_ascii_lowercase())
    }

    /// Exists while the job needs looking after: a start reads these instead of every job there ever was.
    pub(crate) fn unfinished(name: &str) -> String {
        format!("{UNFINISHED}{}", name.to_ascii_lowercase())
    }

    pub(crate) fn items(job: &str) -> String {
        format!("jobs/{}/items/", job.to_ascii_lowercase())
    }

    pub(crate) fn item(job: &str, index: u32) -> String {
        format!("{}{index:06}.json", items(job))
    }

    /// The objects that are done for good, for a quick start.
    pub(crate) fn settled(job: &str) -> String {
        format!("jobs/{}/settled", job.to_ascii_lowercase())
    }

    /// The job's own copies of what it was given: nobody can change them under a running job.
    pub(crate) fn input(job: &str, what: &str) -> String {
        format!("jobs/{}/input/{what}", job.to_ascii_lowercase())
    }

    /// Says that the job's team was told.
    pub(crate) fn notice(job: &str, of: &str) -> String {
        format!("{NOTICES}{}/{of}.json", job.to_ascii_lowercase())
    }

    pub(crate) fn team(name: &str) -> String {
        format!("{TEAMS}{}.json", name.to_ascii_lowercase())
    }
}

/// `unfinished/<job>`: the job needs looking after. It is there before the job's document.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Marker {
    /// Markers of earlier versions have none.
    #[serde(default)]
    pub(crate) since: Option<Timestamp>,
    /// The job was refused after all.
    #[serde(default)]
    pub(crate) given_back: bool,
}

impl Marker {
    pub(crate) fn is_younger(&self, than: SignedDuration, now: Timestamp) -> bool {
        !self.given_back && self.since.is_some_and(|since| now < since + than)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct JobRecord {
    /// As given; the ARN has it in lower case.
    pub(crate) name: String,
    pub(crate) arn: String,
    pub(crate) reference_code: String,
    pub(crate) status: JobStatus,
    pub(crate) failure_reason: Option<String>,
    pub(crate) created: Timestamp,
    pub(crate) modified: Timestamp,
    /// When the first task could be handed out.
    pub(crate) opened: Option<Timestamp>,
    /// As they stood at the last change of this document; a running job's are counted from its items.
    pub(crate) counters: Counters,
    /// URI of the output manifest.
    pub(crate) output: Option<String>,
    /// The end is being written: no more answers.
    #[serde(default)]
    pub(crate) closing: bool,
    /// ETag of an output manifest that lay there before the end was written: another job's, which gives way. Nothing else
    /// may be overwritten, so that of two engines that write the end one is first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) replaces: Option<String>,
    /// The state-change event of the end is out.
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

    /// Answers are taken.
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
    /// NotificationTopicArn: where people are told of work.
    #[serde(default)]
    pub(crate) topic: Option<String>,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
    pub(crate) tags: Vec<Tag>,
}

impl TeamRecord {
    /// The groups of that kind of provider whose people are in the team.
    pub(crate) fn groups(&self, of: IdentityProvider) -> impl Iterator<Item = &str> {
        self.members
            .as_array()
            .into_iter()
            .flatten()
            .flat_map(move |member| {
                let cognito = member["CognitoMemberDefinition"]["UserGroup"].as_str();
                let oidc = member["OidcMemberDefinition"]["Groups"].as_array();
                let (cognito, oidc) = match of {
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
    /// CognitoConfig or OidcConfig and SourceIpConfig as given, without a client secret.
    pub(crate) config: Value,
    /// OidcConfig's ClientSecret: nobody is told it again.
    #[serde(default)]
    pub(crate) secret: Secret,
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

    /// SourceIpConfig: the networks people work from; none means any. An error if what is there is not a list of texts.
    pub(crate) fn cidrs(&self) -> Result<Vec<&str>, ()> {
        let Some(given) = self.config.as_object().ok_or(())?.get("SourceIpConfig") else {
            return Ok(Vec::new());
        };
        let cidrs = given["Cidrs"].as_array().ok_or(())?;
        cidrs.iter().map(|cidr| cidr.as_str().ok_or(())).collect()
    }
}

/// A text that is in no log.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Secret(pub(crate) Option<String>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() {
            "Secret(…)"
        } else {
            "Secret(none)"
        })
    }
}
