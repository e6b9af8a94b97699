//! The HTTP face of the store: what comes before and after the protocol itself.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::Request,
    response::Response,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use s3s::{
    S3Error, S3Result,
    auth::{S3Auth, SecretKey},
    s3_error,
    service::{S3Service, S3ServiceBuilder},
};
use uuid::Uuid;

use super::{
    CorsRule, Credentials,
    amended::Amended,
    api::Api,
    cors,
    error::custom,
    gate::{self, Content, Framed, Operation},
    reader::Reader,
    store::{Store, index},
};

/// The longest a presigned URL can be good for: seven days.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html>
const LONGEST_PRESIGNED: u32 = 604_800;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amz-request-id");

pub(super) fn router(store: &Arc<Store>, keys: Credentials) -> Router {
    let service = || S3ServiceBuilder::new(Api { store: store.clone() });
    let mut builder = service();
    builder.set_auth(Keys(keys));
    builder.set_route(Amended {
        unsigned: service().build(),
    });
    let front = Front {
        store: store.clone(),
        protocol: builder.build(),
    };
    Router::new().fallback(move |request: Request| async move { front.answer(request).await })
}

struct Keys(Credentials);

#[async_trait::async_trait]
impl S3Auth for Keys {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        if access_key == self.0.access_key_id {
            return Ok(self.0.secret_access_key.clone().into());
        }
        Err(s3_error!(
            InvalidAccessKeyId,
            "The AWS Access Key Id you provided does not exist in our records. The right one is in the data folder."
        ))
    }
}

#[derive(Clone)]
struct Front {
    store: Arc<Store>,
    protocol: S3Service,
}

impl Front {
    async fn answer(&self, mut request: Request) -> Response {
        let (method, bucket) = (request.method().clone(), bucket(request.uri().path()).to_owned());
        let origin = request
            .headers()
            .get(header::ORIGIN)
            .and_then(|origin| origin.to_str().ok())
            .map(str::to_owned);
        let reader = Reader::of(&request);
        let (operation, mut response) = match self.early(&mut request, &bucket) {
            Ok(operation) => (operation, self.protocol(request, operation).await),
            Err(response) => (None, *response),
        };
        if let Some(origin) = origin.filter(|_| method != Method::OPTIONS)
            && let Some(headers) = cors::simple(&self.rules(&bucket), &origin, method.as_str())
        {
            response.headers_mut().extend(headers);
        }
        if response.status().is_success() {
            reader.shield(response.headers_mut());
        }
        finish(&method, operation, response).await
    }

    /// The operation that is asked for; or an answer, where the request needs no protocol or must not reach it.
    fn early(
        &self,
        request: &mut Request,
        bucket: &str,
    ) -> Result<Option<&'static Operation>, Box<Response>> {
        if request.method() == Method::OPTIONS {
            return Err(Box::new(preflight(&self.rules(bucket), request.headers())));
        }
        let checked = match refusal(request) {
            Some(error) => Err(error),
            None => gate::check(request),
        };
        checked.map_err(|error| Box::new(failure(error)))
    }

    async fn protocol(&self, request: Request, operation: Option<&'static Operation>) -> Response {
        let request = match operation {
            Some(operation) if operation.content == Content::Xml => gate::whole(request, operation).await,
            _ => Ok(watched(request)),
        };
        let request = match request {
            Ok(request) => request,
            Err(error) => return failure(error),
        };
        match self.protocol.call(request.map(s3s::Body::http_body_unsync)).await {
            Ok(response) => response.map(Body::new),
            Err(error) => {
                tracing::error!(?error, "a request to the object store failed");
                failure(s3_error!(
                    InternalError,
                    "We encountered an internal error. Please try again."
                ))
            }
        }
    }

    fn rules(&self, bucket: &str) -> Vec<CorsRule> {
        let record = self
            .store
            .snapshot()
            .and_then(|snapshot| index::bucket(&snapshot.buckets, bucket));
        record.map(|record| record.cors).unwrap_or_default()
    }
}

fn watched(request: Request) -> Request {
    let (parts, body) = request.into_parts();
    let body = Framed::watch(body, &parts.headers);
    Request::from_parts(parts, body)
}

fn bucket(path: &str) -> &str {
    path.trim_start_matches('/').split('/').next().unwrap_or_default()
}

fn preflight(rules: &[CorsRule], request: &HeaderMap) -> Response {
    match cors::preflight(rules, request) {
        Some(headers) => {
            let mut response = Response::default();
            response.headers_mut().extend(headers);
            response
        }
        None => {
            let message = "CORSResponse: This CORS request is not allowed. The bucket's CORS rules do not allow this origin, method or header.";
            failure(custom("AccessForbidden", StatusCode::FORBIDDEN, message.into()))
        }
    }
}

