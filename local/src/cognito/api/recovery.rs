//! What people do for themselves before they are signed in: sign up where the pool lets them, confirm, and get over a
//! forgotten password.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::accounts::pairs;
use super::{Answer, Attribute};
use crate::cognito::client::Client;
use crate::cognito::error::PoolError;
use crate::cognito::flow::codes::Asker;
use crate::cognito::flow::invite::address;
use crate::cognito::store::record::{Purpose, Status, User};
use crate::cognito::{SignIn, passwords};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct SignUp {
    client_id: String,
    secret_hash: Option<String>,
    username: String,
    password: String,
    #[serde(default)]
    user_attributes: Vec<Attribute>,
    #[serde(default, rename = "ValidationData")]
    _validation_data: Vec<Attribute>,
    client_metadata: Option<Map<String, Value>>,
    #[serde(rename = "AnalyticsMetadata")]
    _analytics: Option<Value>,
    #[serde(rename = "UserContextData")]
    _context: Option<Value>,
}

/// ForgotPassword and ResendConfirmationCode, and, with more, the confirmations.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct ByCode {
    client_id: String,
    secret_hash: Option<String>,
    username: String,
    confirmation_code: Option<String>,
    password: Option<String>,
    #[serde(rename = "ForceAliasCreation")]
    _force_alias_creation: Option<bool>,
    client_metadata: Option<Map<String, Value>>,
    #[serde(rename = "AnalyticsMetadata")]
    _analytics: Option<Value>,
    #[serde(rename = "UserContextData")]
    _context: Option<Value>,
}

impl ByCode {
    fn code(&self) -> Result<&str, PoolError> {
        self.confirmation_code
            .as_deref()
            .ok_or_else(|| PoolError::invalid("ConfirmationCode is missing"))
    }

    fn asker(&self) -> Asker {
        Asker {
            address: None,
            client_id: Some(self.client_id.clone()),
            metadata: self.client_metadata.clone(),
        }
    }
}

impl SignIn {
    fn client_of(&self, id: &str, name: &str, hash: Option<&str>) -> Result<Client, PoolError> {
        let client = self.client(id)?;
        client.check_secret_hash(&[name], hash)?;
        Ok(client)
    }

    pub(super) async fn sign_up(&self, request: SignUp) -> Answer {
        let client = self.client_of(
            &request.client_id,
            &request.username,
            request.secret_hash.as_deref(),
        )?;
        let settings = self.settings()?;
        if settings.admin_create_user_config.allow_admin_create_user_only {
            return Err(PoolError::not_authorized(
                "SignUp is not permitted for this user pool",
            ));
        }
        let email = address(&request.username)?;
        settings.policies.password_policy.allows(&request.password)?;
        let mut user = User::new(&email, Status::Unconfirmed, self.pool.time.now());
        for attribute in &request.user_attributes {
            if attribute.name != "email" && !client.settings.may_write(&attribute.name) {
                return Err(PoolError::not_authorized(
                    "A client attempted to write unauthorized attribute",
                ));
            }
        }
        pairs(&request.user_attributes)?.apply(&mut user);
        if !user.email.eq_ignore_ascii_case(&email) {
            return Err(PoolError::invalid(
                "Username and the email attribute are different addresses.",
            ));
        }
        user.email_verified = false;
        user.password_hash = Some(passwords::hash(&request.password).await?);
        let record = user.clone();
        self.pool
            .store
            .write(move |changes| changes.add_user(&record))
            .await?;
        let asker = Asker {
            address: None,
            client_id: Some(client.id),
            metadata: request.client_metadata,
        };
        self.mail_code(&user, Purpose::SignUp, "CustomMessage_SignUp", &asker)
            .await?;
        Ok(json!({
            "UserConfirmed": false,
            "UserSub": user.username,
            "CodeDeliveryDetails": delivery(&user.email),
        }))
    }

    pub(super) async fn api_confirm_sign_up(&self, request: ByCode) -> Answer {
        self.client_of(
            &request.client_id,
            &request.username,
            request.secret_hash.as_deref(),
        )?;
        self.confirm_sign_up(&request.username, request.code()?, &request.asker())
            .await?;
        Ok(json!({}))
    }

    pub(super) async fn resend_code(&self, request: ByCode) -> Answer {
        let client = self.client_of(
            &request.client_id,
            &request.username,
            request.secret_hash.as_deref(),
        )?;
        self.slow_mail(&request.username)?;
        let user = self.pool.store.view()?.find(&request.username)?;
        let (sign_in, asker, user) = (
            self.clone(),
            request.asker(),
            user.filter(|user| user.status == Status::Unconfirmed),
        );
        let sending = async move {
            let user = user.ok_or(PoolError::NoSuchUser)?;
            sign_in
                .mail_code(&user, Purpose::SignUp, "CustomMessage_ResendCode", &asker)
                .await
        };
        answered_alike(&client, sending).await?;
        Ok(json!({"CodeDeliveryDetails": delivery(&request.username)}))
    }

    pub(super) async fn api_forgot_password(&self, request: ByCode) -> Answer {
        let client = self.client_of(
            &request.client_id,
            &request.username,
            request.secret_hash.as_deref(),
        )?;
        let (sign_in, asker, name) = (self.clone(), request.asker(), request.username.clone());
        let sending = async move { sign_in.forgot_password(&name, &asker).await.map(drop) };
        answered_alike(&client, sending).await?;
        Ok(json!({"CodeDeliveryDetails": delivery(&request.username)}))
    }

    pub(super) async fn api_confirm_forgot_password(&self, request: ByCode) -> Answer {
        let client = self.client_of(
            &request.client_id,
            &request.username,
            request.secret_hash.as_deref(),
        )?;
        let password = request
            .password
            .as_deref()
            .ok_or_else(|| PoolError::invalid("Password is missing"))?;
        let known =
            client.settings.hides_who_exists() || self.pool.store.view()?.find(&request.username)?.is_some();
        match self
            .confirm_forgot_password(&request.username, request.code()?, password, &request.asker())
            .await
        {
            Ok(_) => Ok(json!({})),
            Err(PoolError::WrongCode) if !known => Err(PoolError::NoSuchUser),
            Err(error) => Err(error),
        }
    }
}

/// For a client that must not learn who has an account, the mail goes out beside the answer: neither what it says nor
/// how long it takes depends on there being anybody.
async fn answered_alike(
    client: &Client,
    sending: impl Future<Output = Result<(), PoolError>> + Send + 'static,
) -> Result<(), PoolError> {
    if !client.settings.hides_who_exists() {
        return sending.await;
    }
    tokio::spawn(async move {
        if let Err(error @ (PoolError::Internal(_) | PoolError::NoDelivery(_))) = sending.await {
            tracing::error!(%error, "a code could not be mailed");
        }
    });
    Ok(())
}

/// Where the code went, as much of it as may be shown.
fn delivery(address: &str) -> Value {
    let initial = |part: &str| {
        part.chars()
            .next()
            .map_or_else(String::new, |first| format!("{first}***"))
    };
    let destination = address.split_once('@').map_or_else(
        || "+*******".to_owned(),
        |(name, host)| format!("{}@{}", initial(name), initial(host)),
    );
    json!({"Destination": destination, "DeliveryMedium": "EMAIL", "AttributeName": "email"})
}
