//! Groups, and who is in them.

use serde::Deserialize;
use serde_json::{Value, json};

use super::listing::Page;
use super::{Answer, check_pool, seconds, shown};
use crate::cognito::error::PoolError;
use crate::cognito::store::record::Group;
use crate::cognito::{POOL_ID, SignIn};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct GroupRequest {
    user_pool_id: String,
    group_name: String,
    description: Option<String>,
    precedence: Option<u32>,
    role_arn: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct OneGroup {
    user_pool_id: String,
    group_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Membership {
    user_pool_id: String,
    username: String,
    group_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct ListOfGroups {
    user_pool_id: String,
    limit: Option<usize>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct GroupsOfUser {
    user_pool_id: String,
    username: String,
    limit: Option<usize>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct UsersInGroup {
    user_pool_id: String,
    group_name: String,
    limit: Option<usize>,
    next_token: Option<String>,
}

pub(in crate::cognito) fn checked_name(name: &str) -> Result<String, PoolError> {
    let long = name.chars().count();
    if !(1..=128).contains(&long) || name.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(PoolError::invalid(
            "1 validation error detected: Value at 'groupName' failed to satisfy constraint: from 1 to 128 characters, \
             no spaces",
        ));
    }
    Ok(name.to_owned())
}

impl SignIn {
    pub(super) async fn new_group(&self, request: GroupRequest) -> Answer {
        check_pool(&request.user_pool_id)?;
        let group = Group {
            name: checked_name(&request.group_name)?,
            description: request.description,
            precedence: request.precedence,
            role_arn: request.role_arn,
            created: self.pool.time.now(),
            modified: None,
        };
        let group = self.create_group(group).await?;
        Ok(json!({"Group": shown_group(&group)}))
    }

    pub(super) async fn update_group(&self, request: GroupRequest) -> Answer {
        check_pool(&request.user_pool_id)?;
        let now = self.pool.time.now();
        let updated = self.pool.store.write(move |changes| {
            let known = changes
                .group(&request.group_name)?
                .ok_or(PoolError::NoSuchGroup)?;
            let group = Group {
                description: request.description.or(known.description),
                precedence: request.precedence.or(known.precedence),
                role_arn: request.role_arn.or(known.role_arn),
                modified: Some(now),
                name: known.name,
                created: known.created,
            };
            changes.put_group(&group)?;
            Ok(group)
        });
        Ok(json!({"Group": shown_group(&updated.await?)}))
    }

    pub(super) fn get_group(&self, request: &OneGroup) -> Answer {
        check_pool(&request.user_pool_id)?;
        let group = self.pool.store.view()?.group(&request.group_name)?;
        Ok(json!({"Group": shown_group(&group.ok_or(PoolError::NoSuchGroup)?)}))
    }

    pub(super) async fn delete_group(&self, request: OneGroup) -> Answer {
        check_pool(&request.user_pool_id)?;
        self.pool
            .store
            .write(move |changes| {
                changes
                    .group(&request.group_name)?
                    .ok_or(PoolError::NoSuchGroup)?;
                changes.remove_group(&request.group_name)
            })
            .await?;
        Ok(json!({}))
    }

    pub(super) async fn membership(&self, request: Membership, member: bool) -> Answer {
        check_pool(&request.user_pool_id)?;
        let now = self.pool.time.now();
        self.pool
            .store
            .write(move |changes| {
                changes
                    .group(&request.group_name)?
                    .ok_or(PoolError::NoSuchGroup)?;
                let mut user = changes.find(&request.username)?.ok_or(PoolError::NoSuchUser)?;
                let changed = if member {
                    user.groups.insert(request.group_name)
                } else {
                    user.groups.remove(&request.group_name)
                };
                if changed {
                    user.modified = now;
                    changes.put_user(&user)?;
                }
                Ok(())
            })
            .await?;
        Ok(json!({}))
    }

    pub(super) fn list_groups(&self, request: &ListOfGroups) -> Answer {
        check_pool(&request.user_pool_id)?;
        let view = self.pool.store.view()?;
        let page = Page::read(request.limit, request.next_token.as_deref())?;
        let groups = view.groups_after(&page.after)?;
        page.answer("Groups", "NextToken", groups, |group| {
            (group.name.clone(), shown_group(group))
        })
    }

    pub(super) fn groups_of(&self, request: &GroupsOfUser) -> Answer {
        check_pool(&request.user_pool_id)?;
        let view = self.pool.store.view()?;
        let user = view.find(&request.username)?.ok_or(PoolError::NoSuchUser)?;
        let page = Page::read(request.limit, request.next_token.as_deref())?;
        let names = user.groups.iter().filter(|name| **name > page.after);
        let groups = names.filter_map(|name| view.group(name).transpose());
        page.answer("Groups", "NextToken", groups, |group| {
            (group.name.clone(), shown_group(group))
        })
    }

    pub(super) fn users_in(&self, request: &UsersInGroup) -> Answer {
        check_pool(&request.user_pool_id)?;
        let view = self.pool.store.view()?;
        view.group(&request.group_name)?.ok_or(PoolError::NoSuchGroup)?;
        let page = Page::read(request.limit, request.next_token.as_deref())?;
        let users = view.members_after(&request.group_name, &page.after)?;
        page.answer("Users", "NextToken", users, |user| {
            (user.username.clone(), shown(user, "Attributes", None))
        })
    }
}

fn shown_group(group: &Group) -> Value {
    let mut shown = json!({
        "GroupName": group.name,
        "UserPoolId": POOL_ID,
        "CreationDate": seconds(group.created),
        "LastModifiedDate": seconds(group.modified.unwrap_or(group.created)),
    });
    if let Some(description) = &group.description {
        shown["Description"] = json!(description);
    }
    if let Some(precedence) = group.precedence {
        shown["Precedence"] = json!(precedence);
    }
    if let Some(role) = &group.role_arn {
        shown["RoleArn"] = json!(role);
    }
    shown
}
