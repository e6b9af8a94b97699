//! A CreateLabelingJob request, read into checked types. Its form (lengths, patterns) was checked before by the API model's
//! tables. Here are the rules between members, and what this engine supports.

use serde::Deserialize;

use super::task::TaskType;
use crate::state::Address;

/// Thirty days: the documented default and maximum of TaskAvailabilityLifetimeInSeconds for a private work team.
const MAX_AVAILABILITY: u32 = 2_592_000;
/// Eight hours: the documented maximum of TaskTimeLimitInSeconds for image and text tasks.
const MAX_TIME_LIMIT: u32 = 28_800;
/// The documented default of MaxConcurrentTaskCount.
const DEFAULT_WINDOW: u32 = 1000;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct JobSpec {
    pub(crate) name: String,
    pub(crate) attribute: String,
    pub(crate) task: TaskType,
    pub(crate) manifest: Address,
    pub(crate) categories: Address,
    pub(crate) template: Address,
    /// Where `<job name>/...` is written: bucket, and a key prefix that is empty or ends with a slash.
    pub(crate) output: Address,
    pub(crate) team_arn: String,
    /// The last part of the ARN.
    pub(crate) team: String,
    pub(crate) role_arn: String,
    pub(crate) title: String,
    pub(crate) description: String,
    /// Different people for each item.
    pub(crate) workers: u32,
    /// Seconds a worker has for one task.
    pub(crate) time_limit: u32,
    /// Seconds for which tasks are handed out.
    pub(crate) availability: u32,
    /// Items that may be in work at once.
    pub(crate) window: u32,
    pub(crate) max_objects: Option<u32>,
    pub(crate) max_percent: Option<u32>,
}

/// Why a well-formed request cannot become a job; the text of a ValidationException.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct SpecError(pub(crate) String);

fn refuse<T>(message: impl Into<String>) -> Result<T, SpecError> {
    Err(SpecError(message.into()))
}

fn refuse_unsupported<T>(what: &str, why: &str) -> Result<T, SpecError> {
    refuse(format!("{what} is not supported by this labeling engine: {why}."))
}

impl JobSpec {
    pub(crate) fn from_request(request: &serde_json::Value) -> Result<JobSpec, SpecError> {
        let raw = Request::deserialize(request)
            .map_err(|error| SpecError(format!("Could not read the request: {error}")))?;
        raw.refuse_unsupported_members()?;
        raw.check_attribute()?;
        let task = raw.task()?;
        let human = raw.human_task_config;
        Ok(JobSpec {
            team: private_team(&human.workteam_arn)?,
            manifest: object("InputConfig.DataSource.S3DataSource.ManifestS3Uri", &raw.input_config.manifest()?)?,
            categories: object("LabelCategoryConfigS3Uri", &raw.label_category_config_s3_uri.ok_or_else(|| {
                SpecError("LabelCategoryConfigS3Uri is required for built-in classification tasks: it names the labels.".into())
            })?)?,
            template: object("HumanTaskConfig.UiConfig.UiTemplateS3Uri", &human.ui_config.template()?)?,
            output: folder(&raw.output_config.s3_output_path)?,
            name: raw.labeling_job_name,
            attribute: raw.label_attribute_name,
            task,
            team_arn: human.workteam_arn,
            role_arn: raw.role_arn,
            title: human.task_title,
            description: human.task_description,
            workers: human.number_of_human_workers_per_data_object,
            time_limit: at_most("TaskTimeLimitInSeconds", human.task_time_limit_in_seconds, MAX_TIME_LIMIT)?,
            availability: at_most(
                "TaskAvailabilityLifetimeInSeconds",
                human.task_availability_lifetime_in_seconds.unwrap_or(MAX_AVAILABILITY),
                MAX_AVAILABILITY,
            )?,
            window: human.max_concurrent_task_count.unwrap_or(DEFAULT_WINDOW),
            max_objects: raw.stopping_conditions.max_human_labeled_object_count,
            max_percent: raw.stopping_conditions.max_percentage_of_input_dataset_labeled,
        })
    }

