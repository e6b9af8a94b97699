//! What the few HTML pages of the stand-ins (sign-in, outbox) share: the frame around them, their one stylesheet, their
//! one script, and the headers that keep foreign script out.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::{Router, routing};

const STYLE: &str = include_str!("page.css");
const STYLE_PATH: &str = "/stand-in.css";
/// Shows a password that is being typed, where somebody wants to see it.
const SCRIPT: &str = include_str!("page.js");
const SCRIPT_PATH: &str = "/stand-in.js";

/// No script at all, styles from this origin, nobody may frame it. `form-action` is left out: browsers apply it to the
/// redirect that follows a form too, and a sign-in ends on another origin.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; img-src data:; frame-ancestors 'none'; base-uri 'none'",
);

/// The same, and the one script of our own.
const FORM_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; frame-ancestors 'none'; base-uri 'none'",
);
/// For a mail, in a frame of its own without script or origin: it brings its styles along, and inherits this policy.
const MAIL_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src data:; frame-src 'self'; frame-ancestors 'none'; \
     base-uri 'none'; form-action 'none'",
);

/// Serves the stylesheet and the script.
pub(crate) fn style() -> Router {
    let script = ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], SCRIPT);
    Router::new()
        .route(
            STYLE_PATH,
            routing::get(async || ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE)),
        )
        .route(SCRIPT_PATH, routing::get(async move || script))
}

/// A whole page. `main` is HTML; whatever in it came from outside has gone through [`escape`].
pub(crate) fn page(status: StatusCode, title: &str, main: &str) -> Response {
    framed(status, title, main, "", POLICY)
}

/// A page with passwords to type.
pub(crate) fn form_page(status: StatusCode, title: &str, main: &str) -> Response {
    let script = format!("<script src=\"{SCRIPT_PATH}\" defer></script>\n");
    framed(status, title, main, &script, FORM_POLICY)
}

/// A page with a mail in it.
pub(crate) fn mail_page(status: StatusCode, title: &str, main: &str) -> Response {
    framed(status, title, main, "", MAIL_POLICY)
}

fn framed(status: StatusCode, title: &str, main: &str, head: &str, policy: HeaderValue) -> Response {
    let title = escape(title);
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n\
         <link rel=\"icon\" href=\"data:,\">\n<link rel=\"stylesheet\" href=\"{STYLE_PATH}\">\n{head}</head>\n<body>\n\
         <main>\n{main}\n</main>\n</body>\n</html>\n"
    );
    let headers: [(HeaderName, HeaderValue); 4] = [
        (header::CONTENT_SECURITY_POLICY, policy),
        (
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
        (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (status, headers, Html(html)).into_response()
}

/// Text made safe between tags and in double-quoted attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}
