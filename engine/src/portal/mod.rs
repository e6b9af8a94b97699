//! The portal: where workers sign in, see their jobs and label. Pages are static; everything they show comes from a
//! small JSON API, and the task itself runs in a sandboxed frame that has no access to the portal around it.
mod api;
mod assets;
mod desk;
mod frame;
mod gate;
mod headers;
mod pages;
mod refusal;
mod seal;
mod session;
mod sessions;
mod sign_in;

pub use assets::ICON;
pub use desk::Desk;

use crate::clock::{self, Clock};
use crate::config::Config;
use crate::core::Core;
use crate::sign_in::SignInClient;
use crate::state::{Documents, S3};
use crate::work::Worker;
use crate::workforce::CurrentWorkforce;
use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use axum_extra::extract::cookie::Key;
use sessions::Sessions;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// An answer and its envelope: fifty labels of 256 characters are less, however they are escaped. What the tasks of a job
/// really need is checked when the answer is read.
const MAX_BODY: usize = 256 * 1024;
/// Where the provider sends people back to after signing in, below the portal's address. These are Ground Truth's paths, and
/// the app client has to know both.
pub const SIGNED_IN: &str = "/oauth2/idpresponse";
/// The same after signing out.
pub const SIGN_OUT: &str = "/logout";

/// What every page and call needs; cheap to clone.
#[derive(Clone)]
pub struct PortalState(Arc<Inner>);

struct Inner {
    desk: Arc<dyn Desk>,
    sign_in: Arc<SignInClient>,
    sessions: Sessions,
    key: Key,
    workforce: CurrentWorkforce,
    trusted_proxies: usize,
    portal_url: String,
    frame_policy: String,
    /// Whoever comes is this worker.
    everyone: Option<Worker>,
}

/// What the portal has from the engine around it.
struct Around {
    documents: Documents,
    clock: Clock,
    workforce: CurrentWorkforce,
}

impl PortalState {
    /// `session_key` is at least 64 random bytes, the same at every start: cookies are encrypted with it.
    pub(crate) fn new(
        config: &Config,
        core: &Core,
        desk: Arc<dyn Desk>,
        session_key: &[u8; 64],
    ) -> PortalState {
        let around = Around {
            documents: core.documents.clone(),
            clock: core.clock.clone(),
            workforce: core.workforce.clone(),
        };
        PortalState::build(config, around, desk, Key::from(session_key), None)
    }

    /// A portal without sign-in, in which everybody is this worker: to look at, on one's own machine.
    pub fn preview(config: &Config, desk: Arc<dyn Desk>, everyone: Worker) -> PortalState {
        let around = Around {
            documents: Documents::new(Arc::new(S3(config.s3.clone())), config.state_bucket.clone()),
            clock: clock::system(),
            workforce: CurrentWorkforce::default(),
        };
        PortalState::build(config, around, desk, Key::generate(), Some(everyone))
    }

    fn build(
        config: &Config,
        around: Around,
        desk: Arc<dyn Desk>,
        key: Key,
        everyone: Option<Worker>,
    ) -> PortalState {
        let sign_in = Arc::new(SignInClient::new(config, around.workforce.clone()));
        PortalState(Arc::new(Inner {
            desk,
            sessions: Sessions::new(around.documents, around.clock, sign_in.clone()),
            sign_in,
            key,
            workforce: around.workforce,
            trusted_proxies: config.trusted_proxies,
            portal_url: config.portal_url.clone(),
            frame_policy: headers::frame_policy(&config.portal_url, &config.s3_public_origin),
            everyone,
        }))
    }

    /// Keeps the bucket free of sessions that are over.
    pub(crate) fn sweep_for_ever(&self, stop: CancellationToken) -> impl Future<Output = ()> + use<> {
        // Not the portal itself: it would keep the engine alive.
        self.0.sessions.clone().sweep_for_ever(stop)
    }

    fn secure(&self) -> bool {
        self.0.portal_url.starts_with("https://")
    }
}

impl FromRef<PortalState> for Key {
    fn from_ref(state: &PortalState) -> Key {
        state.0.key.clone()
    }
}

/// The portal, to be mounted at the web root.
pub fn router(state: PortalState) -> Router {
    Router::new()
        .merge(calls())
        .route("/tasks/{token}/frame", get(frame::frame))
        .route("/", get(pages::home))
        .route("/work/{job}", get(pages::work))
        .route("/login", get(sign_in::login))
        .route(SIGNED_IN, get(sign_in::back))
        .route(SIGN_OUT, get(sign_in::logout))
        .route("/portal/{file}", get(assets::portal))
        .route_layer(from_fn_with_state(state.clone(), gate::admit))
        // The elements alone are no secret, and are also for looking at a template elsewhere.
        .route("/crowd/{file}", get(assets::crowd))
        .fallback(pages::nothing)
        .layer(from_fn(headers::protect))
        .with_state(state)
}

/// The JSON API: for the pages, and for workers that are programs.
fn calls() -> Router<PortalState> {
    let changes = Router::new()
        .route("/api/jobs/{job}/next", post(api::next))
        .route("/api/tasks/{token}/answer", post(api::answer))
        .route("/api/tasks/{token}/decline", post(api::decline))
        .route("/api/tasks/{token}/release", post(api::release))
        .route_layer(from_fn(headers::refuse_foreign))
        .layer(DefaultBodyLimit::max(MAX_BODY));
    Router::new()
        .route("/api/me", get(api::me))
        .route("/api/jobs", get(api::jobs))
        .route("/api/tasks/{token}", get(api::task))
        .merge(changes)
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_of_sessions;
