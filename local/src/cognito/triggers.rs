//! The pool's Lambda triggers: which are set, what they are sent, how long they have, and what their failure means.
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-working-with-lambda-triggers.html>

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::error::PoolError;
use super::store::record::User;
use super::{POOL_ID, SignIn};
use crate::info::{ACCOUNT, PARTITION, REGION};
use crate::wiring::{FUNCTIONS, Source, Trigger};

/// Calls the function of a trigger: event in, event with its response out.
pub(crate) type TriggerFn =
    Arc<dyn Fn(Trigger, Value) -> BoxFuture<'static, Result<Value, String>> + Send + Sync>;

/// Cognito's, and not to be changed.
const LIMIT: Duration = Duration::from_secs(5);
/// Where there is no app client, as for an administrator's call.
const NO_CLIENT: &str = "CLIENT_ID_NOT_APPLICABLE";

/// LambdaConfig: a function's ARN by trigger.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct LambdaConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    pre_token_generation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pre_token_generation_config: Option<VersionedArn>,
    #[serde(skip_serializing_if = "Option::is_none")]
    post_confirmation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_message: Option<String>,
    /// Triggers this stack does not fire: named, and refused.
    #[serde(flatten)]
    others: Map<String, Value>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct VersionedArn {
    lambda_version: String,
    lambda_arn: String,
}

/// The ARN a function of this stack goes by.
fn arn(function: &str) -> String {
    format!("arn:{PARTITION}:lambda:{REGION}:{ACCOUNT}:function:{function}")
}

/// The function the wiring gives a trigger.
fn function_of(trigger: Trigger) -> Option<&'static str> {
    let hears = |source: &Source| *source == Source::UserPool(trigger);
    FUNCTIONS
        .iter()
        .find(|function| function.sources.iter().any(hears))
        .map(|function| function.name)
}

impl LambdaConfig {
    pub(super) fn of_the_functions() -> Self {
        let arn = |trigger| function_of(trigger).map(arn);
        Self {
            pre_token_generation: arn(Trigger::PreTokenGeneration),
            post_confirmation: arn(Trigger::PostConfirmation),
            custom_message: arn(Trigger::CustomMessage),
            ..Self::default()
        }
    }

    fn arn(&self, trigger: Trigger) -> Option<&str> {
        let versioned = self.pre_token_generation_config.as_ref();
        match trigger {
            Trigger::PreTokenGeneration => self
                .pre_token_generation
                .as_deref()
                .or(versioned.map(|versioned| versioned.lambda_arn.as_str())),
            Trigger::PostConfirmation => self.post_confirmation.as_deref(),
            Trigger::CustomMessage => self.custom_message.as_deref(),
        }
    }

    /// Refuses, by name, what would be set and never called.
    pub(super) fn check(&self) -> Result<(), PoolError> {
        if let Some(name) = self.others.keys().next() {
            return Err(PoolError::unsupported(format!(
                "the trigger {name} is not supported by the sign-in of this stack: PreTokenGeneration, PostConfirmation \
                 and CustomMessage are"
            )));
        }
        if let Some(versioned) = &self.pre_token_generation_config {
            let differs = self
                .pre_token_generation
                .as_ref()
                .is_some_and(|arn| *arn != versioned.lambda_arn);
            if differs {
                return Err(PoolError::invalid(
                    "PreTokenGeneration and PreTokenGenerationConfig name different functions",
                ));
            }
            if versioned.lambda_version != "V1_0" {
                return Err(PoolError::unsupported(format!(
                    "events of version {} are not supported by the sign-in of this stack: V1_0 is",
                    versioned.lambda_version
                )));
            }
        }
        for trigger in [
            Trigger::PreTokenGeneration,
            Trigger::PostConfirmation,
            Trigger::CustomMessage,
        ] {
            let Some(named) = self.arn(trigger) else { continue };
            let ours = function_of(trigger).map(arn);
            if ours.as_deref() != Some(named) {
                return Err(PoolError::unsupported(format!(
                    "{trigger:?} names {named}, which is no function of this stack: {} is",
                    ours.unwrap_or_default()
                )));
            }
        }
        Ok(())
    }
}

