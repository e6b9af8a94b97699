//! The security headers of every reply, and the check that a change comes from the portal's own page.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue};

use super::error::PortalError;

/// For the portal's own pages: nothing inline, nothing from other origins, and the sandboxed task as the only frame.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; frame-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// The policy of a task's page.
///
/// - The page is a job's template, a program that is not trusted. `sandbox` without `allow-same-origin` gives it an opaque
///   origin: it has neither the portal's cookie nor its API. `connect-src` and `form-action` leave it only `postMessage` to
///   the portal.
/// - Images may come from anywhere, as those of instructions do. So the address of an image could carry out what the page
///   holds: one item, which the job's owner has anyway.
/// - Templates have inline scripts and styles, hence 'unsafe-inline': AWS's templates must work. Outside the sandbox it has
///   no effect. An item's text cannot become such a script, because rendering escapes it.
pub(super) fn frame_policy(portal: &str, s3: &str) -> String {
    let media = format!("{s3} data: blob: https:");
    format!(
        "sandbox allow-scripts allow-forms; default-src 'none'; script-src {portal}/crowd/ 'unsafe-inline'; \
         style-src {portal}/crowd/ 'unsafe-inline'; img-src {media}; media-src {media}; font-src data:; \
         connect-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors {portal}"
    )
}

/// Adds the headers. A task's page has its own policy.
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

/// A change must come from the portal's page or from a program. A form or script of another site can neither add this header
/// nor send JSON, because the browser asks the portal first (CORS preflight).
pub(super) async fn refuse_foreign(request: Request, next: Next) -> Response {
    if !is_own(request.headers()) {
        return PortalError::Foreign.into_response();
    }
    next.run(request).await
}

fn is_own(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let json =
        text(CONTENT_TYPE.as_str()).is_some_and(|kind| kind.split(';').next() == Some("application/json"));
    let same_site = text("sec-fetch-site").is_none_or(|site| matches!(site, "same-origin" | "none"));
    json && same_site && text("x-groundcrew") == Some("1")
}
