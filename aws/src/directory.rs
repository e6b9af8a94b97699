//! The user pool, through the AWS SDK: Cognito, or the service at `AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER`.
//! <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_Operations.html>

mod account;
mod call;
mod client;
#[cfg(test)]
mod tests;

use aws_config::SdkConfig;
use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::config::retry::RetryConfig;
use aws_sdk_cognitoidentityprovider::types::{AttributeType, DeliveryMediumType, MessageActionType};
use shared::port::CreateOutcome;
use shared::port::crew::{Account, ClientUrls, CrewError, Directory, Group, InviteOutcome};

use self::call::{PacedCalls, is_out_of_mail};
use crate::failure::Failure;
use crate::lazy_client::LazyClient;
use crate::pace::{Category, Pace};
use crate::sdk::Sdk;

/// What Cognito allows in ListUsers, ListUsersInGroup and AdminListGroupsForUser.
const PAGE: i32 = 60;

/// [`Directory`] over Cognito. Calls are paced for the pool as long as this lives.
#[derive(Debug)]
pub struct UserPool {
    id: String,
    /// The app client the workforce's portal signs in with; only [`Directory::add_client_urls`] needs it.
    client_id: Option<String>,
    client: LazyClient<Client>,
    calls: PacedCalls,
}

impl UserPool {
    pub fn new(id: String, client_id: Option<String>, sdk: Sdk) -> Self {
        Self {
            id,
            client_id,
            client: LazyClient::new(sdk, client),
            calls: PacedCalls::new(Pace::default()),
        }
    }

    /// For people who wait for their sign-in: calls are held back only after Cognito has refused one.
    pub fn for_sign_ins(self) -> Self {
        let calls = PacedCalls::new(Pace::for_sign_ins());
        Self { calls, ..self }
    }

    /// AdminCreateUser. Not repeated when no answer came: the mail may have gone out.
    async fn create_user(
        &self,
        email: &str,
        team: &str,
        action: Option<MessageActionType>,
    ) -> Result<InviteOutcome, CrewError> {
        let is_resend = action.is_some();
        let call = self.client.get().await.admin_create_user();
        let call = call
            .user_pool_id(&self.id)
            .username(email)
            // The default is SMS.
            .desired_delivery_mediums(DeliveryMediumType::Email)
            .set_message_action(action)
            .client_metadata("team", team);
        // A verified address is what a forgotten password is sent to.
        let call = if is_resend {
            call
        } else {
            call.user_attributes(attribute("email", email)?)
                .user_attributes(attribute("email_verified", "true")?)
        };
        let send = || call.clone().send();
        match self
            .calls
            .call_once("AdminCreateUser", Category::UserCreation, send)
            .await
        {
            Ok(output) => output.user.map_or_else(
                || Err(answer_without("AdminCreateUser", "the user")),
                |user| Ok(InviteOutcome::Sent(account::from_user(user))),
            ),
            Err(failure) => not_invited(failure),
        }
    }
}

fn attribute(name: &str, value: &str) -> Result<AttributeType, CrewError> {
    let attribute = AttributeType::builder().name(name).value(value).build();
    attribute.map_err(|error| CrewError::Refused {
        operation: "AdminCreateUser",
        reason: error.to_string(),
    })
}

fn answer_without(operation: &'static str, what: &str) -> CrewError {
    CrewError::Transient {
        operation,
        reason: format!("the answer does not name {what}"),
    }
}

fn not_invited(failure: Failure) -> Result<InviteOutcome, CrewError> {
    match failure.code() {
        _ if is_out_of_mail(&failure) => Ok(InviteOutcome::NoMailLeft),
        "LimitExceededException" => Ok(InviteOutcome::NoMailLeft),
        // UnsupportedUserState: a resend to a person who has set a password.
        "UsernameExistsException" | "AliasExistsException" | "UnsupportedUserStateException" => {
            Ok(InviteOutcome::AlreadyThere)
        }
        "CodeDeliveryFailureException" => Ok(InviteOutcome::Bounced {
            reason: failure.into_reason(),
        }),
        // UserNotFound: a resend to a person whose account has been deleted.
        "InvalidParameterException" | "UserNotFoundException" => Ok(InviteOutcome::Invalid {
            reason: failure.into_reason(),
        }),
        // The trigger timed out, or could not be called.
        "UnexpectedLambdaException" => Err(failure.into_transient()),
        _ => Err(failure.into()),
    }
}

