//! The outbox in the browser (`/outbox`) and as JSON (`/outbox/api`). There is no sign-in: whoever may read it is on
//! this machine, which is checked by the address the request comes from and the name it asks for.

use std::fmt::Write;
use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Path, Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, routing};
use serde_json::json;

use super::{Delivery, Entry, Outbox};
use crate::page::{escape, page};
use crate::web_guard::asks_for_loopback;

pub(crate) fn router(outbox: Outbox) -> Router {
    Router::new()
        .route("/outbox", routing::get(list))
        .route("/outbox/{id}", routing::get(detail))
        .route("/outbox/api", routing::get(api))
        .with_state(outbox)
        .layer(middleware::from_fn(this_machine_only))
}

async fn this_machine_only(request: Request, next: Next) -> Response {
    let peer = request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .map(|ConnectInfo(address)| address.ip());
    if peer.is_some_and(|ip| ip.is_loopback()) && asks_for_loopback(request.headers()) {
        return next.run(request).await;
    }
    let text = "<h1>Not from here</h1><p>The outbox can be read on the machine that groundcrew runs on.</p>";
    page(StatusCode::FORBIDDEN, "Outbox", text)
}

async fn list(State(outbox): State<Outbox>) -> Response {
    let entries = outbox.entries();
    let mut main = String::from(
        "<h1>Outbox</h1>\n<p class=\"soft\">Mail and notices that left. This machine sends no e-mail: what would be \
         mail is kept here. Programs read <a href=\"/outbox/api\">/outbox/api</a>.</p>\n",
    );
    if entries.is_empty() {
        main.push_str("<p>Nothing has left yet. The first notice comes when a labeling job is over.</p>");
    } else {
        main.push_str("<table>\n<tr><th>When</th><th>To</th><th>Subject</th></tr>\n");
        entries.iter().for_each(|entry| main.push_str(&row(entry)));
        main.push_str("</table>");
    }
    page(StatusCode::OK, "Outbox", &main)
}

fn row(entry: &Entry) -> String {
    let subject = entry.subject.as_deref().unwrap_or("(no subject)");
    let mark = match &entry.state {
        Delivery::Delivered => "",
        Delivery::Sending => " <span class=\"soft\">(not taken yet)</span>",
        Delivery::Failed(_) => " <strong class=\"bad\">(failed)</strong>",
    };
    format!(
        "<tr><td>{}</td><td>{}</td><td><a href=\"/outbox/{}\">{}</a>{mark}</td></tr>\n",
        entry.at.strftime("%Y-%m-%d %H:%M:%S UTC"),
        escape(&entry.to),
        escape(&entry.id),
        escape(subject),
    )
}

async fn detail(State(outbox): State<Outbox>, Path(id): Path<String>) -> Response {
    let Some(entry) = outbox.entry(&id) else {
        let text = "<h1>No such message</h1><p><a href=\"/outbox\">All messages</a></p>";
        return page(StatusCode::NOT_FOUND, "Outbox", text);
    };
    let subject = entry.subject.as_deref().unwrap_or("(no subject)");
    let mut main = format!(
        "<p><a href=\"/outbox\">All messages</a></p>\n<h1>{}</h1>\n<dl>\n",
        escape(subject)
    );
    let state = match &entry.state {
        Delivery::Delivered => "delivered".to_owned(),
        Delivery::Sending => "not taken yet".to_owned(),
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
    let _written = write!(main, "</dl>\n<pre>{}</pre>", escape(&entry.text));
    page(StatusCode::OK, subject, &main)
}

async fn api(State(outbox): State<Outbox>) -> Response {
    Json(json!({"messages": outbox.entries()})).into_response()
}
