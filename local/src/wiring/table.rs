//! The table: every function with its triggers, its queue and its environment, as deployed on AWS.

use super::function::{BucketRole, FunctionWiring, QueueSettings, Source, Trigger};

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
        // A person has joined: the admin is notified, and the person is subscribed to work notices.
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
    // Cognito waits five seconds, whatever the function's timeout is.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn functions_for(bucket: BucketRole, key: &str) -> Vec<&'static str> {
        FUNCTIONS
            .iter()
            .filter(|function| function.is_notified_of(bucket, key))
            .map(|function| function.name)
            .collect()
    }

    #[test]
    fn a_dropped_file_goes_to_build_manifest_alone() {
        assert_eq!(
            functions_for(BucketRole::Input, "numbers/1.txt"),
            ["build-manifest"]
        );
        assert_eq!(
            functions_for(BucketRole::Input, "manifests/000001.manifest"),
            ["build-manifest"]
        );
    }

    #[test]
    fn nothing_the_labeling_service_writes_starts_a_function() {
        assert_eq!(
            functions_for(BucketRole::Output, "manifests/numbers/000001.manifest"),
            ["start-job"]
        );
        for key in [
            "labels/x/manifests/output/output.manifest",
            "results/numbers/000001/summary.json",
        ] {
            assert!(functions_for(BucketRole::Output, key).is_empty(), "{key}");
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
