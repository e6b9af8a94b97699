//! Topics and subscriptions, kept in one file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use super::filter::FilterPolicy;
use super::query::SnsError;
use crate::data_dir::{read_json, write_json};
use crate::error::StackError;
use crate::lock::lock;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Topics {
    /// By ARN.
    pub(super) topics: BTreeMap<String, Topic>,
    /// By ARN.
    pub(super) subscriptions: BTreeMap<String, Subscription>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Topic {
    /// `DisplayName`, `Policy` and so on, as they were set.
    pub(super) attributes: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Subscription {
    pub(super) topic: String,
    pub(super) protocol: Protocol,
    pub(super) endpoint: String,
    /// Until confirmed, what confirms it.
    pub(super) token: Option<String>,
    pub(super) raw: bool,
    pub(super) filter: Option<FilterPolicy>,
    /// The policy as it was written.
    pub(super) filter_text: Option<String>,
}

/// Where a subscription's messages go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Protocol {
    Email,
    EmailJson,
    Http,
    Https,
    Sqs,
}

impl Protocol {
    pub(super) fn from_name(name: &str) -> Option<Self> {
        let all = [Self::Email, Self::EmailJson, Self::Http, Self::Https, Self::Sqs];
        all.into_iter().find(|protocol| protocol.name() == name)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::EmailJson => "email-json",
            Self::Http => "http",
            Self::Https => "https",
            Self::Sqs => "sqs",
        }
    }
}

pub(super) struct Store {
    path: PathBuf,
    topics: Mutex<Topics>,
}

impl Store {
    pub(super) fn open(path: &Path) -> Result<Self, StackError> {
        let topics = read_json(path)?.unwrap_or_default();
        Ok(Self {
            path: path.to_owned(),
            topics: Mutex::new(topics),
        })
    }

    pub(super) fn read<T>(&self, look: impl FnOnce(&Topics) -> T) -> T {
        look(&lock(&self.topics))
    }

    /// Changes take effect when they are on disk, or not at all.
    pub(super) fn change<T>(
        &self,
        change: impl FnOnce(&mut Topics) -> Result<T, SnsError>,
    ) -> Result<T, SnsError> {
        let mut topics = lock(&self.topics);
        let mut changed = topics.clone();
        let answer = change(&mut changed)?;
        write_json(&self.path, &changed).map_err(|error| SnsError::internal(error.to_string()))?;
        *topics = changed;
        Ok(answer)
    }
}
