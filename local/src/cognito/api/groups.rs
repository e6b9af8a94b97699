//! Groups, and who is in them.

use serde::Deserialize;
use serde_json::{Value, json};

use super::answers::{ApiResult, check_pool, describe_user, seconds};
use super::listing::Page;
use crate::cognito::error::PoolError;
use crate::cognito::pool::{Cognito, POOL_ID};
use crate::cognito::store::Transaction;
use crate::cognito::store::record::{Group, User, checked_group_name};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateGroup {
    user_pool_id: String,
    group_name: String,
    description: Option<String>,
    precedence: Option<u32>,
    role_arn: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GroupRequest {
    user_pool_id: String,
    group_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct MembershipRequest {
    user_pool_id: String,
    username: String,
    group_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListGroups {
    user_pool_id: String,
    limit: Option<usize>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListGroupsForUser {
    user_pool_id: String,
    username: String,
    limit: Option<usize>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListUsersInGroup {
    user_pool_id: String,
    group_name: String,
    limit: Option<usize>,
    next_token: Option<String>,
}

impl Cognito {
    pub(super) async fn create_group(&self, request: CreateGroup) -> ApiResult {
        check_pool(&request.user_pool_id)?;
        let group = Group {
            name: checked_group_name(&request.group_name)?,
            description: request.description,
            precedence: request.precedence,
            role_arn: request.role_arn,
            created: self.pool.time.timestamp(),
        };
        let created = self.pool.store.write(move |transaction| {
            if transaction.group(&group.name)?.is_some() {
                return Err(PoolError::GroupExists);
            }
            transaction.put_group(&group)?;
            Ok(group)
        });
        Ok(json!({"Group": describe_group(&created.await?)}))
    }

    pub(super) fn get_group(&self, request: &GroupRequest) -> ApiResult {
        check_pool(&request.user_pool_id)?;
        let group = self.pool.store.view()?.group(&request.group_name)?;
        Ok(json!({"Group": describe_group(&group.ok_or(PoolError::NoSuchGroup)?)}))
    }

    pub(super) async fn delete_group(&self, request: GroupRequest) -> ApiResult {
        check_pool(&request.user_pool_id)?;
        let delete = self.pool.store.write(move |transaction| {
            check_group(transaction, &request.group_name)?;
            transaction.remove_group(&request.group_name)
        });
        delete.await?;
        Ok(json!({}))
    }

    pub(super) async fn add_to_group(&self, request: MembershipRequest) -> ApiResult {
        self.change_membership(request, |user, group| user.groups.insert(group))
            .await
    }

    pub(super) async fn remove_from_group(&self, request: MembershipRequest) -> ApiResult {
        self.change_membership(request, |user, group| user.groups.remove(&group))
            .await
    }

    /// `change` says whether it changed anything.
    async fn change_membership(
        &self,
        request: MembershipRequest,
        change: fn(&mut User, String) -> bool,
    ) -> ApiResult {
        check_pool(&request.user_pool_id)?;
        let now = self.pool.time.timestamp();
        let write = self.pool.store.write(move |transaction| {
            check_group(transaction, &request.group_name)?;
            let mut user = transaction
                .find(&request.username)?
                .ok_or(PoolError::NoSuchUser)?;
            if change(&mut user, request.group_name) {
                user.modified = now;
                transaction.put_user(&user)?;
            }
            Ok(())
        });
        write.await?;
        Ok(json!({}))
    }

    pub(super) fn list_groups(&self, request: &ListGroups) -> ApiResult {
        check_pool(&request.user_pool_id)?;
        let view = self.pool.store.view()?;
        let page = Page::read(request.limit, request.next_token.as_deref())?;
        let groups = view.groups_after(&page.after)?;
        page.answer("Groups", "NextToken", groups, |group| {
            (group.name.clone(), describe_group(group))
        })
    }

    pub(super) fn list_groups_for_user(&self, request: &ListGroupsForUser) -> ApiResult {
        check_pool(&request.user_pool_id)?;
        let view = self.pool.store.view()?;
        let user = view.find(&request.username)?.ok_or(PoolError::NoSuchUser)?;
        let page = Page::read(request.limit, request.next_token.as_deref())?;
        let names = user.groups.iter().filter(|name| **name > page.after);
        let groups = names.filter_map(|name| view.group(name).transpose());
        page.answer("Groups", "NextToken", groups, |group| {
            (group.name.clone(), describe_group(group))
        })
    }

    pub(super) fn list_users_in_group(&self, request: &ListUsersInGroup) -> ApiResult {
        check_pool(&request.user_pool_id)?;
        let view = self.pool.store.view()?;
        view.group(&request.group_name)?.ok_or(PoolError::NoSuchGroup)?;
        let page = Page::read(request.limit, request.next_token.as_deref())?;
        let users = view.members_after(&request.group_name, &page.after)?;
        page.answer("Users", "NextToken", users, |user| {
            (user.username.clone(), describe_user(user, "Attributes", None))
        })
    }
}

fn check_group(transaction: &Transaction<'_>, name: &str) -> Result<(), PoolError> {
    transaction.group(name)?.map(drop).ok_or(PoolError::NoSuchGroup)
}

fn describe_group(group: &Group) -> Value {
    let mut described = json!({
        "GroupName": group.name,
        "UserPoolId": POOL_ID,
        "CreationDate": seconds(group.created),
        "LastModifiedDate": seconds(group.created),
    });
    if let Some(description) = &group.description {
        described["Description"] = json!(description);
    }
    if let Some(precedence) = group.precedence {
        described["Precedence"] = json!(precedence);
    }
    if let Some(role) = &group.role_arn {
        described["RoleArn"] = json!(role);
    }
    described
}
