//! The labeling API: SageMaker's labeling operations in its own protocol, awsJson1.1. Requests are authenticated before they
//! get here.

mod context;
mod error;
mod job_slots;
mod jobs;
mod list_jobs;
mod model;
mod operation;
mod paging;
mod render;
mod reply;
mod shapes;
mod tag_list;
mod tags;
mod teams;
mod workforces;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::Value;

pub(crate) use context::Api;
use error::{ApiError, Result};
use operation::Operation;

/// RenderUiTemplate takes two texts of 128,000 characters, escaped.
const MAX_BODY: usize = 4 * 1024 * 1024;

impl Api {
    pub(crate) fn router(self) -> Router {
        Router::new()
            .fallback(respond)
            .layer(DefaultBodyLimit::max(MAX_BODY))
            .with_state(self)
    }
}

async fn respond(State(api): State<Api>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers
        .get("x-amz-target")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    reply::reply(call(&api, target, &body).await)
}

async fn call(api: &Api, target: &str, body: &[u8]) -> Result<Value> {
    let Some(name) = target.strip_prefix("SageMaker.") else {
        return Err(ApiError::unknown_operation(target));
    };
    let operation = Operation::from_name(name).ok_or_else(|| ApiError::unsupported_operation(name))?;
    let request = model::read(operation.shape(), body)?;
    match operation {
        Operation::CreateLabelingJob => jobs::create(api, request).await,
        Operation::DescribeLabelingJob => jobs::describe(api, &request).await,
        Operation::StopLabelingJob => jobs::stop(api, &request).await,
        Operation::ListLabelingJobs => list_jobs::list(api, &request).await,
        Operation::ListLabelingJobsForWorkteam => list_jobs::list_of_team(api, &request).await,
        Operation::CreateWorkteam => teams::create(api, request).await,
        Operation::UpdateWorkteam => teams::update(api, request).await,
        Operation::DescribeWorkteam => teams::describe(api, &request).await,
        Operation::DeleteWorkteam => teams::delete(api, &request).await,
        Operation::ListWorkteams => teams::list(api, &request).await,
        Operation::CreateWorkforce => workforces::create(api, request).await,
        Operation::UpdateWorkforce => workforces::update(api, request).await,
        Operation::DescribeWorkforce => workforces::describe(api, &request).await,
        Operation::DeleteWorkforce => workforces::delete(api, &request).await,
        Operation::ListWorkforces => workforces::list(api, &request).await,
        Operation::RenderUiTemplate => render::render(api, &request).await,
        Operation::AddTags => tags::add(api, &request).await,
        Operation::ListTags => tags::list(api, &request).await,
        Operation::DeleteTags => tags::delete(api, &request).await,
    }
}

#[cfg(test)]
mod tests;
