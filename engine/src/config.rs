//! The configuration of an engine.

use std::sync::Arc;

use futures::future::BoxFuture;

/// One engine: one account in one region, one state bucket, one portal.
#[derive(Clone, Debug)]
pub struct Config {
    /// Reads manifests, categories, templates and items; writes output and state.
    pub s3: aws_sdk_s3::Client,
    /// Holds nothing but the engine's state.
    pub state_bucket: String,
    pub region: String,
    /// Twelve digits.
    pub account: String,
    /// Origin of the portal as workers see it, without a slash at the end.
    pub portal_url: String,
    pub sign_in: SignInConfig,
    /// Origin of presigned URLs, for the pages' content security policy.
    pub s3_public_origin: String,
    /// Labeling jobs that may run at once. Ground Truth's own quota is an account setting.
    pub max_running_jobs: usize,
    /// Objects that a task's page may have links to (`grant_read_access`), if its manifest line or template names them.
    /// No other link is signed.
    pub readable: Vec<ReadablePrefix>,
    /// Where the groups of Cognito work teams are looked up. `None`: the groups that a team names are not checked.
    pub groups: Option<Arc<dyn GroupDirectory>>,
    /// How many proxies are in front of the portal, each of which appends to X-Forwarded-For. With 0 the header is ignored.
    /// Used only when the workforce admits certain networks.
    pub trusted_proxies: usize,
}

/// A part of a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadablePrefix {
    pub bucket: String,
    /// The beginning of the keys; empty for all keys.
    pub prefix: String,
    /// Keys with one of these beginnings are left out.
    pub except: Vec<String>,
}

impl ReadablePrefix {
    pub(crate) fn contains(&self, bucket: &str, key: &str) -> bool {
        self.bucket == bucket
            && key.starts_with(&self.prefix)
            && !self.except.iter().any(|hidden| key.starts_with(hidden))
    }
}

/// The user pool behind CognitoMemberDefinition.
pub trait GroupDirectory: Send + Sync + std::fmt::Debug {
    /// Whether the user pool exists and has this group and this app client; if not, a sentence that says what is missing.
    fn check<'a>(
        &'a self,
        pool: &'a str,
        group: &'a str,
        client: &'a str,
    ) -> BoxFuture<'a, Result<(), String>>;
}

/// The usual [`Config::max_running_jobs`].
pub const DEFAULT_MAX_RUNNING_JOBS: usize = 20;

/// The identity provider of the portal, by OpenID Connect. It sends people back to `{portal_url}` and [`SIGNED_IN_PATH`].
///
/// [`SIGNED_IN_PATH`]: crate::SIGNED_IN_PATH
#[derive(Clone)]
pub struct SignInConfig {
    pub issuer: String,
    /// Workers' ids are made of this and their `sub`; `None` means the issuer. For a provider whose address can change:
    /// the same person must stay the same worker, or could label the same item twice.
    pub people: Option<String>,
    pub client_id: String,
    pub client_secret: Option<String>,
    /// `cognito:groups` with Cognito.
    pub groups_claim: String,
}

impl std::fmt::Debug for SignInConfig {
    /// Without the secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignInConfig")
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}
