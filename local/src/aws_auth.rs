//! Who may call the AWS port: signature version 4 checked for every service that is not S3.

mod refusal;
mod signature;

use std::time::SystemTime;

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::Request,
    middleware::{Next, from_fn},
    response::Response,
};

use self::refusal::Refusal;

/// The one key pair of this machine's AWS port.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    pub access_key_id: String,
    pub secret_access_key: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("access_key_id", &self.access_key_id)
            .finish_non_exhaustive()
    }
}

/// No request to these services is nearly as large: SQS and SNS take 1 MiB, the others less.
const LARGEST_BODY: usize = 4 << 20;

/// `router`, answering only requests signed with `credentials` for `service` (the name in the credential
/// scope: `sagemaker`, `sqs`, `sns`, `cognito-idp`). The signature covers the body, which is therefore read whole
/// before anything else looks at the request.
pub fn require_sigv4(router: Router, credentials: &Credentials, service: &'static str) -> Router {
    let credentials = credentials.clone();
    router.layer(from_fn(move |request: Request, next: Next| {
        let credentials = credentials.clone();
        async move { check(request, next, &credentials, service).await }
    }))
}

async fn check(request: Request, next: Next, credentials: &Credentials, service: &'static str) -> Response {
    let (parts, body) = request.into_parts();
    let verified = match to_bytes(body, LARGEST_BODY).await {
        Ok(body) => signature::verify(&parts, &body, credentials, service, SystemTime::now()).map(|()| body),
        Err(_) => Err(Refusal::TooLarge),
    };
    match verified {
        Ok(body) => next.run(Request::from_parts(parts, Body::from(body))).await,
        Err(refusal) => {
            tracing::debug!(service, path = parts.uri.path(), ?refusal, "request refused");
            refusal.response(&parts.headers, service)
        }
    }
}
