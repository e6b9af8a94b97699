//! The user pool, through the AWS SDK: Cognito, or whatever answers at `AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER`.
//! <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_Operations.html>

mod account;
mod call;
mod client;
#[cfg(test)]
mod tests;

use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::config::retry::RetryConfig;
use aws_sdk_cognitoidentityprovider::types::{AttributeType, DeliveryMediumType, MessageActionType};
use shared::port::Created;
use shared::port::crew::{Account, ClientUrls, CrewError, Directory, Group, Invited};
use tokio::sync::OnceCell;

use crate::failure::Failure;
use crate::pace::{Category, Pace};
use crate::sdk::Sdk;

/// What Cognito allows in ListUsers, ListUsersInGroup and AdminListGroupsForUser.
const PAGE: i32 = 60;

/// [`Directory`] over Cognito. The client comes into being with the first call; calls are paced for the pool as long
/// as this lives.
#[derive(Debug)]
pub struct UserPool {
    id: String,
    /// The app client the workforce's portal signs in with; only [`Directory::add_client_urls`] needs it.
    client_id: Option<String>,
    sdk: Sdk,
    client: OnceCell<Client>,
    pace: Pace,
}

impl UserPool {
    pub fn new(id: String, client_id: Option<String>, sdk: Sdk) -> Self {
        Self {
            id,
            client_id,
            sdk,
            client: OnceCell::new(),
            pace: Pace::default(),
        }
    }

    /// For people who wait at the door: calls are held back only after Cognito has refused one.
    pub fn eager(self) -> Self {
        let pace = Pace::eager();
        Self { pace, ..self }
    }

    /// The SDK's own retries would go past the pace.
    async fn client(&self) -> &Client {
        let make = || async {
            let config = aws_sdk_cognitoidentityprovider::config::Builder::from(self.sdk.config().await);
            Client::from_conf(config.retry_config(RetryConfig::disabled()).build())
        };
        self.client.get_or_init(make).await
    }