    /// The most items to label, of this many.
    pub(crate) fn limit(&self, total: u32) -> u32 {
        let by_percent = self
            .max_percent
            .map(|percent| (u64::from(total) * u64::from(percent)).div_ceil(100) as u32);
        [self.max_objects, by_percent]
            .into_iter()
            .flatten()
            .fold(total, u32::min)
    }

    /// `labeling-job/<name>` in lower case: how job names look in ARNs and in real output.
    pub(crate) fn job_name_in_output(&self) -> String {
        format!("labeling-job/{}", self.name.to_ascii_lowercase())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    labeling_job_name: String,
    label_attribute_name: String,
    input_config: InputConfig,
    output_config: OutputConfig,
    role_arn: String,
    label_category_config_s3_uri: Option<String>,
    #[serde(default)]
    stopping_conditions: StoppingConditions,
    labeling_job_algorithms_config: Option<serde_json::Value>,
    human_task_config: HumanTaskConfig,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InputConfig {
    data_source: DataSource,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DataSource {
    s3_data_source: Option<S3DataSource>,
    sns_data_source: Option<serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct S3DataSource {
    manifest_s3_uri: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OutputConfig {
    s3_output_path: String,
    kms_key_id: Option<String>,
    sns_topic_arn: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StoppingConditions {
    max_human_labeled_object_count: Option<u32>,
    max_percentage_of_input_dataset_labeled: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HumanTaskConfig {
    workteam_arn: String,
    ui_config: UiConfig,
    pre_human_task_lambda_arn: Option<String>,
    annotation_consolidation_config: Option<ConsolidationConfig>,
    task_title: String,
    task_description: String,
    number_of_human_workers_per_data_object: u32,
    task_time_limit_in_seconds: u32,
    task_availability_lifetime_in_seconds: Option<u32>,
    max_concurrent_task_count: Option<u32>,
    public_workforce_task_price: Option<serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UiConfig {
    ui_template_s3_uri: Option<String>,
    human_task_ui_arn: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ConsolidationConfig {
    annotation_consolidation_lambda_arn: String,
}

impl Request {
    fn refuse_unsupported_members(&self) -> Result<(), SpecError> {
        if self.input_config.data_source.sns_data_source.is_some() {
            return refuse_unsupported(
                "InputConfig.DataSource.SnsDataSource",
                "it has no streaming labeling jobs; give S3DataSource",
            );
        }
        if self.output_config.sns_topic_arn.is_some() {
            return refuse_unsupported(
                "OutputConfig.SnsTopicArn",
                "it publishes the end of a job, not single objects",
            );
        }
        if self.output_config.kms_key_id.is_some() {
            return refuse_unsupported(
                "OutputConfig.KmsKeyId",
                "it has no keys to encrypt with; leave it out, and encrypt the bucket",
            );
        }
        if self.labeling_job_algorithms_config.is_some() {
            return refuse_unsupported(
                "LabelingJobAlgorithmsConfig",
                "it has no automated data labeling; leave it out",
            );
        }
        if self.human_task_config.public_workforce_task_price.is_some() {
            return refuse_unsupported(
                "HumanTaskConfig.PublicWorkforceTaskPrice",
                "it supports private work teams only",
            );
        }
        Ok(())
    }

    /// API reference, LabelAttributeName. None of the tasks here writes its label to a separate object, which "-ref" is for.
    fn check_attribute(&self) -> Result<(), SpecError> {
        let name = &self.label_attribute_name;
        if name.ends_with("-metadata") {
            return refuse(format!(
                "LabelAttributeName {name} must not end with \"-metadata\"."
            ));
        }
        if name.ends_with("-ref") {
            return refuse(format!(
                "LabelAttributeName {name} must not end with \"-ref\" for this task type."
            ));
        }
        if name == "source" {
            return refuse(
                "LabelAttributeName must not be \"source\": it is a reserved attribute of the input manifest.",
            );
        }
        Ok(())
    }

    fn task(&self) -> Result<TaskType, SpecError> {
        let human = &self.human_task_config;
        let pre = human.pre_human_task_lambda_arn.as_deref();
        let acs = human
            .annotation_consolidation_config
            .as_ref()
            .map(|c| c.annotation_consolidation_lambda_arn.as_str());
        let (Some(pre), Some(acs)) = (pre, acs) else {
            return refuse_unsupported(
                "A labeling job without PreHumanTaskLambdaArn and AnnotationConsolidationLambdaArn (a custom task)",
                "give the two ARNs of a built-in task",
            );
        };
        match (suffix(pre, "PRE-"), suffix(acs, "ACS-")) {
            (Some(pre), Some(acs)) if pre != acs => refuse(format!(
                "PreHumanTaskLambdaArn is for the task {pre}, AnnotationConsolidationLambdaArn for {acs}: give a pair."
            )),
            (Some(task), Some(_)) => TaskType::from_suffix(task).map_or_else(
                || {
                    refuse_unsupported(
                        &format!("The task {task}"),
                        "it supports the text and image classification tasks",
                    )
                },
                Ok,
            ),
            _ => refuse_unsupported(
                "A custom Lambda function",
                "give the PRE- and ACS- ARNs of a built-in task",
            ),
        }
    }
}

impl InputConfig {
    fn manifest(&self) -> Result<String, SpecError> {
        match &self.data_source.s3_data_source {
            Some(source) => Ok(source.manifest_s3_uri.clone()),
            None => refuse("InputConfig.DataSource needs an S3DataSource."),
        }
    }
}

impl UiConfig {
    fn template(&self) -> Result<String, SpecError> {
        match (&self.ui_template_s3_uri, &self.human_task_ui_arn) {
            (Some(uri), None) => Ok(uri.clone()),
            (Some(_), Some(_)) => refuse("UiConfig takes UiTemplateS3Uri or HumanTaskUiArn, not both."),
            (None, Some(_)) => refuse(
                "UiConfig needs UiTemplateS3Uri for this task type; HumanTaskUiArn is for other types.",
            ),
            (None, None) => refuse("UiConfig needs UiTemplateS3Uri."),
        }
    }
}

/// The part of a Lambda ARN's function name after `PRE-` or `ACS-`.
fn suffix<'a>(arn: &'a str, prefix: &str) -> Option<&'a str> {
    arn.split(':').nth(6)?.strip_prefix(prefix)
}

/// `arn:aws:sagemaker:<region>:<account>:workteam/private-crowd/<name>`.
fn private_team(arn: &str) -> Result<String, SpecError> {
    let resource = arn.splitn(6, ':').nth(5).unwrap_or_default();
    match resource.strip_prefix("workteam/private-crowd/") {
        Some(name) if !name.is_empty() && !name.contains('/') => Ok(name.to_owned()),
        _ if resource.starts_with("workteam/public-crowd/")
            || resource.starts_with("workteam/vendor-crowd/") =>
        {
            refuse_unsupported(
                &format!("The work team {arn}"),
                "it supports private work teams only",
            )
        }
        _ => refuse(format!(
            "WorkteamArn {arn} is not the ARN of a private work team (…:workteam/private-crowd/<name>)."
        )),
    }
}

fn object(field: &str, uri: &str) -> Result<Address, SpecError> {
    Address::parse(uri).ok_or_else(|| {
        SpecError(format!(
            "{field} {uri:?} does not name an object in S3 (s3://bucket/key)."
        ))
    })
}

fn folder(uri: &str) -> Result<Address, SpecError> {
    let with_slash = format!("{}/", uri.trim_end_matches('/'));
    let bucket_alone = with_slash
        .strip_prefix("s3://")
        .and_then(|rest| rest.strip_suffix('/'))
        .filter(|rest| !rest.contains('/'));
    match bucket_alone {
        Some(bucket) if !bucket.is_empty() => Ok(Address::new(bucket, "")),
        _ => object("OutputConfig.S3OutputPath", &with_slash),
    }
}

fn at_most(field: &str, value: u32, max: u32) -> Result<u32, SpecError> {
    if value > max {
        return refuse(format!(
            "{field} is {value}; for image and text tasks with a private work team it is at most {max}."
        ));
    }
    Ok(value)
}

#[cfg(test)]
mod tests;
