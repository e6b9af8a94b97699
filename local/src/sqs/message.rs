//! One message of a queue.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    pub id: String,
    pub body: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, Attribute>,
    /// The X-Ray trace it belongs to: `AWSTraceHeader`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// When it was first sent: kept when it moves to a dead-letter queue, so that retention counts from there.
    pub sent: Timestamp,
    /// Times it was handed out, since it was sent to this queue or this process started.
    #[serde(default, skip_serializing)]
    pub receives: u32,
    #[serde(default, skip_serializing)]
    pub first_received: Option<Timestamp>,
    /// In a dead-letter queue: the queue it comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dead_from: Option<String>,
}

/// A message attribute, as SQS's JSON protocol names its parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Attribute {
    pub data_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub string_value: Option<String>,
    /// Base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binary_value: Option<String>,
}

impl Message {
    pub fn new(body: impl Into<String>) -> Self {
        Self {
            id: uuid::Uuid::new_v4().to_string(),
            body: body.into(),
            attributes: BTreeMap::new(),
            trace: None,
            sent: Timestamp::now(),
            receives: 0,
            first_received: None,
            dead_from: None,
        }
    }
}
