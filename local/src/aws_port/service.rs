//! Which service a request is for: by its target header, its form, its signature, or else S3.

use axum::http::{HeaderMap, Method, Uri, header};

use crate::aws_json::TARGET;
use crate::cognito::is_unsigned;

pub(super) enum Service {
    Labeling,
    Queues,
    SignIn,
    OpenSignIn,
    Notices,
    Confirmation,
    S3,
    /// By its target header.
    UnknownTarget(String),
    /// By its signature: its protocol names the service nowhere else.
    Unsupported(String),
}

/// The scopes of signatures for the services here.
const SUPPORTED_SCOPES: [&str; 5] = ["s3", "sns", "sqs", "sagemaker", "cognito-idp"];

/// The service that a request is signed for, in its header or its address.
fn signed_scope(uri: &Uri, headers: &HeaderMap) -> Option<String> {
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

pub(super) fn service_of(method: &Method, uri: &Uri, headers: &HeaderMap) -> Service {
    if let Some(target) = headers.get(TARGET) {
        return match target.to_str().ok().and_then(|target| target.split_once('.')) {
            Some(("SageMaker", _)) => Service::Labeling,
            Some(("AmazonSQS", _)) => Service::Queues,
            Some(("AWSCognitoIdentityProviderService", operation)) if is_unsigned(operation) => {
                Service::OpenSignIn
            }
            Some(("AWSCognitoIdentityProviderService", _)) => Service::SignIn,
            _ => Service::UnknownTarget(String::from_utf8_lossy(target.as_bytes()).into_owned()),
        };
    }
    // IAM, STS, EC2 and CloudFormation speak as SNS does, Lambda and others as S3 does.
    if let Some(scope) = signed_scope(uri, headers)
        .filter(|scope| !SUPPORTED_SCOPES.contains(&scope.as_str()) || scope == "sqs")
    {
        return Service::Unsupported(scope);
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

/// The bucket of an address like `bucket.localhost`. If it were ignored, the key would be taken for a bucket's name.
pub(super) fn bucket_in_host(headers: &HeaderMap) -> Option<&str> {
    let host = headers.get(header::HOST)?.to_str().ok()?;
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    name.strip_suffix(".localhost")
        .filter(|bucket| !bucket.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unsupported_service(method: &Method, path: &str, service_name: &str, kind: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        let credential = format!(
            "AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/{service_name}/aws4_request, SignedHeaders=host, Signature=a"
        );
        headers.insert(header::AUTHORIZATION, credential.parse().unwrap());
        headers.insert(header::CONTENT_TYPE, kind.parse().unwrap());
        match service_of(method, &path.parse().unwrap(), &headers) {
            Service::Unsupported(name) => Some(name),
            _ => None,
        }
    }

    #[test]
    fn an_unsupported_service_is_known_by_its_signature() {
        let form = "application/x-www-form-urlencoded; charset=utf-8";
        for (method, path, name, kind, unsupported) in [
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
            let answer = unsupported_service(&method, path, name, kind);
            assert_eq!(answer.is_some(), unsupported, "{name} {path}");
        }
        let presigned =
            "/?Action=GetCallerIdentity&X-Amz-Credential=AKID%2F20260101%2Fus-east-1%2Fsts%2Faws4_request";
        let service = service_of(&Method::GET, &presigned.parse().unwrap(), &HeaderMap::new());
        assert!(matches!(service, Service::Unsupported(name) if name == "sts"));
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
