//! Lists of labeling jobs: all of them, or those of one work team.

use serde_json::{Map, Value, json};

use super::context::Api;
use super::error::{ApiError, Result};
use super::jobs::add_progress;
use super::paging::{by_time, contains, is_within, page};
use super::reply::time;
use crate::core::Core;
use crate::state::{JobRecord, keys};

pub(super) async fn list(api: &Api, request: &Value) -> Result<Value> {
    let jobs = api.core.job_list.list().await?;
    let entries = jobs
        .into_iter()
        .filter(|job| matches_filters(job, request))
        .map(|job| (sort_key(&job, request), job));
    let (jobs, next) = page(entries.collect(), request)?;
    let summaries: Vec<Value> = jobs.iter().map(|job| summary(&api.core, job)).collect();
    Ok(json!({"LabelingJobSummaryList": summaries, "NextToken": next}))
}

pub(super) async fn list_of_team(api: &Api, request: &Value) -> Result<Value> {
    let arn = request["WorkteamArn"].as_str().unwrap_or_default();
    let name = arn.rsplit('/').next().unwrap_or_default();
    if api
        .core
        .documents
        .load::<Value>(&keys::team(name))
        .await?
        .is_none()
    {
        return Err(ApiError::not_found(format!(
            "The work team {arn} does not exist."
        )));
    }
    let reference = request["JobReferenceCodeContains"].as_str().unwrap_or_default();
    let jobs = api.core.job_list.list().await?.into_iter().filter(|job| {
        team(job) == arn
            && job.reference_code.contains(reference)
            && is_within(job.created, request, "CreationTime")
    });
    let (jobs, next) = page(
        jobs.map(|job| (by_time(job.created, &job.name), job)).collect(),
        request,
    )?;
    let summaries: Vec<Value> = jobs.iter().map(|job| summary_for_team(api, job)).collect();
    Ok(json!({"LabelingJobSummaryList": summaries, "NextToken": next}))
}

fn matches_filters(job: &JobRecord, request: &Value) -> bool {
    let status = request["StatusEquals"].as_str();
    contains(&job.name, request)
        && status.is_none_or(|status| status == job.status.name())
        && is_within(job.created, request, "CreationTime")
        && is_within(job.modified, request, "LastModifiedTime")
}

fn sort_key(job: &JobRecord, request: &Value) -> String {
    match request["SortBy"].as_str() {
        Some("Name") => job.name.to_ascii_lowercase(),
        Some("Status") => format!("{} {}", job.status.name(), by_time(job.created, &job.name)),
        _ => by_time(job.created, &job.name),
    }
}

fn team(job: &JobRecord) -> &str {
    job.request["HumanTaskConfig"]["WorkteamArn"]
        .as_str()
        .unwrap_or_default()
}

fn summary(core: &Core, job: &JobRecord) -> Value {
    let human = &job.request["HumanTaskConfig"];
    let mut summary = Map::from_iter([
        ("LabelingJobName".to_owned(), json!(job.name)),
        ("LabelingJobArn".to_owned(), json!(job.arn)),
        ("WorkteamArn".to_owned(), human["WorkteamArn"].clone()),
        (
            "PreHumanTaskLambdaArn".to_owned(),
            human["PreHumanTaskLambdaArn"].clone(),
        ),
        (
            "AnnotationConsolidationLambdaArn".to_owned(),
            human["AnnotationConsolidationConfig"]["AnnotationConsolidationLambdaArn"].clone(),
        ),
        ("InputConfig".to_owned(), job.request["InputConfig"].clone()),
    ]);
    add_progress(core, job, &mut summary);
    Value::Object(summary)
}

fn summary_for_team(api: &Api, job: &JobRecord) -> Value {
    let running = api.core.running_jobs.get(&job.name);
    let counters = running.map_or(job.counters, |running| running.index().counters());
    let total = counters.total_labeled + counters.failed + counters.unlabeled;
    json!({
        "LabelingJobName": job.name,
        "JobReferenceCode": job.reference_code,
        "WorkRequesterAccountId": api.core.location.account,
        "CreationTime": time(job.created),
        "LabelCounters": {"HumanLabeled": counters.human_labeled, "PendingHuman": counters.unlabeled, "Total": total},
        "NumberOfHumanWorkersPerDataObject": job.request["HumanTaskConfig"]["NumberOfHumanWorkersPerDataObject"],
    })
}

#[cfg(test)]
mod tests;
