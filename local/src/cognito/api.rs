//! The part of Cognito's API that manages people and groups.
//! <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/Welcome.html>

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::{Router, body, routing};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::users::{Group, User, UserError};
use super::{POOL_ID, SignIn, passwords};
use crate::aws_json::{AwsError, answer, operation, read};

/// ListUsers and its like give at most this many.
const LARGEST_PAGE: usize = 60;

pub(super) fn router(sign_in: SignIn) -> Router {
    Router::new().fallback(routing::post(handle)).with_state(sign_in)
}

async fn handle(State(sign_in): State<SignIn>, headers: HeaderMap, body: body::Bytes) -> Response {
    let result = match operation(&headers, "AWSCognitoIdentityProviderService") {
        Some(operation) => sign_in.call(operation, &body).await,
        None => Err(AwsError::new(
            "InvalidParameterException",
            "the X-Amz-Target header names no operation",
        )),
    };
    answer("application/x-amz-json-1.1", "", result)
}

/// Every field any of the supported operations takes. One that none of them takes is refused, not ignored.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Request {
    user_pool_id: String,
    username: Option<String>,
    password: Option<String>,
    permanent: Option<bool>,
    user_attributes: Option<Vec<Attribute>>,
    message_action: Option<String>,
    /// Only for what would be sent; nothing is.
    #[serde(rename = "DesiredDeliveryMediums")]
    _mediums: Option<Vec<String>>,
    group_name: Option<String>,
    description: Option<String>,
    filter: Option<String>,
    limit: Option<usize>,
    pagination_token: Option<String>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Attribute {
    name: String,
    value: String,
}

const INVALID: &str = "InvalidParameterException";

impl Request {
    fn username(&self) -> Result<&str, AwsError> {
        self.username
            .as_deref()
            .ok_or_else(|| AwsError::new(INVALID, "Username is missing"))
    }

    fn group(&self) -> Result<&str, AwsError> {
        self.group_name
            .as_deref()
            .ok_or_else(|| AwsError::new(INVALID, "GroupName is missing"))
    }
}

impl SignIn {
    async fn call(&self, operation: &str, body: &[u8]) -> Result<Value, AwsError> {
        if !OPERATIONS.contains(&operation) {
            let message = format!("{operation} is not supported by the sign-in of this stack");
            return Err(AwsError::new("UnsupportedOperationException", message));
        }
        let request: Request = read(body, INVALID)?;
        if request.user_pool_id != POOL_ID {
            let message = format!("User pool {} does not exist.", request.user_pool_id);
            return Err(AwsError::new("ResourceNotFoundException", message));
        }
        match operation {
            "AdminCreateUser" => self.create_user(&request),
            "AdminSetUserPassword" => self.set_password(&request).await,
            "AdminGetUser" => self.get_user(&request),
            "ListUsers" => self.list_users(&request),
            "CreateGroup" => self.create_group(&request),
            "GetGroup" => self.get_group(&request),
            "ListGroups" => self.list_groups(&request),
            "AdminAddUserToGroup" => self.membership(&request, true),
            "AdminRemoveUserFromGroup" => self.membership(&request, false),
            "AdminListGroupsForUser" => self.groups_of(&request),
            _ => self.users_in(&request),
        }
    }

    fn create_user(&self, request: &Request) -> Result<Value, AwsError> {
        if request.message_action.as_deref() != Some("SUPPRESS") {
            let message = "AdminCreateUser sends no invitation here yet: pass MessageAction SUPPRESS, then set a password \
                           with AdminSetUserPassword and Permanent true";
            return Err(AwsError::new("UnsupportedOperationException", message));
        }
        let email = request.username()?;
        for attribute in request.user_attributes.iter().flatten() {
            match (attribute.name.as_str(), attribute.value.as_str()) {
                ("email", value) if value.eq_ignore_ascii_case(email) => {}
                ("email_verified", "true") => {}
                (name, _) => {
                    return Err(AwsError::new(
                        INVALID,
                        format!("the user attribute {name} with this value is not supported here"),
                    ));
                }
            }
        }
        Ok(json!({"User": shown(&self.pool.users.create(email)?, "Attributes")}))
    }