/// Cognito answers ResourceNotFoundException for missing pools as well as for missing groups; moto's message has only
/// the name of the group.
fn is_missing_group(failure: &Failure) -> bool {
    failure.code() == "ResourceNotFoundException" && !failure.says("User pool")
}

/// The SDK's own retries would not keep to the pace.
fn client(config: &SdkConfig) -> Client {
    let config = aws_sdk_cognitoidentityprovider::config::Builder::from(config);
    Client::from_conf(config.retry_config(RetryConfig::disabled()).build())
}

impl Directory for UserPool {
    async fn create_group(&self, name: &str, description: &str) -> Result<CreateOutcome, CrewError> {
        let call = self.client.get().await.create_group();
        let call = call
            .user_pool_id(&self.id)
            .group_name(name)
            .description(description);
        let send = || call.clone().send();
        match self
            .calls
            .call_repeatedly("CreateGroup", Category::PoolResourceUpdate, send)
            .await
        {
            Ok(_) => Ok(CreateOutcome::New),
            Err(failure) if failure.code() == "GroupExistsException" => Ok(CreateOutcome::AlreadyThere),
            Err(failure) => Err(failure.into()),
        }
    }

    async fn group(&self, name: &str) -> Result<Option<Group>, CrewError> {
        let call = self.client.get().await.get_group();
        let call = call.user_pool_id(&self.id).group_name(name);
        let send = || call.clone().send();
        match self
            .calls
            .call_repeatedly("GetGroup", Category::PoolResourceRead, send)
            .await
        {
            Ok(output) => output.group.map_or_else(
                || Err(answer_without("GetGroup", "the group")),
                |group| Ok(Some(account::group(group))),
            ),
            Err(failure) if is_missing_group(&failure) => Ok(None),
            Err(failure) => Err(failure.into()),
        }
    }

    async fn invite(&self, email: &str, team: &str) -> Result<InviteOutcome, CrewError> {
        self.create_user(email, team, None).await
    }

    async fn invite_again(&self, email: &str, team: &str) -> Result<InviteOutcome, CrewError> {
        self.create_user(email, team, Some(MessageActionType::Resend))
            .await
    }

    async fn find(&self, email: &str) -> Result<Option<Account>, CrewError> {
        let call = self.client.get().await.admin_get_user();
        let call = call.user_pool_id(&self.id).username(email);
        let send = || call.clone().send();
        match self
            .calls
            .call_repeatedly("AdminGetUser", Category::UserRead, send)
            .await
        {
            Ok(output) => Ok(Some(account::from_output(output))),
            Err(failure) if failure.code() == "UserNotFoundException" => Ok(None),
            Err(failure) => Err(failure.into()),
        }
    }

    async fn accounts(&self) -> Result<Vec<Account>, CrewError> {
        let (mut accounts, mut token) = (Vec::new(), None);
        loop {
            let call = self.client.get().await.list_users();
            let call = call
                .user_pool_id(&self.id)
                .limit(PAGE)
                .set_pagination_token(token);
            let send = || call.clone().send();
            let page = self
                .calls
                .call_repeatedly("ListUsers", Category::UserList, send)
                .await?;
            accounts.extend(page.users.unwrap_or_default().into_iter().map(account::from_user));
            token = page.pagination_token;
            if token.is_none() {
                return Ok(accounts);
            }
        }
    }

    async fn members(&self, group: &str) -> Result<Vec<Account>, CrewError> {
        let (mut accounts, mut token) = (Vec::new(), None);
        loop {
            let call = self.client.get().await.list_users_in_group();
            let call = call.user_pool_id(&self.id).group_name(group);
            let call = call.limit(PAGE).set_next_token(token);
            let send = || call.clone().send();
            let page = self
                .calls
                .call_repeatedly("ListUsersInGroup", Category::UserList, send)
                .await?;
            accounts.extend(page.users.unwrap_or_default().into_iter().map(account::from_user));
            token = page.next_token;
            if token.is_none() {
                return Ok(accounts);
            }
        }
    }

