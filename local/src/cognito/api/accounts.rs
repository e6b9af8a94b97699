//! What administrators do with accounts: make and invite, describe, set a password, delete.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answers::{ApiResult, Attribute, check_pool, describe_user, read_attributes};
use crate::cognito::attributes::checked_address;
use crate::cognito::error::PoolError;
use crate::cognito::invite::Invitation;
use crate::cognito::pool::Cognito;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AdminCreateUser {
    user_pool_id: String,
    username: String,
    #[serde(default)]
    user_attributes: Vec<Attribute>,
    /// For a trigger that this stack does not fire.
    #[serde(default, rename = "ValidationData")]
    _validation_data: Vec<Attribute>,
    temporary_password: Option<String>,
    /// There is no alias but the user's own address.
    #[serde(rename = "ForceAliasCreation")]
    _force_alias_creation: Option<bool>,
    message_action: Option<MessageAction>,
    #[serde(default)]
    desired_delivery_mediums: Vec<String>,
    client_metadata: Option<Map<String, Value>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum MessageAction {
    Resend,
    Suppress,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AdminSetUserPassword {
    user_pool_id: String,
    username: String,
    password: String,
    #[serde(default)]
    permanent: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UserRequest {
    user_pool_id: String,
    username: String,
}

impl AdminCreateUser {
    /// Only e-mail is supported. The documented default is SMS, but an account without a phone number, as all are here,
    /// is mailed where the request names no medium.
    fn check_mediums(&self) -> Result<(), PoolError> {
        let mediums: Vec<&str> = self.desired_delivery_mediums.iter().map(String::as_str).collect();
        match mediums[..] {
            [] | ["EMAIL"] => Ok(()),
            _ => Err(PoolError::not_supported(
                "SMS is not supported by the sign-in of this stack: pass DesiredDeliveryMediums EMAIL",
            )),
        }
    }

    fn into_invitation(self, is_mailed: bool) -> Result<Invitation, PoolError> {
        let name = checked_address(&self.username)?;
        let mut attributes = read_attributes(&self.user_attributes)?;
        // Where both are given, the attribute says how the address is spelled.
        let email = attributes.email.take().unwrap_or_else(|| name.clone());
        if !email.eq_ignore_ascii_case(&name) {
            return Err(PoolError::invalid(
                "Username and the email attribute are different addresses.",
            ));
        }
        Ok(Invitation {
            email,
            attributes,
            password: self.temporary_password,
            is_mailed,
            metadata: self.client_metadata,
        })
    }
}

impl Cognito {
    pub(super) async fn admin_create_user(&self, request: AdminCreateUser) -> ApiResult {
        check_pool(&request.user_pool_id)?;
        if request.message_action != Some(MessageAction::Suppress) {
            request.check_mediums()?;
        }
        let user = match request.message_action {
            Some(MessageAction::Resend) => {
                let metadata = request.client_metadata.as_ref();
                self.invite_again(&request.username, request.temporary_password, metadata)
                    .await?
            }
            Some(MessageAction::Suppress) => self.invite(request.into_invitation(false)?).await?,
            None => self.invite(request.into_invitation(true)?).await?,
        };
        Ok(json!({"User": describe_user(&user, "Attributes", None)}))
    }

    pub(super) fn admin_get_user(&self, request: &UserRequest) -> ApiResult {
        check_pool(&request.user_pool_id)?;
        let user = self.user(&request.username)?;
        Ok(describe_user(&user, "UserAttributes", None))
    }

    pub(super) async fn admin_set_user_password(&self, request: AdminSetUserPassword) -> ApiResult {
        check_pool(&request.user_pool_id)?;
        self.set_password(&request.username, &request.password, request.permanent)
            .await?;
        Ok(json!({}))
    }

    pub(super) async fn admin_delete_user(&self, request: UserRequest) -> ApiResult {
        check_pool(&request.user_pool_id)?;
        let delete = self.pool.store.write(move |transaction| {
            let user = transaction
                .find(&request.username)?
                .ok_or(PoolError::NoSuchUser)?;
            transaction.remove_user(&user)
        });
        delete.await?;
        Ok(json!({}))
    }
}
