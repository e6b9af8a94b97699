//! The ports the protocols are written against: the store, the labeling service, and the topic notices are published to.
//!
//! On Lambda and on one machine the AWS SDK implements them (`aws`), in tests a store in memory or a seeded simulation.
//! Errors are split by what the caller does next, never by transport detail.

pub mod crew;

use std::collections::BTreeMap;
use std::future::Future;
use std::ops::Range;

use jiff::Timestamp;

/// Which of the stack's two buckets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bucket {
    /// People write, functions read.
    Input,
    /// Functions and the labeling service write.
    Output,
}

/// One object as a LIST shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    pub key: String,
    /// Without the quotes S3 puts around it.
    pub etag: String,
    /// Bytes.
    pub size: u64,
    /// Whole seconds; for a multipart upload the time it was *started*, not finished.
    pub last_modified: Timestamp,
}

/// One page of a LIST, at most 1,000 entries.
#[derive(Clone, Debug)]
pub struct Page {
    pub objects: Vec<Object>,
    /// Common prefixes (with the trailing `/`), when a delimiter was asked for.
    pub folders: Vec<String>,
    /// Continue with this token; `None` on the last page.
    pub next: Option<String>,
    /// S3's own clock: the `Date` header of the response. The only clock batching uses.
    pub date: Timestamp,
}

/// A multipart upload that has been started and not finished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenUpload {
    pub key: String,
    pub initiated: Timestamp,
}

/// An object's bytes (all of it, or the range asked for) and what is known of it.
#[derive(Clone, Debug)]
pub struct StoredObject {
    pub bytes: Vec<u8>,
    pub etag: String,
    /// Size of the whole object in bytes, also when only a range was fetched.
    pub size: u64,
    pub last_modified: Timestamp,
    pub metadata: BTreeMap<String, String>,
}

/// How a create-if-absent ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreateOutcome {
    New,
    /// There is an object already, perhaps written by this very call, whose first response was lost: HTTP 412.
    AlreadyThere,
}

/// How a replace-if-unchanged ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplaceOutcome {
    /// With the ETag of what was written, to replace it again.
    Done { etag: String },
    /// It changed since it was read: read again, decide again.
    Changed,
}

/// Why the store did not do it. The caller stops, writes nothing more, and lets the event be delivered again.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// Throttled, timed out, 409, 5xx: the same call may work later.
    #[error("{operation} of {what} did not go through, and may later: {reason}")]
    Transient {
        operation: &'static str,
        what: String,
        reason: String,
    },
    /// Access denied, no such bucket: an admin has to change something.
    #[error("{operation} of {what} was refused: {reason}")]
    Refused {
        operation: &'static str,
        what: String,
        scope: RefusalScope,
        reason: String,
    },
}

/// What a refusal is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalScope {
    /// This one object: access to it or to its key is denied, or it is archived.
    Object,
    /// Its bucket: there is none of this name, or not here.
    Bucket,
    /// The request, the caller, or anything else.
    Other,
}

/// S3, as far as the protocols need it.
pub trait Store: Send + Sync {
    /// Open multipart uploads of the input bucket under a prefix, all pages.
    fn open_uploads(&self, prefix: &str) -> impl Future<Output = Result<Vec<OpenUpload>, StoreError>> + Send;

    /// One page of a LIST in UTF-8 byte order. `folders` groups by `/`.
    fn list(
        &self,
        bucket: Bucket,
        prefix: &str,
        folders: bool,
        token: Option<&str>,
    ) -> impl Future<Output = Result<Page, StoreError>> + Send;

    /// The object, or `None` where there is none. A range beyond the end gives what there is.
    fn get(
        &self,
        bucket: Bucket,
        key: &str,
        range: Option<Range<u64>>,
    ) -> impl Future<Output = Result<Option<StoredObject>, StoreError>> + Send;

    /// The object of a bucket that is not the stack's, which a manifest points to and the operator has listed.
    fn get_linked(
        &self,
        bucket: &str,
        key: &str,
        range: Range<u64>,
    ) -> impl Future<Output = Result<Option<StoredObject>, StoreError>> + Send {
        let what = format!("s3://{bucket}/{key}");
        let _nothing_is_read = range;
        async move {
            Err(StoreError::Refused {
                operation: "GetObject",
                what,
                scope: RefusalScope::Object,
                reason: "AccessDenied: this store has no other buckets".to_owned(),
            })
        }
    }

    /// Create in the output bucket only if nothing is there (`If-None-Match: *`).
    fn create(
        &self,
        key: &str,
        body: Vec<u8>,
        metadata: &BTreeMap<String, String>,
    ) -> impl Future<Output = Result<CreateOutcome, StoreError>> + Send;

