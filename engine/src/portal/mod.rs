//! The portal: where workers sign in, see their jobs and label. Pages are static; everything they show comes from a
//! small JSON API, and the task itself runs in a sandboxed frame that has no access to the portal around it.
mod api;
mod assets;
mod desk;
mod frame;
mod headers;
mod pages;
mod refusal;
mod session;
mod sign_in;

pub use desk::Desk;

use crate::config::Config;
use crate::sign_in::SignInClient;
use crate::work::Worker;
use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef};
use axum::middleware::from_fn;
use axum::routing::{get, post};
use axum_extra::extract::cookie::Key;
use std::sync::Arc;

/// An answer and its envelope. Ground Truth's own answers are far smaller.
const MAX_BODY: usize = 1024 * 1024;

/// What every page and call needs; cheap to clone.
#[derive(Clone)]
pub struct PortalState(Arc<Inner>);

struct Inner {
    desk: Arc<dyn Desk>,
    sign_in: SignInClient,
    key: Key,
    portal_url: String,
    frame_policy: String,
    /// Whoever comes is this worker.
    everyone: Option<Worker>,
}

impl PortalState {
    /// `session_key` is at least 64 random bytes, the same at every start: sessions are cookies encrypted with it.
    pub fn new(config: &Config, desk: Arc<dyn Desk>, session_key: &[u8; 64]) -> PortalState {
        PortalState::build(config, desk, Key::from(session_key), None)
    }

    /// A portal without sign-in, in which everybody is this worker: to look at, on one's own machine.
    pub fn preview(config: &Config, desk: Arc<dyn Desk>, everyone: Worker) -> PortalState {
        PortalState::build(config, desk, Key::generate(), Some(everyone))
    }

    fn build(config: &Config, desk: Arc<dyn Desk>, key: Key, everyone: Option<Worker>) -> PortalState {
        PortalState(Arc::new(Inner {
            desk,
            sign_in: SignInClient::new(config),
            key,
            portal_url: config.portal_url.clone(),
            frame_policy: headers::frame_policy(&config.portal_url, &config.s3_public_origin),
            everyone,
        }))
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
        .route("/oauth2/idpresponse", get(sign_in::back))
        .route("/logout", get(sign_in::logout))
        .route("/portal/{file}", get(assets::portal))
        .route("/crowd/{file}", get(assets::crowd))
        .route_layer(from_fn(headers::protect))
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
