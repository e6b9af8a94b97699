//! Which function hears of what, and how its queue is set: one table, with the values deployed on AWS. `template.yaml`
//! says the same, and a test holds the two together.
//!
//! What differs on one machine is in [`Local`], and nowhere else.

use std::time::Duration;

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
    /// Absent where everything that reaches it is a trigger.
    pub queue: Option<QueueSettings>,
    pub timeout_seconds: u32,
    /// The sweep, `{"sweep":"all"}`, that makes good what events missed.
    pub schedule_minutes: Option<u32>,
    pub environment: &'static [&'static str],
}

/// SQS keeps a message two weeks at most.
const RETENTION_DAYS: u32 = 14;
/// The sweep's period, everywhere.
pub(crate) const SCHEDULE_MINUTES: u32 = 15;

pub const BUILD_MANIFEST: FunctionWiring = FunctionWiring {
    name: "build-manifest",
    sources: &[Source::ObjectCreated {
        bucket: BucketRole::Input,
        prefix: "",
        suffix: "",
    }],
    queue: Some(QueueSettings {
        // The default quiet period and a little more, so that an event is read when its batch can be cut.
        delay_seconds: 135,
        visibility_seconds: 6 * 900 + 60,
        max_receive: 8,
        retention_days: RETENTION_DAYS,
        batch_size: 10_000,
        batch_window_seconds: 60,
        maximum_concurrency: 5,
    }),
    timeout_seconds: 900,
    schedule_minutes: Some(SCHEDULE_MINUTES),
    environment: &[
        "INPUT_BUCKET",
        "OUTPUT_BUCKET",
        "NOTICE_TOPIC_ARN",
        "LINK_SOURCES",
        "ALLOWED_KMS_KEYS",
        "ALLOWED_TEAMS",
        "ALLOWED_TAG_KEYS",
        "ITEMS_PER_DAY",
    ],
};

pub const START_JOB: FunctionWiring = FunctionWiring {
    name: "start-job",
    sources: &[
        Source::ObjectCreated {
            bucket: BucketRole::Output,
            prefix: "manifests/",
            suffix: ".manifest",
        },
        // A job that ends opens a slot in the account's quota.
        Source::JobStateChanged,
    ],
    queue: Some(QueueSettings {
        delay_seconds: 0,
        visibility_seconds: 6 * 300,
        // Throttling of CreateLabelingJob is no fault of the message.
        max_receive: 20,
        retention_days: RETENTION_DAYS,
        batch_size: 10,
        batch_window_seconds: 0,
        maximum_concurrency: 2,
    }),
    timeout_seconds: 300,
    schedule_minutes: Some(SCHEDULE_MINUTES),
    environment: &[
        "INPUT_BUCKET",
        "OUTPUT_BUCKET",
        "NOTICE_TOPIC_ARN",
        "JOB_PREFIX",
        "LABELING_ROLE_ARN",
        "AWS_ACCOUNT",
        "AWS_PARTITION",
        "LINK_SOURCES",
        "ALLOWED_KMS_KEYS",
        "ALLOWED_TEAMS",
        "ALLOWED_TAG_KEYS",
        "JOBS_PER_DAY",
    ],
};

pub const NOTIFY: FunctionWiring = FunctionWiring {
    name: "notify",
    sources: &[Source::JobStateChanged],
    queue: Some(QueueSettings {
        delay_seconds: 0,
        visibility_seconds: 6 * 300,
        max_receive: 8,
        retention_days: RETENTION_DAYS,
        batch_size: 10,
        batch_window_seconds: 0,
        maximum_concurrency: 2,
    }),
    timeout_seconds: 300,
    schedule_minutes: Some(SCHEDULE_MINUTES),
    environment: &[
        "INPUT_BUCKET",
        "OUTPUT_BUCKET",
        "NOTICE_TOPIC_ARN",
        "JOB_PREFIX",
        "CONSOLE_URL",
        "PORTAL_URL",
    ],
};

pub const SYNC_TEAM: FunctionWiring = FunctionWiring {
    name: "sync-team",
    sources: &[
        Source::InputObjectOnBus { prefix: "teams/" },
        // Somebody has joined: the admin hears of it, and the person is subscribed to work notices.
        Source::ObjectCreated {
            bucket: BucketRole::Output,
            prefix: "joined/",
            suffix: "",
        },
    ],
    queue: Some(QueueSettings {
        delay_seconds: 0,
        visibility_seconds: 6 * 900,
        max_receive: 8,
        retention_days: RETENTION_DAYS,
        batch_size: 10,
        batch_window_seconds: 0,
        maximum_concurrency: 2,
    }),
    // 5,000 invitations at half of Cognito's rate take some four minutes.
    timeout_seconds: 900,
    schedule_minutes: Some(SCHEDULE_MINUTES),
    environment: &[
        "INPUT_BUCKET",
        "OUTPUT_BUCKET",
        "NOTICE_TOPIC_ARN",
        "USER_POOL_ID",
        "CLIENT_ID",
        "INVITATIONS_PER_DAY",
        "MAX_INVITATIONS",
        "ALLOWED_EMAIL_DOMAINS",
        "NETWORKS_WITHIN",
        "WORK_TOPIC_PREFIX",
        "AWS_ACCOUNT",
        "AWS_PARTITION",
        "PORTAL_URL",
    ],
};

