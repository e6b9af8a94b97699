//! The portal: where workers sign in, see their jobs and label. Pages are static. Everything they show comes from a small
//! JSON API, and the task itself runs in a sandboxed frame that cannot reach the portal around it.

mod admission;
mod api;
mod assets;
mod error;
mod frame;
mod headers;
mod pages;
mod seal;
mod session;
mod sessions;
mod sign_in;
mod state;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};

use crate::sign_in::{SIGN_OUT_PATH, SIGNED_IN_PATH};
pub use assets::ICON;
pub(crate) use state::PortalState;

/// The portal, to be mounted at the web root.
pub(crate) fn router(state: PortalState) -> Router {
    Router::new()
        .merge(calls())
        .route("/tasks/{token}/frame", get(frame::frame))
        .route("/", get(pages::home))
        .route("/work/{job}", get(pages::work))
        .route("/login", get(sign_in::login))
        .route(SIGNED_IN_PATH, get(sign_in::signed_in))
        .route(SIGN_OUT_PATH, get(sign_in::logout))
        .route("/portal/{file}", get(assets::portal))
        .route_layer(from_fn_with_state(state.clone(), admission::admit))
        // The elements are public: a template may be looked at elsewhere.
        .route("/crowd/{file}", get(assets::crowd))
        .fallback(pages::not_found)
        .layer(from_fn(headers::protect))
        .with_state(state)
}

/// The JSON API, for the pages and for workers that are programs.
fn calls() -> Router<PortalState> {
    let changes = Router::new()
        .route("/api/jobs/{job}/next", post(api::next))
        .route("/api/tasks/{token}/answer", post(api::answer))
        .route("/api/tasks/{token}/decline", post(api::decline))
        .route("/api/tasks/{token}/release", post(api::release))
        .route_layer(from_fn(headers::refuse_foreign))
        .layer(DefaultBodyLimit::max(error::MAX_BODY));
    Router::new()
        .route("/api/me", get(api::me))
        .route("/api/jobs", get(api::jobs))
        .route("/api/tasks/{token}", get(api::task))
        .merge(changes)
}

#[cfg(test)]
mod tests;
