//! A request to the store, from its bytes to its answer: the gate, the protocol library, and what is added to its answer.

use std::sync::Arc;

use axum::{Router, body::Body, extract::Request, response::Response};
use http::{HeaderMap, Method, StatusCode, header};
use s3s::{
    S3Result,
    auth::{S3Auth, SecretKey},
    s3_error,
    service::{S3Service, S3ServiceBuilder},
};

use crate::aws_auth::Credentials;

use super::{
    api::Api,
    browser_policy::BrowserPolicy,
    cors::{self, CorsRule},
    error::custom_error,
    gate::{self, ChunkedBodyGuard, Content, Operation},
    request_amendment::AmendedRoute,
    response::{error_response, finish},
    store::{Store, index},
};

pub(super) fn router(store: &Arc<Store>, keys: Credentials) -> Router {
    let service = || S3ServiceBuilder::new(Api { store: store.clone() });
    let mut builder = service();
    builder.set_auth(KeyPair(keys));
    builder.set_route(AmendedRoute {
        unsigned: service().build(),
    });
    let endpoint = Endpoint {
        store: store.clone(),
        protocol: builder.build(),
    };
    Router::new().fallback(move |request: Request| async move { endpoint.handle(request).await })
}

struct KeyPair(Credentials);

#[async_trait::async_trait]
impl S3Auth for KeyPair {
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
struct Endpoint {
    store: Arc<Store>,
    protocol: S3Service,
}

impl Endpoint {
    async fn handle(&self, mut request: Request) -> Response {
        let (method, bucket) = (request.method().clone(), bucket(request.uri().path()).to_owned());
        let origin = request
            .headers()
            .get(header::ORIGIN)
            .and_then(|origin| origin.to_str().ok())
            .map(str::to_owned);
        let policy = BrowserPolicy::of(&request);
        let (operation, mut response) = match self.admit(&mut request, &bucket) {
            Ok(operation) => (operation, self.protocol(request, operation).await),
            Err(response) => (None, *response),
        };
        if let Some(origin) = origin.filter(|_| method != Method::OPTIONS)
            && let Some(headers) = cors::simple(&self.rules(&bucket), &origin, method.as_str())
        {
            response.headers_mut().extend(headers);
        }
        if response.status().is_success() {
            policy.apply(response.headers_mut());
        }
        finish(&method, operation, response).await
    }

    /// The operation that is asked for; or the response, where the request needs no protocol or must not reach it.
    fn admit(
        &self,
        request: &mut Request,
        bucket: &str,
    ) -> Result<Option<&'static Operation>, Box<Response>> {
        if request.method() == Method::OPTIONS {
            return Err(Box::new(preflight(&self.rules(bucket), request.headers())));
        }
        gate::check(request).map_err(|error| Box::new(error_response(error)))
    }

    async fn protocol(&self, request: Request, operation: Option<&'static Operation>) -> Response {
        let request = match operation {
            Some(operation) if operation.content == Content::Xml => {
                gate::read_document(request, operation).await
            }
            _ => Ok(guard_chunks(request)),
        };
        let request = match request {
            Ok(request) => request,
            Err(error) => return error_response(error),
        };
        match self.protocol.call(request.map(s3s::Body::http_body_unsync)).await {
            Ok(response) => response.map(Body::new),
            Err(error) => {
                tracing::error!(?error, "request to the object store failed");
                error_response(s3_error!(
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

fn guard_chunks(request: Request) -> Request {
    let (parts, body) = request.into_parts();
    let body = ChunkedBodyGuard::wrap(body, &parts.headers);
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
            error_response(custom_error(
                "AccessForbidden",
                StatusCode::FORBIDDEN,
                message.into(),
            ))
        }
    }
}
