//! The portal's JSON API. It is the page's, and as good for workers that are programs.
use super::PortalState;
use super::refusal::Refusal;
use super::session::SignedIn;
use crate::work::Lease;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// A task as the page sees it.
#[derive(Serialize)]
struct Task {
    token: String,
    expires: jiff::Timestamp,
    seconds_left: u32,
    title: String,
    /// Where the page of the task is; to be put into a sandboxed frame.
    frame: String,
}

/// `{"answer": {"<element name>": {…}}}`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    answer: Map<String, Value>,
}

impl From<Lease> for Task {
    fn from(lease: Lease) -> Task {
        let Lease {
            token,
            expires,
            seconds_left,
            title,
            ..
        } = lease;
        Task {
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

/// With the teams, which change while somebody looks: nobody has to sign in again to see the first one.
pub(super) async fn jobs(State(state): State<PortalState>, SignedIn(worker): SignedIn) -> Json<Value> {
    let desk = &state.0.desk;
    let (jobs, teams) = (desk.jobs(&worker).await, desk.teams(&worker).await);
    Json(json!({ "jobs": jobs, "teams": teams }))
}

pub(super) async fn next(
    State(state): State<PortalState>,
    SignedIn(worker): SignedIn,
    Path(job): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let task = state.0.desk.lease(&worker, &job).await?.map(Task::from);
    Ok(Json(json!({ "task": task })))
}

pub(super) async fn task(
    State(state): State<PortalState>,
    SignedIn(worker): SignedIn,
    Path(token): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let held = state.0.desk.held(&worker, &token).await?;
    Ok(Json(
        json!({ "input": held.task_input, "title": held.title, "seconds_left": held.seconds_left }),
    ))
}

pub(super) async fn answer(
    State(state): State<PortalState>,
    SignedIn(worker): SignedIn,
    Path(token): Path<String>,
    body: Result<Json<Answer>, JsonRejection>,
) -> Result<Json<Value>, Response> {
    let Json(Answer { answer }) = body.map_err(|rejection| not_json(&rejection))?;
    state
        .0
        .desk
        .submit(&worker, &token, Value::Object(answer))
        .await
        .map_err(|error| Refusal::from(error).into_response())?;
    Ok(Json(json!({})))
}

pub(super) async fn decline(
    State(state): State<PortalState>,
    SignedIn(worker): SignedIn,
    Path(token): Path<String>,
) -> Result<Json<Value>, Refusal> {
    state.0.desk.decline(&worker, &token).await?;
    Ok(Json(json!({})))
}

pub(super) async fn release(
    State(state): State<PortalState>,
    SignedIn(worker): SignedIn,
    Path(token): Path<String>,
) -> Result<Json<Value>, Refusal> {
    state.0.desk.release(&worker, &token).await?;
    Ok(Json(json!({})))
}

fn not_json(rejection: &JsonRejection) -> Response {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return Refusal::TooLarge.into_response();
    }
    Refusal::NotJson(rejection.body_text()).into_response()
}
