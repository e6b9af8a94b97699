//! The console's addresses.

mod teams;

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::sse::{KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::json;
use shared::layout;
use shared::name::DatasetName;
use shared::spec::Spec;
use tokio_util::io::ReaderStream;

use crate::config::ConsoleConfig;
use crate::gate::{Gate, SIGN_OUT, guard, refuse};
use crate::live::{About, Live};
use crate::model::crew::{Wanted, browse};
use crate::model::enough::Needs;
use crate::reader::Reader;
use crate::reason::reason;
use crate::starter::{Kind, starter};
use crate::{assets, dead_letters, upload};

/// What may be downloaded of the output bucket.
const READABLE: [&str; 4] = ["results/", "status/", layout::LABELS, layout::MANIFESTS];

/// A team to suggest where nobody has made one yet.
const SOME_TEAM: &str = "my-team";

struct Console {
    config: ConsoleConfig,
    s3: aws_sdk_s3::Client,
    sqs: aws_sdk_sqs::Client,
    live: Arc<Live>,
}

type Shared = State<Arc<Console>>;

/// Everything under `/console`, guarded.
pub fn router(config: ConsoleConfig) -> Router {
    router_beside(config, Router::new())
}

/// The same, and pages of others beside it, for whoever is signed in to the console alone.
pub fn router_beside(config: ConsoleConfig, others: Router) -> Router {
    let gate = Arc::new(Gate::new(
        &config.secret,
        &config.public_url,
        config.outbox_url.as_deref(),
    ));
    // A layer over no routes at all is a mistake to axum.
    let others = match others.has_routes() {
        true => others.route_layer(axum::middleware::from_fn_with_state(gate.clone(), guard)),
        false => others,
    };
    let about = About {
        portal_url: config.portal_url.clone(),
        outbox_url: config.outbox_url.clone(),
        input_bucket: config.input_bucket.clone(),
        hints: config.hints.clone(),
    };
    let console = Console {
        s3: config.s3(),
        sqs: aws_sdk_sqs::Client::new(&config.sdk),
        live: Live::new(Reader::new(&config), about, config.refresh),
        config,
    };
    Router::new()
        .route("/console", get(page))
        .route("/console/", get(page))
        .route("/console/assets/{name}", get(asset))
        .route("/console/api/model", get(model))
        .route("/console/api/events", get(events))
        .route("/console/api/people", get(people))
        .route(
            "/console/api/upload/{dataset}/{*path}",
            put(take_file).layer(DefaultBodyLimit::disable()),
        )
        .route("/console/api/spec/{dataset}", get(spec))
        .route("/console/api/check-spec", post(check_spec))
        .route("/console/api/object", get(object))
        .route("/console/api/deadletters/{queue}/redrive", post(redrive))
        .route("/console/{*nothing}", get(no_such_page))
        .merge(teams::routes())
        // The guard answers this one itself: it knows whose session ends.
        .route(SIGN_OUT, post(no_such_page))
        .route_layer(axum::middleware::from_fn_with_state(gate, guard))
        .with_state(Arc::new(console))
        .merge(others)
}

async fn page() -> Response {
    assets::page()
}

async fn no_such_page() -> Response {
    let text = "<p>There is nothing at this address. <a href=\"/console\">To the console</a></p>";
    (StatusCode::NOT_FOUND, assets::alone("No such page", text)).into_response()
}

async fn asset(Path(name): Path<String>) -> Response {
    assets::asset(&name).unwrap_or_else(|| refuse(StatusCode::NOT_FOUND, "There is no such file."))
}

async fn model(State(console): Shared) -> Response {
    match console.live.view().await {
        Ok(view) => Json(view).into_response(),
        Err(error) => refuse(StatusCode::BAD_GATEWAY, &error.to_string()),
    }
}

/// Some of the people: see [`Wanted`].
async fn people(State(console): Shared, Query(wanted): Query<Wanted>) -> Response {
    match console.live.people().await {
        Ok(people) => Json(browse(&people, &wanted)).into_response(),
        Err(error) => refuse(StatusCode::BAD_GATEWAY, &error.to_string()),
    }
}

async fn events(State(console): Shared) -> Response {
    Sse::new(console.live.clone().events().await)
        .keep_alive(KeepAlive::default())
        .into_response()
}

async fn take_file(
    State(console): Shared,
    Path((dataset, path)): Path<(String, String)>,
    body: Body,
) -> Response {
    let key = match upload::key(&dataset, &path) {
        Ok(key) => key,
        Err(error) => return refuse(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    // In a task of its own: when the browser goes away, what was begun is still taken back.
    let (s3, bucket) = (console.s3.clone(), console.config.input_bucket.clone());
    let stored = tokio::spawn(async move { upload::store(&s3, &bucket, &key, body).await }).await;
    match stored {
        Ok(Ok(size)) => Json(json!({ "size": size })).into_response(),
        Ok(Err(error @ upload::UploadError::S3(_))) => refuse(StatusCode::BAD_GATEWAY, &error.to_string()),
        Ok(Err(error @ upload::UploadError::TooLarge)) => {
            refuse(StatusCode::PAYLOAD_TOO_LARGE, &error.to_string())
        }
        Ok(Err(error)) => refuse(StatusCode::BAD_REQUEST, &error.to_string()),
        Err(_) => refuse(
            StatusCode::INTERNAL_SERVER_ERROR,
            "The upload stopped. Try it again.",
        ),
    }
}

/// The dataset's spec to edit: its own, or one made for what was dropped.
async fn spec(State(console): Shared, Path(dataset): Path<String>) -> Response {
    let dataset = match DatasetName::new(&dataset) {
        Ok(dataset) => dataset,
        Err(error) => return refuse(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    match spec_text(&console, &dataset).await {
        Ok((text, exists)) => Json(json!({ "text": text, "exists": exists })).into_response(),
        Err(reason) => refuse(StatusCode::BAD_GATEWAY, &reason),
    }
}

async fn spec_text(console: &Console, dataset: &DatasetName) -> Result<(String, bool), String> {
    let bucket = &console.config.input_bucket;
    let own = console
        .s3
        .get_object()
        .bucket(bucket)
        .key(layout::spec_input(dataset))
        .send()
        .await;
    match own {
        Ok(object) if object.content_length().unwrap_or(0) <= shared::spec::MAX_BYTES as i64 => {
            let bytes = object
                .body
                .collect()
                .await
                .map_err(|error| error.to_string())?
                .to_vec();
            return Ok((String::from_utf8_lossy(&bytes).into_owned(), true));
        }
        Ok(_) => return Err("The dataset's labeling.yaml is too large to edit here.".into()),
        Err(error) if error.as_service_error().is_some_and(|e| e.is_no_such_key()) => {}
        Err(error) => return Err(reason(&error)),
    }
    let files = first_keys(console, &layout::dataset_prefix(dataset)).await?;
    let teams = first_keys(console, "teams/").await?;
    let team = teams
        .iter()
        .find_map(|key| key.strip_prefix("teams/")?.strip_suffix(".yaml"));
    let team = team.or(console.config.hints.team.as_deref()).unwrap_or(SOME_TEAM);
    let kind = Kind::of(files.iter().map(String::as_str));
    Ok((starter(kind, team), false))
}

async fn first_keys(console: &Console, prefix: &str) -> Result<Vec<String>, String> {
    let page = console
        .s3
        .list_objects_v2()
        .bucket(&console.config.input_bucket)
        .prefix(prefix)
        .send()
        .await;
    let page = page.map_err(|error| reason(&error))?;
    Ok(page
        .contents()
        .iter()
        .filter_map(|object| object.key().map(str::to_owned))
        .collect())
}

/// `warning`: the spec is fine, and its team too small for it.
async fn check_spec(State(console): Shared, text: Bytes) -> Response {
    match Spec::parse(&text) {
        Ok(spec) => {
            let lacking = console.live.lacking(&Needs::of(&spec));
            let warning = lacking.map(|lacking| lacking.to_string());
            Json(json!({ "ok": true, "warning": warning })).into_response()
        }
        Err(error) => {
            let (line, column) = (error.line, error.column);
            let answer = json!({ "ok": false, "line": line, "column": column, "message": error.message, "hint": error.hint });
            Json(answer).into_response()
        }
    }
}

#[derive(Deserialize)]
struct ObjectQuery {
    key: String,
}

async fn object(State(console): Shared, Query(query): Query<ObjectQuery>) -> Response {
    let key = query.key;
    if !READABLE.iter().any(|prefix| key.starts_with(prefix)) {
        let message = format!("Only objects under {} can be read here.", READABLE.join(", "));
        return refuse(StatusCode::FORBIDDEN, &message);
    }
    let object = console
        .s3
        .get_object()
        .bucket(&console.config.output_bucket)
        .key(&key)
        .send()
        .await;
    match object {
        Ok(object) => {
            let body = Body::from_stream(ReaderStream::new(object.body.into_async_read()));
            (download_headers(&key), body).into_response()
        }
        Err(error) if error.as_service_error().is_some_and(|e| e.is_no_such_key()) => {
            refuse(StatusCode::NOT_FOUND, "There is no such object.")
        }
        Err(error) => refuse(StatusCode::BAD_GATEWAY, &reason(&error)),
    }
}

/// Reports and summaries open as plain text, everything else is saved, named by the folders it lay in.
fn download_headers(key: &str) -> [(header::HeaderName, String); 3] {
    let shown = key.ends_with(".md") || key.ends_with(".json");
    let way = if shown { "inline" } else { "attachment" };
    let mut folders: Vec<&str> = key.rsplit('/').take(3).collect();
    folders.reverse();
    let name = utf8_percent_encode(&folders.join("-"), NON_ALPHANUMERIC).to_string();
    let kind = if shown {
        "text/plain; charset=utf-8"
    } else {
        "application/octet-stream"
    };
    [
        (header::CONTENT_TYPE, kind.to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("{way}; filename*=UTF-8''{name}"),
        ),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; sandbox".to_owned(),
        ),
    ]
}

async fn redrive(State(console): Shared, Path(name): Path<String>) -> Response {
    let Some(queue) = console.config.queues.iter().find(|queue| queue.name == name) else {
        return refuse(StatusCode::NOT_FOUND, "There is no queue of that name.");
    };
    match dead_letters::redrive(&console.sqs, queue).await {
        Ok(()) => Json(json!({})).into_response(),
        Err(error) => refuse(StatusCode::BAD_GATEWAY, &error.to_string()),
    }
}
