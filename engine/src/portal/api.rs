//! The portal's JSON API, for its pages and for workers that are programs.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::error::PortalError;
use super::session::SignedIn;
use super::state::PortalState;
use crate::desk::Lease;

/// A task as the page sees it.
#[derive(Serialize)]
struct TaskView {
    token: String,
    expires: jiff::Timestamp,
    seconds_left: u32,
    title: String,
    /// The path of the task's page, for a sandboxed frame.
    frame: String,
}

/// `{"answer": {"<element name>": {…}}}`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AnswerBody {
    answer: Map<String, Value>,
}

impl From<Lease> for TaskView {
    fn from(lease: Lease) -> TaskView {
        let Lease {
            token,
            expires,
            seconds_left,
            title,
            ..
        } = lease;
        TaskView {
            frame: format!("/tasks/{token}/frame"),
            token,
            expires,
            seconds_left,
            title,
        }
    }
}

pub(super) async fn me(SignedIn(worker): SignedIn) -> Json<Value> {
    Json(json!({ "id": worker.id, "name": worker.name, "groups": worker.groups }))
}

/// With the teams: they change while the page is open, and a person put into a first team need not sign in again.
pub(super) async fn jobs(State(state): State<PortalState>, SignedIn(worker): SignedIn) -> Json<Value> {
    let desk = &state.desk;
    let (jobs, teams) = (desk.jobs(&worker).await, desk.teams(&worker).await);
    Json(json!({ "jobs": jobs, "teams": teams }))
}

pub(super) async fn next(
    State(state): State<PortalState>,
    SignedIn(worker): SignedIn,
    Path(job): Path<String>,
) -> Result<Json<Value>, PortalError> {
    let task = state.desk.lease(&worker, &job).await?.map(TaskView::from);
    Ok(Json(json!({ "task": task })))
}

pub(super) async fn task(
    State(state): State<PortalState>,
    SignedIn(worker): SignedIn,
    Path(token): Path<String>,
) -> Result<Json<Value>, PortalError> {
    let held = state.desk.held_task(&worker, &token).await?;
    Ok(Json(
        json!({ "input": held.task_input, "title": held.title, "seconds_left": held.seconds_left }),
    ))
}

pub(super) async fn answer(
    State(state): State<PortalState>,
    SignedIn(worker): SignedIn,
    Path(token): Path<String>,
    body: Result<Json<AnswerBody>, JsonRejection>,
) -> Result<Json<Value>, Response> {
    let Json(AnswerBody { answer }) = body.map_err(|rejection| not_json(&rejection))?;
    state
        .desk
        .submit(&worker, &token, Value::Object(answer))
        .await
        .map_err(|error| PortalError::from(error).into_response())?;
    Ok(Json(json!({})))
}

pub(super) async fn decline(
    State(state): State<PortalState>,
    SignedIn(worker): SignedIn,
    Path(token): Path<String>,
) -> Result<Json<Value>, PortalError> {
    state.desk.decline(&worker, &token).await?;
    Ok(Json(json!({})))
}

pub(super) async fn release(
    State(state): State<PortalState>,
    SignedIn(worker): SignedIn,
    Path(token): Path<String>,
) -> Result<Json<Value>, PortalError> {
    state.desk.release(&worker, &token).await?;
    Ok(Json(json!({})))
}

fn not_json(rejection: &JsonRejection) -> Response {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return PortalError::TooLarge.into_response();
    }
    PortalError::NotJson(rejection.body_text()).into_response()
}
