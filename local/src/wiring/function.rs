//! What can be said of a function: which events it is for, how its queue is set, what its environment holds.

use serde::Serialize;

/// Which bucket an event comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum BucketRole {
    Input,
    Output,
}

/// What puts a message into a function's queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// `s3:ObjectCreated:*` for keys with this prefix and suffix (empty: any).
    ObjectCreated {
        bucket: BucketRole,
        prefix: &'static str,
        suffix: &'static str,
    },
    /// EventBridge: source `aws.s3`, detail-type [`OBJECT_CREATED`], for keys of the input bucket with this prefix. A
    /// bucket's own notifications cannot send some keys to one queue and all keys to another.
    InputObjectOnBus { prefix: &'static str },
    /// EventBridge: source `aws.sagemaker`, detail-type [`JOB_STATE_CHANGE`].
    JobStateChanged,
    /// A Lambda trigger of the user pool: called, not queued, and awaited for five seconds.
    /// <https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-working-with-lambda-triggers.html>
    UserPool(Trigger),
}

/// The user pool's triggers in use, by their names in its LambdaConfig.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Trigger {
    PreTokenGeneration,
    PostConfirmation,
    CustomMessage,
}

/// Ground Truth's event, as EventBridge names it.
pub const JOB_STATE_CHANGE: &str = "SageMaker Ground Truth Labeling Job State Change";
/// S3's event, as EventBridge names it.
pub const OBJECT_CREATED: &str = "Object Created";

/// A queue between the events and a function, its dead-letter queue (`<name>-dlq`), and how the function reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct QueueSettings {
    /// Seconds a message waits before it can be read.
    pub delay_seconds: u32,
    /// Lambda wants at least six times the function's timeout plus the window.
    pub visibility_seconds: u32,
    /// Receives before a message goes to the dead-letter queue.
    pub max_receive: u32,
    pub retention_days: u32,
    /// Messages a function gets at once, at most; 6 MB is the other limit.
    pub batch_size: u32,
    /// Seconds to wait for a batch to fill.
    pub batch_window_seconds: u32,
    /// Invocations at once.
    pub maximum_concurrency: u32,
}

/// One function: its triggers and its environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct FunctionWiring {
    pub name: &'static str,
    pub sources: &'static [Source],
    /// Absent where all its sources are triggers of the user pool.
    pub queue: Option<QueueSettings>,
    pub timeout_seconds: u32,
    /// How often it is called with `{"sweep":"all"}`, to do what events missed.
    pub schedule_minutes: Option<u32>,
    pub environment: &'static [&'static str],
}

impl FunctionWiring {
    /// Whether a bucket notification for this object goes to the queue of this function.
    pub fn is_notified_of(&self, bucket: BucketRole, key: &str) -> bool {
        self.sources.iter().any(|source| match *source {
            Source::ObjectCreated {
                bucket: of,
                prefix,
                suffix,
            } => of == bucket && key.starts_with(prefix) && key.ends_with(suffix),
            Source::InputObjectOnBus { .. } | Source::JobStateChanged | Source::UserPool(_) => false,
        })
    }

    /// Whether an EventBridge rule sends the event for this object of the input bucket to this function.
    pub fn has_bus_rule_for(&self, key: &str) -> bool {
        self.sources
            .iter()
            .any(|source| matches!(*source, Source::InputObjectOnBus { prefix } if key.starts_with(prefix)))
    }

    pub fn listens_for_job_states(&self) -> bool {
        self.sources.contains(&Source::JobStateChanged)
    }

    pub fn dead_letter_queue(&self) -> String {
        format!("{}-dlq", self.name)
    }
}
