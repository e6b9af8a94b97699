//! Cognito's API, as far as the functions and the standard clients need it, with AWS's shapes, types and texts. Any other
//! operation, and any member of a request that is not read, is refused by name.
//! <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/Welcome.html>

mod accounts;
mod answers;
mod auth;
mod challenge;
mod clients;
mod describe;
mod groups;
mod listing;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::{Router, body, routing};
use serde::de::DeserializeOwned;

use super::error::PoolError;
use super::pool::{Cognito, POOL_ID};
use crate::aws_json::{self, AwsError, RequestFault, answer, operation};
use answers::ApiResult;

/// What Cognito takes without a signature. Most are not supported: they are here so that the answer says so, and not that
/// a signature is missing.
const UNSIGNED: [&str; 34] = [
    "AssociateSoftwareToken",
    "ChangePassword",
    "CompleteWebAuthnRegistration",
    "ConfirmDevice",
    "ConfirmForgotPassword",
    "ConfirmSignUp",
    "DeleteUser",
    "DeleteUserAttributes",
    "DeleteWebAuthnCredential",
    "ForgetDevice",
    "ForgotPassword",
    "GetDevice",
    "GetTokensFromRefreshToken",
    "GetUser",
    "GetUserAttributeVerificationCode",
    "GetUserAuthFactors",
    "GlobalSignOut",
    "InitiateAuth",
    "ListDevices",
    "ListUserSessions",
    "ListWebAuthnCredentials",
    "ResendConfirmationCode",
    "RespondToAuthChallenge",
    "RevokeToken",
    "RevokeUserSession",
    "SetUserMFAPreference",
    "SetUserSettings",
    "SignUp",
    "StartWebAuthnRegistration",
    "UpdateAuthEventFeedback",
    "UpdateDeviceStatus",
    "UpdateUserAttributes",
    "VerifySoftwareToken",
    "VerifyUserAttribute",
];

/// Whether Cognito takes this operation without a signature: the request itself carries the proof.
pub(crate) fn is_unsigned(operation: &str) -> bool {
    UNSIGNED.contains(&operation)
}

impl Cognito {
    /// `AWSCognitoIdentityProviderService.*`, without authentication: the caller checks the signature of what is not
    /// [unsigned](is_unsigned).
    pub(crate) fn api(&self) -> Router {
        Router::new()
            .fallback(routing::post(handle))
            .with_state(self.clone())
    }

    async fn call(&self, operation: &str, body: &[u8]) -> ApiResult {
        match operation {
            "AdminCreateUser" => self.admin_create_user(read(body)?).await,
            "AdminGetUser" => self.admin_get_user(&read(body)?),
            "AdminSetUserPassword" => self.admin_set_user_password(read(body)?).await,
            "AdminDeleteUser" => self.admin_delete_user(read(body)?).await,
            "ListUsers" => self.list_users(&read(body)?),
            "CreateGroup" => self.create_group(read(body)?).await,
            "GetGroup" => self.get_group(&read(body)?),
            "DeleteGroup" => self.delete_group(read(body)?).await,
            "ListGroups" => self.list_groups(&read(body)?),
            "AdminAddUserToGroup" => self.add_to_group(read(body)?).await,
            "AdminRemoveUserFromGroup" => self.remove_from_group(read(body)?).await,
            "AdminListGroupsForUser" => self.list_groups_for_user(&read(body)?),
            "ListUsersInGroup" => self.list_users_in_group(&read(body)?),
            "DescribeUserPool" => self.describe_pool(&read(body)?),
            "ListUserPools" => self.list_pools(&read(body)?),
            "DescribeUserPoolClient" => self.describe_client(&read(body)?),
            "UpdateUserPoolClient" => self.update_client(read(body)?).await,
            "ListUserPoolClients" => self.list_clients(&read(body)?),
            "InitiateAuth" => self.initiate_auth(&read(body)?).await,
            "RespondToAuthChallenge" => self.respond_to_challenge(&read(body)?).await,
            "GetUser" => self.get_user(&read(body)?),
            "GlobalSignOut" => self.global_sign_out(&read(body)?).await,
            // Of a pool in which only administrators make accounts, as this one.
            "SignUp" => Err(PoolError::not_authorized(
                "SignUp is not permitted for this user pool",
            )),
            "CreateUserPool" => Err(PoolError::not_supported(format!(
                "this stack has one user pool, {POOL_ID}: CreateUserPool is not supported"
            ))),
            _ => Err(PoolError::not_supported(format!(
                "{operation} is not supported by the sign-in of this stack"
            ))),
        }
    }
}

async fn handle(State(cognito): State<Cognito>, headers: HeaderMap, body: body::Bytes) -> Response {
    let result = match operation(&headers, "AWSCognitoIdentityProviderService") {
        Some(operation) => cognito.call(operation, &body).await,
        None => Err(PoolError::invalid("the X-Amz-Target header names no operation")),
    };
    if let Err(error @ PoolError::Internal(_)) = &result {
        tracing::error!(%error, "request to the user pool's API failed");
    }
    answer("application/x-amz-json-1.1", "", result.map_err(AwsError::from))
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, PoolError> {
    aws_json::read(body).map_err(|fault| match fault {
        RequestFault::UnknownMember(member) => PoolError::not_supported(format!(
            "the member {member} is not supported by the sign-in of this stack"
        )),
        RequestFault::Malformed(error) => PoolError::invalid(format!("the request cannot be read: {error}")),
    })
}
