//! The whole stack: started in the order its parts need each other, stopped in the reverse.

mod environment;
mod parts;
mod setup;
mod work;

use axum::Router;
use engine::Engine;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::cognito::Cognito;
use crate::data_dir::DataDir;
use crate::drop_folder::DropStatus;
use crate::error::StackError;
use crate::info::{StackConfig, StackInfo};
use crate::outbox::{self, Outbox};
use crate::recorder::Recorder;
use crate::serve::{listen_on_both, serve};
use crate::sns::Sns;
use crate::sqs::Queues;
use crate::web_guard::WebGuard;
use crate::web_port::WebPort;
use crate::work_team::ensure_team;
use parts::Parts;
use work::BackgroundWork;

/// A running stack. [`Stack::shutdown`] ends it in order; dropping it just stops.
pub struct Stack {
    info: StackInfo,
    engine: Engine,
    sign_in: Cognito,
    queues: Queues,
    outbox: Outbox,
    sns: Sns,
    /// Needs the servers until it is done.
    work: BackgroundWork,
    stop_serving: DropGuard,
    servers: Vec<JoinHandle<()>>,
    /// The lock on the data folder, released last.
    _data: DataDir,
}

impl Stack {
    /// Returns when every part answers. `extra_web` adds pages to the web port; it is given the outbox, which has no sign-in
    /// of its own: what does not come back guarded is not served.
    pub async fn start(
        config: StackConfig,
        extra_web: impl FnOnce(&StackInfo, Router) -> Router,
    ) -> Result<Self, StackError> {
        if !config.aws.ip().is_loopback() {
            return Err(StackError::NotLoopback(config.aws));
        }
        // The folder first: its lock keeps a second process from everything below.
        let data = DataDir::open(&config.data)?;
        let (aws, web) = listen_on_both(config.aws, config.web, &config.trusted_proxies).await?;
        let parts = Parts::open(data, &config, &aws, &web).await?;
        let stop_serving = CancellationToken::new();
        let aws_port = parts.aws_port();
        let web_port = WebPort::default();
        let guard = WebGuard::new(&parts.web_url, parts.here).behind(&config.trusted_proxies);
        let outbox = outbox::router(parts.outbox.clone(), parts.here, &parts.web_url);
        let mut aws_router = aws_port.clone().router();
        if let Some(file) = &config.record {
            aws_router = Recorder::open(file)?.layer(aws_router);
        }
        // Both ports answer before the engine starts: it keeps its state in S3 and asks the sign-in for its keys.
        let servers = vec![
            serve(aws, aws_router, stop_serving.clone()),
            serve(web, web_port.router(&parts.sign_in, guard), stop_serving.clone()),
        ];
        setup::create_buckets(&parts).await?;
        let engine = parts.start_engine(&config.links).await?;
        aws_port.set_labeling(engine.api());
        let info = setup::prepare(&parts, &config, &engine).await?;
        web_port.open(engine.portal(), extra_web(&info, outbox));
        // Work last: it uses everything above.
        let work = BackgroundWork::start(&parts, &info, &config.links)?;
        Ok(Self {
            info,
            engine,
            sign_in: parts.sign_in,
            queues: parts.queues,
            outbox: parts.outbox,
            sns: parts.sns,
            work,
            stop_serving: stop_serving.drop_guard(),
            servers,
            _data: parts.data,
        })
    }

    pub fn info(&self) -> &StackInfo {
        &self.info
    }

    /// Whether the first worker's password is still the one that was made for them.
    pub async fn first_password_is_unchanged(&self) -> bool {
        self.sign_in.is_password_of(&self.info.worker).await
    }

    /// Mail and notices that were sent.
    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    pub fn queues(&self) -> &Queues {
        &self.queues
    }

    /// What became of the files in the drop folder.
    pub fn drop_status(&self) -> DropStatus {
        self.work.drop_status()
    }

    /// Adds a person who can sign in at the portal, in these groups.
    pub async fn add_worker(&self, email: &str, password: &str, groups: &[&str]) -> Result<(), StackError> {
        let added = self.sign_in.ensure_worker(email, password, groups).await;
        added.map_err(|error| StackError::Refused {
            what: "the worker".to_owned(),
            reason: error.to_string(),
        })
    }

    /// Makes a work team of everyone in the group of the same name, if there is none; its ARN.
    pub async fn ensure_team(&self, name: &str) -> Result<String, StackError> {
        ensure_team(&self.engine, &self.sign_in, name).await
    }

    /// Finishes what has begun, writes everything to disk, and gives the ports and the folder back.
    pub async fn shutdown(self) {
        self.work.finish().await;
        self.engine.shutdown().await;
        self.sns.close().await;
        drop(self.stop_serving);
        for server in self.servers {
            let _panicked = server.await;
        }
    }
}
