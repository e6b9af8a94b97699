//! What the function works with, from its environment.

use aws::labeling::GroundTruth;
use aws::s3::Buckets;
use aws::sdk::Sdk;
use aws::topic::SnsTopic;
use lambda::ConfigError;
use lambda::bounds::{bounds, per_day};
use lambda::metric::Metrics;
use lambda::start::required_variable;
use shared::job::Stack;
use shared::name::JobPrefix;

/// What the function works with; the ports are the AWS SDK's unless a test says otherwise.
pub struct Deps<S = Buckets, L = GroundTruth, T = SnsTopic> {
    pub store: S,
    pub labeling: L,
    pub topic: T,
    pub stack: Stack,
    /// Labeling jobs that may be started on one day; `None`: as many as there are batches.
    pub jobs_per_day: Option<u64>,
    pub metrics: Metrics,
}

/// Reads `INPUT_BUCKET`, `OUTPUT_BUCKET`, `NOTICE_TOPIC_ARN`, `JOB_PREFIX`, `LABELING_ROLE_ARN`, `AWS_ACCOUNT` and
/// `AWS_PARTITION`, `JOBS_PER_DAY`, the stack's other bounds, and the Region from the SDK's configuration. Makes no AWS call.
pub fn deps(env: &dyn Fn(&str) -> Option<String>, sdk: impl Into<Sdk>) -> Result<Deps, ConfigError> {
    let sdk = sdk.into();
    let stack = stack(env, &sdk)?;
    let store = Buckets::new(
        stack.input_bucket.clone(),
        stack.output_bucket.clone(),
        env,
        sdk.clone(),
    );
    let topic = SnsTopic::new(required_variable(env, "NOTICE_TOPIC_ARN")?, sdk.clone());
    Ok(Deps {
        store,
        labeling: GroundTruth::new(sdk),
        topic,
        stack,
        jobs_per_day: per_day(env, "JOBS_PER_DAY")?,
        metrics: Metrics::from_env(env),
    })
}

fn stack(env: &dyn Fn(&str) -> Option<String>, sdk: &Sdk) -> Result<Stack, ConfigError> {
    let prefix = required_variable(env, "JOB_PREFIX")?;
    let (input_bucket, output_bucket) = (
        required_variable(env, "INPUT_BUCKET")?,
        required_variable(env, "OUTPUT_BUCKET")?,
    );
    let bounds = bounds(env, &input_bucket, &output_bucket)?;
    Ok(Stack {
        region: sdk.region(env).ok_or(ConfigError::Missing("AWS_REGION"))?,
        account: required_variable(env, "AWS_ACCOUNT")?,
        partition: required_variable(env, "AWS_PARTITION")?,
        prefix: JobPrefix::new(&prefix).ok_or(ConfigError::Malformed {
            name: "JOB_PREFIX",
            value: prefix,
            expected: "it has four characters, lower-case letters and digits",
        })?,
        input_bucket,
        output_bucket,
        labeling_role_arn: required_variable(env, "LABELING_ROLE_ARN")?,
        bounds,
    })
}
