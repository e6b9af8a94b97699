//! What the few HTML pages of the stand-ins (sign-in, outbox) share: the frame around them, their one stylesheet, and
//! the headers that keep foreign script out.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::{Router, routing};

const STYLE: &str = include_str!("page.css");
const STYLE_PATH: &str = "/stand-in.css";

/// No script at all, styles from this origin, nobody may frame it. `form-action` is left out: browsers apply it to the
/// redirect that follows a form too, and a sign-in ends on another origin.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; img-src data:; frame-ancestors 'none'; base-uri 'none'",
);

/// Serves the stylesheet.
pub(crate) fn style() -> Router {
    Router::new().route(
        STYLE_PATH,
        routing::get(async || ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE)),
    )
}

/// A whole page. `main` is HTML; whatever in it came from outside has gone through [`escape`].
pub(crate) fn page(status: StatusCode, title: &str, main: &str) -> Response {
    let title = escape(title);
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n\
         <link rel=\"icon\" href=\"data:,\">\n<link rel=\"stylesheet\" href=\"{STYLE_PATH}\">\n</head>\n<body>\n\
         <main>\n{main}\n</main>\n</body>\n</html>\n"
    );
    let headers: [(HeaderName, HeaderValue); 4] = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
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
