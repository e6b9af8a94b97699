//! The labeling service, through the AWS SDK: Ground Truth, or the service at `AWS_ENDPOINT_URL_SAGEMAKER`.

use aws_sdk_sagemaker::Client;
use aws_sdk_sagemaker::config::http::HttpResponse;
use aws_sdk_sagemaker::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sagemaker::operation::create_labeling_job::CreateLabelingJobError;
use aws_sdk_sagemaker::operation::create_labeling_job::builders::CreateLabelingJobFluentBuilder;
use aws_sdk_sagemaker::operation::describe_labeling_job::{
    DescribeLabelingJobError, DescribeLabelingJobOutput,
};
use aws_sdk_sagemaker::primitives::DateTime;
use aws_sdk_sagemaker::types::{
    AnnotationConsolidationConfig, HumanTaskConfig, LabelCounters, LabelingJobDataSource,
    LabelingJobInputConfig, LabelingJobOutputConfig, LabelingJobS3DataSource, LabelingJobStatus,
    LabelingJobStoppingConditions, LabelingJobSummary, SortBy, SortOrder, Tag, UiConfig,
};
use jiff::Timestamp;
use shared::port::JobRequest;
use shared::port::{
    CreateJobOutcome, JobCounters, JobDescription, JobListing, JobState, Labeling, LabelingError, Offer,
};

use crate::failure::Failure;
use crate::lazy_client::LazyClient;
use crate::sdk::Sdk;

pub mod admin;

/// [`Labeling`] over SageMaker's API.
#[derive(Debug)]
pub struct GroundTruth {
    client: LazyClient<Client>,
}

impl GroundTruth {
    pub fn new(sdk: Sdk) -> Self {
        Self {
            client: LazyClient::new(sdk, Client::new),
        }
    }
}

impl Labeling for GroundTruth {
    async fn create(&self, request: &JobRequest) -> Result<CreateJobOutcome, LabelingError> {
        match create_call(self.client.get().await, request).send().await {
            Ok(output) => Ok(CreateJobOutcome::Created {
                arn: output.labeling_job_arn.unwrap_or_default(),
            }),
            Err(error) => not_created(&error),
        }
    }

    async fn describe(&self, name: &str) -> Result<Option<JobDescription>, LabelingError> {
        Ok(self.details(name).await?.map(|details| details.description))
    }

    async fn list(
        &self,
        name_contains: &str,
        since: Option<Timestamp>,
    ) -> Result<Vec<JobListing>, LabelingError> {
        let mut jobs = Vec::new();
        let mut token = None;
        loop {
            let call = self
                .client
                .get()
                .await
                .list_labeling_jobs()
                .name_contains(name_contains)
                .max_results(100);
            let call = call
                .sort_by(SortBy::CreationTime)
                .sort_order(SortOrder::Descending);
            let call = call.set_creation_time_after(since.map(|t| DateTime::from_secs(t.as_second())));
            let page = call
                .set_next_token(token)
                .send()
                .await
                .map_err(|e| Failure::of("ListLabelingJobs", &e))?;
            jobs.extend(
                page.labeling_job_summary_list
                    .unwrap_or_default()
                    .iter()
                    .map(listing),
            );
            token = page.next_token;
            if token.is_none() {
                return Ok(jobs);
            }
        }
    }
}

fn create_call(client: &Client, request: &JobRequest) -> CreateLabelingJobFluentBuilder {
    let call = client
        .create_labeling_job()
        .labeling_job_name(&request.name)
        .label_attribute_name(&request.label_attribute)
        .input_config(input(request))
        .output_config(output(request))
        .role_arn(&request.role_arn)
        .label_category_config_s3_uri(&request.label_categories_uri)
        .set_stopping_conditions(stopping_conditions(request))
        .human_task_config(human_task(request));
    let tags = request
        .tags
        .iter()
        .map(|(key, value)| Tag::builder().key(key).value(value).build());
    let tags: Vec<Tag> = tags.collect();
    call.set_tags((!tags.is_empty()).then_some(tags))
}

fn input(request: &JobRequest) -> LabelingJobInputConfig {
    let manifest = LabelingJobS3DataSource::builder()
        .manifest_s3_uri(&request.manifest_uri)
        .build();
    let source = LabelingJobDataSource::builder().s3_data_source(manifest).build();
    LabelingJobInputConfig::builder().data_source(source).build()
}

fn output(request: &JobRequest) -> LabelingJobOutputConfig {
    LabelingJobOutputConfig::builder()
        .s3_output_path(&request.output_uri)
        .set_kms_key_id(request.output_kms_key.clone())
        .build()
}

fn stopping_conditions(request: &JobRequest) -> Option<LabelingJobStoppingConditions> {
    if request.max_human_labeled.is_none() && request.max_percentage.is_none() {
        return None;
    }
    let conditions = LabelingJobStoppingConditions::builder()
        .set_max_human_labeled_object_count(request.max_human_labeled.map(int))
        .set_max_percentage_of_input_dataset_labeled(request.max_percentage.map(int));
    Some(conditions.build())
}

