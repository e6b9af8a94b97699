//! A work team of everyone in the group of the same name, as the stack makes one for itself.

use axum::body::Body;
use axum::http::Request;
use engine::Engine;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::aws_json::TARGET;
use crate::cognito::{self, Cognito};
use crate::error::StackError;
use crate::info::OUTPUT_BUCKET;

/// Its ARN. A team that exists is left as it is.
pub(crate) async fn ensure_team(
    engine: &Engine,
    sign_in: &Cognito,
    name: &str,
) -> Result<String, StackError> {
    let refused = |reason: String| StackError::Refused {
        what: format!("the work team {name}"),
        reason,
    };
    sign_in
        .ensure_group(name)
        .await
        .map_err(|error| refused(error.to_string()))?;
    let known = call_engine(engine, "DescribeWorkteam", &json!({"WorkteamName": name})).await;
    if let Some(arn) = known
        .ok()
        .as_ref()
        .and_then(|known| known["Workteam"]["WorkteamArn"].as_str())
    {
        return Ok(arn.to_owned());
    }
    let request = json!({
        // sync-team changes only work teams with this tag.
        "Tags": [{"Key": "groundcrew:stack", "Value": OUTPUT_BUCKET}],
        "WorkteamName": name,
        "Description": format!("Everyone in the group {name}"),
        "MemberDefinitions": [{"CognitoMemberDefinition": {
            "UserPool": cognito::POOL_ID, "UserGroup": name, "ClientId": cognito::CLIENT_ID,
        }}],
    });
    let created = call_engine(engine, "CreateWorkteam", &request)
        .await
        .map_err(refused)?;
    created["WorkteamArn"]
        .as_str()
        .map(str::to_owned)
        .ok_or_else(|| refused("the engine gave no ARN".to_owned()))
}

/// Calls the engine's API in the process, without the AWS port.
async fn call_engine(engine: &Engine, operation: &str, request: &Value) -> Result<Value, String> {
    let request = Request::post("/")
        .header(TARGET, format!("SageMaker.{operation}"))
        .header("content-type", "application/x-amz-json-1.1")
        .body(Body::from(request.to_string()))
        .map_err(|error| error.to_string())?;
    let response = match engine.api().oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    let status = response.status();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX)
        .await
        .map_err(|error| error.to_string())?;
    if !status.is_success() {
        return Err(String::from_utf8_lossy(&body).into_owned());
    }
    serde_json::from_slice(&body).map_err(|error| error.to_string())
}
