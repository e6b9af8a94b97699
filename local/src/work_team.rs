//! A work team of everyone in the group of the same name, as the stack makes one for itself.

use axum::body::Body;
use axum::http::Request;
use engine::Engine;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::aws_json::TARGET;
use crate::cognito::{self, SignIn};
use crate::error::StackError;
use crate::info::OUTPUT_BUCKET;

/// Its ARN. What is there already is left, and tagged as ours.
pub(crate) async fn ensure_team(engine: &Engine, sign_in: &SignIn, name: &str) -> Result<String, StackError> {
    let refused = |reason: String| StackError::Refused {
        what: format!("the work team {name}"),
        reason,
    };
    sign_in
        .ensure_group(name)
        .await
        .map_err(|error| refused(error.to_string()))?;
    // `sync-team` goes on with work teams tagged so, and with no other.
    let owner = json!([{"Key": "groundcrew:stack", "Value": OUTPUT_BUCKET}]);
    let known = labeling(engine, "DescribeWorkteam", &json!({"WorkteamName": name})).await;
    if let Some(arn) = known
        .ok()
        .as_ref()
        .and_then(|known| known["Workteam"]["WorkteamArn"].as_str())
    {
        // One that is there may be of a version that made it without.
        let tags = json!({"ResourceArn": arn, "Tags": owner});
        labeling(engine, "AddTags", &tags).await.map_err(refused)?;
        return Ok(arn.to_owned());
    }
    let request = json!({
        "Tags": owner,
        "WorkteamName": name,
        "Description": format!("Everyone in the group {name}"),
        "MemberDefinitions": [{"CognitoMemberDefinition": {
            "UserPool": cognito::POOL_ID, "UserGroup": name, "ClientId": cognito::CLIENT_ID,
        }}],
    });
    let made = labeling(engine, "CreateWorkteam", &request)
        .await
        .map_err(refused)?;
    made["WorkteamArn"]
        .as_str()
        .map(str::to_owned)
        .ok_or_else(|| refused("the engine gave no ARN".to_owned()))
}

/// One call of the engine's own API, past the port: there is no other client here to make it.
async fn labeling(engine: &Engine, operation: &str, request: &Value) -> Result<Value, String> {
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
