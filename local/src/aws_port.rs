//! One port for all services of AWS: a request is passed on to the service that it is for.

mod errors;
mod service;

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use tower::ServiceExt;

use crate::aws_auth::{Credentials, require_sigv4};
use crate::cognito::Cognito;
use crate::sns::Sns;
use crate::sqs::{self, Address, Queues};
use errors::{json_error, s3_error, unsupported_service};
use service::{Service, bucket_in_host, service_of};

/// Of any request that is not for S3.
const LARGEST_REQUEST: usize = 4 * 1024 * 1024;

#[derive(Clone)]
pub(crate) struct AwsPort {
    s3: Router,
    queues: Router,
    notices: Router,
    confirmation: Router,
    sign_in: Router,
    /// The operations of Cognito that need no signature.
    open_sign_in: Router,
    credentials: Credentials,
    /// Set later than the others: the engine reads its state through this port.
    labeling: Arc<OnceLock<Router>>,
}

impl AwsPort {
    pub(crate) fn new(
        s3: Router,
        queues: &Queues,
        address: &Address,
        sns: &Sns,
        sign_in: &Cognito,
        credentials: &Credentials,
    ) -> Self {
        let guarded = |router: Router, service: &'static str| {
            require_sigv4(
                router.layer(DefaultBodyLimit::max(LARGEST_REQUEST)),
                credentials,
                service,
            )
        };
        Self {
            s3,
            queues: guarded(sqs::router(queues.clone(), address.clone()), "sqs"),
            notices: guarded(sns.router(), "sns"),
            confirmation: sns.confirmation(),
            sign_in: guarded(sign_in.api(), "cognito-idp"),
            open_sign_in: sign_in.api().layer(DefaultBodyLimit::max(LARGEST_REQUEST)),
            credentials: credentials.clone(),
            labeling: Arc::default(),
        }
    }

    pub(crate) fn set_labeling(&self, engine: Router) {
        let engine = engine.layer(DefaultBodyLimit::max(LARGEST_REQUEST));
        let _set_once = self
            .labeling
            .set(require_sigv4(engine, &self.credentials, "sagemaker"));
    }

    pub(crate) fn router(self) -> Router {
        Router::new().fallback(dispatch).with_state(self)
    }
}

async fn dispatch(State(port): State<AwsPort>, request: Request) -> Response {
    let router = match service_of(request.method(), request.uri(), request.headers()) {
        Service::Labeling => match port.labeling.get() {
            Some(labeling) => labeling.clone(),
            None => {
                return json_error(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "ServiceUnavailable",
                    "the engine is starting",
                );
            }
        },
        Service::Queues => port.queues,
        Service::SignIn => port.sign_in,
        Service::OpenSignIn => port.open_sign_in,
        Service::Notices => port.notices,
        Service::Confirmation => port.confirmation,
        Service::S3 if bucket_in_host(request.headers()).is_some() => {
            let message =
                "Buckets are addressed by path here, not by host: set the client to path-style addressing";
            return s3_error(StatusCode::BAD_REQUEST, "InvalidRequest", message);
        }
        Service::S3 => port.s3,
        Service::Unsupported(scope) => return unsupported_service(&scope, request.headers()),
        Service::UnknownTarget(target) => {
            let message = format!(
                "{target} is not one of the services here: S3, SNS, SQS, SageMaker labeling and Cognito are"
            );
            return json_error(StatusCode::BAD_REQUEST, "UnknownOperationException", &message);
        }
    };
    match router.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}
