//! Files that come into the input bucket, and results that are downloaded from the output bucket.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::json;
use shared::layout;
use shared::port::Bucket;
use tokio_util::io::ReaderStream;

use super::state::{ConsoleState, bad_gateway, bad_request};
use crate::gate::refuse;
use crate::upload::{self, UploadError, upload_key};

/// What may be downloaded of the output bucket.
const READABLE: [&str; 4] = [layout::RESULTS, layout::STATUS, layout::LABELS, layout::MANIFESTS];

pub(super) async fn upload(
    State(console): ConsoleState,
    Path((dataset, path)): Path<(String, String)>,
    body: Body,
) -> Response {
    let key = match upload_key(&dataset, &path) {
        Ok(key) => key,
        Err(error) => return bad_request(&error),
    };
    // In a task of its own: when the browser goes away, an upload that was begun is still aborted.
    let store = console.store.clone();
    let stored = tokio::spawn(async move { upload::store(&store, &key, body).await }).await;
    match stored {
        Ok(Ok(size)) => Json(json!({ "size": size })).into_response(),
        Ok(Err(error @ UploadError::Store(_))) => bad_gateway(&error),
        Ok(Err(error @ UploadError::TooLarge)) => refuse(StatusCode::PAYLOAD_TOO_LARGE, &error.to_string()),
        Ok(Err(error @ UploadError::Body(_))) => bad_request(&error),
        Err(_) => refuse(
            StatusCode::INTERNAL_SERVER_ERROR,
            "The upload stopped. Try it again.",
        ),
    }
}

#[derive(Deserialize)]
pub(super) struct ObjectQuery {
    key: String,
}

pub(super) async fn download(State(console): ConsoleState, Query(query): Query<ObjectQuery>) -> Response {
    let key = query.key;
    if !READABLE.iter().any(|prefix| key.starts_with(prefix)) {
        let message = format!("Only objects under {} can be read here.", READABLE.join(", "));
        return refuse(StatusCode::FORBIDDEN, &message);
    }
    match console.store.stream(Bucket::Output, &key).await {
        Ok(Some(bytes)) => {
            let body = Body::from_stream(ReaderStream::new(bytes.into_async_read()));
            (download_headers(&key), body).into_response()
        }
        Ok(None) => refuse(StatusCode::NOT_FOUND, "There is no such object."),
        Err(error) => bad_gateway(&error),
    }
}

/// Reports and summaries open as plain text; everything else is saved under a name made of its folders.
fn download_headers(key: &str) -> [(header::HeaderName, String); 3] {
    let is_shown = key.ends_with(".md") || key.ends_with(".json");
    let disposition = if is_shown { "inline" } else { "attachment" };
    let content_type = if is_shown {
        "text/plain; charset=utf-8"
    } else {
        "application/octet-stream"
    };
    let mut folders: Vec<&str> = key.rsplit('/').take(3).collect();
    folders.reverse();
    let name = utf8_percent_encode(&folders.join("-"), NON_ALPHANUMERIC).to_string();
    [
        (header::CONTENT_TYPE, content_type.to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("{disposition}; filename*=UTF-8''{name}"),
        ),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; sandbox".to_owned(),
        ),
    ]
}
