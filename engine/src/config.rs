//! What an engine is told at its start.

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
    pub sign_in: SignIn,
    /// Origin of presigned URLs, for the pages' content security policy.
    pub s3_public_origin: String,
    /// Labeling jobs that may run at once; Ground Truth's own quota is an account setting.
    pub max_running_jobs: usize,
    /// What a task's page may be given links to (`grant_read_access`), of what its own line and template name. Nothing else
    /// is signed.
    pub readable: Vec<Readable>,
    /// Where the groups of Cognito work teams are looked up; without it, what a team names is believed.
    pub groups: Option<Arc<dyn Groups>>,
    /// Proxies in front of the portal, each of which appends to X-Forwarded-For; with 0 the header means nothing. Counts
    /// when the workforce admits some networks only.
    pub trusted_proxies: usize,
}

/// A part of a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Readable {
    pub bucket: String,
    /// Keys that begin so; empty for all.
    pub prefix: String,
    /// Of those, not the keys that begin with one of these.
    pub except: Vec<String>,
}

impl Readable {
    pub(crate) fn has(&self, bucket: &str, key: &str) -> bool {
        self.bucket == bucket
            && key.starts_with(&self.prefix)
            && !self.except.iter().any(|hidden| key.starts_with(hidden))
    }
}

/// The user pool behind CognitoMemberDefinition.
pub trait Groups: Send + Sync + std::fmt::Debug {
    /// Whether the user pool is there and has this group and this app client; else a sentence that says what is missing.
    fn check<'a>(
        &'a self,
        pool: &'a str,
        group: &'a str,
        client: &'a str,
    ) -> BoxFuture<'a, Result<(), String>>;
}

/// [`Config::max_running_jobs`] when nobody says otherwise.
pub const DEFAULT_MAX_RUNNING_JOBS: usize = 20;

/// The identity provider of the portal, by OpenID Connect; it sends people back to `{portal_url}/oauth2/idpresponse`.
#[derive(Clone)]
pub struct SignIn {
    pub issuer: String,
    /// Workers' ids are made of this and their `sub`; the issuer itself where there is none. For a provider whose
    /// address can change: the same person must stay the same worker, or could label the same item twice.
    pub people: Option<String>,
    pub client_id: String,
    pub client_secret: Option<String>,
    /// `cognito:groups` with Cognito.
    pub groups_claim: String,
}

impl std::fmt::Debug for SignIn {
    /// Without the secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignIn")
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}