    /// AdminCreateUser. Not repeated when no answer came: the mail may have gone out.
    async fn create_user(
        &self,
        email: &str,
        team: &str,
        action: Option<MessageActionType>,
    ) -> Result<Invited, CrewError> {
        let again = action.is_some();
        let call = self.client().await.admin_create_user();
        let call = call
            .user_pool_id(&self.id)
            .username(email)
            // The default is SMS.
            .desired_delivery_mediums(DeliveryMediumType::Email)
            .set_message_action(action)
            .client_metadata("team", team);
        // A verified address is what a forgotten password is sent to.
        let call = if again {
            call
        } else {
            call.user_attributes(attribute("email", email)?)
                .user_attributes(attribute("email_verified", "true")?)
        };
        let send = || call.clone().send();
        match self.once("AdminCreateUser", Category::UserCreation, send).await {
            Ok(output) => output.user.map_or_else(
                || Err(answer_without("AdminCreateUser", "the user")),
                |user| Ok(Invited::Sent(account::from_user(user))),
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

/// The daily limit of Cognito's own sender (50 mails an account) comes under more than one code, always in these words.
const OUT_OF_MAIL: &str = "daily email limit";

fn not_invited(failure: Failure) -> Result<Invited, CrewError> {
    let reason = || failure.reason.clone();
    match failure.code() {
        _ if failure.says(OUT_OF_MAIL) => Ok(Invited::NoMailLeft),
        "LimitExceededException" => Ok(Invited::NoMailLeft),
        // UnsupportedUserState: a resend to somebody who has set a password.
        "UsernameExistsException" | "AliasExistsException" | "UnsupportedUserStateException" => {
            Ok(Invited::AlreadyThere)
        }
        "CodeDeliveryFailureException" => Ok(Invited::Bounced { reason: reason() }),
        // UserNotFound: a resend to somebody whose account has been deleted.
        "InvalidParameterException" | "UserNotFoundException" => Ok(Invited::Invalid { reason: reason() }),
        // The trigger timed out, or could not be called.
        "UnexpectedLambdaException" => Err(failure.later()),
        _ => Err(failure.into()),
    }
}

/// ResourceNotFoundException is said of pools as well as of groups; moto says only the name of the group.
fn is_missing_group(failure: &Failure) -> bool {
    failure.code() == "ResourceNotFoundException" && !failure.says("User pool")
}

impl Directory for UserPool {
    async fn create_group(&self, name: &str, description: &str) -> Result<Created, CrewError> {
        let call = self.client().await.create_group();
        let call = call
            .user_pool_id(&self.id)
            .group_name(name)
            .description(description);
        let send = || call.clone().send();
        match self
            .repeated("CreateGroup", Category::PoolResourceUpdate, send)
            .await
        {
            Ok(_) => Ok(Created::New),
            Err(failure) if failure.code() == "GroupExistsException" => Ok(Created::AlreadyThere),
            Err(failure) => Err(failure.into()),
        }
    }

    async fn group(&self, name: &str) -> Result<Option<Group>, CrewError> {
        let call = self.client().await.get_group();
        let call = call.user_pool_id(&self.id).group_name(name);
        let send = || call.clone().send();
        match self.repeated("GetGroup", Category::PoolResourceRead, send).await {
            Ok(output) => output.group.map_or_else(
                || Err(answer_without("GetGroup", "the group")),
                |group| Ok(Some(account::group(group))),
            ),
            Err(failure) if is_missing_group(&failure) => Ok(None),
            Err(failure) => Err(failure.into()),
        }
    }

    async fn invite(&self, email: &str, team: &str) -> Result<Invited, CrewError> {
        self.create_user(email, team, None).await
    }

    async fn invite_again(&self, email: &str, team: &str) -> Result<Invited, CrewError> {
        self.create_user(email, team, Some(MessageActionType::Resend))
            .await
    }

    async fn find(&self, email: &str) -> Result<Option<Account>, CrewError> {
        let call = self.client().await.admin_get_user();
        let call = call.user_pool_id(&self.id).username(email);
        let send = || call.clone().send();
        match self.repeated("AdminGetUser", Category::UserRead, send).await {
            Ok(output) => Ok(Some(account::from_output(output))),
            Err(failure) if failure.code() == "UserNotFoundException" => Ok(None),
            Err(failure) => Err(failure.into()),
        }
    }

    async fn accounts(&self) -> Result<Vec<Account>, CrewError> {
        let (mut accounts, mut token) = (Vec::new(), None);
        loop {
            let call = self.client().await.list_users();
            let call = call
                .user_pool_id(&self.id)
                .limit(PAGE)
                .set_pagination_token(token);
            let send = || call.clone().send();
            let page = self.repeated("ListUsers", Category::UserList, send).await?;
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
            let call = self.client().await.list_users_in_group();
            let call = call.user_pool_id(&self.id).group_name(group);
            let call = call.limit(PAGE).set_next_token(token);
            let send = || call.clone().send();
            let page = self
                .repeated("ListUsersInGroup", Category::UserList, send)
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
            let call = self.client().await.admin_list_groups_for_user();
            let call = call.user_pool_id(&self.id).username(username);
            let call = call.limit(PAGE).set_next_token(token);
            let send = || call.clone().send();
            let category = Category::UserResourceRead;
            let page = match self.repeated("AdminListGroupsForUser", category, send).await {
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
        let call = self.client().await.admin_add_user_to_group();
        let call = call.user_pool_id(&self.id).username(username).group_name(group);
        let send = || call.clone().send();
        match self
            .repeated("AdminAddUserToGroup", Category::UserUpdate, send)
            .await
        {
            Ok(_) => Ok(true),
            Err(failure) if failure.code() == "UserNotFoundException" => Ok(false),
            Err(failure) => Err(failure.into()),
        }
    }

    async fn remove_from_group(&self, username: &str, group: &str) -> Result<(), CrewError> {
        let call = self.client().await.admin_remove_user_from_group();
        let call = call.user_pool_id(&self.id).username(username).group_name(group);
        let send = || call.clone().send();
        match self
            .repeated("AdminRemoveUserFromGroup", Category::UserUpdate, send)
            .await
        {
            Ok(_) => Ok(()),
            Err(failure) if failure.code() == "UserNotFoundException" || is_missing_group(&failure) => Ok(()),
            Err(failure) => Err(failure.into()),
        }
    }

    /// Cognito has no If-Match: what somebody else changes between the two calls is lost, so the second call is made
    /// only when something is missing.
    async fn add_client_urls(&self, wanted: &ClientUrls) -> Result<bool, CrewError> {
        let Some(client_id) = &self.client_id else {
            return Err(CrewError::Refused {
                operation: "UpdateUserPoolClient",
                reason: "no app client is configured; set CLIENT_ID".to_owned(),
            });
        };
        let call = self.client().await.describe_user_pool_client();
        let call = call.user_pool_id(&self.id).client_id(client_id);
        let operation = "DescribeUserPoolClient";
        let send = || call.clone().send();
        let said = self.repeated(operation, Category::ClientRead, send).await?;
        let mut app = said
            .user_pool_client
            .ok_or_else(|| answer_without(operation, "the client"))?;
        if !client::add(&mut app, wanted) {
            return Ok(false);
        }
        let call = client::with_everything_said(self.client().await.update_user_pool_client(), app);
        let call = call.user_pool_id(&self.id).client_id(client_id);
        let send = || call.clone().send();
        self.repeated("UpdateUserPoolClient", Category::ClientUpdate, send)
            .await?;
        Ok(true)
    }

    /// Absent or 0 stands for 7:
    /// <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_PasswordPolicyType.html>.
    async fn invitation_days(&self) -> Result<u16, CrewError> {
        let call = self.client().await.describe_user_pool().user_pool_id(&self.id);
        let send = || call.clone().send();
        let said = self
            .repeated("DescribeUserPool", Category::PoolRead, send)
            .await?;
        let policies = said.user_pool.and_then(|pool| pool.policies);
        let days = policies.and_then(|policies| policies.password_policy);
        let days = days.map_or(0, |policy| policy.temporary_password_validity_days);
        Ok(u16::try_from(days).ok().filter(|days| *days > 0).unwrap_or(7))
    }
}