/// What the protocol library would let pass.
fn refusal(request: &Request) -> Option<S3Error> {
    let authorization = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let query: Vec<(String, String)> =
        serde_urlencoded::from_str(request.uri().query().unwrap_or_default()).unwrap_or_default();
    let value = |name: &str| {
        query
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    };
    // Presigned URLs of version 2 stay: the AWS CLI and boto3 still make them for us-east-1 unless told otherwise.
    if authorization.is_some_and(|value| value.starts_with("AWS ")) {
        return Some(s3_error!(
            InvalidRequest,
            "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."
        ));
    }
    let signed = authorization
        .and_then(|text| {
            text.split(',')
                .find_map(|part| part.trim().strip_prefix("SignedHeaders="))
        })
        .or_else(|| value("X-Amz-SignedHeaders"));
    if signed.is_some_and(|signed| leaves_out(signed, request.headers())) {
        return Some(s3_error!(
            AccessDenied,
            "There were headers present in the request which were not signed"
        ));
    }
    let expires = value("X-Amz-Expires").map(str::parse::<u32>);
    match expires {
        Some(Ok(seconds)) if seconds > LONGEST_PRESIGNED => Some(s3_error!(
            AuthorizationQueryParametersError,
            "X-Amz-Expires must be less than a week (in seconds) that is {LONGEST_PRESIGNED}"
        )),
        _ => None,
    }
}

/// Whether there is an `x-amz-` header that the signature does not cover: with `x-amz-copy-source` added, a signed upload
/// would become a copy of any other object. S3 refuses these too; `x-amz-user-agent` does nothing, and a presigned link
/// covers its body or does not.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>
fn leaves_out(signed: &str, headers: &HeaderMap) -> bool {
    const HARMLESS: [&str; 2] = ["x-amz-user-agent", "x-amz-content-sha256"];
    let covered = |name: &str| signed.split(';').any(|signed| signed.trim() == name);
    let of_s3 = headers
        .keys()
        .map(HeaderName::as_str)
        .filter(|name| name.starts_with("x-amz-") && !HARMLESS.contains(name));
    of_s3.into_iter().any(|name| !covered(name))
}

fn failure(error: S3Error) -> Response {
    match error.to_http_response() {
        Ok(response) => response.map(Body::new),
        Err(_) => {
            let mut response = Response::default();
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            response
        }
    }
}

async fn finish(method: &Method, operation: Option<&Operation>, mut response: Response) -> Response {
    let id = Uuid::new_v4().simple().to_string();
    let names = operation.is_some_and(Operation::answers_with_names);
    if response.status().is_client_error() || response.status().is_server_error() {
        response = rewritten(response, |body| identified(body, &id)).await;
    } else if names {
        response = rewritten(response, |body| Some(referenced(body))).await;
    }
    if let Ok(id) = HeaderValue::try_from(id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    if response.status() == StatusCode::NOT_MODIFIED {
        response.headers_mut().remove(header::CONTENT_TYPE);
        *response.body_mut() = Body::empty();
    }
    let part = response.headers().contains_key(header::CONTENT_RANGE);
    if method == Method::HEAD && part && response.status() == StatusCode::OK {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    response
}

/// The response with another body, where `write` has one for it. Only for documents of the protocol, which are in memory.
async fn rewritten(response: Response, write: impl FnOnce(&str) -> Option<String>) -> Response {
    let (mut parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let written = std::str::from_utf8(&bytes).ok().and_then(write);
    let Some(written) = written else {
        return Response::from_parts(parts, Body::from(bytes));
    };
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(written))
}

/// An error with the id that the log of a client shows.
fn identified(body: &str, id: &str) -> Option<String> {
    let (before, after) = body.rsplit_once("</Error>")?;
    (!body.contains("<RequestId>"))
        .then(|| format!("{before}<RequestId>{id}</RequestId><HostId>groundcrew</HostId></Error>{after}"))
}

/// Characters that XML 1.0 has no way to write, as AWS writes them: a raw carriage return would be read as a line feed.
fn referenced(body: &str) -> String {
    let mut written = String::with_capacity(body.len());
    for character in body.chars() {
        match character {
            '\n' | '\t' => written.push(character),
            '\0'..='\u{1f}' => {
                written.push_str("&#x");
                written.extend(char::from_digit(u32::from(character) / 16, 16));
                written.extend(char::from_digit(u32::from(character) % 16, 16));
                written.push(';');
            }
            _ => written.push(character),
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_covers_every_header_that_means_something_to_s3() {
        let headers = |names: &[&'static str]| -> HeaderMap {
            let value = HeaderValue::from_static("x");
            names
                .iter()
                .map(|name| (HeaderName::from_static(name), value.clone()))
                .collect()
        };
        for (signed, sent, expected) in [
            ("host;x-amz-date", vec!["host", "x-amz-date", "range"], false),
            ("host", vec!["host", "x-amz-copy-source"], true),
            ("host;x-amz-date", vec!["x-amz-date", "x-amz-acl"], true),
            ("host;x-amz-dates", vec!["x-amz-date"], true),
            ("", vec!["x-amz-meta-a"], true),
            ("host", vec!["x-amz-content-sha256", "x-amz-user-agent"], false),
        ] {
            assert_eq!(leaves_out(signed, &headers(&sent)), expected, "{signed} {sent:?}");
        }
    }
}
