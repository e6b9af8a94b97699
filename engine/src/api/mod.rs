//! The labeling API: the labeling operations of SageMaker in its own protocol, awsJson1.1. Who may call is decided before
//! requests get here.

mod error;
mod jobs;
mod list_jobs;
mod model;
mod paging;
mod places;
mod render;
mod reply;
mod shapes;
mod tags;
mod teams;
mod workforces;

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::Value;
use tokio::sync::Mutex;
use tokio_util::sync::DropGuard;

use crate::core::Core;
use error::{ApiError, Result};
use model::Shape;

/// RenderUiTemplate takes two texts of 128,000 characters, escaped.
const MAX_BODY: usize = 4 * 1024 * 1024;

#[derive(Clone)]
pub(crate) struct Api {
    core: Arc<Core>,
    /// Creating a job counts the running ones first: one at a time.
    creating: Arc<Mutex<()>>,
    _alive: Arc<DropGuard>,
}

impl Api {
    pub(crate) fn new(core: Arc<Core>, alive: Arc<DropGuard>) -> Api {
        Api {
            core,
            creating: Arc::default(),
            _alive: alive,
        }
    }

    pub(crate) fn router(self) -> Router {
        Router::new()
            .fallback(answer)
            .layer(DefaultBodyLimit::max(MAX_BODY))
            .with_state(self)
    }
}

async fn answer(State(api): State<Api>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers
        .get("x-amz-target")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    reply::reply(call(&api, target, &body).await)
}

async fn call(api: &Api, target: &str, body: &[u8]) -> Result<Value> {
    let Some(operation) = target.strip_prefix("SageMaker.") else {
        return Err(ApiError::unknown_operation(target));
    };
    let read = |shape: &Shape| model::read(shape, body);
    match operation {
        "CreateLabelingJob" => jobs::create(api, read(&shapes::CREATE_LABELING_JOB)?).await,
        "DescribeLabelingJob" => jobs::describe(api, &read(&shapes::LABELING_JOB)?).await,
        "StopLabelingJob" => jobs::stop(api, &read(&shapes::LABELING_JOB)?).await,
        "ListLabelingJobs" => list_jobs::all(api, &read(&shapes::LIST_LABELING_JOBS)?).await,
        "ListLabelingJobsForWorkteam" => {
            list_jobs::of_team(api, &read(&shapes::LIST_LABELING_JOBS_FOR_WORKTEAM)?).await
        }
        "CreateWorkteam" => teams::create(api, read(&shapes::CREATE_WORKTEAM)?).await,
        "UpdateWorkteam" => teams::update(api, read(&shapes::UPDATE_WORKTEAM)?).await,
        "DescribeWorkteam" => teams::describe(api, &read(&shapes::WORKTEAM)?).await,
        "DeleteWorkteam" => teams::delete(api, &read(&shapes::WORKTEAM)?).await,
        "ListWorkteams" => teams::list(api, &read(&shapes::LIST)?).await,
        "CreateWorkforce" => workforces::create(api, read(&shapes::CREATE_WORKFORCE)?).await,
        "UpdateWorkforce" => workforces::update(api, read(&shapes::UPDATE_WORKFORCE)?).await,
        "DescribeWorkforce" => workforces::describe(api, &read(&shapes::WORKFORCE)?).await,
        "DeleteWorkforce" => workforces::delete(api, &read(&shapes::WORKFORCE)?).await,
        "ListWorkforces" => workforces::list(api, &read(&shapes::LIST)?).await,
        "RenderUiTemplate" => render::render(api, &read(&shapes::RENDER_UI_TEMPLATE)?).await,
        "AddTags" => tags::add(api, &read(&shapes::ADD_TAGS)?).await,
        "ListTags" => tags::list(api, &read(&shapes::LIST_TAGS)?).await,
        "DeleteTags" => tags::delete(api, &read(&shapes::DELETE_TAGS)?).await,
        other => Err(ApiError::unsupported_operation(other)),
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_of_workforces;
