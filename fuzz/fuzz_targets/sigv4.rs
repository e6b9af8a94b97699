//! Requests to the AWS port: no request without the secret is accepted, whatever the headers say.
#![no_main]
#![allow(
    dead_code,
    reason = "a file taken in by its path, without the crate around it"
)]

#[path = "../../local/src"]
mod local {
    pub mod aws_auth;
}

use std::sync::LazyLock;

use local::aws_auth::{Credentials, require_sigv4};
use axum::{
    Router,
    body::Body,
    http::{HeaderName, HeaderValue, Method, Request, StatusCode},
};
use libfuzzer_sys::fuzz_target;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Builder::new_current_thread().build().unwrap());

static PORT: LazyLock<Router> = LazyLock::new(|| {
    let credentials = Credentials {
        access_key_id: "AKID".to_owned(),
        // Nothing a mutation comes upon.
        secret_access_key: "3f6c2b8e1d9a4705bc62".to_owned(),
    };
    let inside = Router::new().fallback(|| async { StatusCode::OK });
    require_sigv4(inside, &credentials, "sqs")
});

// As a request is written: method and address, headers a line each, an empty line, the body. `@now` is the time.
fuzz_target!(|data: &[u8]| {
    let Some(request) = request(data) else { return };
    let response = RUNTIME.block_on(PORT.clone().oneshot(request)).unwrap();
    assert!(response.status().is_client_error(), "{}", response.status());
});

fn request(data: &[u8]) -> Option<Request<Body>> {
    let text = String::from_utf8_lossy(data);
    let (head, body) = text.split_once("\n\n").unwrap_or((&text, ""));
    let now = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    let head = head.replace("@now", &now).replace("@day", &now[..8]);
    let mut lines = head.lines();
    let (method, uri) = lines.next()?.split_once(' ')?;
    let mut request = Request::new(Body::from(body.to_owned()));
    *request.method_mut() = Method::from_bytes(method.as_bytes()).ok()?;
    *request.uri_mut() = uri.parse().ok()?;
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        let name = HeaderName::try_from(name).ok()?;
        request
            .headers_mut()
            .append(name, HeaderValue::try_from(value.trim()).ok()?);
    }
    Some(request)
}
