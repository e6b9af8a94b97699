//! Making and changing a team.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use jiff::Timestamp;
use serde_json::json;
use shared::crew::MAX_BYTES;
use shared::name::TeamName;

use super::state::{Console, ConsoleState, bad_gateway, team_name};
use crate::adoption::{AdoptionError, AdoptionTime, adopt_team};
use crate::gate::refuse;
use crate::team_file::{self, SaveOutcome, TeamForm, check, compose, from_roster, leaving_people};

/// A file that is somewhat too long still gets to the parser, which says so.
const MAX_BODY: usize = MAX_BYTES + 64 * 1024;

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/console/api/team/{team}", get(edit).put(save))
        .route("/console/api/team/{team}/check", post(check_text))
        .route("/console/api/team/{team}/compose", post(compose_text))
        .route("/console/api/team/{team}/leaving", post(list_leaving))
        .route("/console/api/team/{team}/adopt", post(adopt))
        .layer(DefaultBodyLimit::max(MAX_BODY))
}

/// The team's file to edit, with the ETag that a save has to name. Where the file was deleted, one made from the roster,
/// without an ETag.
async fn edit(State(console): ConsoleState, Path(team): Path<String>) -> Response {
    let team = match team_name(&team) {
        Ok(team) => team,
        Err(refusal) => return refusal,
    };
    match team_file::load(&console.store, &team).await {
        Ok(Some(file)) => {
            let text = String::from_utf8_lossy(&file.bytes);
            return Json(json!({ "text": text, "etag": file.etag })).into_response();
        }
        Ok(None) => {}
        Err(error) => return bad_gateway(&error),
    }
    match team_file::load_roster(&console.store, &team).await {
        Ok(Some(roster)) => Json(json!({ "text": from_roster(&roster), "etag": null })).into_response(),
        Ok(None) => refuse(StatusCode::NOT_FOUND, "There is no team of this name."),
        Err(error) => bad_gateway(&error),
    }
}

async fn check_text(Path(team): Path<String>, text: Bytes) -> Response {
    match team_name(&team) {
        Ok(team) => Json(check(&team, &text)).into_response(),
        Err(refusal) => refusal,
    }
}

/// The team file that a form describes, and what the parser says of it.
async fn compose_text(Path(team): Path<String>, Json(form): Json<TeamForm>) -> Response {
    let team = match team_name(&team) {
        Ok(team) => team,
        Err(refusal) => return refusal,
    };
    let text = compose(&form);
    let verdict = check(&team, text.as_bytes());
    Json(json!({ "text": text, "verdict": verdict })).into_response()
}

async fn list_leaving(State(console): ConsoleState, Path(team): Path<String>, text: Bytes) -> Response {
    let team = match team_name(&team) {
        Ok(team) => team,
        Err(refusal) => return refusal,
    };
    let (file, roster) = tokio::join!(
        team_file::load(&console.store, &team),
        team_file::load_roster(&console.store, &team)
    );
    match (file, roster) {
        (Ok(file), Ok(roster)) => {
            let current = file.map(|file| file.bytes);
            Json(leaving_people(&team, current.as_deref(), roster.as_ref(), &text)).into_response()
        }
        (Err(error), _) | (_, Err(error)) => bad_gateway(&error),
    }
}

/// Saves only over the file that `If-Match` names, or, with `If-None-Match: *`, only where there is none.
async fn save(
    State(console): ConsoleState,
    Path(team): Path<String>,
    headers: HeaderMap,
    text: Bytes,
) -> Response {
    let team = match team_name(&team) {
        Ok(team) => team,
        Err(refusal) => return refusal,
    };
    let value = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let etag = match (value(header::IF_MATCH), value(header::IF_NONE_MATCH)) {
        (Some(etag), None) if etag != "*" => Some(etag.trim_matches('"')),
        (None, Some("*")) => None,
        _ => {
            let message =
                "Say which file is changed: If-Match with its ETag, or If-None-Match: * for a new one.";
            return refuse(StatusCode::PRECONDITION_REQUIRED, message);
        }
    };
    let checked = check(&team, &text);
    if !checked.is_ok() {
        return refuse(StatusCode::UNPROCESSABLE_ENTITY, checked.message());
    }
    match team_file::save(&console.store, &team, text.to_vec(), etag).await {
        Ok(SaveOutcome::Saved { etag }) => Json(json!({ "etag": etag })).into_response(),
        Ok(SaveOutcome::Changed) => refuse(StatusCode::PRECONDITION_FAILED, &conflict(&team, etag.is_some())),
        Err(error) => bad_gateway(&error),
    }
}

/// `at_once`: otherwise it takes until the next sweep.
async fn adopt(State(console): ConsoleState, Path(team): Path<String>) -> Response {
    let team = match team_name(&team) {
        Ok(team) => team,
        Err(refusal) => return refusal,
    };
    match adopt_team(&console.store, &team, Timestamp::now()).await {
        Ok(time) => Json(json!({ "at_once": time == AdoptionTime::Now })).into_response(),
        Err(error @ AdoptionError::NoTeamFile(_)) => refuse(StatusCode::NOT_FOUND, &error.to_string()),
        Err(error @ AdoptionError::Store(_)) => bad_gateway(&error),
    }
}

fn conflict(team: &TeamName, is_edit: bool) -> String {
    if is_edit {
        format!(
            "Another admin has changed `{team}` meanwhile. Copy your text, open the file again, and put your changes in."
        )
    } else {
        format!("There is a team `{team}` already: edit it, or choose another name.")
    }
}
