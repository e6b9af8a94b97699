//! The portal's pages: static shells that ask the API for what they show.
use super::assets;
use axum::response::{Html, IntoResponse, Response};
use http::StatusCode;

pub(super) async fn home() -> Html<&'static str> {
    Html(assets::HOME)
}

pub(super) async fn work() -> Html<&'static str> {
    Html(assets::WORK)
}

/// A page that says one thing and offers one way on. Both texts are the engine's own.
pub(super) fn message(status: StatusCode, title: &str, text: &str) -> Response {
    let page = assets::MESSAGE
        .replace("<!--title-->", title)
        .replace("<!--text-->", text);
    (status, Html(page)).into_response()
}
