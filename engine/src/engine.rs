//! One engine, from its start to its shutdown.

use std::sync::Arc;

use axum::Router;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use tokio_util::sync::DropGuard;

use crate::api::Api;
use crate::clock;
use crate::config::Config;
use crate::core::{Core, Location, OperatorRules, TIMING};
use crate::event_sink::EventSink;
use crate::keeper;
use crate::notices;
use crate::portal::{self, PortalState};
use crate::state::{Documents, S3Store, StoreError};
use crate::work::Work;

#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Nothing works without it: the bucket must exist and be readable and writable.
    #[error("the engine's state bucket {bucket:?} cannot be used: {reason}")]
    State { bucket: String, reason: String },
}

/// A running engine; cheap to clone. It runs until [`Engine::shutdown`], or until the last clone and the last router made
/// of it are dropped.
#[derive(Clone)]
pub struct Engine {
    core: Arc<Core>,
    portal: PortalState,
    alive: Arc<DropGuard>,
}

impl Engine {
    /// Loads the unfinished jobs and continues them.
    ///
    /// # Errors
    /// The state bucket is missing or not accessible.
    pub async fn start(config: Config, events: Arc<dyn EventSink>) -> Result<Engine, EngineError> {
        let fail = |error: StoreError| EngineError::State {
            bucket: config.state_bucket.clone(),
            reason: error.to_string(),
        };
        let core = Arc::new(build_core(&config, events));
        let key = session_key(&core.documents).await.map_err(fail)?;
        let alive = Arc::new(start_background(&core).await.map_err(fail)?);
        let work = Work::new(core.clone(), alive.clone());
        let portal = PortalState::new(&config, &core, Arc::new(work), &key);
        core.tasks.spawn(portal.run_session_sweep(core.stop.clone()));
        Ok(Engine { core, portal, alive })
    }

    /// The labeling API: POST with `X-Amz-Target: SageMaker.*`, at any path. The caller authenticates the requests.
    pub fn api(&self) -> Router {
        Api::new(self.core.clone(), self.alive.clone()).router()
    }

    /// The workers' portal, for the web root.
    pub fn portal(&self) -> Router {
        portal::router(self.portal.clone())
    }

    /// Stops the background work, and returns when it has stopped. Without this call nothing is lost either.
    pub async fn shutdown(&self) {
        self.core.stop.cancel();
        self.core.tasks.close();
        self.core.tasks.wait().await;
    }
}

fn build_core(config: &Config, events: Arc<dyn EventSink>) -> Core {
    let location = Location {
        region: config.region.clone(),
        account: config.account.clone(),
        portal_url: config.portal_url.clone(),
    };
    let operator = OperatorRules {
        max_running_jobs: config.max_running_jobs,
        readable: config.readable.clone(),
        groups: config.groups.clone(),
    };
    Core::new(
        Arc::new(S3Store(config.s3.clone())),
        config.state_bucket.clone(),
        location,
        operator,
        events,
        (clock::system(), TIMING),
    )
}

/// Starts the keepers of unfinished jobs, their supervisor, and the work notices. They run until the guard is dropped.
pub(crate) async fn start_background(core: &Arc<Core>) -> Result<DropGuard, StoreError> {
    keeper::supervise(core).await?;
    core.tasks.spawn(keeper::run_supervisor(core.clone()));
    core.tasks.spawn(notices::run_notices(core.clone()));
    Ok(core.stop.clone().drop_guard())
}

#[derive(Serialize, Deserialize)]
struct SessionKey {
    /// Base64 of 64 random bytes.
    key: String,
}

/// The key of the portal's session cookies. It is made once for the store, so that people stay signed in over restarts and
/// at every engine on the store. Anyone who can read the state bucket can forge a session; the bucket holds all answers too.
async fn session_key(documents: &Documents) -> Result<[u8; 64], StoreError> {
    const AT: &str = "portal/session-key.json";
    let mut bytes = [0; 64];
    rand::Rng::fill(&mut rand::rng(), &mut bytes[..]);
    let new = SessionKey {
        key: STANDARD.encode(bytes),
    };
    match documents.create(AT, &new).await {
        Ok(_) => return Ok(bytes),
        Err(StoreError::Changed) => {}
        Err(error) => return Err(error),
    }
    match documents.load::<SessionKey>(AT).await {
        Ok(Some(stored)) => match STANDARD.decode(stored.value.key).map(TryInto::try_into) {
            Ok(Ok(key)) => Ok(key),
            _ => replace_session_key(documents, AT, &new).await.map(|()| bytes),
        },
        Ok(None) | Err(StoreError::Unreadable(_)) => {
            replace_session_key(documents, AT, &new).await.map(|()| bytes)
        }
        Err(error) => Err(error),
    }
}

/// A damaged key must not keep the engine from starting: without the engine, no one could replace the key.
async fn replace_session_key(documents: &Documents, at: &str, new: &SessionKey) -> Result<(), StoreError> {
    tracing::error!(
        at,
        "session key is damaged; replaced, and all workers must sign in again"
    );
    documents.delete(at).await?;
    documents.create(at, new).await.map(drop)
}
