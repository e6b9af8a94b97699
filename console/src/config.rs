//! What the console is told when it starts: whose buckets, jobs and queues it shows, and who may look.

use std::time::Duration;

use aws_config::SdkConfig;
use shared::name::JobPrefix;

/// Everything the console needs to know of the stack it serves.
#[derive(Clone, Debug)]
pub struct ConsoleConfig {
    /// Region, credentials and, on one machine, the endpoint.
    pub sdk: SdkConfig,
    pub input_bucket: String,
    pub output_bucket: String,
    /// Where the labeling service answers, if it is not SageMaker of this Region.
    pub labeling_endpoint: Option<String>,
    /// Only labeling jobs whose names start with this are shown.
    pub job_prefix: JobPrefix,
    pub queues: Vec<Queue>,
    /// Origin of the worker portal, no slash at the end.
    pub portal_url: String,
    pub outbox_url: Option<String>,
    /// Origin the console itself is reached at, no slash at the end: other hosts and origins are turned away.
    pub public_url: String,
    /// What links to the console are made with ([`crate::link_token`]); a program that shows it may look too. At least 128
    /// bits of randomness.
    pub secret: String,
    pub hints: Hints,
    /// Time between two looks while somebody has the page open.
    pub refresh: Duration,
}

impl ConsoleConfig {
    /// An endpoint of one's own means a stand-in, which knows buckets by path alone.
    pub fn s3(&self) -> aws_sdk_s3::Client {
        let own_endpoint = self.sdk.endpoint_url().is_some();
        let config = aws_sdk_s3::config::Builder::from(&self.sdk).force_path_style(own_endpoint);
        aws_sdk_s3::Client::from_conf(config.build())
    }

    /// The labeling API, wherever it answers.
    pub fn labeling(&self) -> aws_sdk_sagemaker::Client {
        let mut config = aws_sdk_sagemaker::config::Builder::from(&self.sdk);
        if let Some(endpoint) = &self.labeling_endpoint {
            config = config.endpoint_url(endpoint);
        }
        aws_sdk_sagemaker::Client::from_conf(config.build())
    }
}

/// A queue and where its messages end that failed too often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// As people call it: the function's name.
    pub name: String,
    pub dead_letter_url: String,
}

/// What the page can teach a newcomer, where it applies.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Hints {
    /// Folder on disk whose subfolders are uploaded by themselves.
    pub drop_folder: Option<String>,
    /// For `aws s3 cp --endpoint-url`.
    pub aws_endpoint: Option<String>,
    /// A team that exists: the starter spec names it.
    pub team: Option<String>,
}
