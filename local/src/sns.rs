//! SNS on one machine: topics and subscriptions for standard clients. Mail goes to the outbox, messages for queues to the
//! stack's queues. HTTP endpoints are called as AWS calls them, but without the signature, which only AWS can make.

mod api;
mod batch;
mod delivery;
mod filter;
mod members;
mod message;
mod query;
mod store;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use axum::{Router, body, routing};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub(crate) use delivery::{RETRIES, Retries};
use query::{Form, SnsError, respond};
use store::Store;

use crate::error::StackError;
use crate::outbox::Outbox;
use crate::sqs::{Address, Queues};

#[derive(Clone)]
pub(crate) struct Sns {
    store: Arc<Store>,
    address: Address,
    queues: Queues,
    outbox: Outbox,
    http: reqwest::Client,
    retries: Retries,
    running: TaskTracker,
    stop: CancellationToken,
}

impl Sns {
    pub(crate) fn open(
        path: &Path,
        address: Address,
        queues: Queues,
        outbox: Outbox,
        retries: Retries,
    ) -> Result<Self, StackError> {
        let http = reqwest::Client::builder()
            .timeout(delivery::HTTP_TIMEOUT)
            // An endpoint that moves must be subscribed again: SNS follows no redirect.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| StackError::Part {
                what: "SNS",
                reason: error.to_string(),
            })?;
        Ok(Self {
            store: Arc::new(Store::open(path)?),
            address,
            queues,
            outbox,
            http,
            retries,
            running: TaskTracker::new(),
            stop: CancellationToken::new(),
        })
    }

    /// The operations, without authentication: the caller wraps it.
    pub(crate) fn router(&self) -> Router {
        Router::new()
            .fallback(routing::post(handle))
            .with_state(self.clone())
    }

    /// The one request that carries its own secret: `GET /?Action=ConfirmSubscription`, as mailed or posted to the
    /// endpoint that is to confirm.
    pub(crate) fn confirmation(&self) -> Router {
        Router::new()
            .fallback(routing::get(confirm))
            .with_state(self.clone())
    }

    /// Makes the topic and subscribes the address by mail where there is no such topic. Returns its ARN.
    pub(crate) fn ensure_topic(&self, name: &str, mail_to: &str) -> Result<String, StackError> {
        let refused = |error: SnsError| StackError::Refused {
            what: format!("topic {name}"),
            reason: error.message,
        };
        let arn = format!(
            "arn:aws:sns:{}:{}:{name}",
            self.address.region, self.address.account
        );
        let known = self.store.read(|all| all.topics.contains_key(&arn));
        if known {
            return Ok(arn);
        }
        for (operation, body) in [
            ("CreateTopic", serde_urlencoded::to_string([("Name", name)])),
            (
                "Subscribe",
                serde_urlencoded::to_string([
                    ("TopicArn", arn.as_str()),
                    ("Protocol", "email"),
                    ("Endpoint", mail_to),
                ]),
            ),
        ] {
            let form = Form::parse(body.unwrap_or_default().as_bytes()).map_err(refused)?;
            self.call(operation, &form).map_err(refused)?;
        }
        Ok(arn)
    }

    /// A message of the stack itself, to everyone subscribed to the topic.
    pub(crate) fn publish_text(&self, topic_arn: &str, subject: &str, message: &str) -> Result<(), String> {
        let fields = [
            ("TopicArn", topic_arn),
            ("Subject", subject),
            ("Message", message),
        ];
        let body = serde_urlencoded::to_string(fields).map_err(|error| error.to_string())?;
        let published = Form::parse(body.as_bytes()).and_then(|form| self.call("Publish", &form));
        published.map(drop).map_err(|error| error.message)
    }

    /// Stops deliveries that wait for an endpoint.
    pub(crate) async fn close(&self) {
        self.stop.cancel();
        self.running.close();
        self.running.wait().await;
    }
}

async fn handle(State(sns): State<Sns>, body: body::Bytes) -> Response {
    let form = match Form::parse(&body) {
        Ok(form) => form,
        Err(error) => return respond("Error", Err(error)),
    };
    let operation = form.get("Action").unwrap_or_default();
    respond(operation, sns.call(operation, &form))
}

async fn confirm(State(sns): State<Sns>, RawQuery(query): RawQuery) -> Response {
    let confirmed =
        Form::parse(query.unwrap_or_default().as_bytes()).and_then(|form| match form.get("Action") {
            Some("ConfirmSubscription") => sns.call("ConfirmSubscription", &form),
            _ => Err(SnsError::invalid(
                "only ConfirmSubscription may come without a signature",
            )),
        });
    respond("ConfirmSubscription", confirmed)
}
