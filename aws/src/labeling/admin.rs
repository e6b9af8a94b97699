//! What an admin's program asks of the labeling service, and no function does: jobs as a page shows them, and stopping
//! one.

use aws_sdk_sagemaker::operation::describe_labeling_job::DescribeLabelingJobOutput;
use aws_sdk_sagemaker::types::{LabelingJobSummary, SortBy, SortOrder};
use shared::port::{JobCounters, JobDescription, JobListing, LabelingError};

use super::{GroundTruth, counters, description, is_missing, listing};
use crate::failure::Failure;

/// One line of ListLabelingJobs, with all that is shown of a job.
#[derive(Clone, Debug, PartialEq)]
pub struct JobOverview {
    pub listing: JobListing,
    pub manifest_uri: String,
    pub output_manifest_uri: Option<String>,
    pub failure_reason: Option<String>,
    pub counters: JobCounters,
}

/// Jobs, newest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewestJobs {
    pub jobs: Vec<JobOverview>,
    /// Older ones were left out.
    pub has_more: bool,
}

/// What DescribeLabelingJob says.
#[derive(Clone, Debug, PartialEq)]
pub struct JobDetails {
    pub description: JobDescription,
    pub work_team_arn: String,
}

impl GroundTruth {
    /// The jobs of the first pages of 100 whose names contain this.
    pub async fn newest(&self, name_contains: &str, pages: usize) -> Result<NewestJobs, LabelingError> {
        let (mut jobs, mut token) = (Vec::new(), None);
        for _ in 0..pages {
            let call = self.client.get().await.list_labeling_jobs();
            let call = call.name_contains(name_contains).max_results(100);
            let call = call
                .sort_by(SortBy::CreationTime)
                .sort_order(SortOrder::Descending);
            let page = call.set_next_token(token).send().await;
            let page = page.map_err(|e| Failure::of("ListLabelingJobs", &e))?;
            jobs.extend(page.labeling_job_summary_list().iter().map(overview));
            token = page.next_token;
            if token.is_none() {
                return Ok(NewestJobs {
                    jobs,
                    has_more: false,
                });
            }
        }
        Ok(NewestJobs { jobs, has_more: true })
    }

    /// `None` where there is no such job.
    pub async fn details(&self, name: &str) -> Result<Option<JobDetails>, LabelingError> {
        let call = self.client.get().await.describe_labeling_job();
        match call.labeling_job_name(name).send().await {
            Ok(output) => Ok(Some(details(output))),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(Failure::of("DescribeLabelingJob", &error).into()),
        }
    }

    /// Asks the service to stop a job; what has been labeled by then is kept.
    pub async fn stop(&self, name: &str) -> Result<(), LabelingError> {
        let call = self.client.get().await.stop_labeling_job();
        let stopped = call.labeling_job_name(name).send().await;
        stopped
            .map(|_| ())
            .map_err(|e| Failure::of("StopLabelingJob", &e).into())
    }
}

fn overview(job: &LabelingJobSummary) -> JobOverview {
    let manifest = || {
        job.input_config()?
            .data_source()?
            .s3_data_source()?
            .manifest_s3_uri()
    };
    let output = job.labeling_job_output();
    JobOverview {
        listing: listing(job),
        manifest_uri: manifest().unwrap_or_default().to_owned(),
        output_manifest_uri: output
            .and_then(|output| output.output_dataset_s3_uri())
            .map(str::to_owned),
        failure_reason: job.failure_reason().map(str::to_owned),
        counters: counters(job.label_counters()),
    }
}

fn details(output: DescribeLabelingJobOutput) -> JobDetails {
    let task = output.human_task_config();
    let work_team_arn = task.and_then(|task| task.workteam_arn()).unwrap_or_default();
    JobDetails {
        work_team_arn: work_team_arn.to_owned(),
        description: description(output),
    }
}
