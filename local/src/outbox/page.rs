//! The outbox in the browser (`/outbox`) and as JSON (`/outbox/api`). It holds passwords, so it takes two things: a session of
//! the console, which the caller checks, and a request from this machine, which is checked here.

use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRef, Path, Query, Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, routing};
use serde::Deserialize;
use serde_json::json;

use super::{Delivery, Entry, Outbox};
use crate::page::{PageHeader, admin_page, escape, mail_page};
use crate::web_guard::LocalAddress;

/// Its address for a browser on this machine.
pub(crate) fn address(here: LocalAddress) -> String {
    format!("{}/outbox", here.origin())
}

/// What every page needs.
#[derive(Clone)]
struct Pages {
    outbox: Outbox,
    here: LocalAddress,
    top: Arc<PageHeader>,
}

impl FromRef<Pages> for Outbox {
    fn from_ref(pages: &Pages) -> Self {
        pages.outbox.clone()
    }
}

impl FromRef<Pages> for Arc<PageHeader> {
    fn from_ref(pages: &Pages) -> Self {
        pages.top.clone()
    }
}

/// `web_url` is where console and portal are.
pub(crate) fn router(outbox: Outbox, here: LocalAddress, web_url: &str) -> Router {
    let console = format!("{web_url}/console");
    let ways = [("Console", console.as_str()), ("Worker portal", web_url)];
    let top = Arc::new(PageHeader::for_admin("outbox", "/outbox", &ways));
    let pages = Pages { outbox, here, top };
    Router::new()
        .route("/outbox", routing::get(list))
        .route("/outbox/{id}", routing::get(detail))
        .route("/outbox/api", routing::get(api))
        .with_state(pages.clone())
        .layer(middleware::from_fn_with_state(pages, this_machine_only))
}

async fn this_machine_only(State(pages): State<Pages>, request: Request, next: Next) -> Response {
    let peer = request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .map(|ConnectInfo(address)| address.ip());
    if peer.is_some_and(|ip| pages.here.is_local_request(ip, request.headers())) {
        return next.run(request).await;
    }
    let main = format!(
        "<h1>Only on the machine itself</h1><p>The outbox holds passwords and links to sign in with, so it opens only on the \
         machine that groundcrew runs on, at <a href=\"{0}\">{0}</a>.</p>",
        escape(&address(pages.here))
    );
    admin_page(StatusCode::FORBIDDEN, "Outbox", &pages.top, &main)
}

/// Messages on one page.
const PAGE: usize = 200;

#[derive(Deserialize)]
struct PageQuery {
    /// Part of an address.
    #[serde(default)]
    to: String,
    /// The id of the last message on the page before.
    before: Option<String>,
}

async fn list(
    State(outbox): State<Outbox>,
    State(top): State<Arc<PageHeader>>,
    Query(query): Query<PageQuery>,
) -> Response {
    let (entries, more) = outbox.page(&query.to, query.before.as_deref(), PAGE);
    let mut main = format!(
        "<h1>Outbox</h1>\n<p class=\"soft\">Mail and notices, newest first. This machine sends no e-mail: it is kept here \
         instead. Programs read <a href=\"/outbox/api\">/outbox/api</a>.</p>\n\
         <form class=\"find\" method=\"get\" action=\"/outbox\">\n<label for=\"to\">To</label>\n<input id=\"to\" \
         name=\"to\" type=\"search\" value=\"{}\" placeholder=\"part of an address\">\n\
         <button type=\"submit\">Find</button>\n</form>\n",
        escape(&query.to),
    );
    if entries.is_empty() && query.to.is_empty() {
        main.push_str(
            "<p>Nothing has been sent yet. The first notice is sent when a labeling job has ended.</p>",
        );
    } else if entries.is_empty() {
        main.push_str(
            "<p>Nothing has been sent to such an address. <a href=\"/outbox\">All messages</a></p>",
        );
    } else {
        main.push_str("<table class=\"messages\">\n<tr><th>When</th><th>To</th><th>Subject</th></tr>\n");
        entries.iter().for_each(|entry| main.push_str(&row(entry)));
        main.push_str("</table>");
    }
    if let Some(last) = entries.last().filter(|_| more) {
        let older = serde_urlencoded::to_string([("to", &query.to), ("before", &last.id)]);
        let older = escape(&older.unwrap_or_default());
        let _written = write!(main, "\n<p><a href=\"/outbox?{older}\">Older messages</a></p>");
    }
    admin_page(StatusCode::OK, "Outbox", &top, &main)
}

fn row(entry: &Entry) -> String {
    let subject = entry.subject.as_deref().unwrap_or("(no subject)");
    let mark = match &entry.state {
        Delivery::Delivered => "",
        Delivery::Sending => " <span class=\"soft\">(not accepted yet)</span>",
        Delivery::Failed(_) => " <strong class=\"bad\">(failed)</strong>",
    };
    format!(
        "<tr><td class=\"at\">{}</td><td class=\"to\" title=\"{to}\">{to}</td>\
         <td class=\"subject\"><a href=\"/outbox/{}\">{}</a>{mark}</td></tr>\n",
        entry.at.strftime("%Y-%m-%d %H:%M:%S UTC"),
        escape(&entry.id),
        escape(subject),
        to = escape(&entry.to),
    )
}

async fn detail(
    State(outbox): State<Outbox>,
    State(top): State<Arc<PageHeader>>,
    Path(id): Path<String>,
) -> Response {
    let Some(entry) = outbox.entry(&id) else {
        let text = "<h1>No such message</h1><p><a href=\"/outbox\">All messages</a></p>";
        return admin_page(StatusCode::NOT_FOUND, "Outbox", &top, text);
    };
    let subject = entry.subject.as_deref().unwrap_or("(no subject)");
    let mut main = format!(
        "<p><a href=\"/outbox\">All messages</a></p>\n<h1>{}</h1>\n<dl>\n",
        escape(subject)
    );
    let state = match &entry.state {
        Delivery::Delivered => "delivered".to_owned(),
        Delivery::Sending => "not accepted yet".to_owned(),
        Delivery::Failed(reason) => format!("failed: {reason}"),
    };
    let at = entry.at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
    for (name, value) in [
        ("From", &entry.from),
        ("To", &entry.to),
        ("By", &entry.protocol),
        ("At", &at),
        ("State", &state),
    ] {
        let _written = writeln!(main, "<dt>{name}</dt><dd>{}</dd>", escape(value));
    }
    main.push_str("</dl>\n");
    let text = escape(&entry.text);
    let Some(html) = &entry.html else {
        let _written = write!(main, "<pre>{text}</pre>");
        return admin_page(StatusCode::OK, subject, &top, &main);
    };
    let _written = write!(
        main,
        "{}\n<h2>As plain text</h2>\n<pre>{text}</pre>",
        mail_frame(html)
    );
    mail_page(StatusCode::OK, subject, &top, &main)
}

/// The mail as its reader sees it: in a frame that runs no script, and whose links open in another tab.
fn mail_frame(html: &str) -> String {
    let document = format!("<!doctype html><base target=\"_blank\"><meta charset=\"utf-8\">{html}");
    format!(
        "<iframe class=\"mail\" title=\"The message\" sandbox=\"allow-popups allow-popups-to-escape-sandbox\" \
         referrerpolicy=\"no-referrer\" srcdoc=\"{}\"></iframe>",
        escape(&document)
    )
}

async fn api(State(outbox): State<Outbox>, Query(query): Query<PageQuery>) -> Response {
    let (messages, _) = outbox.page(&query.to, query.before.as_deref(), usize::MAX);
    Json(json!({"messages": messages})).into_response()
}
