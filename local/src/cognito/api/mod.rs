//! Cognito's API, as far as the functions and a person with the AWS CLI need it: AWS's shapes, types and texts. What a
//! request names and this does not know is refused, never passed over.
//! <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/Welcome.html>

mod accounts;
mod auth;
mod challenge;
mod clients;
pub(super) mod groups;
mod listing;
mod pool;
mod recovery;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::{Router, body, routing};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::error::PoolError;
use super::store::record::User;
use super::{POOL_ID, SignIn};
use crate::aws_json::{self, AwsError, answer, operation};

/// What Cognito takes from anybody, without a signature. The second half is not supported: it is here so that it is told
/// so, and not that a signature is missing.
pub(super) const OPEN: [&str; 34] = [
    "ChangePassword",
    "ConfirmForgotPassword",
    "ConfirmSignUp",
    "ForgotPassword",
    "GetUser",
    "GlobalSignOut",
    "InitiateAuth",
    "ResendConfirmationCode",
    "RespondToAuthChallenge",
    "RevokeToken",
    "SignUp",
    "AssociateSoftwareToken",
    "CompleteWebAuthnRegistration",
    "ConfirmDevice",
    "DeleteUser",
    "DeleteUserAttributes",
    "DeleteWebAuthnCredential",
    "ForgetDevice",
    "GetDevice",
    "GetTokensFromRefreshToken",
    "GetUserAttributeVerificationCode",
    "GetUserAuthFactors",
    "ListDevices",
    "ListUserSessions",
    "ListWebAuthnCredentials",
    "RevokeUserSession",
    "SetUserMFAPreference",
    "SetUserSettings",
    "StartWebAuthnRegistration",
    "UpdateAuthEventFeedback",
    "UpdateDeviceStatus",
    "UpdateUserAttributes",
    "VerifySoftwareToken",
    "VerifyUserAttribute",
];

pub(super) fn router(sign_in: SignIn) -> Router {
    Router::new().fallback(routing::post(handle)).with_state(sign_in)
}

async fn handle(State(sign_in): State<SignIn>, headers: HeaderMap, body: body::Bytes) -> Response {
    let result = match operation(&headers, "AWSCognitoIdentityProviderService") {
        Some(operation) => sign_in.call(operation, &body).await,
        None => Err(PoolError::invalid("the X-Amz-Target header names no operation")),
    };
    if let Err(error @ PoolError::Internal(_)) = &result {
        tracing::error!(%error, "the sign-in's API failed");
    }
    answer("application/x-amz-json-1.1", "", result.map_err(AwsError::from))
}

/// What an operation answers.
type Answer = Result<Value, PoolError>;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Attribute {
    name: String,
    #[serde(default)]
    value: String,
}

/// A request for the pool alone, or for one person or group of it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ForUser {
    user_pool_id: String,
    username: String,
    client_metadata: Option<Map<String, Value>>,
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, PoolError> {
    aws_json::read(body).map_err(|fault| match fault {
        aws_json::RequestFault::UnknownMember(member) => PoolError::unsupported(format!(
            "the member {member} is not supported by the sign-in of this stack"
        )),
        aws_json::RequestFault::Malformed(error) => unreadable(&error),
    })
}

/// A field nobody knows is a thing this does not do; anything else is a mistake in the request.
fn unreadable(error: &serde_json::Error) -> PoolError {
    let text = error.to_string();
    if text.starts_with("unknown field") {
        PoolError::unsupported(format!("not supported by the sign-in of this stack: {text}"))
    } else {
        PoolError::invalid(format!("the request cannot be read: {text}"))
    }
}

fn check_pool(id: &str) -> Result<(), PoolError> {
    if id == POOL_ID {
        Ok(())
    } else {
        Err(PoolError::NotFound(format!("User pool {id} does not exist.")))
    }
}

