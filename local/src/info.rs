//! How to reach a running stack: for the process that started it and, as a file in the data folder, for commands that are
//! run later.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use serde::{Deserialize, Serialize};

use crate::client_address::TrustedProxies;
use crate::data_dir::read_json;
use crate::error::StackError;

pub(crate) const REGION: &str = "us-east-1";
pub(crate) const ACCOUNT: &str = "000000000000";
pub(crate) const PARTITION: &str = "aws";
pub(crate) const INPUT_BUCKET: &str = "groundcrew-input";
pub(crate) const OUTPUT_BUCKET: &str = "groundcrew-output";
pub(crate) const STATE_BUCKET: &str = "groundcrew-engine";
pub(crate) const TOPIC: &str = "groundcrew-notices";
/// Starts the name of every labeling job.
pub(crate) const JOB_PREFIX: &str = "gc00";
/// The team of the example, and its first member's group.
pub(crate) const TEAM: &str = "numbers-team";
pub(crate) const FIRST_WORKER: &str = "worker@example.com";
/// Notices are mailed here: into the outbox.
pub(crate) const ADMIN: &str = "admin@example.com";

/// What a stack is started with.
#[derive(Clone, Debug)]
pub struct StackConfig {
    /// Everything is kept here.
    pub data: PathBuf,
    /// Where the AWS SDKs connect; loopback only. Port 0 takes a free one.
    pub aws: SocketAddr,
    /// Portal, console, sign-in and outbox. Port 0 takes a free one.
    pub web: SocketAddr,
    /// Origin workers use, where it is not the address itself (behind a proxy): `https://crew.example.com`.
    pub public_url: Option<String>,
    /// Every request to the AWS port and its answer are written here, one JSON document a line.
    pub record: Option<PathBuf>,
    /// Proxies in front of the web port that are believed about the client's address.
    pub trusted_proxies: TrustedProxies,
    /// Where links of datasets may lead besides their own folder: `s3://bucket/prefix/`.
    pub links: Vec<String>,
}

impl StackConfig {
    /// Both ports on loopback, wherever there is room.
    pub fn on_free_ports(data: impl Into<PathBuf>) -> Self {
        let free = SocketAddr::from(([127, 0, 0, 1], 0));
        Self {
            data: data.into(),
            aws: free,
            web: free,
            public_url: None,
            record: None,
            trusted_proxies: TrustedProxies::default(),
            links: Vec::new(),
        }
    }
}

/// How to reach a running stack. Holds secrets: not for logs.
#[derive(Clone, Serialize, Deserialize)]
pub struct StackInfo {
    pub aws_url: String,
    /// Origin of everything with a page: no slash at the end.
    pub web_url: String,
    pub console_url: String,
    /// Answers on this machine alone, and so is not below `web_url` where that is a public address.
    pub outbox_url: String,
    /// Links to console and outbox are made with it; programs send it as `Authorization: Bearer …`.
    pub console_secret: String,
    pub region: String,
    pub account: String,
    pub access_key_id: String,
    pub secret_access_key: String,
    pub input_bucket: String,
    pub output_bucket: String,
    pub state_bucket: String,
    pub topic_arn: String,
    pub labeling_role_arn: String,
    pub job_prefix: String,
    pub user_pool_id: String,
    pub client_id: String,
    /// The team of the example.
    pub team: String,
    pub worker: FirstWorker,
    pub data: PathBuf,
    pub drop_folder: PathBuf,
    pub queues: Vec<QueueInfo>,
}

/// The sign-in made at the first start.
#[derive(Clone, Serialize, Deserialize)]
pub struct FirstWorker {
    pub email: String,
    pub password: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueInfo {
    /// The function's name.
    pub name: String,
    pub url: String,
    pub dead_letter_url: String,
}

/// The file in the data folder that commands find a running stack by.
pub(crate) const INFO_FILE: &str = "stack.json";

impl StackInfo {
    /// Of the stack that keeps its data in this folder, as it was started last.
    pub fn read(data: &Path) -> Result<Option<Self>, StackError> {
        read_json(&data.join(INFO_FILE))
    }

    /// For any AWS SDK client: endpoint, region and keys of this stack, nothing from the environment. S3 clients must
    /// address buckets by path.
    pub fn sdk(&self) -> SdkConfig {
        sdk(&self.aws_url, &self.access_key_id, &self.secret_access_key)
    }

    /// An S3 client of this stack.
    pub fn s3(&self) -> aws_sdk_s3::Client {
        s3(&self.sdk())
    }
}

pub(crate) fn sdk(aws_url: &str, access_key_id: &str, secret_access_key: &str) -> SdkConfig {
    let credentials = Credentials::new(access_key_id, secret_access_key, None, None, "groundcrew");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .endpoint_url(aws_url)
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build()
}

pub(crate) fn s3(sdk: &SdkConfig) -> aws_sdk_s3::Client {
    aws_sdk_s3::Client::from_conf(
        aws_sdk_s3::config::Builder::from(sdk)
            .force_path_style(true)
            .build(),
    )
}
