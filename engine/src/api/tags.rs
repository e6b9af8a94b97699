//! Tags of labeling jobs, work teams and workforces.

use serde_json::{Value, json};

use super::Api;
use super::error::{ApiError, Result};
use super::workforces;
use crate::core::Core;
use crate::state::{JobRecord, Tag, TeamRecord, WorkforceRecord, keys};

/// "Each resource can have a maximum of 50 tags."
const MAX_TAGS: usize = 50;

/// The `Tags` of a request that creates something, out of the request.
pub(super) fn take(request: &mut Value) -> Result<Vec<Tag>> {
    let given = request
        .as_object_mut()
        .and_then(|request| request.shift_remove("Tags"));
    let tags = read(&given.unwrap_or_default());
    let mut keys: Vec<&str> = tags.iter().map(|tag| tag.key.as_str()).collect();
    keys.sort_unstable();
    match keys.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(ApiError::validation(format!(
            "The tag key {} is given twice.",
            pair[0]
        ))),
        None => Ok(tags),
    }
}

pub(super) async fn add(api: &Api, request: &Value) -> Result<Value> {
    let new = read(&request["Tags"]);
    let tags = change(&api.core, request, |tags| {
        for tag in &new {
            tags.retain(|known| known.key != tag.key);
            tags.push(tag.clone());
        }
    });
    Ok(json!({"Tags": tags.await?}))
}

pub(super) async fn delete(api: &Api, request: &Value) -> Result<Value> {
    let gone = request["TagKeys"].as_array().cloned().unwrap_or_default();
    change(&api.core, request, |tags| {
        tags.retain(|tag| !gone.iter().any(|key| *key == tag.key));
    })
    .await?;
    Ok(json!({}))
}

pub(super) async fn list(api: &Api, request: &Value) -> Result<Value> {
    let (key, kind) = resource(&api.core, request).await?;
    let found = api
        .core
        .documents
        .load::<Value>(&key)
        .await?
        .ok_or_else(|| unknown(request, kind))?;
    Ok(json!({"Tags": found.value["tags"]}))
}

async fn change(core: &Core, request: &Value, change: impl Fn(&mut Vec<Tag>)) -> Result<Vec<Tag>> {
    let (key, kind) = resource(core, request).await?;
    let change = |tags: &mut Vec<Tag>| {
        change(tags);
        match tags.len() {
            0..=MAX_TAGS => Ok(()),
            n => Err(ApiError::validation(format!(
                "The resource would have {n} tags; at most {MAX_TAGS} are allowed."
            ))),
        }
    };
    let tags = match kind {
        Kind::Job => core
            .documents
            .update(&key, |job: &mut JobRecord| change(&mut job.tags))
            .await?
            .map(|s| s.value.tags),
        Kind::Team => core
            .documents
            .update(&key, |team: &mut TeamRecord| change(&mut team.tags))
            .await?
            .map(|s| s.value.tags),
        Kind::Workforce => {
            let changed = core
                .documents
                .update(&key, |workforce: &mut WorkforceRecord| {
                    change(&mut workforce.tags)
                })
                .await?;
            changed.map(|stored| stored.value.tags)
        }
    };
    tags.ok_or_else(|| unknown(request, kind))
}

#[derive(Clone, Copy)]
enum Kind {
    Job,
    Team,
    Workforce,
}

/// Key of the document behind a ResourceArn.
async fn resource(core: &Core, request: &Value) -> Result<(String, Kind)> {
    let arn = request["ResourceArn"].as_str().unwrap_or_default();
    let mut parts = arn.splitn(6, ':').nth(5).unwrap_or_default().split('/');
    let (kind, name) = (
        parts.next().unwrap_or_default(),
        parts.next_back().unwrap_or_default(),
    );
    match kind {
        "labeling-job" => Ok((keys::job(name), Kind::Job)),
        "workteam" => Ok((keys::team(name), Kind::Team)),
        "workforce" => Ok((workforces::key(core, name).await?, Kind::Workforce)),
        other => Err(ApiError::validation(format!(
            "Tagging {other:?} is not supported by this labeling engine: it has labeling jobs, work teams and workforces."
        ))),
    }
}

fn read(tags: &Value) -> Vec<Tag> {
    serde_json::from_value(tags.clone()).unwrap_or_default()
}

fn unknown(request: &Value, kind: Kind) -> ApiError {
    let what = match kind {
        Kind::Job => "labeling job",
        Kind::Team => "work team",
        Kind::Workforce => "workforce",
    };
    ApiError::validation(format!(
        "The {what} {} does not exist.",
        request["ResourceArn"].as_str().unwrap_or_default()
    ))
}