/// What a trigger is told beside who it is about.
#[derive(Clone, Debug, Default)]
pub(super) struct Occasion<'a> {
    /// `TokenGeneration_Authentication` and its like.
    pub(super) source: &'static str,
    pub(super) client_id: Option<&'a str>,
    pub(super) metadata: Option<&'a Map<String, Value>>,
    /// Fields of `request` that this trigger has besides.
    pub(super) request: Map<String, Value>,
    /// `response`, as it is before the function fills it in.
    pub(super) response: Value,
}

/// `userAttributes`: all are strings, also what is not.
fn attributes(user: &User) -> Value {
    let mut attributes = Map::new();
    attributes.insert("cognito:user_status".to_owned(), json!(user.status.name()));
    for (name, value) in user.shown_attributes() {
        attributes.insert(name.to_owned(), json!(value));
    }
    Value::Object(attributes)
}

fn event(user: &User, occasion: Occasion<'_>) -> Value {
    let mut request = Map::new();
    request.insert("userAttributes".to_owned(), attributes(user));
    request.extend(occasion.request);
    if let Some(metadata) = occasion.metadata {
        request.insert("clientMetadata".to_owned(), Value::Object(metadata.clone()));
    }
    json!({
        "version": "1",
        "triggerSource": occasion.source,
        "region": REGION,
        "userPoolId": POOL_ID,
        "userName": user.username,
        "callerContext": {
            "awsSdkVersion": "aws-sdk-unknown-unknown",
            "clientId": occasion.client_id.unwrap_or(NO_CLIENT),
        },
        "request": request,
        "response": occasion.response,
    })
}

impl SignIn {
    /// The trigger's `response`; `None` where the pool has no such trigger.
    pub(super) async fn fire(
        &self,
        trigger: Trigger,
        user: &User,
        occasion: Occasion<'_>,
    ) -> Result<Option<Map<String, Value>>, PoolError> {
        let settings = self.settings()?;
        if settings.lambda_config.arn(trigger).is_none() {
            return Ok(None);
        }
        let unreachable =
            || PoolError::TriggerUnexpected(format!("{trigger:?} invocation failed due to configuration."));
        let call = self.pool.triggers.get().ok_or_else(unreachable)?;
        // In a task of its own: a panic is that invocation's failure, not the sign-in's.
        let invocation = tokio::spawn(call(trigger, event(user, occasion)));
        let answer = match tokio::time::timeout(LIMIT, invocation).await {
            Ok(Ok(Ok(answer))) => answer,
            Ok(Ok(Err(reason))) => return Err(failed(trigger, &reason)),
            Ok(Err(panic)) => return Err(failed(trigger, &panic.to_string())),
            Err(_too_long) => {
                tracing::error!(?trigger, "a trigger took longer than five seconds");
                return Err(PoolError::TriggerUnexpected(format!(
                    "{trigger:?} invocation failed due to error Socket timeout while invoking Lambda function."
                )));
            }
        };
        match answer {
            Value::Object(mut answer) => match answer.remove("response") {
                Some(Value::Object(response)) => Ok(Some(response)),
                _ => Err(PoolError::TriggerAnswer),
            },
            _ => Err(PoolError::TriggerAnswer),
        }
    }

    /// After a person confirmed an address by a code: never for people an administrator made.
    pub(super) async fn fire_post_confirmation(
        &self,
        source: &'static str,
        user: &User,
        client_id: Option<&str>,
        metadata: Option<&Map<String, Value>>,
    ) -> Result<(), PoolError> {
        let occasion = Occasion {
            source,
            client_id,
            metadata,
            response: json!({}),
            ..Occasion::default()
        };
        self.fire(Trigger::PostConfirmation, user, occasion)
            .await
            .map(drop)
    }
}

fn failed(trigger: Trigger, reason: &str) -> PoolError {
    tracing::error!(?trigger, reason, "a trigger failed");
    let reason = reason.trim_end_matches('.');
    PoolError::TriggerFailed(format!("{trigger:?} failed with error {reason}."))
}
