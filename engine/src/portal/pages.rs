//! The portal's pages: static files that ask the API for what they show.

use axum::Json;
use axum::response::{Html, IntoResponse, Response};
use http::header::ACCEPT;
use http::{HeaderMap, StatusCode};
use serde_json::json;

use super::assets;
use crate::html::escape;

const SIGN_IN: &str = "<a class=\"gc-primary\" href=\"/login\">Sign in again</a> \
    <a class=\"gc-secondary\" href=\"/\">To the portal</a>";
const PORTAL: &str = "<a class=\"gc-primary\" href=\"/\">To the portal</a>";

pub(super) async fn home() -> Html<&'static str> {
    Html(assets::HOME)
}

pub(super) async fn work() -> Html<&'static str> {
    Html(assets::WORK)
}

/// For a path that does not exist: a page for a browser, JSON for a program.
pub(super) async fn not_found(headers: HeaderMap) -> Response {
    let status = StatusCode::NOT_FOUND;
    let accepts = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    if accepts.is_some_and(|kinds| kinds.contains("text/html")) {
        let text = "There is no page at this address. The link may be old or mistyped.";
        return message_page(status, "No such page", text, PORTAL);
    }
    let body = json!({ "error": "not-found", "message": "There is nothing at this address." });
    (status, Json(body)).into_response()
}

/// A page with a message, and a link to sign in.
pub(super) fn message(status: StatusCode, title: &str, text: &str) -> Response {
    message_page(status, title, text, SIGN_IN)
}

fn message_page(status: StatusCode, title: &str, text: &str, links: &str) -> Response {
    let page = assets::MESSAGE
        .replace("<!--title-->", &escape(title))
        .replace("<!--text-->", &escape(text))
        .replace("<!--links-->", links);
    (status, Html(page)).into_response()
}
