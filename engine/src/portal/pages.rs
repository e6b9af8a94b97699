//! The portal's pages: static shells that ask the API for what they show.
use super::assets;
use axum::Json;
use axum::response::{Html, IntoResponse, Response};
use http::header::ACCEPT;
use http::{HeaderMap, StatusCode};
use serde_json::json;

const SIGN_IN: &str = "<a class=\"gc-primary\" href=\"/login\">Sign in again</a> \
    <a class=\"gc-secondary\" href=\"/\">To the portal</a>";
const PORTAL: &str = "<a class=\"gc-primary\" href=\"/\">To the portal</a>";

pub(super) async fn home() -> Html<&'static str> {
    Html(assets::HOME)
}

pub(super) async fn work() -> Html<&'static str> {
    Html(assets::WORK)
}

/// Where nothing else is: a page for whoever looks for one, JSON for a program.
pub(super) async fn nothing(headers: HeaderMap) -> Response {
    let status = StatusCode::NOT_FOUND;
    let accepts = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    if accepts.is_some_and(|kinds| kinds.contains("text/html")) {
        let text = "There is no page at this address. The link may be old or mistyped.";
        return said(status, "No such page", text, PORTAL);
    }
    let body = json!({ "error": "not-found", "message": "There is nothing at this address." });
    (status, Json(body)).into_response()
}

/// A page that says one thing, after which somebody may want to sign in. Both texts are the engine's own.
pub(super) fn message(status: StatusCode, title: &str, text: &str) -> Response {
    said(status, title, text, SIGN_IN)
}

fn said(status: StatusCode, title: &str, text: &str, ways: &str) -> Response {
    let page = assets::MESSAGE
        .replace("<!--title-->", title)
        .replace("<!--text-->", text)
        .replace("<!--ways-->", ways);
    (status, Html(page)).into_response()
}