impl SignIn {
    async fn call(&self, operation: &str, body: &[u8]) -> Answer {
        match operation {
            "AdminCreateUser" => self.admin_create_user(read(body)?).await,
            "AdminGetUser" => self.admin_get_user(&read(body)?),
            "AdminSetUserPassword" => self.admin_set_user_password(read(body)?).await,
            "AdminResetUserPassword" => self.admin_reset_user_password(read(body)?).await,
            "AdminDisableUser" => self.set_enabled(&read(body)?, false).await,
            "AdminEnableUser" => self.set_enabled(&read(body)?, true).await,
            "AdminDeleteUser" => self.admin_delete_user(&read(body)?).await,
            "AdminUpdateUserAttributes" => self.admin_update_attributes(read(body)?).await,
            "AdminConfirmSignUp" => self.admin_confirm_sign_up(&read(body)?).await,
            "AdminUserGlobalSignOut" => self.admin_sign_out(&read(body)?).await,
            "ListUsers" => self.list_users(&read(body)?),
            "CreateGroup" => self.new_group(read(body)?).await,
            "UpdateGroup" => self.update_group(read(body)?).await,
            "GetGroup" => self.get_group(&read(body)?),
            "DeleteGroup" => self.delete_group(read(body)?).await,
            "ListGroups" => self.list_groups(&read(body)?),
            "AdminAddUserToGroup" => self.membership(read(body)?, true).await,
            "AdminRemoveUserFromGroup" => self.membership(read(body)?, false).await,
            "AdminListGroupsForUser" => self.groups_of(&read(body)?),
            "ListUsersInGroup" => self.users_in(&read(body)?),
            _ => self.call_of_the_pool(operation, body).await,
        }
    }

    async fn call_of_the_pool(&self, operation: &str, body: &[u8]) -> Answer {
        match operation {
            "DescribeUserPool" => self.describe_pool(&read(body)?),
            "ListUserPools" => self.list_pools(&read(body)?),
            "UpdateUserPool" => self.update_pool(read(body)?).await,
            "CreateUserPoolDomain" => self.create_domain(read(body)?).await,
            "DescribeUserPoolDomain" => self.describe_domain(&read(body)?),
            "DeleteUserPoolDomain" => self.delete_domain(read(body)?).await,
            "CreateUserPoolClient" => self.create_client(read(body)?).await,
            "DescribeUserPoolClient" => self.describe_client(&read(body)?),
            "UpdateUserPoolClient" => self.update_client(read(body)?).await,
            "DeleteUserPoolClient" => self.delete_client(&read(body)?).await,
            "ListUserPoolClients" => self.list_clients(&read(body)?),
            "CreateUserPool" => Err(PoolError::unsupported(format!(
                "this stack has one user pool, {POOL_ID}: CreateUserPool is not supported"
            ))),
            _ => self.call_of_people(operation, body).await,
        }
    }

    async fn call_of_people(&self, operation: &str, body: &[u8]) -> Answer {
        match operation {
            "InitiateAuth" => self.initiate_auth(read(body)?).await,
            "AdminInitiateAuth" => self.admin_initiate_auth(read(body)?).await,
            "RespondToAuthChallenge" => self.respond(read(body)?).await,
            "AdminRespondToAuthChallenge" => self.admin_respond(read(body)?).await,
            "SignUp" => self.sign_up(read(body)?).await,
            "ConfirmSignUp" => self.api_confirm_sign_up(read(body)?).await,
            "ResendConfirmationCode" => self.resend_code(read(body)?).await,
            "ForgotPassword" => self.api_forgot_password(read(body)?).await,
            "ConfirmForgotPassword" => self.api_confirm_forgot_password(read(body)?).await,
            "ChangePassword" => self.api_change_password(read(body)?).await,
            "GetUser" => self.get_user(&read(body)?),
            "GlobalSignOut" => self.global_sign_out(&read(body)?).await,
            "RevokeToken" => self.revoke_token(&read(body)?).await,
            _ => Err(PoolError::unsupported(format!(
                "{operation} is not supported by the sign-in of this stack"
            ))),
        }
    }
}

/// To the millisecond, as Cognito says times.
fn seconds(at: Timestamp) -> f64 {
    at.as_millisecond() as f64 / 1000.0
}

/// A user as AdminCreateUser and ListUsers show one, and, with the attributes under another name, AdminGetUser.
fn shown(user: &User, attributes: &str, only: Option<&[String]>) -> Value {
    let wanted = |name: &str| only.is_none_or(|only| only.is_empty() || only.iter().any(|one| one == name));
    let pairs: Vec<Value> = user
        .shown_attributes()
        .into_iter()
        .filter(|(name, _)| wanted(name))
        .map(|(name, value)| json!({"Name": name, "Value": value}))
        .collect();
    json!({
        "Username": user.username,
        attributes: pairs,
        "UserCreateDate": seconds(user.created),
        "UserLastModifiedDate": seconds(user.modified),
        "Enabled": user.enabled,
        "UserStatus": user.status.name(),
    })
}