fn human_task(request: &JobRequest) -> HumanTaskConfig {
    let consolidation = AnnotationConsolidationConfig::builder()
        .annotation_consolidation_lambda_arn(&request.consolidation_lambda_arn)
        .build();
    let keywords = (!request.keywords.is_empty()).then(|| request.keywords.clone());
    HumanTaskConfig::builder()
        .workteam_arn(&request.workteam_arn)
        .ui_config(
            UiConfig::builder()
                .ui_template_s3_uri(&request.ui_template_uri)
                .build(),
        )
        .pre_human_task_lambda_arn(&request.pre_lambda_arn)
        .annotation_consolidation_config(consolidation)
        .set_task_keywords(keywords)
        .task_title(&request.title)
        .task_description(&request.description)
        .number_of_human_workers_per_data_object(int(request.workers_per_item))
        .task_time_limit_in_seconds(int(request.task_timeout))
        .task_availability_lifetime_in_seconds(int(request.task_expiration))
        .max_concurrent_task_count(int(request.max_concurrent_tasks))
        .build()
}

/// Every number of a [`JobRequest`] was checked against limits far below `i32::MAX`.
fn int(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn not_created(
    error: &SdkError<CreateLabelingJobError, HttpResponse>,
) -> Result<CreateJobOutcome, LabelingError> {
    match error.code() {
        Some("ResourceInUse") => Ok(CreateJobOutcome::NameTaken),
        Some("ResourceLimitExceeded") => Ok(CreateJobOutcome::QuotaFull),
        // Not in the API's model, but the answer to every request that the service cannot use.
        Some("ValidationException") => Ok(CreateJobOutcome::Invalid {
            reason: error.message().unwrap_or("no reason given").to_owned(),
        }),
        _ => Err(Failure::of("CreateLabelingJob", error).into()),
    }
}

/// ResourceNotFound is in the API's model; older answers are a ValidationException that says so in its message alone.
fn is_missing(error: &SdkError<DescribeLabelingJobError, HttpResponse>) -> bool {
    let says = |words: &str| error.message().is_some_and(|message| message.contains(words));
    match error.code() {
        Some("ResourceNotFound") => true,
        Some("ValidationException") => says("does not exist") || says("Could not find") || says("not found"),
        _ => false,
    }
}

fn description(output: DescribeLabelingJobOutput) -> JobDescription {
    let manifest = || {
        output
            .input_config
            .as_ref()?
            .data_source
            .as_ref()?
            .s3_data_source
            .as_ref()?
            .manifest_s3_uri()
    };
    let output_manifest = output
        .labeling_job_output
        .as_ref()
        .and_then(|o| o.output_dataset_s3_uri.clone());
    JobDescription {
        manifest_uri: manifest().unwrap_or_default().to_owned(),
        output_manifest_uri: output_manifest.filter(|uri| !uri.is_empty()),
        state: state(output.labeling_job_status.as_ref()),
        created: timestamp(output.creation_time.as_ref()),
        modified: timestamp(output.last_modified_time.as_ref()),
        counters: counters(output.label_counters.as_ref()),
        offer: offer(output.human_task_config.as_ref()),
        name: output.labeling_job_name.unwrap_or_default(),
        arn: output.labeling_job_arn.unwrap_or_default(),
        label_attribute: output.label_attribute_name.unwrap_or_default(),
        failure_reason: output.failure_reason,
    }
}

/// 1,000 items are offered at once unless the job asks for another number.
fn offer(task: Option<&HumanTaskConfig>) -> Option<Offer> {
    let number = |number: Option<i32>| number.and_then(|n| u32::try_from(n).ok());
    Some(Offer {
        seconds: number(task?.task_availability_lifetime_in_seconds())?,
        at_once: number(task?.max_concurrent_task_count()).unwrap_or(1_000),
    })
}

fn listing(job: &LabelingJobSummary) -> JobListing {
    JobListing {
        name: job.labeling_job_name().unwrap_or_default().to_owned(),
        arn: job.labeling_job_arn().unwrap_or_default().to_owned(),
        state: state(job.labeling_job_status()),
        created: timestamp(job.creation_time()),
        modified: timestamp(job.last_modified_time()),
    }
}

/// A state that AWS adds later is not terminal here: the job is looked at again.
fn state(status: Option<&LabelingJobStatus>) -> JobState {
    match status {
        Some(LabelingJobStatus::Initializing) => JobState::Initializing,
        Some(LabelingJobStatus::Completed) => JobState::Completed,
        Some(LabelingJobStatus::Failed) => JobState::Failed,
        Some(LabelingJobStatus::Stopping) => JobState::Stopping,
        Some(LabelingJobStatus::Stopped) => JobState::Stopped,
        _ => JobState::InProgress,
    }
}

fn counters(counters: Option<&LabelCounters>) -> JobCounters {
    let count = |number: Option<i32>| number.and_then(|n| u64::try_from(n).ok()).unwrap_or_default();
    counters.map_or_else(JobCounters::default, |c| JobCounters {
        total_labeled: count(c.total_labeled()),
        human_labeled: count(c.human_labeled()),
        machine_labeled: count(c.machine_labeled()),
        failed: count(c.failed_non_retryable_error()),
        unlabeled: count(c.unlabeled()),
    })
}

fn timestamp(time: Option<&DateTime>) -> Timestamp {
    time.and_then(|t| Timestamp::from_nanosecond(t.as_nanos()).ok())
        .unwrap_or(Timestamp::UNIX_EPOCH)
}
