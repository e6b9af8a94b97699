//! Cognito's users as the port shows accounts.

use aws_sdk_cognitoidentityprovider::operation::admin_get_user::AdminGetUserOutput;
use aws_sdk_cognitoidentityprovider::primitives::DateTime;
use aws_sdk_cognitoidentityprovider::types::{AttributeType, GroupType, UserStatusType, UserType};
use jiff::Timestamp;
use shared::port::crew::{Account, AccountStatus, Group};

pub(super) fn group(group: GroupType) -> Group {
    Group {
        description: group.description.unwrap_or_default(),
        created: timestamp(group.creation_date.as_ref()),
    }
}

pub(super) fn from_user(user: UserType) -> Account {
    let attributes = user.attributes.unwrap_or_default();
    Account {
        username: user.username.unwrap_or_default(),
        sub: value(&attributes, "sub"),
        email: value(&attributes, "email"),
        status: status(user.user_status.as_ref()),
        enabled: user.enabled,
        verified: value(&attributes, "email_verified") == "true",
        modified: timestamp(user.user_last_modified_date.as_ref()),
    }
}

pub(super) fn from_output(user: AdminGetUserOutput) -> Account {
    let attributes = user.user_attributes.unwrap_or_default();
    Account {
        username: user.username,
        sub: value(&attributes, "sub"),
        email: value(&attributes, "email"),
        status: status(user.user_status.as_ref()),
        enabled: user.enabled,
        verified: value(&attributes, "email_verified") == "true",
        modified: timestamp(user.user_last_modified_date.as_ref()),
    }
}

fn value(attributes: &[AttributeType], name: &str) -> String {
    let attribute = attributes.iter().find(|attribute| attribute.name() == name);
    let value = attribute.and_then(|attribute| attribute.value());
    value.unwrap_or_default().to_owned()
}

/// RESET_REQUIRED, EXTERNAL_PROVIDER and statuses that AWS adds later: the person has signed in before.
fn status(status: Option<&UserStatusType>) -> AccountStatus {
    match status {
        Some(UserStatusType::ForceChangePassword) => AccountStatus::Invited,
        Some(UserStatusType::Unconfirmed) => AccountStatus::Unconfirmed,
        _ => AccountStatus::Confirmed,
    }
}

fn timestamp(time: Option<&DateTime>) -> Timestamp {
    time.and_then(|t| Timestamp::from_nanosecond(t.as_nanos()).ok())
        .unwrap_or(Timestamp::UNIX_EPOCH)
}
