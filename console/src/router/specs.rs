//! A dataset's spec to edit, and what is wrong with a text that may become one.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::json;
use shared::layout::{self, InputKey};
use shared::name::DatasetName;
use shared::port::{Bucket, Store as _, StoreError};
use shared::spec::{MAX_BYTES, Spec};

use super::state::{Console, ConsoleState, bad_gateway, dataset_name};
use crate::gate::refuse;
use crate::model::team_size::StaffingNeeds;
use crate::starter::{StarterKind, starter_spec};

/// The team suggested where there is none yet.
const EXAMPLE_TEAM: &str = "my-team";
const MAX_SPEC_BYTES: u64 = MAX_BYTES as u64;

/// The dataset's spec to edit: its own, or a starter spec made for the files that were dropped.
pub(super) async fn edit(State(console): ConsoleState, Path(dataset): Path<String>) -> Response {
    let dataset = match dataset_name(&dataset) {
        Ok(dataset) => dataset,
        Err(refusal) => return refusal,
    };
    let key = layout::spec_input(&dataset);
    let range = Some(0..MAX_SPEC_BYTES + 1);
    let (text, exists) = match console.store.get(Bucket::Input, &key, range).await {
        Ok(Some(own)) if own.size > MAX_SPEC_BYTES => {
            let message = "The dataset's labeling.yaml is too large to edit here.";
            return refuse(StatusCode::BAD_GATEWAY, message);
        }
        Ok(Some(own)) => (String::from_utf8_lossy(&own.bytes).into_owned(), true),
        Ok(None) => match suggestion(&console, &dataset).await {
            Ok(text) => (text, false),
            Err(error) => return bad_gateway(&error),
        },
        Err(error) => return bad_gateway(&error),
    };
    Json(json!({ "text": text, "exists": exists })).into_response()
}

async fn suggestion(console: &Console, dataset: &DatasetName) -> Result<String, StoreError> {
    let files = first_keys(console, &layout::dataset_prefix(dataset)).await?;
    let teams = first_keys(console, &format!("{}/", layout::TEAMS)).await?;
    let team = teams.iter().find_map(|key| match InputKey::parse(key) {
        InputKey::Team(team) => Some(team.to_string()),
        _ => None,
    });
    let team = team.or_else(|| console.config.hints.team.clone());
    let kind = StarterKind::of_files(files.iter().map(String::as_str));
    Ok(starter_spec(kind, team.as_deref().unwrap_or(EXAMPLE_TEAM)))
}

/// One page of keys says enough of what a dataset is.
async fn first_keys(console: &Console, prefix: &str) -> Result<Vec<String>, StoreError> {
    let page = console.store.list(Bucket::Input, prefix, false, None).await?;
    Ok(page.objects.into_iter().map(|object| object.key).collect())
}

/// `warning`: the spec is fine, but its team has too few people for it.
pub(super) async fn check(State(console): ConsoleState, text: Bytes) -> Response {
    match Spec::parse(&text) {
        Ok(spec) => {
            let shortage = console.live.shortage(&StaffingNeeds::of(&spec));
            let warning = shortage.map(|shortage| shortage.to_string());
            Json(json!({ "ok": true, "warning": warning })).into_response()
        }
        Err(error) => Json(json!({
            "ok": false,
            "line": error.line,
            "column": error.column,
            "message": error.message,
            "hint": error.hint,
        }))
        .into_response(),
    }
}
