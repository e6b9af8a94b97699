//! From a spec and a batch to the labeling job: everything CreateLabelingJob is to be told, and the two files it
//! points to.

use crate::layout;
use crate::name::{BatchNumber, DatasetName, JobName, JobPrefix};
use crate::spec::{Label, Spec, StopAfter, Team, is_tag_char};
use crate::task;
use crate::template::{self, Images, MAX_CHARS};

/// CreateLabelingJob, in the labeling service's own words; checked against its limits when built.
#[derive(Clone, Debug, PartialEq)]
pub struct JobRequest {
    pub name: String,
    pub label_attribute: String,
    pub manifest_uri: String,
    /// `S3OutputPath`: the service adds `/<job name>/` itself.
    pub output_uri: String,
    pub output_kms_key: Option<String>,
    pub role_arn: String,
    pub label_categories_uri: String,
    /// StoppingConditions.
    pub max_human_labeled: Option<u32>,
    pub max_percentage: Option<u32>,
    pub workteam_arn: String,
    pub ui_template_uri: String,
    pub pre_lambda_arn: String,
    pub consolidation_lambda_arn: String,
    pub title: String,
    pub description: String,
    pub keywords: Vec<String>,
    pub workers_per_item: u32,
    /// Seconds.
    pub task_timeout: u32,
    /// TaskAvailabilityLifetimeInSeconds.
    pub task_expiration: u32,
    pub max_concurrent_tasks: u32,
    pub tags: Vec<(String, String)>,
}

/// Where Groundcrew runs, and with what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stack {
    pub region: String,
    pub account: String,
    /// `aws` but for the few Regions apart.
    pub partition: String,
    pub prefix: JobPrefix,
    pub input_bucket: String,
    pub output_bucket: String,
    pub labeling_role_arn: String,
}

/// A labeling job and the two files it points to, still to be written.
#[derive(Clone, Debug, PartialEq)]
pub struct JobPlan {
    pub request: JobRequest,
    /// Liquid HTML, for [`layout::job_template`].
    pub template: String,
    /// JSON, for [`layout::job_categories`].
    pub categories: String,
}

/// Why there can be no such job in this stack. None of these goes away by itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    #[error(
        "the labeling service has no built-in tasks in {region}: deploy the stack in one of {}",
        task::regions().collect::<Vec<_>>().join(", ")
    )]
    Region { region: String },
    #[error(
        "the work team {arn} is in another Region than this stack ({region}): name a work team of {region}"
    )]
    TeamRegion { arn: String, region: String },
    #[error("the worker page has more than {MAX_CHARS} characters: shorten the instructions")]
    TemplateTooLong,
    #[error(
        "the image {uri} cannot be shown in instructions: copy it to a key of letters, digits and `-_./`"
    )]
    Image { uri: String },
}

/// The job of a batch. The same input always gives the same plan, so that starting it twice starts it once.
pub fn plan(
    spec: &Spec,
    dataset: &DatasetName,
    batch: BatchNumber,
    stack: &Stack,
) -> Result<JobPlan, PlanError> {
    let images = Images::of(&stack.input_bucket, dataset);
    let template = template::render(spec, &images).map_err(|image| PlanError::Image { uri: image.0 })?;
    if template.chars().count() > MAX_CHARS {
        return Err(PlanError::TemplateTooLong);
    }
    Ok(JobPlan {
        request: request(spec, dataset, batch, stack)?,
        template,
        categories: categories(&spec.labels),
    })
}

fn request(
    spec: &Spec,
    dataset: &DatasetName,
    batch: BatchNumber,
    stack: &Stack,
) -> Result<JobRequest, PlanError> {
    let no_tasks = || PlanError::Region {
        region: stack.region.clone(),
    };
    let uri = |key: String| format!("s3://{}/{key}", stack.output_bucket);
    let (max_human_labeled, max_percentage) = match spec.stop_after {
        Some(StopAfter::Items(items)) => (Some(items), None),
        Some(StopAfter::Percent(percent)) => (None, Some(percent)),
        None => (None, None),
    };
    Ok(JobRequest {
        name: JobName::new(&stack.prefix, dataset, batch).to_string(),
        label_attribute: spec.label_attribute(dataset),
        manifest_uri: uri(layout::manifest(dataset, batch)),
        output_uri: uri(layout::LABELS.to_owned()),
        output_kms_key: spec.kms_key.clone(),
        role_arn: stack.labeling_role_arn.clone(),
        label_categories_uri: uri(layout::job_categories(dataset, batch)),
        max_human_labeled,
        max_percentage,
        workteam_arn: workteam_arn(&spec.team, stack)?,
        ui_template_uri: uri(layout::job_template(dataset, batch)),
        pre_lambda_arn: task::pre_lambda_arn(&stack.region, spec.task).ok_or_else(no_tasks)?,
        consolidation_lambda_arn: task::acs_lambda_arn(&stack.region, spec.task).ok_or_else(no_tasks)?,
        title: spec.title.clone(),
        description: spec.description.clone(),
        // Only the public workforce, which is closed, searched by them.
        keywords: Vec::new(),
        workers_per_item: spec.workers_per_item,
        task_timeout: whole_seconds(spec.task_timeout),
        task_expiration: whole_seconds(spec.task_expiration),
        max_concurrent_tasks: spec.max_concurrent_tasks,
        tags: tags(spec, dataset, batch),
    })
}

/// The spec's limits are days, far from what would be cut off here.
fn whole_seconds(duration: std::time::Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}

fn workteam_arn(team: &Team, stack: &Stack) -> Result<String, PlanError> {
    let Stack {
        region,
        account,
        partition,
        ..
    } = stack;
    match team {
        Team::Name(name) => Ok(format!(
            "arn:{partition}:sagemaker:{region}:{account}:workteam/private-crowd/{name}"
        )),
        Team::Arn(arn) if arn.split(':').nth(3) == Some(region) => Ok(arn.clone()),
        Team::Arn(arn) => Err(PlanError::TeamRegion {
            arn: arn.clone(),
            region: region.clone(),
        }),
    }
}

/// The spec's tags and two of our own, by which costs and jobs are found.
fn tags(spec: &Spec, dataset: &DatasetName, batch: BatchNumber) -> Vec<(String, String)> {
    let dataset = dataset
        .as_str()
        .chars()
        .map(|c| if is_tag_char(c) { c } else { '_' })
        .collect();
    let own = [
        ("groundcrew:dataset".to_owned(), dataset),
        ("groundcrew:batch".to_owned(), batch.to_string()),
    ];
    spec.tags.iter().cloned().chain(own).collect()
}

/// Label category configuration file, version 2018-11-28 (developer guide, "Create a labeling category
/// configuration file"). The guide's samples lack a comma; the service reads JSON.
fn categories(labels: &[Label]) -> String {
    let labels: Vec<_> = labels
        .iter()
        .map(|label| serde_json::json!({ "label": label.name }))
        .collect();
    serde_json::json!({ "document-version": "2018-11-28", "labels": labels }).to_string()
}
