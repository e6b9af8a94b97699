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
    /// Of a protocol that names the service only in the signature.
    Elsewhere(String),
}

/// What the signatures for these are scoped to.
const HERE: [&str; 5] = ["s3", "sns", "sqs", "sagemaker", "cognito-idp"];

/// The service that a request is signed for, in its header or its address.
fn scope(uri: &Uri, headers: &HeaderMap) -> Option<String> {
    let header = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let signed =
        header.and_then(|text| Some(text.split_once("Credential=")?.1.split(',').next()?.to_owned()));
    let presigned = || {
        let query: Vec<(String, String)> = serde_urlencoded::from_str(uri.query()?).ok()?;
        query
            .into_iter()
            .find(|(name, _)| name == "X-Amz-Credential")
            .map(|(_, value)| value)
    };
    let credential = signed.or_else(presigned)?;
    credential.split('/').nth(3).map(str::to_owned)
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
    // IAM, STS, EC2 and CloudFormation speak as SNS does, Lambda and others as S3 does.
    if let Some(scope) = scope(uri, headers).filter(|scope| !HERE.contains(&scope.as_str()) || scope == "sqs")
    {
        return Service::Elsewhere(scope);
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
        Service::S3 if bucket_in_host(request.headers()).is_some() => {
            let message =
                "Buckets are addressed by path here, not by host: set the client to path-style addressing";
            return not_of_this_s3(StatusCode::BAD_REQUEST, "InvalidRequest", message);
        }
        Service::S3 => port.s3,
        Service::Elsewhere(scope) => return elsewhere(&scope, request.headers()),
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

/// In the form that the clients of such a service read.
fn elsewhere(scope: &str, headers: &HeaderMap) -> Response {
    let services = "S3, SNS, SQS (JSON protocol), SageMaker labeling and Cognito are";
    // The name comes from the request: only characters that need no escaping in any of the forms.
    let name: String = scope
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_'))
        .take(64)
        .collect();
    let message = format!("{name} is not one of the services here: {services}");
    // Directory buckets: a service of their own to a signature, and S3 to its clients.
    if scope.starts_with("s3") {
        let what = "There are no directory buckets here (ListDirectoryBuckets, CreateSession)";
        return not_of_this_s3(StatusCode::NOT_IMPLEMENTED, "NotImplemented", what);
    }
    let kind = headers
        .get(header::CONTENT_TYPE)
        .map_or(&[][..], HeaderValue::as_bytes);
    if kind.starts_with(b"application/x-www-form-urlencoded") {
        let id = uuid::Uuid::new_v4();
        let error = format!(
            "<Error><Type>Sender</Type><Code>InvalidAction</Code><Message>{message}</Message></Error>"
        );
        // EC2 has a form of its own.
        let body = match scope {
            "ec2" => format!("<Response><Errors>{error}</Errors><RequestID>{id}</RequestID></Response>"),
            _ => format!("<ErrorResponse>{error}<RequestId>{id}</RequestId></ErrorResponse>"),
        };
        let xml = [(header::CONTENT_TYPE, "text/xml")];
        return (StatusCode::BAD_REQUEST, xml, body).into_response();
    }
    refused(StatusCode::BAD_REQUEST, "UnknownOperationException", &message)
}

/// The bucket of an address like `bucket.localhost`. Taken for a path, its key would be a bucket's name.
fn bucket_in_host(headers: &HeaderMap) -> Option<&str> {
    let host = headers.get(header::HOST)?.to_str().ok()?;
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    name.strip_suffix(".localhost")
        .filter(|bucket| !bucket.is_empty())
}

/// An error as S3's clients read it; the message needs no escaping.
fn not_of_this_s3(status: StatusCode, code: &str, message: &str) -> Response {
    let id = uuid::Uuid::new_v4();
    let body =
        format!("<Error><Code>{code}</Code><Message>{message}</Message><RequestId>{id}</RequestId></Error>");
    (status, [(header::CONTENT_TYPE, "application/xml")], body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(method: &Method, path: &str, service_name: &str, kind: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        let credential = format!(
            "AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/{service_name}/aws4_request, SignedHeaders=host, Signature=a"
        );
        headers.insert(header::AUTHORIZATION, credential.parse().unwrap());
        headers.insert(header::CONTENT_TYPE, kind.parse().unwrap());
        match service(method, &path.parse().unwrap(), &headers) {
            Service::Elsewhere(name) => Some(name),
            _ => None,
        }
    }

    #[test]
    fn a_service_that_is_not_here_is_known_by_its_signature() {
        let form = "application/x-www-form-urlencoded; charset=utf-8";
        for (method, path, name, kind, elsewhere) in [
            (Method::POST, "/", "sts", form, true),
            (Method::POST, "/", "ec2", form, true),
            (Method::POST, "/", "sqs", form, true),
            (Method::POST, "/", "sns", form, false),
            (
                Method::GET,
                "/2015-03-31/functions",
                "lambda",
                "application/json",
                true,
            ),
            (Method::DELETE, "/bucket/key", "s3", "", false),
            (Method::DELETE, "/bucket/key", "s3express", "", true),
            (
                Method::POST,
                "/service/GraniteServiceVersion20100801/operation/ListMetrics",
                "monitoring",
                "application/cbor",
                true,
            ),
        ] {
            let answer = answered(&method, path, name, kind);
            assert_eq!(answer.is_some(), elsewhere, "{name} {path}");
        }
        let presigned =
            "/?Action=GetCallerIdentity&X-Amz-Credential=AKID%2F20260101%2Fus-east-1%2Fsts%2Faws4_request";
        let service = service(&Method::GET, &presigned.parse().unwrap(), &HeaderMap::new());
        assert!(matches!(service, Service::Elsewhere(name) if name == "sts"));
    }

    #[test]
    fn a_bucket_in_the_host_is_never_taken_for_a_path() {
        for (host, bucket) in [
            ("input.localhost:4566", Some("input")),
            ("input.localhost", Some("input")),
            ("localhost:4566", None),
            ("127.0.0.1:4566", None),
            ("[::1]:4566", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().unwrap());
            assert_eq!(bucket_in_host(&headers), bucket, "{host}");
        }
    }
}
