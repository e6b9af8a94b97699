//! An AWS service for the adapters' tests: gives the answers of a script, and keeps the requests.

#![expect(clippy::unwrap_used, reason = "only tests start it")]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use serde_json::{Value, json};

use crate::sdk::Sdk;

/// A request: the operation (`X-Amz-Target` without the service) and the body.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Request {
    pub(crate) operation: String,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

#[derive(Default)]
struct Script {
    answers: VecDeque<(u16, String)>,
    requests: Vec<Request>,
}

/// Answers in the order they were given; a request beyond the last is a 404 without a code.
pub(crate) struct ScriptedService {
    script: Arc<Mutex<Script>>,
    pub(crate) sdk: Sdk,
}

impl ScriptedService {
    pub(crate) async fn with_answers(answers: impl IntoIterator<Item = (u16, String)>) -> Self {
        let script = Script {
            answers: answers.into_iter().collect(),
            requests: Vec::new(),
        };
        let script = Arc::new(Mutex::new(script));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = axum::Router::new().fallback(answer).with_state(script.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let keys = Credentials::new("AKIDEXAMPLE", "secret", None, None, "test");
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(keys))
            .endpoint_url(url)
            .retry_config(aws_config::retry::RetryConfig::disabled())
            .build();
        Self {
            script,
            sdk: Sdk::from(&config),
        }
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.script
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .requests
            .clone()
    }

    /// Operations called, in order.
    pub(crate) fn operations(&self) -> Vec<String> {
        self.requests()
            .into_iter()
            .map(|request| request.operation)
            .collect()
    }
}

/// An answer of a service that speaks JSON.
pub(crate) fn ok(body: &Value) -> (u16, String) {
    (200, body.to_string())
}

/// A refusal of a service that speaks JSON.
pub(crate) fn refusal(code: &str, message: &str) -> (u16, String) {
    (400, json!({"__type": code, "message": message}).to_string())
}

async fn answer(
    State(script): State<Arc<Mutex<Script>>>,
    headers: HeaderMap,
    body: String,
) -> impl IntoResponse {
    let target = headers
        .get("x-amz-target")
        .and_then(|target| target.to_str().ok());
    let operation = match target {
        Some(target) => target.rsplit('.').next().unwrap_or_default().to_owned(),
        None => form_value(&body, "Action"),
    };
    let mut script = script.lock().unwrap_or_else(PoisonError::into_inner);
    script.requests.push(Request { operation, body });
    let (status, body) = script.answers.pop_front().unwrap_or((404, String::new()));
    (StatusCode::from_u16(status).unwrap_or_default(), body)
}

/// A field of a form, decoded; empty where there is none.
pub(crate) fn form_value(body: &str, name: &str) -> String {
    let fields = body.split('&').filter_map(|field| field.split_once('='));
    let value = fields
        .filter(|(key, _)| *key == name)
        .map(|(_, value)| value)
        .next();
    shared::key::decode(value.unwrap_or_default())
}