    async fn set_password(&self, request: &Request) -> Result<Value, AwsError> {
        if request.permanent != Some(true) {
            let message = "temporary passwords are not supported here yet: pass Permanent true";
            return Err(AwsError::new("UnsupportedOperationException", message));
        }
        let password = request
            .password
            .as_deref()
            .ok_or_else(|| AwsError::new(INVALID, "Password is missing"))?;
        let hash = passwords::hash(password).await?;
        self.pool.users.set_password(request.username()?, hash)?;
        Ok(json!({}))
    }

    fn get_user(&self, request: &Request) -> Result<Value, AwsError> {
        let user = self
            .pool
            .users
            .find(request.username()?)
            .ok_or(UserError::NoSuchUser)?;
        Ok(shown(&user, "UserAttributes"))
    }

    fn list_users(&self, request: &Request) -> Result<Value, AwsError> {
        let filter = request
            .filter
            .as_deref()
            .filter(|text| !text.is_empty())
            .map(Filter::parse)
            .transpose()?;
        let users: Vec<User> = self
            .pool
            .users
            .all()
            .into_iter()
            .filter(|user| filter.as_ref().is_none_or(|filter| filter.holds(user)))
            .collect();
        let (page, next) = page(&users, request.limit, request.pagination_token.as_deref())?;
        Ok(with_token(
            "PaginationToken",
            next,
            "Users",
            page.iter().map(|user| shown(user, "Attributes")).collect(),
        ))
    }

    fn create_group(&self, request: &Request) -> Result<Value, AwsError> {
        let group = self
            .pool
            .users
            .create_group(request.group()?, request.description.clone())?;
        Ok(json!({"Group": shown_group(&group)}))
    }

    fn get_group(&self, request: &Request) -> Result<Value, AwsError> {
        let group = self
            .pool
            .users
            .group(request.group()?)
            .ok_or(UserError::NoSuchGroup)?;
        Ok(json!({"Group": shown_group(&group)}))
    }

    fn list_groups(&self, request: &Request) -> Result<Value, AwsError> {
        let groups = self.pool.users.groups();
        let (page, next) = page(&groups, request.limit, request.next_token.as_deref())?;
        Ok(with_token(
            "NextToken",
            next,
            "Groups",
            page.iter().map(shown_group).collect(),
        ))
    }

    fn membership(&self, request: &Request, member: bool) -> Result<Value, AwsError> {
        let (user, group) = (request.username()?, request.group()?);
        if member {
            self.pool.users.add_to_group(user, group)?;
        } else {
            self.pool.users.remove_from_group(user, group)?;
        }
        Ok(json!({}))
    }

    fn groups_of(&self, request: &Request) -> Result<Value, AwsError> {
        let user = self
            .pool
            .users
            .find(request.username()?)
            .ok_or(UserError::NoSuchUser)?;
        let groups: Vec<Group> = user
            .groups
            .iter()
            .filter_map(|name| self.pool.users.group(name))
            .collect();
        let (page, next) = page(&groups, request.limit, request.next_token.as_deref())?;
        Ok(with_token(
            "NextToken",
            next,
            "Groups",
            page.iter().map(shown_group).collect(),
        ))
    }

    fn users_in(&self, request: &Request) -> Result<Value, AwsError> {
        let name = request.group()?;
        self.pool.users.group(name).ok_or(UserError::NoSuchGroup)?;
        let users: Vec<User> = self
            .pool
            .users
            .all()
            .into_iter()
            .filter(|user| user.groups.contains(name))
            .collect();
        let (page, next) = page(&users, request.limit, request.next_token.as_deref())?;
        Ok(with_token(
            "NextToken",
            next,
            "Users",
            page.iter().map(|user| shown(user, "Attributes")).collect(),
        ))
    }
}

const OPERATIONS: [&str; 11] = [
    "AdminCreateUser",
    "AdminSetUserPassword",
    "AdminGetUser",
    "ListUsers",
    "CreateGroup",
    "GetGroup",
    "ListGroups",
    "AdminAddUserToGroup",
    "AdminRemoveUserFromGroup",
    "AdminListGroupsForUser",
    "ListUsersInGroup",
];

