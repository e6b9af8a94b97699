//! The portal's files, inside the binary: one file to deploy, and pages that fit their engine.

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE};

pub(super) const HOME: &str = include_str!("../../assets/portal/home.html");
pub(super) const WORK: &str = include_str!("../../assets/portal/work.html");
pub(super) const MESSAGE: &str = include_str!("../../assets/portal/message.html");

/// The portal's icon, as SVG.
pub const ICON: &str = include_str!("../../assets/portal/icon.svg");

const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

pub(super) async fn portal(Path(file): Path<String>) -> Response {
    let (kind, text) = match file.as_str() {
        "portal.css" => (STYLE, include_str!("../../assets/portal/portal.css")),
        "home.js" => (SCRIPT, include_str!("../../assets/portal/home.js")),
        "work.js" => (SCRIPT, include_str!("../../assets/portal/work.js")),
        "call.js" => (SCRIPT, include_str!("../../assets/portal/call.js")),
        "page.js" => (SCRIPT, include_str!("../../assets/portal/page.js")),
        "icon.svg" => ("image/svg+xml", ICON),
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-cache")], text).into_response()
}

/// The project's own implementation of Ground Truth's crowd elements (`crowd-form`, `crowd-classifier`, …), served in place of
/// AWS's script so that a job's template works unchanged. Any page may load it, also one that shows a template elsewhere.
pub(super) async fn crowd(Path(file): Path<String>) -> Response {
    let (kind, text) = match file.as_str() {
        "crowd-html-elements.js" => (SCRIPT, include_str!("../../assets/crowd/crowd-html-elements.js")),
        "crowd-html-elements.css" => (STYLE, include_str!("../../assets/crowd/crowd-html-elements.css")),
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    let headers = [
        (CONTENT_TYPE, kind),
        (CACHE_CONTROL, "no-cache"),
        (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ];
    (headers, text).into_response()
}