pub const ASSIGN_WORKER: FunctionWiring = FunctionWiring {
    name: "assign-worker",
    sources: &[
        Source::UserPool(Trigger::PreTokenGeneration),
        Source::UserPool(Trigger::PostConfirmation),
    ],
    queue: None,
    // Cognito waits five seconds, whatever stands here.
    timeout_seconds: 5,
    schedule_minutes: None,
    environment: &["INPUT_BUCKET", "OUTPUT_BUCKET"],
};

pub const INVITE_MESSAGE: FunctionWiring = FunctionWiring {
    name: "invite-message",
    sources: &[Source::UserPool(Trigger::CustomMessage)],
    queue: None,
    timeout_seconds: 5,
    schedule_minutes: None,
    environment: &["INPUT_BUCKET", "OUTPUT_BUCKET"],
};

/// Every function.
pub const FUNCTIONS: [FunctionWiring; 6] = [
    BUILD_MANIFEST,
    START_JOB,
    NOTIFY,
    SYNC_TEAM,
    ASSIGN_WORKER,
    INVITE_MESSAGE,
];

/// How one machine departs from the table: it is one person waiting in front of it, and an invocation costs nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Local {
    /// At most this long in a queue before the first read. Shorter than the quiet period does no harm here: the
    /// reconcile that comes too early writes `check_at`, and the clock looks again at that very time.
    pub longest_delay: Duration,
    /// At most this long waiting for a batch to fill.
    pub longest_window: Duration,
    /// A failed message is read again after this, doubled with each receive (AWS: the whole visibility timeout)...
    pub first_retry: Duration,
    /// ...but no longer than this.
    pub longest_retry: Duration,
}

pub const LOCAL: Local = Local {
    longest_delay: Duration::from_secs(1),
    longest_window: Duration::from_millis(200),
    first_retry: Duration::from_secs(1),
    longest_retry: Duration::from_secs(60),
};

impl FunctionWiring {
    /// Whether an object of this bucket is an event for this function.
    pub fn hears_object(&self, bucket: BucketRole, key: &str) -> bool {
        self.sources.iter().any(|source| match *source {
            Source::ObjectCreated {
                bucket: of,
                prefix,
                suffix,
            } => of == bucket && key.starts_with(prefix) && key.ends_with(suffix),
            Source::InputObjectOnBus { .. } | Source::JobStateChanged | Source::UserPool(_) => false,
        })
    }

    /// Whether EventBridge tells this function of an object of the input bucket.
    pub fn hears_on_bus(&self, key: &str) -> bool {
        self.sources
            .iter()
            .any(|source| matches!(*source, Source::InputObjectOnBus { prefix } if key.starts_with(prefix)))
    }

    pub fn hears_job_states(&self) -> bool {
        self.sources.contains(&Source::JobStateChanged)
    }

    pub fn dead_letter_queue(&self) -> String {
        format!("{}-dlq", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hearers(bucket: BucketRole, key: &str) -> Vec<&'static str> {
        FUNCTIONS
            .iter()
            .filter(|function| function.hears_object(bucket, key))
            .map(|function| function.name)
            .collect()
    }

    #[test]
    fn a_dropped_file_is_heard_by_build_manifest_alone() {
        assert_eq!(hearers(BucketRole::Input, "numbers/1.txt"), ["build-manifest"]);
        assert_eq!(
            hearers(BucketRole::Input, "manifests/000001.manifest"),
            ["build-manifest"]
        );
    }

    #[test]
    fn nothing_the_labeling_service_writes_starts_anything() {
        assert_eq!(
            hearers(BucketRole::Output, "manifests/numbers/000001.manifest"),
            ["start-job"]
        );
        for key in [
            "labels/x/manifests/output/output.manifest",
            "results/numbers/000001/summary.json",
        ] {
            assert!(hearers(BucketRole::Output, key).is_empty(), "{key}");
        }
    }

    #[test]
    fn visibility_leaves_room_for_six_invocations_and_the_window() {
        for function in FUNCTIONS {
            let Some(queue) = function.queue else { continue };
            assert!(
                queue.visibility_seconds >= 6 * function.timeout_seconds + queue.batch_window_seconds,
                "{}",
                function.name
            );
            assert!(queue.delay_seconds <= 900, "{}", function.name);
            assert!(
                queue.batch_size <= 10 || queue.batch_window_seconds >= 1,
                "{}",
                function.name
            );
            assert!(queue.maximum_concurrency >= 2, "{}", function.name);
        }
    }
}
