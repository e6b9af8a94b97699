//! What the console's addresses share, and how they answer when something cannot be done.

use std::sync::Arc;

use aws::queues::Queues;
use aws::s3::Buckets;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use shared::name::{DatasetName, TeamName};

use crate::config::ConsoleConfig;
use crate::gate::refuse;
use crate::live::{LiveModel, PageSettings};
use crate::reader::Reader;

pub(super) struct Console {
    pub(super) config: ConsoleConfig,
    pub(super) store: Arc<Buckets>,
    pub(super) sqs: Queues,
    pub(super) live: Arc<LiveModel>,
}

pub(super) type ConsoleState = State<Arc<Console>>;

impl Console {
    pub(super) fn new(config: ConsoleConfig) -> Self {
        let settings = PageSettings {
            portal_url: config.portal_url.clone(),
            outbox_url: config.outbox_url.clone(),
            input_bucket: config.input_bucket.clone(),
            hints: config.hints.clone(),
        };
        Self {
            store: Arc::new(config.buckets()),
            sqs: config.sqs(),
            live: LiveModel::new(Reader::new(&config), settings, config.refresh),
            config,
        }
    }
}

// A refusal is the answer itself; it is made once a request and never moved about.
#[allow(clippy::result_large_err)]
pub(super) fn team_name(text: &str) -> Result<TeamName, Response> {
    TeamName::new(text).map_err(|error| bad_request(&error))
}

#[allow(clippy::result_large_err)]
pub(super) fn dataset_name(text: &str) -> Result<DatasetName, Response> {
    DatasetName::new(text).map_err(|error| bad_request(&error))
}

pub(super) fn bad_request(error: &impl std::error::Error) -> Response {
    refuse(StatusCode::BAD_REQUEST, &error.to_string())
}

/// An AWS service failed.
pub(super) fn bad_gateway(error: &impl std::error::Error) -> Response {
    refuse(StatusCode::BAD_GATEWAY, &error.to_string())
}
