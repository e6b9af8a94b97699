//! What the function works with, from its environment.

use aws::labeling::GroundTruth;
use aws::s3::Buckets;
use aws::sdk::Sdk;
use aws::topic::SnsTopic;
use lambda::ConfigError;
use lambda::metric::Metrics;
use lambda::start::required_variable;
use shared::name::JobPrefix;

/// What the function works with; the ports are the AWS SDK's unless a test says otherwise.
pub struct Deps<S = Buckets, L = GroundTruth, T = SnsTopic> {
    pub store: S,
    pub labeling: L,
    pub topic: T,
    /// Names of this stack's jobs begin with it.
    pub prefix: JobPrefix,
    pub output_bucket: String,
    pub console_url: Option<String>,
    pub portal_url: Option<String>,
    pub metrics: Metrics,
}

/// Reads `INPUT_BUCKET`, `OUTPUT_BUCKET`, `NOTICE_TOPIC_ARN`, `JOB_PREFIX`, and `CONSOLE_URL` and `PORTAL_URL` where
/// they are set. Makes no AWS call.
pub fn deps(env: &dyn Fn(&str) -> Option<String>, sdk: impl Into<Sdk>) -> Result<Deps, ConfigError> {
    let sdk = sdk.into();
    let output_bucket = required_variable(env, "OUTPUT_BUCKET")?;
    let prefix = required_variable(env, "JOB_PREFIX")?;
    Ok(Deps {
        store: Buckets::new(
            required_variable(env, "INPUT_BUCKET")?,
            output_bucket.clone(),
            env,
            sdk.clone(),
        ),
        labeling: GroundTruth::new(sdk.clone()),
        topic: SnsTopic::new(required_variable(env, "NOTICE_TOPIC_ARN")?, sdk),
        prefix: JobPrefix::new(&prefix).ok_or(ConfigError::Malformed {
            name: "JOB_PREFIX",
            value: prefix,
            expected: "it has four characters, lower-case letters and digits",
        })?,
        output_bucket,
        console_url: env("CONSOLE_URL").filter(|url| !url.is_empty()),
        portal_url: env("PORTAL_URL").filter(|url| !url.is_empty()),
        metrics: Metrics::from_env(env),
    })
}

impl<S, L, T> Deps<S, L, T> {
    /// Another prefix may begin with ours; ours ends at the hyphen.
    pub(crate) fn is_ours(&self, job: &str) -> bool {
        job.strip_prefix(self.prefix.as_str())
            .is_some_and(|rest| rest.starts_with('-'))
    }
}
