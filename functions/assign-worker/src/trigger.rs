//! The user pool's event: whose token it is about to issue, or whose account has just been confirmed.
//!
//! Read leniently and by hand. Cognito adds fields and trigger sources, and an event that cannot be read must pass: a
//! trigger that fails fails the sign-in.
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html>

use jiff::Timestamp;
use serde_json::Value;

/// Who signs in or was confirmed, and what the pool says of them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SignInTrigger {
    pub(crate) kind: TriggerKind,
    pub(crate) user_pool: String,
    pub(crate) username: String,
    pub(crate) sub: String,
    /// Absent for people of other sign-ins whose address is not mapped.
    pub(crate) email: Option<String>,
    pub(crate) email_verified: bool,
    /// FORCE_CHANGE_PASSWORD: the password is still the temporary one.
    pub(crate) password_is_temporary: bool,
    /// The groups that would be in the token; none where there is no token.
    pub(crate) groups: Vec<String>,
    /// By the function's own clock.
    pub(crate) at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TriggerKind {
    /// `TokenGeneration_*`: which source it is differs between the hosted sign-in, the API and the first password,
    /// and none is promised, so any will do.
    Token(TokenVersion),
    /// `PostConfirmation_ConfirmSignUp`
    SignedUp,
    /// `PostConfirmation_*`, `ConfirmForgotPassword` above all
    Confirmed,
}

/// Where the answer has its groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenVersion {
    /// `claimsOverrideDetails`
    V1,
    /// `claimsAndScopeOverrideDetails`: version 2, 3 and later ones
    V2,
}

impl SignInTrigger {
    /// `None`: not for this function, or not in a shape it knows.
    pub(crate) fn read(event: &Value, at: Timestamp) -> Option<Self> {
        let kind = kind(event)?;
        let request = event.get("request")?;
        let attributes = request.get("userAttributes")?;
        let attribute = |name: &str| text(attributes.get(name));
        // The answer goes into it; what is neither an object nor absent must not be replaced.
        let response = event.get("response");
        response
            .is_none_or(|response| response.is_object() || response.is_null())
            .then_some(())?;
        Some(Self {
            kind,
            user_pool: text(event.get("userPoolId"))?,
            username: text(event.get("userName"))?,
            sub: attribute("sub")?,
            email: attribute("email"),
            email_verified: is_true(attributes.get("email_verified")),
            password_is_temporary: attribute("cognito:user_status").as_deref()
                == Some("FORCE_CHANGE_PASSWORD"),
            groups: groups(request),
            at,
        })
    }
}

fn kind(event: &Value) -> Option<TriggerKind> {
    let source = event.get("triggerSource")?.as_str()?;
    if source.starts_with("TokenGeneration_") {
        let version = event.get("version");
        let first = version.is_none_or(|version| matches!(version.as_str(), Some("1")) || version == 1);
        return Some(TriggerKind::Token(if first {
            TokenVersion::V1
        } else {
            TokenVersion::V2
        }));
    }
    match source.strip_prefix("PostConfirmation_")? {
        "ConfirmSignUp" => Some(TriggerKind::SignedUp),
        _ => Some(TriggerKind::Confirmed),
    }
}

fn groups(request: &Value) -> Vec<String> {
    let groups = request.pointer("/groupConfiguration/groupsToOverride");
    let groups = groups.and_then(Value::as_array).into_iter().flatten();
    groups
        .filter_map(|group| group.as_str().map(str::to_owned))
        .collect()
}

/// Attributes are strings; `"true"` is also sent as `true` by some.
fn is_true(value: Option<&Value>) -> bool {
    value.is_some_and(|value| value == true || value == "true")
}

fn text(value: Option<&Value>) -> Option<String> {
    let text = value?.as_str()?;
    (!text.is_empty()).then(|| text.to_owned())
}
