//! Making and changing a team.

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::json;
use shared::crew::MAX_BYTES;
use shared::layout;
use shared::name::TeamName;

use super::{Console, Shared};
use crate::gate::refuse;
use crate::team_file::{self, Form, LARGEST, Saved, check, compose, from_roster, leaving};

/// A file somewhat too long is told so by the parser.
const BODY: usize = MAX_BYTES + 64 * 1024;

pub(super) fn routes() -> Router<std::sync::Arc<Console>> {
    Router::new()
        .route("/console/api/team/{team}", get(file).put(save))
        .route("/console/api/team/{team}/check", post(check_text))
        .route("/console/api/team/{team}/compose", post(compose_text))
        .route("/console/api/team/{team}/leaving", post(who_leaves))
        .layer(DefaultBodyLimit::max(BODY))
}

// A refusal is the answer itself; it is made once a request and never moved about.
#[allow(clippy::result_large_err)]
fn named(team: &str) -> Result<TeamName, Response> {
    TeamName::new(team).map_err(|error| refuse(StatusCode::BAD_REQUEST, &error.to_string()))
}

fn unread(reason: &str) -> Response {
    refuse(StatusCode::BAD_GATEWAY, reason)
}

/// The team's file to edit, with the ETag a save has to name; where it is gone, what the team was.
async fn file(State(console): Shared, Path(team): Path<String>) -> Response {
    let team = match named(&team) {
        Ok(team) => team,
        Err(refusal) => return refusal,
    };
    let (input, output) = (&console.config.input_bucket, &console.config.output_bucket);
    match team_file::read(&console.s3, input, &layout::team_file(&team), LARGEST).await {
        Ok(Some(file)) => {
            let text = String::from_utf8_lossy(&file.bytes);
            return Json(json!({ "text": text, "etag": file.etag })).into_response();
        }
        Ok(None) => {}
        Err(reason) => return unread(&reason),
    }
    match team_file::roster(&console.s3, output, &team).await {
        Ok(Some(roster)) => Json(json!({ "text": from_roster(&roster), "etag": null })).into_response(),
        Ok(None) => refuse(StatusCode::NOT_FOUND, "There is no team of this name."),
        Err(reason) => unread(&reason),
    }
}

async fn check_text(Path(team): Path<String>, text: Bytes) -> Response {
    match named(&team) {
        Ok(team) => Json(check(&team, &text)).into_response(),
        Err(refusal) => refusal,
    }
}

/// The file for what a form says, and what is to be said of it.
async fn compose_text(Path(team): Path<String>, Json(form): Json<Form>) -> Response {
    let team = match named(&team) {
        Ok(team) => team,
        Err(refusal) => return refusal,
    };
    let text = compose(&form);
    let verdict = check(&team, text.as_bytes());
    Json(json!({ "text": text, "verdict": verdict })).into_response()
}

async fn who_leaves(State(console): Shared, Path(team): Path<String>, text: Bytes) -> Response {
    let team = match named(&team) {
        Ok(team) => team,
        Err(refusal) => return refusal,
    };
    let (input, output) = (&console.config.input_bucket, &console.config.output_bucket);
    let key = layout::team_file(&team);
    let (now, roster) = tokio::join!(
        team_file::read(&console.s3, input, &key, LARGEST),
        team_file::roster(&console.s3, output, &team)
    );
    match (now, roster) {
        (Ok(now), Ok(roster)) => {
            let now = now.map(|now| now.bytes);
            Json(leaving(&team, now.as_deref(), roster.as_ref(), &text)).into_response()
        }
        (Err(reason), _) | (_, Err(reason)) => unread(&reason),
    }
}

/// Saves over exactly the file that `If-Match` names, or, with `If-None-Match: *`, where there is none.
async fn save(State(console): Shared, Path(team): Path<String>, headers: HeaderMap, text: Bytes) -> Response {
    let team = match named(&team) {
        Ok(team) => team,
        Err(refusal) => return refusal,
    };
    let value = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let etag = match (value(header::IF_MATCH), value(header::IF_NONE_MATCH)) {
        (Some(etag), None) if etag != "*" => Some(etag.to_owned()),
        (None, Some("*")) => None,
        _ => {
            let message =
                "Say which file is changed: If-Match with its ETag, or If-None-Match: * for a new one.";
            return refuse(StatusCode::PRECONDITION_REQUIRED, message);
        }
    };
    let verdict = check(&team, &text);
    if !verdict.is_ok() {
        return refuse(StatusCode::UNPROCESSABLE_ENTITY, verdict.message());
    }
    let bucket = &console.config.input_bucket;
    match team_file::save(&console.s3, bucket, &team, text.to_vec(), etag.as_deref()).await {
        Ok(Saved::Done { etag }) => Json(json!({ "etag": etag })).into_response(),
        Ok(Saved::Changed) => refuse(StatusCode::PRECONDITION_FAILED, &changed(&team, etag.is_some())),
        Err(reason) => unread(&reason),
    }
}

fn changed(team: &TeamName, editing: bool) -> String {
    if editing {
        format!(
            "Somebody else has changed `{team}` meanwhile. Copy what you wrote, open it again, and put it in."
        )
    } else {
        format!("There is a team `{team}` already: edit it, or choose another name.")
    }
}
