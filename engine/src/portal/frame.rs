//! The page of one task: the job's template rendered for the item, for a sandboxed frame of the labeling view.
use super::PortalState;
use super::refusal::Refusal;
use super::session::SignedIn;
use crate::render::{Presign, RenderError, render};
use crate::work::HeldTask;
use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse, Response};
use http::StatusCode;
use http::header::CONTENT_SECURITY_POLICY;
use std::sync::Arc;

/// What stands before every template. A template is a fragment: without this the browser would guess the charset.
const HEAD: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
    <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>Task</title>\
    <link rel=\"stylesheet\" href=\"/crowd/crowd-html-elements.css\"></head><body>\n";

const SCRIPT: &str = "<script src=\"/crowd/crowd-html-elements.js\"></script>";

/// Always a page: what went wrong is said where the person looks, and to the labeling view around it.
pub(super) async fn frame(
    State(state): State<PortalState>,
    signed_in: Result<SignedIn, Refusal>,
    Path(token): Path<String>,
) -> Response {
    let held = match signed_in {
        Ok(SignedIn(worker)) => state.0.desk.held(&worker, &token).await.map_err(Refusal::from),
        Err(refusal) => Err(refusal),
    };
    let (status, page) = match held {
        Ok(held) => (StatusCode::OK, task(&state, &held).await),
        Err(refusal) => (refusal.status().0, refused(&refusal)),
    };
    (
        status,
        [(CONTENT_SECURITY_POLICY, state.0.frame_policy.clone())],
        Html(page),
    )
        .into_response()
}

async fn task(state: &PortalState, held: &HeldTask) -> String {
    let desk = state.0.desk.clone();
    let presign: Presign = Arc::new(move |uri| desk.presign(uri));
    match render(&held.template, &held.task_input, presign).await {
        Ok(rendered) => format!("{HEAD}{}", rendered.html),
        Err(errors) => {
            tracing::warn!(
                job = held.job,
                code = errors[0].code,
                "the worker template could not be rendered"
            );
            apology(&errors)
        }
    }
}

/// Without a task there is nothing to show; the labeling view takes over when it is told the code.
fn refused(refusal: &Refusal) -> String {
    let (_, code) = refusal.status();
    let message = escaped(&refusal.message());
    format!("{HEAD}{SCRIPT}<crowd-task-problem code=\"{code}\"><p>{message}</p></crowd-task-problem>")
}

/// Says what is wrong with the template. `crowd-task-problem` tells the labeling view that only declining is left.
fn apology(errors: &[RenderError]) -> String {
    let messages: String = errors
        .iter()
        .map(|error| format!("<pre>{}</pre>", escaped(&error.message)))
        .collect();
    format!(
        "{HEAD}{SCRIPT}<crowd-task-problem>\
         <h1>This task cannot be shown</h1><p>The job’s template does not fit this item. You can decline it; \
         please show this message to the person who set up the job.</p>{messages}</crowd-task-problem>"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