    async fn groups_of(&self, username: &str) -> Result<Option<Vec<String>>, CrewError> {
        let (mut groups, mut token) = (Vec::new(), None);
        loop {
            let call = self.client.get().await.admin_list_groups_for_user();
            let call = call.user_pool_id(&self.id).username(username);
            let call = call.limit(PAGE).set_next_token(token);
            let send = || call.clone().send();
            let category = Category::UserResourceRead;
            let page = match self
                .calls
                .call_repeatedly("AdminListGroupsForUser", category, send)
                .await
            {
                Ok(page) => page,
                Err(failure) if failure.code() == "UserNotFoundException" => return Ok(None),
                Err(failure) => return Err(failure.into()),
            };
            let names = page.groups.unwrap_or_default();
            groups.extend(names.into_iter().filter_map(|group| group.group_name));
            token = page.next_token;
            if token.is_none() {
                return Ok(Some(groups));
            }
        }
    }

    async fn add_to_group(&self, username: &str, group: &str) -> Result<bool, CrewError> {
        let call = self.client.get().await.admin_add_user_to_group();
        let call = call.user_pool_id(&self.id).username(username).group_name(group);
        let send = || call.clone().send();
        match self
            .calls
            .call_repeatedly("AdminAddUserToGroup", Category::UserUpdate, send)
            .await
        {
            Ok(_) => Ok(true),
            Err(failure) if failure.code() == "UserNotFoundException" => Ok(false),
            Err(failure) => Err(failure.into()),
        }
    }

    async fn remove_from_group(&self, username: &str, group: &str) -> Result<(), CrewError> {
        let call = self.client.get().await.admin_remove_user_from_group();
        let call = call.user_pool_id(&self.id).username(username).group_name(group);
        let send = || call.clone().send();
        match self
            .calls
            .call_repeatedly("AdminRemoveUserFromGroup", Category::UserUpdate, send)
            .await
        {
            Ok(_) => Ok(()),
            Err(failure) if failure.code() == "UserNotFoundException" || is_missing_group(&failure) => Ok(()),
            Err(failure) => Err(failure.into()),
        }
    }

    /// Cognito has no If-Match: what an admin changes between the two calls is lost, so the second call is made only
    /// when something is missing.
    async fn add_client_urls(&self, wanted: &ClientUrls) -> Result<bool, CrewError> {
        let Some(client_id) = &self.client_id else {
            return Err(CrewError::Refused {
                operation: "UpdateUserPoolClient",
                reason: "no app client is configured; set CLIENT_ID".to_owned(),
            });
        };
        let call = self.client.get().await.describe_user_pool_client();
        let call = call.user_pool_id(&self.id).client_id(client_id);
        let operation = "DescribeUserPoolClient";
        let send = || call.clone().send();
        let described = self
            .calls
            .call_repeatedly(operation, Category::ClientRead, send)
            .await?;
        let mut app = described
            .user_pool_client
            .ok_or_else(|| answer_without(operation, "the client"))?;
        if !client::add(&mut app, wanted) {
            return Ok(false);
        }
        let call = client::with_all_fields(self.client.get().await.update_user_pool_client(), app);
        let call = call.user_pool_id(&self.id).client_id(client_id);
        let send = || call.clone().send();
        self.calls
            .call_repeatedly("UpdateUserPoolClient", Category::ClientUpdate, send)
            .await?;
        Ok(true)
    }

    /// Absent or 0 means 7:
    /// <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_PasswordPolicyType.html>.
    async fn invitation_days(&self) -> Result<u16, CrewError> {
        let call = self
            .client
            .get()
            .await
            .describe_user_pool()
            .user_pool_id(&self.id);
        let send = || call.clone().send();
        let described = self
            .calls
            .call_repeatedly("DescribeUserPool", Category::PoolRead, send)
            .await?;
        let policies = described.user_pool.and_then(|pool| pool.policies);
        let days = policies.and_then(|policies| policies.password_policy);
        let days = days.map_or(0, |policy| policy.temporary_password_validity_days);
        Ok(u16::try_from(days).ok().filter(|days| *days > 0).unwrap_or(7))
    }
}
