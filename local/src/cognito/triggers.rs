//! The pool's Lambda triggers: what they are sent, how long they have, and what their failure means.
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-working-with-lambda-triggers.html>

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::error::PoolError;
use super::pool::{Cognito, POOL_ID};
use super::store::record::User;
use crate::info::{ACCOUNT, PARTITION, REGION};
use crate::wiring::{FUNCTIONS, Source, Trigger};

/// Cognito's; it cannot be changed.
const LIMIT: Duration = Duration::from_secs(5);
/// Where there is no app client, as for an administrator's call.
const NO_CLIENT: &str = "CLIENT_ID_NOT_APPLICABLE";

/// Why a trigger is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TriggerSource {
    InvitationMail,
    PasswordResetMail,
    PasswordReset,
    SignIn,
    FirstPassword,
    TokenRefresh,
}

impl TriggerSource {
    fn name(self) -> &'static str {
        match self {
            Self::InvitationMail => "CustomMessage_AdminCreateUser",
            Self::PasswordResetMail => "CustomMessage_ForgotPassword",
            Self::PasswordReset => "PostConfirmation_ConfirmForgotPassword",
            Self::SignIn => "TokenGeneration_Authentication",
            Self::FirstPassword => "TokenGeneration_NewPasswordChallenge",
            Self::TokenRefresh => "TokenGeneration_RefreshTokens",
        }
    }

    fn trigger(self) -> Trigger {
        match self {
            Self::InvitationMail | Self::PasswordResetMail => Trigger::CustomMessage,
            Self::PasswordReset => Trigger::PostConfirmation,
            Self::SignIn | Self::FirstPassword | Self::TokenRefresh => Trigger::PreTokenGeneration,
        }
    }
}

/// One call of a trigger, beside the user it is about.
#[derive(Clone, Debug)]
pub(super) struct TriggerCall<'a> {
    pub(super) source: TriggerSource,
    pub(super) client_id: Option<&'a str>,
    pub(super) metadata: Option<&'a Map<String, Value>>,
    /// Fields of `request` that only this trigger has.
    pub(super) request: Map<String, Value>,
    /// `response`, before the function fills it in.
    pub(super) response: Value,
}

/// LambdaConfig as DescribeUserPool answers it: the functions the wiring gives the triggers.
pub(super) fn lambda_config() -> Value {
    let mut config = json!({});
    for trigger in [
        Trigger::PreTokenGeneration,
        Trigger::PostConfirmation,
        Trigger::CustomMessage,
    ] {
        let hears = |source: &Source| *source == Source::UserPool(trigger);
        let function = FUNCTIONS
            .iter()
            .find(|function| function.sources.iter().any(hears));
        if let Some(function) = function {
            let name = function.name;
            config[format!("{trigger:?}")] = json!(format!(
                "arn:{PARTITION}:lambda:{REGION}:{ACCOUNT}:function:{name}"
            ));
        }
    }
    config
}

impl Cognito {
    /// Calls the trigger and returns its `response`.
    pub(super) async fn fire(
        &self,
        user: &User,
        call: TriggerCall<'_>,
    ) -> Result<Map<String, Value>, PoolError> {
        let trigger = call.source.trigger();
        let invoke = self.pool.triggers.get().ok_or_else(|| {
            PoolError::TriggerUnreachable(format!("{trigger:?} invocation failed due to configuration."))
        })?;
        // In a task of its own: a panic is that invocation's failure, not the sign-in's.
        let invocation = tokio::spawn(invoke(trigger, event(user, call)));
        let answer = match tokio::time::timeout(LIMIT, invocation).await {
            Ok(Ok(Ok(answer))) => answer,
            Ok(Ok(Err(reason))) => return Err(failure(trigger, &reason)),
            Ok(Err(panic)) => return Err(failure(trigger, &panic.to_string())),
            Err(_elapsed) => {
                tracing::error!(?trigger, "trigger timed out after five seconds");
                return Err(PoolError::TriggerUnreachable(format!(
                    "{trigger:?} invocation failed due to error Socket timeout while invoking Lambda function."
                )));
            }
        };
        match answer {
            Value::Object(mut answer) => match answer.remove("response") {
                Some(Value::Object(response)) => Ok(response),
                _ => Err(PoolError::BadTriggerResponse),
            },
            _ => Err(PoolError::BadTriggerResponse),
        }
    }
}

fn event(user: &User, call: TriggerCall<'_>) -> Value {
    let mut request = Map::new();
    request.insert("userAttributes".to_owned(), attributes(user));
    request.extend(call.request);
    if let Some(metadata) = call.metadata {
        request.insert("clientMetadata".to_owned(), Value::Object(metadata.clone()));
    }
    json!({
        "version": "1",
        "triggerSource": call.source.name(),
        "region": REGION,
        "userPoolId": POOL_ID,
        "userName": user.username,
        "callerContext": {
            "awsSdkVersion": "aws-sdk-unknown-unknown",
            "clientId": call.client_id.unwrap_or(NO_CLIENT),
        },
        "request": request,
        "response": call.response,
    })
}

/// `userAttributes`: every value is a string.
fn attributes(user: &User) -> Value {
    let mut attributes = Map::new();
    attributes.insert("cognito:user_status".to_owned(), json!(user.status.name()));
    for (name, value) in user.named_attributes() {
        attributes.insert(name.to_owned(), json!(value));
    }
    Value::Object(attributes)
}

fn failure(trigger: Trigger, reason: &str) -> PoolError {
    tracing::error!(?trigger, reason, "trigger failed");
    let reason = reason.trim_end_matches('.');
    PoolError::TriggerFailed(format!("{trigger:?} failed with error {reason}."))
}
