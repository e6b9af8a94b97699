//! What the console needs to know when it starts: whose buckets, jobs and queues it shows, and who may use it.

use std::time::Duration;

use aws::crew::PrivateWorkforce;
use aws::labeling::GroundTruth;
use aws::queues::Queues;
use aws::s3::Buckets;
use aws::sdk::Sdk;
use shared::name::JobPrefix;

/// The stack that a console serves.
#[derive(Clone, Debug)]
pub struct ConsoleConfig {
    /// Region, credentials and, on one machine, the endpoint.
    pub sdk: Sdk,
    pub input_bucket: String,
    pub output_bucket: String,
    /// The same for the labeling service, at its own endpoint where it is not SageMaker of the Region.
    pub labeling_sdk: Sdk,
    /// Only labeling jobs whose names start with this are shown.
    pub job_prefix: JobPrefix,
    pub queues: Vec<Queue>,
    /// Origin of the worker portal, no slash at the end.
    pub portal_url: String,
    pub outbox_url: Option<String>,
    /// Origin of the console itself, no slash at the end: requests for other hosts or from other origins are refused.
    pub public_url: String,
    /// Links to the console are made with it ([`crate::link_token`]), and a program that sends it may use the console
    /// too. At least 128 bits of randomness.
    pub secret: String,
    pub hints: Hints,
    /// Time between two reads while a page is open.
    pub refresh: Duration,
}

impl ConsoleConfig {
    pub fn buckets(&self) -> Buckets {
        let (input, output) = (self.input_bucket.clone(), self.output_bucket.clone());
        Buckets::new(input, output, &|name| std::env::var(name).ok(), self.sdk.clone())
    }

    /// The labeling service, wherever it answers.
    pub fn labeling(&self) -> GroundTruth {
        GroundTruth::new(self.labeling_sdk.clone())
    }

    /// The labeling service's workforce and work teams.
    pub fn workforce(&self) -> PrivateWorkforce {
        PrivateWorkforce::new(self.labeling_sdk.clone())
    }

    pub(crate) fn sqs(&self) -> Queues {
        Queues::new(self.sdk.clone())
    }
}

/// A queue, and where its messages go that failed too often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// The name of the function that it feeds.
    pub name: String,
    pub dead_letter_url: String,
}

/// What the page can teach a newcomer, where it applies.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Hints {
    /// Folder on disk whose subfolders are uploaded automatically.
    pub drop_folder: Option<String>,
    /// For `aws s3 cp --endpoint-url`.
    pub aws_endpoint: Option<String>,
    /// A team that exists: the starter spec names it.
    pub team: Option<String>,
}
