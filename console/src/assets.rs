//! The page's files, carried in the program.

use axum::http::header;
use axum::response::{Html, IntoResponse, Response};

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

macro_rules! asset {
    ($name:literal, $kind:expr) => {
        ($name, $kind, include_str!(concat!("../assets/", $name)))
    };
}

/// Name, content type, content.
const ASSETS: &[(&str, &str, &str)] = &[
    asset!("index.html", HTML),
    asset!("style.css", "text/css; charset=utf-8"),
    asset!("icon.svg", "image/svg+xml"),
    asset!("app.js", SCRIPT),
    asset!("dom.js", SCRIPT),
    asset!("shell.js", SCRIPT),
    asset!("time.js", SCRIPT),
    asset!("tip.js", SCRIPT),
    asset!("server.js", SCRIPT),
    asset!("dataset-card.js", SCRIPT),
    asset!("dataset-list.js", SCRIPT),
    asset!("job-row.js", SCRIPT),
    asset!("side-lists.js", SCRIPT),
    asset!("dropped.js", SCRIPT),
    asset!("uploads.js", SCRIPT),
    asset!("drop-zone.js", SCRIPT),
    asset!("code-field.js", SCRIPT),
    asset!("spec-editor.js", SCRIPT),
    asset!("people-page.js", SCRIPT),
    asset!("people-table.js", SCRIPT),
    asset!("team-card.js", SCRIPT),
    asset!("team-editor.js", SCRIPT),
    asset!("team-form.js", SCRIPT),
];

/// A page that says one thing. The text is HTML of our own.
const ALONE: &str = include_str!("../assets/alone.html");

pub(crate) fn alone(title: &str, text: &str) -> Html<String> {
    Html(ALONE.replace("<!--title-->", title).replace("<!--text-->", text))
}

pub(crate) fn page() -> Response {
    asset("index.html").unwrap_or_default()
}

pub(crate) fn asset(name: &str) -> Option<Response> {
    let (_, kind, content) = ASSETS.iter().find(|(known, _, _)| *known == name)?;
    Some(([(header::CONTENT_TYPE, *kind)], *content).into_response())
}
