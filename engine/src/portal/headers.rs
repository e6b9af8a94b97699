//! What every reply of the portal tells the browser to guard against, and which requests are not from the portal at all.
use super::refusal::Refusal;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue};

/// The portal's own pages: nothing inline, nothing from elsewhere, the sandboxed task as the only frame.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; frame-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// The policy of a task's page. It is a job's template, somebody else's program: `sandbox` without `allow-same-origin`
/// gives it an origin of its own kind, so that it has neither the portal's cookie nor its API, and `connect-src`
/// and `form-action` leave it `postMessage` to the portal. (Images may come from anywhere, as those of instructions do, so
/// the address of an image could carry out what the page holds: one item, which the job's owner has anyway.) Templates carry their own scripts and
/// styles, hence 'unsafe-inline': what AWS's templates do has to work, and outside the sandbox it means nothing. An
/// item's text cannot become such a script, because rendering escapes it.
pub(super) fn frame_policy(portal: &str, s3: &str) -> String {
    let media = format!("{s3} data: blob: https:");
    format!(
        "sandbox allow-scripts allow-forms; default-src 'none'; script-src {portal}/crowd/ 'unsafe-inline'; \
         style-src {portal}/crowd/ 'unsafe-inline'; img-src {media}; media-src {media}; font-src data:; \
         connect-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors {portal}"
    )
}

/// Adds the headers; a task's page brings its own policy.
pub(super) async fn protect(request: Request, next: Next) -> Response {
    let mut reply = next.run(request).await;
    let headers = reply.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers
        .entry(CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static(PAGE_POLICY));
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    reply
}

/// A change must come from the portal's page or a program: a form or a script of another site cannot add a header of
/// its own, and cannot send JSON, without being allowed to first.
pub(super) async fn refuse_foreign(request: Request, next: Next) -> Response {
    if !own(request.headers()) {
        return Refusal::Foreign.into_response();
    }
    next.run(request).await
}

fn own(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let json =
        text(CONTENT_TYPE.as_str()).is_some_and(|kind| kind.split(';').next() == Some("application/json"));
    let same_site = text("sec-fetch-site").is_none_or(|site| matches!(site, "same-origin" | "none"));
    json && same_site && text("x-groundcrew") == Some("1")
}
