//! The parts of a stack that are opened before anything is served, and what is made of them.

use std::sync::Arc;

use aws_config::SdkConfig;
use engine::Engine;
use serde::{Deserialize, Serialize};

use super::environment::readable_places;
use crate::aws_auth::Credentials;
use crate::aws_port::AwsPort;
use crate::cognito::{self, Cognito};
use crate::data_dir::DataDir;
use crate::error::StackError;
use crate::events::queues::queue_configs;
use crate::events::router::{EngineEvents, route_object_events};
use crate::info::{self, ACCOUNT, REGION, STATE_BUCKET, StackConfig};
use crate::outbox::Outbox;
use crate::s3::S3;
use crate::serve::BoundListener;
use crate::sns::{RETRIES, Sns};
use crate::sqs::{Address, Queues};
use crate::web_guard::LocalAddress;

/// What the ports, the engine and the background work are made of.
pub(super) struct Parts {
    pub(super) data: DataDir,
    pub(super) address: Address,
    pub(super) web_url: String,
    pub(super) here: LocalAddress,
    pub(super) credentials: Credentials,
    pub(super) sdk: SdkConfig,
    pub(super) queues: Queues,
    pub(super) store: S3,
    pub(super) outbox: Outbox,
    pub(super) sns: Sns,
    pub(super) sign_in: Cognito,
}

/// The keys as the data folder has them.
#[derive(Serialize, Deserialize)]
struct Keys {
    access_key_id: String,
    secret_access_key: String,
}

impl Parts {
    pub(super) async fn open(
        data: DataDir,
        config: &StackConfig,
        aws: &BoundListener,
        web: &BoundListener,
    ) -> Result<Self, StackError> {
        let aws_url = format!("http://{}", aws.address);
        let here = LocalAddress::of(web.address);
        let web_url = config
            .public_url
            .as_ref()
            .map_or_else(|| here.origin(), |url| url.trim_end_matches('/').to_owned());
        let keys = data.load_or_create("credentials.json", || Keys {
            access_key_id: format!("GROUNDCREW{}", &cognito::random_secret().to_uppercase()[..10]),
            secret_access_key: cognito::random_secret(),
        })?;
        let sdk = info::sdk(&aws_url, &keys.access_key_id, &keys.secret_access_key);
        let address = Address {
            aws_url: aws_url.into(),
            region: REGION,
            account: ACCOUNT,
        };
        let queues = Queues::open(&data.path("dead-letters"), queue_configs())?;
        let store = &data.path("s3");
        let store =
            S3::open(store, route_object_events(queues.clone())).map_err(|error| StackError::Data {
                what: "cannot open",
                path: store.clone(),
                reason: format!(
                    "{}. Everything dropped and labeled is in this folder: put back a copy of the whole folder. To start \
                     with nothing, move it away; the files in the drop folder are uploaded again then",
                    error.reason
                ),
            })?;
        let outbox = Outbox::open(&data.path("outbox"))?;
        let sns = Sns::open(
            &data.path("sns.json"),
            address.clone(),
            queues.clone(),
            outbox.clone(),
            RETRIES,
        )?;
        let sign_in = Cognito::open(&data, &web_url, outbox.clone()).await?;
        let credentials = Credentials {
            access_key_id: keys.access_key_id,
            secret_access_key: keys.secret_access_key,
        };
        Ok(Self {
            data,
            address,
            web_url,
            here,
            credentials,
            sdk,
            queues,
            store,
            outbox,
            sns,
            sign_in,
        })
    }

    pub(super) fn aws_port(&self) -> AwsPort {
        let s3 = self.store.service(self.credentials.clone());
        AwsPort::new(
            s3,
            &self.queues,
            &self.address,
            &self.sns,
            &self.sign_in,
            &self.credentials,
        )
    }

    pub(super) async fn start_engine(&self, links: &[String]) -> Result<Engine, StackError> {
        let config = engine::Config {
            s3: info::s3(&self.sdk),
            state_bucket: STATE_BUCKET.to_owned(),
            region: REGION.to_owned(),
            account: ACCOUNT.to_owned(),
            portal_url: self.web_url.clone(),
            sign_in: engine::SignInConfig {
                issuer: self.sign_in.issuer().to_owned(),
                people: Some(cognito::POOL_ID.to_owned()),
                client_id: cognito::CLIENT_ID.to_owned(),
                client_secret: Some(self.sign_in.client_secret().to_owned()),
                groups_claim: "cognito:groups".to_owned(),
            },
            s3_public_origin: self.address.aws_url.to_string(),
            max_running_jobs: engine::DEFAULT_MAX_RUNNING_JOBS,
            readable: readable_places(links),
            groups: Some(Arc::new(self.sign_in.clone())),
            trusted_proxies: 0,
        };
        let events = Arc::new(EngineEvents {
            queues: self.queues.clone(),
            sns: self.sns.clone(),
        });
        let started = Engine::start(config, events).await;
        started.map_err(|error| StackError::Part {
            what: "the engine",
            reason: error.to_string(),
        })
    }
}
