//! The page's files, which are part of the program.

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
    asset!("tooltip.js", SCRIPT),
    asset!("states.js", SCRIPT),
    asset!("confirm.js", SCRIPT),
    asset!("server.js", SCRIPT),
    asset!("dataset-card.js", SCRIPT),
    asset!("dataset-list.js", SCRIPT),
    asset!("job-row.js", SCRIPT),
    asset!("side-lists.js", SCRIPT),
    asset!("dropped-files.js", SCRIPT),
    asset!("uploads.js", SCRIPT),
    asset!("drop-zone.js", SCRIPT),
    asset!("code-field.js", SCRIPT),
    asset!("file-editor.js", SCRIPT),
    asset!("spec-editor.js", SCRIPT),
    asset!("people-page.js", SCRIPT),
    asset!("people-table.js", SCRIPT),
    asset!("adopt-dialog.js", SCRIPT),
    asset!("team-card.js", SCRIPT),
    asset!("team-editor.js", SCRIPT),
    asset!("team-form.js", SCRIPT),
];

/// A page with one message on it.
const MESSAGE_PAGE: &str = include_str!("../assets/message.html");

/// Both are HTML of this program: nothing is escaped.
pub(crate) fn message_page(title: &'static str, text: &'static str) -> Html<String> {
    Html(
        MESSAGE_PAGE
            .replace("<!--title-->", title)
            .replace("<!--text-->", text),
    )
}

pub(crate) fn page() -> Response {
    asset("index.html").unwrap_or_default()
}

pub(crate) fn asset(name: &str) -> Option<Response> {
    let (_, kind, content) = ASSETS.iter().find(|(known, _, _)| *known == name)?;
    Some(([(header::CONTENT_TYPE, *kind)], *content).into_response())
}
