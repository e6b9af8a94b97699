//! Tags of labeling jobs, work teams and workforces: add, list, delete.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::context::Api;
use super::error::{ApiError, Result};
use super::{tag_list, workforces};
use crate::core::Core;
use crate::state::{JobRecord, Tag, TeamRecord, WorkforceRecord, keys};

/// "Each resource can have a maximum of 50 tags."
const MAX_TAGS: usize = 50;

pub(super) async fn add(api: &Api, request: &Value) -> Result<Value> {
    let new = tag_list::read(&request["Tags"]);
    let tags = change(&api.core, request, |tags| {
        for tag in &new {
            tags.retain(|known| known.key != tag.key);
            tags.push(tag.clone());
        }
    });
    Ok(json!({"Tags": tags.await?}))
}

pub(super) async fn delete(api: &Api, request: &Value) -> Result<Value> {
    let keys = request["TagKeys"].as_array().cloned().unwrap_or_default();
    change(&api.core, request, |tags| {
        tags.retain(|tag| !keys.iter().any(|key| *key == tag.key));
    })
    .await?;
    Ok(json!({}))
}

pub(super) async fn list(api: &Api, request: &Value) -> Result<Value> {
    let (key, kind) = resource(&api.core, request).await?;
    let document = api
        .core
        .documents
        .load::<Value>(&key)
        .await?
        .ok_or_else(|| unknown(request, kind))?;
    Ok(json!({"Tags": document.value["tags"]}))
}

async fn change(core: &Core, request: &Value, change: impl Fn(&mut Vec<Tag>)) -> Result<Vec<Tag>> {
    let (key, kind) = resource(core, request).await?;
    let change = |tags: &mut Vec<Tag>| {
        change(tags);
        match tags.len() {
            0..=MAX_TAGS => Ok(tags.clone()),
            n => Err(ApiError::validation(format!(
                "The resource would have {n} tags; at most {MAX_TAGS} are allowed."
            ))),
        }
    };
    let tags = match kind {
        ResourceKind::Job => update(core, &key, |job: &mut JobRecord| change(&mut job.tags)).await?,
        ResourceKind::Team => update(core, &key, |team: &mut TeamRecord| change(&mut team.tags)).await?,
        ResourceKind::Workforce => {
            let change = |workforce: &mut WorkforceRecord| change(&mut workforce.tags);
            update(core, &key, change).await?
        }
    };
    tags.ok_or_else(|| unknown(request, kind))
}

/// Changes a document; its tags after that.
async fn update<T: Serialize + DeserializeOwned>(
    core: &Core,
    key: &str,
    change: impl Fn(&mut T) -> Result<Vec<Tag>>,
) -> Result<Option<Vec<Tag>>> {
    let mut tags = Vec::new();
    let decide = |document: &mut T| {
        tags = change(document)?;
        Ok(())
    };
    let updated = core.documents.update(key, decide).await?;
    Ok(updated.map(|_| tags))
}

#[derive(Clone, Copy)]
enum ResourceKind {
    Job,
    Team,
    Workforce,
}

/// The key of the document behind a ResourceArn.
async fn resource(core: &Core, request: &Value) -> Result<(String, ResourceKind)> {
    let arn = request["ResourceArn"].as_str().unwrap_or_default();
    let mut parts = arn.splitn(6, ':').nth(5).unwrap_or_default().split('/');
    let (kind, name) = (
        parts.next().unwrap_or_default(),
        parts.next_back().unwrap_or_default(),
    );
    match kind {
        "labeling-job" => Ok((keys::job(name), ResourceKind::Job)),
        "workteam" => Ok((keys::team(name), ResourceKind::Team)),
        "workforce" => Ok((workforces::key(core, name).await?, ResourceKind::Workforce)),
        other => Err(ApiError::validation(format!(
            "Tagging {other:?} is not supported by this labeling engine: it has labeling jobs, work teams and workforces."
        ))),
    }
}

fn unknown(request: &Value, kind: ResourceKind) -> ApiError {
    let what = match kind {
        ResourceKind::Job => "labeling job",
        ResourceKind::Team => "work team",
        ResourceKind::Workforce => "workforce",
    };
    ApiError::validation(format!(
        "The {what} {} does not exist.",
        request["ResourceArn"].as_str().unwrap_or_default()
    ))
}