    /// Write in the output bucket only if it still has this ETag (`If-Match`), or, with `None`, only if it is absent.
    fn replace(
        &self,
        key: &str,
        body: Vec<u8>,
        etag: Option<&str>,
    ) -> impl Future<Output = Result<ReplaceOutcome, StoreError>> + Send;
}

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

/// How CreateLabelingJob ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CreateJobOutcome {
    Created {
        arn: String,
    },
    /// ResourceInUse: a job of this name exists. DescribeLabelingJob says which batch it is for.
    NameTaken,
    /// ResourceLimitExceeded: a state, not a failure.
    QuotaFull,
    /// ValidationException and its like: the same request will never work.
    Invalid {
        reason: String,
    },
}

/// Terminal and running states of a labeling job, AWS's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum JobState {
    Initializing,
    InProgress,
    Completed,
    Failed,
    Stopping,
    Stopped,
}

impl JobState {
    pub fn is_terminal(self) -> bool {
        matches!(self, JobState::Completed | JobState::Failed | JobState::Stopped)
    }
}

/// A labeling job as DescribeLabelingJob shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct JobDescription {
    pub name: String,
    pub arn: String,
    pub state: JobState,
    pub manifest_uri: String,
    pub label_attribute: String,
    pub output_manifest_uri: Option<String>,
    pub failure_reason: Option<String>,
    pub created: Timestamp,
    pub modified: Timestamp,
    pub counters: JobCounters,
    /// Absent where the service does not say.
    pub offer: Option<Offer>,
}

/// TaskAvailabilityLifetimeInSeconds and MaxConcurrentTaskCount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// How long each item is offered to workers.
    pub seconds: u32,
    /// How many items are offered at once.
    pub at_once: u32,
}

/// LabelCounters: objects, not answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct JobCounters {
    pub total_labeled: u64,
    pub human_labeled: u64,
    pub machine_labeled: u64,
    /// FailedNonRetryableError: a Completed job can still have these.
    pub failed: u64,
    pub unlabeled: u64,
}

/// One line of ListLabelingJobs.
#[derive(Clone, Debug, PartialEq)]
pub struct JobListing {
    pub name: String,
    pub arn: String,
    pub state: JobState,
    pub created: Timestamp,
    pub modified: Timestamp,
}

/// Why the labeling service did not answer the question.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LabelingError {
    /// Throttled, timed out, 5xx.
    #[error("{operation} did not go through, and may later: {reason}")]
    Transient { operation: &'static str, reason: String },
    #[error("{operation} was refused: {reason}")]
    Refused { operation: &'static str, reason: String },
}

/// The labeling service: Ground Truth, or anything that speaks its API.
pub trait Labeling: Send + Sync {
    fn create(
        &self,
        request: &JobRequest,
    ) -> impl Future<Output = Result<CreateJobOutcome, LabelingError>> + Send;

    /// `None` when there is no job of that name.
    fn describe(
        &self,
        name: &str,
    ) -> impl Future<Output = Result<Option<JobDescription>, LabelingError>> + Send;

    /// All pages of the jobs whose name contains `name_contains`, newest first, created at or after `since`.
    fn list(
        &self,
        name_contains: &str,
        since: Option<Timestamp>,
    ) -> impl Future<Output = Result<Vec<JobListing>, LabelingError>> + Send;
}

/// Why a notice was not published.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the notice could not be published: {reason}")]
pub struct PublishError {
    pub reason: String,
}

/// A notice as SNS takes it.
#[derive(Clone, Debug, PartialEq)]
pub struct NoticeMessage {
    pub subject: String,
    /// `MessageStructure=json`: `default` holds the JSON form, `email` the readable one.
    pub body: String,
    /// String attributes for subscription filters: `id`, `kind`, `dataset` or `team`.
    pub attributes: BTreeMap<&'static str, String>,
}

/// Notices published one by one in an hour, of the kinds that a person who drops files can cause at will.
pub const HOURLY_LIMIT: usize = 10;
/// All notices are published one by one.
pub const NO_LIMIT: usize = usize::MAX;

/// Where notices are published: one SNS topic.
pub trait Topic: Send + Sync {
    /// How many notices are published one by one in an hour, of the kinds that a person who drops files can cause at will.
    /// More are published as one digest.
    fn hourly_limit(&self) -> usize {
        HOURLY_LIMIT
    }

    fn publish(&self, message: &NoticeMessage) -> impl Future<Output = Result<(), PublishError>> + Send;
}