/// `attribute = "value"` or `attribute ^= "start"`, as ListUsers takes it.
struct Filter {
    attribute: String,
    value: String,
    starts: bool,
}

impl Filter {
    fn parse(text: &str) -> Result<Self, AwsError> {
        let bad = || {
            AwsError::new(
                INVALID,
                format!("Filter {text:?}: write email = \"…\", email ^= \"…\", sub or cognito:user_status"),
            )
        };
        let (name, value) = text.split_once('=').ok_or_else(bad)?;
        let starts = name.ends_with('^');
        let attribute = name.trim_end_matches('^').trim().trim_matches('"').to_owned();
        let value = value
            .trim()
            .strip_prefix('"')
            .and_then(|value| value.strip_suffix('"'))
            .ok_or_else(bad)?;
        if !["email", "sub", "username", "cognito:user_status"].contains(&attribute.as_str()) {
            return Err(bad());
        }
        Ok(Self {
            attribute,
            value: value.to_owned(),
            starts,
        })
    }

    fn holds(&self, user: &User) -> bool {
        let has = match self.attribute.as_str() {
            "email" => user.email.to_lowercase(),
            "cognito:user_status" => user.status().to_owned(),
            _ => user.username.clone(),
        };
        let wanted = if self.attribute == "email" {
            self.value.to_lowercase()
        } else {
            self.value.clone()
        };
        if self.starts {
            has.starts_with(&wanted)
        } else {
            has == wanted
        }
    }
}

impl From<UserError> for AwsError {
    fn from(error: UserError) -> Self {
        let kind = match &error {
            UserError::NoSuchUser => "UserNotFoundException",
            UserError::UserExists => "UsernameExistsException",
            UserError::NoSuchGroup => "ResourceNotFoundException",
            UserError::GroupExists => "GroupExistsException",
            UserError::BadPassword(_) => "InvalidPasswordException",
            UserError::Invalid(_) => INVALID,
            UserError::Internal(_) => "InternalErrorException",
        };
        let mut answer = AwsError::new(kind, error.to_string());
        if matches!(error, UserError::Internal(_)) {
            answer.status = StatusCode::INTERNAL_SERVER_ERROR;
        }
        answer
    }
}

fn seconds(at: Timestamp) -> f64 {
    at.as_duration().as_secs_f64()
}

fn shown(user: &User, attributes: &str) -> Value {
    json!({
        "Username": user.username,
        attributes: [
            {"Name": "sub", "Value": user.username},
            {"Name": "email", "Value": user.email},
            {"Name": "email_verified", "Value": "true"},
        ],
        "UserCreateDate": seconds(user.created),
        "UserLastModifiedDate": seconds(user.modified),
        "Enabled": true,
        "UserStatus": user.status(),
    })
}

fn shown_group(group: &Group) -> Value {
    let mut shown = json!({
        "GroupName": group.name,
        "UserPoolId": POOL_ID,
        "CreationDate": seconds(group.created),
        "LastModifiedDate": seconds(group.created),
    });
    if let Some(description) = &group.description {
        shown["Description"] = json!(description);
    }
    shown
}

fn page<'a, T>(
    all: &'a [T],
    limit: Option<usize>,
    token: Option<&str>,
) -> Result<(&'a [T], Option<usize>), AwsError> {
    let limit = limit.unwrap_or(LARGEST_PAGE);
    if !(1..=LARGEST_PAGE).contains(&limit) {
        return Err(AwsError::new(
            INVALID,
            format!("Limit is {limit}; from 1 to {LARGEST_PAGE} are allowed"),
        ));
    }
    let start = match token {
        None => 0,
        Some(token) => token
            .parse()
            .ok()
            .filter(|start| *start <= all.len())
            .ok_or_else(|| AwsError::new(INVALID, "Invalid pagination token."))?,
    };
    let end = all.len().min(start + limit);
    Ok((&all[start..end], (end < all.len()).then_some(end)))
}

fn with_token(token: &str, next: Option<usize>, name: &str, members: Vec<Value>) -> Value {
    let mut answer = json!({});
    answer[name] = Value::Array(members);
    if let Some(next) = next {
        answer[token] = json!(next.to_string());
    }
    answer
}
