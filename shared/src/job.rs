//! From a spec and a batch to the labeling job: everything CreateLabelingJob is to be told, and the two files it
//! points to.

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
