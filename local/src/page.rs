//! What the few HTML pages of the stand-ins (sign-in, outbox) share: the frame around them, their one stylesheet, their
//! one script, and the headers that keep foreign script out.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::{Router, routing};

const STYLE: &str = include_str!("page.css");
const STYLE_PATH: &str = "/stand-in.css";
/// Lets people see the password they type.
const SCRIPT: &str = include_str!("page.js");
const SCRIPT_PATH: &str = "/stand-in.js";

/// No script at all, styles from this origin, no frames around it. `form-action` is left out: browsers apply it to the
/// redirect that follows a form too, and a sign-in ends on another origin.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; img-src data:; frame-ancestors 'none'; base-uri 'none'",
);

/// The same, and the one script.
const FORM_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; frame-ancestors 'none'; base-uri 'none'",
);
/// For a mail, in a frame of its own without script or origin: it brings its styles along, and inherits this policy.
const MAIL_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src data:; frame-src 'self'; frame-ancestors 'none'; \
     base-uri 'none'; form-action 'none'",
);

/// Serves the stylesheet and the script.
pub(crate) fn assets() -> Router {
    let script = ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], SCRIPT);
    Router::new()
        .route(
            STYLE_PATH,
            routing::get(async || ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE)),
        )
        .route(SCRIPT_PATH, routing::get(async move || script))
}

/// The top of a page: what it belongs to, and links to other pages.
pub(crate) struct PageHeader {
    /// Class of the body: `admin` has the console's colours, none has the portal's.
    class: &'static str,
    html: String,
}

impl PageHeader {
    /// For workers, on the way to the portal.
    fn for_workers() -> Self {
        let html = brand("/", engine::ICON, "");
        Self { class: "", html }
    }

    /// For the admin of this machine. `links` are names and addresses.
    pub(crate) fn for_admin(name: &str, home: &str, links: &[(&str, &str)]) -> Self {
        let links: String = links
            .iter()
            .map(|(name, to)| format!("<a href=\"{}\">{}</a>\n", escape(to), escape(name)))
            .collect();
        let brand = brand(home, ADMIN_ICON, name);
        Self {
            class: "admin",
            html: format!("{brand}<nav aria-label=\"Places\">\n{links}</nav>\n"),
        }
    }
}

/// The console's: it knows no other page but its own.
const ADMIN_ICON: &str = include_str!("admin.svg");

/// `icon` is SVG from this repository.
fn brand(home: &str, icon: &str, name: &str) -> String {
    format!(
        "<a class=\"brand\" href=\"{}\"><span class=\"mark\" aria-hidden=\"true\">{icon}</span>\
         <span>Groundcrew</span> <small>{}</small></a>\n",
        escape(home),
        escape(name)
    )
}

/// A whole page for workers. `main` is HTML; all text in it that came from outside has gone through [`escape`].
pub(crate) fn page(status: StatusCode, title: &str, main: &str) -> Response {
    html_page(status, title, &PageHeader::for_workers(), main, "", POLICY)
}

/// A page with passwords to type.
pub(crate) fn form_page(status: StatusCode, title: &str, main: &str) -> Response {
    let script = format!("<script src=\"{SCRIPT_PATH}\" defer></script>\n");
    html_page(
        status,
        title,
        &PageHeader::for_workers(),
        main,
        &script,
        FORM_POLICY,
    )
}

/// A page for the admin of this machine.
pub(crate) fn admin_page(status: StatusCode, title: &str, top: &PageHeader, main: &str) -> Response {
    html_page(status, title, top, main, "", POLICY)
}

/// Such a page with a mail in it.
pub(crate) fn mail_page(status: StatusCode, title: &str, top: &PageHeader, main: &str) -> Response {
    html_page(status, title, top, main, "", MAIL_POLICY)
}

fn html_page(
    status: StatusCode,
    title: &str,
    top: &PageHeader,
    main: &str,
    head: &str,
    policy: HeaderValue,
) -> Response {
    let title = escape(title);
    let PageHeader { class, html: top } = top;
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n\
         <link rel=\"icon\" href=\"data:,\">\n<link rel=\"stylesheet\" href=\"{STYLE_PATH}\">\n{head}</head>\n\
         <body class=\"{class}\">\n<header class=\"top\">\n{top}</header>\n<main>\n{main}\n</main>\n</body>\n</html>\n"
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

/// Text made safe between tags and in quoted attributes.
pub(crate) fn escape(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}
