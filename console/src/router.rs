//! The console's addresses.

mod files;
mod specs;
mod state;
mod teams;

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::StatusCode;
use axum::response::sse::{KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde_json::json;

use self::state::{Console, ConsoleState, bad_gateway};
use crate::assets;
use crate::config::ConsoleConfig;
use crate::gate::{Gate, SIGN_OUT, guard, refuse};
use crate::model::crew::{PeopleQuery, find_people};

/// Everything under `/console`, guarded.
pub fn router(config: ConsoleConfig) -> Router {
    router_with_pages(config, Router::new())
}

/// The same, and other pages behind the same guard: only people who are signed in to the console see them.
pub fn router_with_pages(config: ConsoleConfig, pages: Router) -> Router {
    let gate = Arc::new(Gate::new(
        &config.secret,
        &config.public_url,
        config.outbox_url.as_deref(),
    ));
    // axum refuses a layer over no routes at all.
    let pages = match pages.has_routes() {
        true => pages.route_layer(axum::middleware::from_fn_with_state(gate.clone(), guard)),
        false => pages,
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
            put(files::upload).layer(DefaultBodyLimit::disable()),
        )
        .route("/console/api/spec/{dataset}", get(specs::edit))
        .route("/console/api/check-spec", post(specs::check))
        .route("/console/api/object", get(files::download))
        .route("/console/api/deadletters/{queue}/redrive", post(redrive))
        .route("/console/{*nothing}", get(no_such_page))
        .merge(teams::routes())
        // The guard answers this one itself: it knows whose session ends.
        .route(SIGN_OUT, post(no_such_page))
        .route_layer(axum::middleware::from_fn_with_state(gate, guard))
        .with_state(Arc::new(Console::new(config)))
        .merge(pages)
}

async fn page() -> Response {
    assets::page()
}

async fn no_such_page() -> Response {
    let text = "<p>There is nothing at this address. <a href=\"/console\">To the console</a></p>";
    (StatusCode::NOT_FOUND, assets::message_page("No such page", text)).into_response()
}

async fn asset(Path(name): Path<String>) -> Response {
    assets::asset(&name).unwrap_or_else(|| refuse(StatusCode::NOT_FOUND, "There is no such file."))
}

async fn model(State(console): ConsoleState) -> Response {
    match console.live.read().await {
        Ok(page) => Json(page).into_response(),
        Err(error) => bad_gateway(&error),
    }
}

async fn events(State(console): ConsoleState) -> Response {
    Sse::new(console.live.clone().events().await)
        .keep_alive(KeepAlive::default())
        .into_response()
}

/// One page of the people that match.
async fn people(State(console): ConsoleState, Query(query): Query<PeopleQuery>) -> Response {
    match console.live.people().await {
        Ok(people) => Json(find_people(&people, &query)).into_response(),
        Err(error) => bad_gateway(&error),
    }
}

async fn redrive(State(console): ConsoleState, Path(name): Path<String>) -> Response {
    let Some(queue) = console.config.queues.iter().find(|queue| queue.name == name) else {
        return refuse(StatusCode::NOT_FOUND, "There is no queue of that name.");
    };
    match console.sqs.redrive(&queue.dead_letter_url).await {
        Ok(()) => Json(json!({})).into_response(),
        Err(error) => bad_gateway(&error),
    }
}
