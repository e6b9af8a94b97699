//! One engine, from its start to its end.

use std::sync::Arc;

use axum::Router;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use tokio_util::sync::DropGuard;

use crate::api::Api;
use crate::clock;
use crate::config::Config;
use crate::core::{Core, PACE, Place, Rules};
use crate::notices;
use crate::portal::{self, PortalState};
use crate::state::{Documents, S3, StoreError};
use crate::work::Work;

/// Gets what happens to labeling jobs.
pub trait EventSink: Send + Sync {
    /// A state change: a whole EventBridge event document. At least once for each end of a job, after the job's document
    /// says so. `Ok` once it cannot get lost any more; what fails (the error is for the log) is tried again.
    fn state_changed(&self, event: serde_json::Value) -> BoxFuture<'_, Result<(), String>>;

    /// Tells a work team of work, through the topic of its NotificationConfiguration. At least once; what fails (the error
    /// is for the log) is tried again later.
    fn work_notice(&self, notice: WorkNotice) -> BoxFuture<'_, Result<(), String>>;
}

/// A message for the people of a work team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkNotice {
    pub topic_arn: String,
    /// Fit for SNS: less than 100 characters, ASCII, on one line.
    pub subject: String,
    /// Plain text.
    pub message: String,
}

#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Nothing works without it: the bucket must exist and be readable and writable.
    #[error("the engine's state bucket {bucket:?} cannot be used: {reason}")]
    State { bucket: String, reason: String },
}

/// A running engine; cheap to clone. It runs until [`Engine::shutdown`], or until the last clone and the last router
/// made of it are gone.
#[derive(Clone)]
pub struct Engine {
    core: Arc<Core>,
    portal: PortalState,
    alive: Arc<DropGuard>,
}

impl Engine {
    /// Loads what is unfinished and goes on with it.
    ///
    /// # Errors
    /// The state bucket is missing or not accessible.
    pub async fn start(config: Config, events: Arc<dyn EventSink>) -> Result<Engine, EngineError> {
        let fail = |error: StoreError| EngineError::State {
            bucket: config.state_bucket.clone(),
            reason: error.to_string(),
        };
        let place = Place {
            region: config.region.clone(),
            account: config.account.clone(),
            portal_url: config.portal_url.clone(),
        };
        let core = Arc::new(Core::new(
            Arc::new(S3(config.s3.clone())),
            config.state_bucket.clone(),
            place,
            Rules {
                max_running_jobs: config.max_running_jobs,
                readable: config.readable.clone(),
                groups: config.groups.clone(),
            },
            events,
            (clock::system(), PACE),
        ));
        let key = session_key(&core.documents).await.map_err(fail)?;
        let alive = Arc::new(run(&core).await.map_err(fail)?);
        let work = Work::new(core.clone(), alive.clone());
        let portal = PortalState::new(&config, &core, Arc::new(work), &key);
        core.tasks.spawn(portal.sweep_for_ever(core.stop.clone()));
        Ok(Engine { core, portal, alive })
    }

    /// The labeling API: POST with `X-Amz-Target: SageMaker.*`, at any path. Authentication is the caller's.
    pub fn api(&self) -> Router {
        Api::new(self.core.clone(), self.alive.clone()).router()
    }

    /// The workers' portal, for the web root.
    pub fn portal(&self) -> Router {
        portal::router(self.portal.clone())
    }

    /// Stops the background work, and returns when it has stopped. Nothing is lost by not calling it.
    pub async fn shutdown(&self) {
        self.core.stop.cancel();
        self.core.tasks.close();
        self.core.tasks.wait().await;
    }
}

/// Starts the keepers of unfinished jobs and their supervisor; they run until the guard is dropped.
pub(crate) async fn run(core: &Arc<Core>) -> Result<DropGuard, StoreError> {
    core.supervise().await?;
    core.tasks.spawn(core.clone().supervise_for_ever());
    core.tasks.spawn(notices::tell_for_ever(core.clone()));
    Ok(core.stop.clone().drop_guard())
}

#[derive(Serialize, Deserialize)]
struct SessionKey {
    /// Base64 of 64 random bytes.
    key: String,
}

/// The key of the portal's session cookies: made once for the store, so that people stay signed in over restarts and at
/// every engine on it. Whoever can read the state bucket can sign in as anybody; it holds all answers anyway.
async fn session_key(documents: &Documents) -> Result<[u8; 64], StoreError> {
    const AT: &str = "portal/session-key.json";
    let mut bytes = [0; 64];
    rand::Rng::fill(&mut rand::rng(), &mut bytes[..]);
    match documents
        .create(
            AT,
            &SessionKey {
                key: STANDARD.encode(bytes),
            },
        )
        .await
    {
        Ok(_) => return Ok(bytes),
        Err(StoreError::Changed) => {}
        Err(error) => return Err(error),
    }
    match documents.load::<SessionKey>(AT).await {
        Ok(Some(stored)) => match STANDARD.decode(stored.value.key).map(TryInto::try_into) {
            Ok(Ok(key)) => Ok(key),
            _ => renew(documents, AT, bytes).await,
        },
        Ok(None) | Err(StoreError::Unreadable(_)) => renew(documents, AT, bytes).await,
        Err(error) => Err(error),
    }
}

/// A key that is none any more would keep the engine from starting, and with it whatever could put another in its place.
async fn renew(documents: &Documents, at: &str, bytes: [u8; 64]) -> Result<[u8; 64], StoreError> {
    tracing::error!(
        at,
        "is not a key of 64 bytes: it is made anew, and everybody signs in again"
    );
    let key = SessionKey {
        key: STANDARD.encode(bytes),
    };
    documents.delete(at).await?;
    documents.create(at, &key).await.map(|_| bytes)
}
