//! What administrators do with accounts: make, invite, look at, change, switch off, delete.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Answer, Attribute, ForUser, check_pool, shown};
use crate::cognito::SignIn;
use crate::cognito::error::PoolError;
use crate::cognito::flow::codes::Asker;
use crate::cognito::flow::invite::{Attributes, Invitation, address};
use crate::cognito::store::record::{Purpose, Status};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
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
    message_action: Option<String>,
    #[serde(default)]
    desired_delivery_mediums: Vec<String>,
    client_metadata: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct AdminSetUserPassword {
    user_pool_id: String,
    username: String,
    password: String,
    #[serde(default)]
    permanent: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct AdminUpdateUserAttributes {
    user_pool_id: String,
    username: String,
    user_attributes: Vec<Attribute>,
    #[serde(rename = "ClientMetadata")]
    _client_metadata: Option<Map<String, Value>>,
}

impl AdminCreateUser {
    /// Mail is what this stack has. The documented default is SMS, but an account without a phone number, as all are
    /// here, is mailed where nothing is said.
    fn check_mediums(&self) -> Result<(), PoolError> {
        let mediums: Vec<&str> = self.desired_delivery_mediums.iter().map(String::as_str).collect();
        match mediums[..] {
            [] | ["EMAIL"] => Ok(()),
            _ => Err(PoolError::unsupported(
                "SMS is not supported by the sign-in of this stack: pass DesiredDeliveryMediums EMAIL",
            )),
        }
    }
}

impl SignIn {
    pub(super) async fn admin_create_user(&self, request: AdminCreateUser) -> Answer {
        check_pool(&request.user_pool_id)?;
        let mailed = match request.message_action.as_deref() {
            None | Some("RESEND") => {
                request.check_mediums()?;
                true
            }
            Some("SUPPRESS") => false,
            Some(other) => {
                return Err(PoolError::invalid(format!(
                    "MessageAction is {other}; RESEND and SUPPRESS are allowed"
                )));
            }
        };
        let user = if request.message_action.as_deref() == Some("RESEND") {
            let metadata = request.client_metadata.as_ref();
            self.invite_again(&request.username, request.temporary_password, metadata)
                .await?
        } else {
            let email = address(&request.username)?;
            let attributes = pairs(&request.user_attributes)?;
            if attributes
                .email
                .as_ref()
                .is_some_and(|given| !given.eq_ignore_ascii_case(&email))
            {
                return Err(PoolError::invalid(
                    "Username and the email attribute are different addresses.",
                ));
            }
            let invitation = Invitation {
                email,
                attributes,
                password: request.temporary_password,
                mailed,
                metadata: request.client_metadata,
            };
            self.invite(invitation).await?
        };
        Ok(json!({"User": shown(&user, "Attributes", None)}))
    }

    pub(super) fn admin_get_user(&self, request: &ForUser) -> Answer {
        check_pool(&request.user_pool_id)?;
        let user = self
            .pool
            .store
            .view()?
            .find(&request.username)?
            .ok_or(PoolError::NoSuchUser)?;
        Ok(shown(&user, "UserAttributes", None))
    }

    pub(super) async fn admin_set_user_password(&self, request: AdminSetUserPassword) -> Answer {
        check_pool(&request.user_pool_id)?;
        self.set_password(&request.username, &request.password, request.permanent)
            .await?;
        Ok(json!({}))
    }

    /// A code is mailed; until it comes back nobody signs in.
    pub(super) async fn admin_reset_user_password(&self, request: ForUser) -> Answer {
        check_pool(&request.user_pool_id)?;
        let now = self.pool.time.now();
        let user = self
            .change_password(&request.username, move |user| {
                if !matches!(user.status, Status::Confirmed | Status::ResetRequired) {
                    return Err(PoolError::not_authorized(
                        "User password cannot be reset in the current state.",
                    ));
                }
                if !user.email_verified {
                    return Err(PoolError::invalid(
                        "Cannot reset password for the user as there is no registered/verified email or phone_number",
                    ));
                }
                user.status = Status::ResetRequired;
                user.signed_out = Some(now);
                Ok(())
            })
            .await?;
        let asker = Asker {
            address: None,
            client_id: None,
            metadata: request.client_metadata,
        };
        self.mail_code(&user, Purpose::Password, "CustomMessage_ForgotPassword", &asker)
            .await?;
        Ok(json!({}))
    }

    pub(super) async fn set_enabled(&self, request: &ForUser, enabled: bool) -> Answer {
        check_pool(&request.user_pool_id)?;
        let now = self.pool.time.now();
        let switch = move |user: &mut crate::cognito::store::record::User| {
            user.enabled = enabled;
            if !enabled {
                user.signed_out = Some(now);
            }
            Ok(())
        };
        if enabled {
            self.change_user(&request.username, switch).await?;
        } else {
            self.change_password(&request.username, switch).await?;
        }
        Ok(json!({}))
    }

    pub(super) async fn admin_delete_user(&self, request: &ForUser) -> Answer {
        check_pool(&request.user_pool_id)?;
        let name = request.username.clone();
        self.pool
            .store
            .write(move |changes| {
                let user = changes.find(&name)?.ok_or(PoolError::NoSuchUser)?;
                changes.remove_user(&user)
            })
            .await?;
        Ok(json!({}))
    }

    pub(super) async fn admin_update_attributes(&self, request: AdminUpdateUserAttributes) -> Answer {
        check_pool(&request.user_pool_id)?;
        let attributes = pairs(&request.user_attributes)?;
        self.change_user(&request.username, move |user| {
            attributes.apply(user);
            Ok(())
        })
        .await?;
        Ok(json!({}))
    }

    pub(super) async fn admin_confirm_sign_up(&self, request: &ForUser) -> Answer {
        check_pool(&request.user_pool_id)?;
        self.confirm_as_admin(&request.username, request.client_metadata.as_ref())
            .await?;
        Ok(json!({}))
    }

    pub(super) async fn admin_sign_out(&self, request: &ForUser) -> Answer {
        check_pool(&request.user_pool_id)?;
        self.sign_out_everywhere(&request.username).await?;
        Ok(json!({}))
    }

    /// Every sign-in of a person is over: refresh tokens, access tokens at this API, remembered browsers.
    pub(super) async fn sign_out_everywhere(&self, name: &str) -> Result<(), PoolError> {
        let now = self.pool.time.now();
        let signed_out = self.change_password(name, move |user| {
            user.signed_out = Some(now);
            Ok(())
        });
        signed_out.await.map(drop)
    }
}

pub(super) fn pairs(attributes: &[Attribute]) -> Result<Attributes, PoolError> {
    Attributes::read(
        attributes
            .iter()
            .map(|one| (one.name.as_str(), one.value.as_str())),
    )
}
