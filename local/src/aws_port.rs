//! One port for all of AWS: who a request is for, by its target header, its form, or else S3.

use std::sync::{Arc, OnceLock};

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use serde_json::json;
use tower::ServiceExt;

use crate::aws_auth::{Credentials, require_sigv4};
use crate::aws_json::TARGET;
use crate::cognito::{SignIn, is_open};
use crate::sns::Sns;
use crate::sqs::{self, Address, Queues};

/// Nothing but S3 is sent more than this.
const LARGEST_REQUEST: usize = 4 * 1024 * 1024;

#[derive(Clone)]
pub(crate) struct AwsPort {
    s3: Router,
    queues: Router,
    notices: Router,
    confirmation: Router,
    sign_in: Router,
    /// What Cognito takes from anybody, unsigned.
    open_sign_in: Router,
    credentials: Credentials,
    /// Later than the rest: the engine reads its state through this very port.
    labeling: Arc<OnceLock<Router>>,
}

impl AwsPort {
    pub(crate) fn new(
        s3: Router,
        queues: &Queues,
        address: &Address,
        sns: &Sns,
        sign_in: &SignIn,
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

enum Service {
    Labeling,
    Queues,
    SignIn,
    OpenSignIn,
    Notices,
    Confirmation,
    S3,
    Unknown(String),
}

fn service(method: &Method, uri: &Uri, headers: &HeaderMap) -> Service {
    if let Some(target) = headers.get(TARGET) {
        return match target.to_str().ok().and_then(|target| target.split_once('.')) {
            Some(("SageMaker", _)) => Service::Labeling,
            Some(("AmazonSQS", _)) => Service::Queues,
            Some(("AWSCognitoIdentityProviderService", operation)) if is_open(operation) => {
                Service::OpenSignIn
            }
            Some(("AWSCognitoIdentityProviderService", _)) => Service::SignIn,
            _ => Service::Unknown(String::from_utf8_lossy(target.as_bytes()).into_owned()),
        };
    }
    let is_form = headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
    if *method == Method::POST && uri.path() == "/" && is_form {
        return Service::Notices;
    }
    let asks_action = uri.query().is_some_and(|query| query.starts_with("Action="));
    if *method == Method::GET && uri.path() == "/" && asks_action {
        Service::Confirmation
    } else {
        Service::S3
    }
}

async fn dispatch(State(port): State<AwsPort>, request: Request) -> Response {
    let router = match service(request.method(), request.uri(), request.headers()) {
        Service::Labeling => match port.labeling.get() {
            Some(labeling) => labeling.clone(),
            None => {
                return refused(
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
        Service::S3 => port.s3,
        Service::Unknown(target) => {
            let message = format!(
                "{target} is not one of the services here: S3, SNS, SQS, SageMaker labeling and Cognito are"
            );
            return refused(StatusCode::BAD_REQUEST, "UnknownOperationException", &message);
        }
    };
    match router.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

fn refused(status: StatusCode, kind: &'static str, message: &str) -> Response {
    let mut response = (status, Json(json!({"__type": kind, "message": message}))).into_response();
    response
        .headers_mut()
        .insert("x-amzn-errortype", HeaderValue::from_static(kind));
    response
}
