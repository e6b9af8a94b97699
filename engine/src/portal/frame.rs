//! The page of one task: the job's template rendered for the item, for a sandboxed frame of the labeling view.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse, Response};
use http::StatusCode;
use http::header::CONTENT_SECURITY_POLICY;

use super::error::PortalError;
use super::session::SignedIn;
use super::state::PortalState;
use crate::desk::HeldTask;
use crate::html::escape;
use crate::render::{Presign, RenderError, render};

/// The beginning of every task's page. A template is a fragment: without this the browser would guess the charset.
const HEAD: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
    <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>Task</title>\
    <link rel=\"stylesheet\" href=\"/crowd/crowd-html-elements.css\"></head><body>\n";

const SCRIPT: &str = "<script src=\"/crowd/crowd-html-elements.js\"></script>";

/// Always a page: an error is shown where the person looks, and reported to the labeling view around the frame.
pub(super) async fn frame(
    State(state): State<PortalState>,
    signed_in: Result<SignedIn, PortalError>,
    Path(token): Path<String>,
) -> Response {
    let held = match signed_in {
        Ok(SignedIn(worker)) => {
            let held = state.desk.held_task(&worker, &token).await;
            held.map_err(PortalError::from)
        }
        Err(error) => Err(error),
    };
    let (status, page) = match held {
        Ok(held) => (StatusCode::OK, task_page(&state, &held).await),
        Err(error) => (error.status().0, error_page(&error)),
    };
    let policy = [(CONTENT_SECURITY_POLICY, state.frame_policy.clone())];
    (status, policy, Html(page)).into_response()
}

async fn task_page(state: &PortalState, held: &HeldTask) -> String {
    let desk = state.desk.clone();
    let presign: Presign = Arc::new(move |uri| {
        let desk = desk.clone();
        Box::pin(async move { desk.presign(&uri).await })
    });
    match render(&held.template, &held.task_input, presign).await {
        Ok(rendered) => format!("{HEAD}{}", rendered.html),
        Err(errors) => {
            let code = errors[0].code;
            tracing::warn!(job = held.job, code, "worker template cannot be rendered");
            template_error_page(&errors)
        }
    }
}

/// There is no task to show. The labeling view takes over when it gets the code.
fn error_page(error: &PortalError) -> String {
    let (_, code) = error.status();
    let message = escape(&error.message());
    format!("{HEAD}{SCRIPT}<crowd-task-problem code=\"{code}\"><p>{message}</p></crowd-task-problem>")
}

/// Shows what is wrong with the template. With `crowd-task-problem` the labeling view knows that the worker can only decline.
fn template_error_page(errors: &[RenderError]) -> String {
    let messages: String = errors
        .iter()
        .map(|error| format!("<pre>{}</pre>", escape(&error.message)))
        .collect();
    format!(
        "{HEAD}{SCRIPT}<crowd-task-problem>\
         <h1>This task cannot be shown</h1><p>The job’s template does not fit this item. You can decline the task. \
         Please show this message to the person who set up the job.</p>{messages}</crowd-task-problem>"
    )
}
