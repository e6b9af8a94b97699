//! The user pool, against scripted answers.

use std::collections::BTreeSet;

use aws_sdk_cognitoidentityprovider::operation::update_user_pool_client::UpdateUserPoolClientInput;
use aws_sdk_cognitoidentityprovider::types::UserPoolClientType;
use serde_json::{Value, json};
use shared::port::CreateOutcome;
use shared::port::crew::{AccountStatus, ClientUrls, CrewError, Directory, InviteOutcome};

use super::UserPool;
use crate::scripted_service::{ScriptedService, ok, refusal};

const POOL: &str = "us-east-1_abc";

async fn pool(answers: impl IntoIterator<Item = (u16, String)>) -> (ScriptedService, UserPool) {
    let service = ScriptedService::with_answers(answers).await;
    let pool = UserPool::new(POOL.to_owned(), Some("client1".to_owned()), service.sdk.clone());
    (service, pool)
}

fn user(status: &str) -> Value {
    json!({
        "Username": "8f4d", "Enabled": true, "UserStatus": status, "UserLastModifiedDate": 1_795_000_000.5,
        "Attributes": [{"Name": "sub", "Value": "8f4d"}, {"Name": "email", "Value": "ana@example.org"}],
    })
}

#[tokio::test]
async fn an_invitation_goes_by_mail_to_a_verified_address_and_names_the_team() {
    let (service, pool) = pool([ok(&json!({"User": user("FORCE_CHANGE_PASSWORD")}))]).await;
    let InviteOutcome::Sent(account) = pool.invite("ana@example.org", "numbers").await.unwrap() else {
        panic!("not sent")
    };
    assert_eq!(
        (account.username.as_str(), account.sub.as_str()),
        ("8f4d", "8f4d")
    );
    assert_eq!(account.status, AccountStatus::Invited);
    assert_eq!(
        service.requests()[0].json(),
        json!({
            "UserPoolId": POOL, "Username": "ana@example.org", "DesiredDeliveryMediums": ["EMAIL"],
            "UserAttributes": [
                {"Name": "email", "Value": "ana@example.org"}, {"Name": "email_verified", "Value": "true"},
            ],
            "ClientMetadata": {"team": "numbers"},
        })
    );
}

#[tokio::test]
async fn an_invitation_sent_again_says_so() {
    let (service, pool) = pool([ok(&json!({"User": user("FORCE_CHANGE_PASSWORD")}))]).await;
    let sent = pool.invite_again("ana@example.org", "numbers").await.unwrap();
    assert!(matches!(sent, InviteOutcome::Sent(_)), "{sent:?}");
    assert_eq!(
        service.requests()[0].json(),
        json!({
            "UserPoolId": POOL, "Username": "ana@example.org", "DesiredDeliveryMediums": ["EMAIL"],
            "MessageAction": "RESEND", "ClientMetadata": {"team": "numbers"},
        })
    );
}

#[tokio::test]
async fn outcomes_of_an_invitation_are_distinguished_and_name_no_one() {
    let limit = "Exceeded daily email limit for the operation or the account.";
    let table = [
        (
            "UsernameExistsException",
            "User account already exists",
            "AlreadyThere",
        ),
        (
            "UnsupportedUserStateException",
            "Resend not possible.",
            "AlreadyThere",
        ),
        (
            "CodeDeliveryFailureException",
            "refused: ana@example.org",
            "Bounced",
        ),
        ("CodeDeliveryFailureException", limit, "NoMailLeft"),
        ("LimitExceededException", limit, "NoMailLeft"),
        ("TooManyRequestsException", limit, "NoMailLeft"),
        (
            "InvalidParameterException",
            "Username should be an email.",
            "Invalid",
        ),
        ("UserNotFoundException", "User does not exist.", "Invalid"),
        ("UnexpectedLambdaException", "timed out", "Transient"),
        ("InternalErrorException", "", "Refused"),
        ("NotAuthorizedException", "for ana@example.org", "Refused"),
    ];
    for (code, message, expected) in table {
        let (_, pool) = pool([refusal(code, message)]).await;
        let said = format!("{:?}", pool.invite("ana@example.org", "numbers").await);
        assert!(said.contains(expected), "{code}: {said}");
        assert!(!said.contains('@'), "{said}");
    }
}

#[tokio::test]
async fn an_unanswered_invitation_is_not_sent_twice() {
    let (service, pool) = pool([(503, String::new())]).await;
    let error = pool.invite("ana@example.org", "numbers").await.unwrap_err();
    assert!(matches!(error, CrewError::Transient { .. }), "{error}");
    assert_eq!(service.operations(), ["AdminCreateUser"]);
}

#[tokio::test]
async fn too_many_requests_are_made_again() {
    let throttled = || refusal("TooManyRequestsException", "Rate exceeded");
    let (service, pool) = pool([throttled(), ok(&json!({}))]).await;
    assert!(pool.add_to_group("8f4d", "numbers").await.unwrap());
    assert_eq!(
        service.operations(),
        ["AdminAddUserToGroup", "AdminAddUserToGroup"]
    );
}

#[tokio::test]
async fn a_call_that_can_be_repeated_is_tried_three_times() {
    let down = || (500, json!({"__type": "InternalErrorException"}).to_string());
    let (service, pool) = pool([down(), down(), down()]).await;
    let error = pool.add_to_group("8f4d", "numbers").await.unwrap_err();
    assert!(matches!(error, CrewError::Transient { .. }), "{error}");
    assert_eq!(service.requests().len(), 3);
}

#[tokio::test]
async fn what_is_there_already_or_gone_already_is_fine() {
    let (_, pool) = pool([
        refusal("GroupExistsException", "A group with the name already exists."),
        refusal("ResourceNotFoundException", "Group not found."),
        refusal("UserNotFoundException", "User does not exist."),
        refusal("UserNotFoundException", "User does not exist."),
        refusal("ResourceNotFoundException", "numbers"),
        refusal("UserNotFoundException", "User does not exist."),
    ])
    .await;
    assert_eq!(
        pool.create_group("numbers", "d").await.unwrap(),
        CreateOutcome::AlreadyThere
    );
    assert_eq!(pool.group("numbers").await.unwrap(), None);
    assert!(!pool.add_to_group("8f4d", "numbers").await.unwrap());
    pool.remove_from_group("8f4d", "numbers").await.unwrap();
    pool.remove_from_group("8f4d", "numbers").await.unwrap();
    assert_eq!(pool.find("ana@example.org").await.unwrap(), None);
}

#[tokio::test]
async fn a_group_is_known_by_its_description_and_by_when_it_was_made() {
    let (_, pool) = pool([
        ok(&json!({"Group": {"GroupName": "numbers", "Description": "d", "CreationDate": 1_764_000_000.5}})),
        ok(&json!({"Group": {"GroupName": "numbers"}})),
    ])
    .await;
    let group = pool.group("numbers").await.unwrap().unwrap();
    assert_eq!(
        (group.description.as_str(), group.created.as_millisecond()),
        ("d", 1_764_000_000_500)
    );
    assert_eq!(pool.group("numbers").await.unwrap().unwrap().description, "");
}

#[tokio::test]
async fn a_pool_that_is_not_there_is_no_missing_group() {
    let gone = || {
        refusal(
            "ResourceNotFoundException",
            "User pool us-east-1_abc does not exist.",
        )
    };
    let (_, pool) = pool([gone(), gone(), gone()]).await;
    assert!(pool.group("numbers").await.is_err());
    assert!(pool.remove_from_group("8f4d", "numbers").await.is_err());
    assert!(pool.add_to_group("8f4d", "numbers").await.is_err());
}

#[tokio::test]
async fn all_pages_of_accounts_and_members_are_read() {
    let (service, pool) = pool([
        ok(&json!({"Users": [user("CONFIRMED")], "PaginationToken": "p2"})),
        ok(&json!({"Users": [user("UNCONFIRMED")]})),
        ok(&json!({"Users": [user("RESET_REQUIRED")], "NextToken": "n2"})),
        ok(&json!({"Users": []})),
    ])
    .await;
    let accounts = pool.accounts().await.unwrap();
    let states: Vec<_> = accounts.iter().map(|account| account.status).collect();
    assert_eq!(states, [AccountStatus::Confirmed, AccountStatus::Unconfirmed]);
    assert_eq!(
        pool.members("numbers").await.unwrap()[0].status,
        AccountStatus::Confirmed
    );
    assert_eq!(service.requests()[1].json()["PaginationToken"], "p2");
    assert_eq!(service.requests()[3].json()["NextToken"], "n2");
}

#[tokio::test]
async fn all_pages_of_an_accounts_groups_are_read() {
    let group = |name: &str| json!({"GroupName": name, "UserPoolId": POOL});
    let (service, pool) = pool([
        ok(&json!({"Groups": [group("numbers")], "NextToken": "n2"})),
        ok(&json!({"Groups": [group("admins")]})),
        ok(&json!({"Groups": []})),
        refusal("UserNotFoundException", "User does not exist."),
    ])
    .await;
    let names = pool.groups_of("8f4d").await.unwrap().unwrap();
    assert_eq!(names, ["numbers", "admins"]);
    assert_eq!(service.requests()[1].json()["NextToken"], "n2");
    assert_eq!(pool.groups_of("8f4d").await.unwrap(), Some(Vec::new()));
    assert_eq!(pool.groups_of("8f4d").await.unwrap(), None);
}

#[tokio::test]
async fn an_invitation_is_good_for_as_long_as_the_pool_says() {
    let policy = |days: i64| {
        ok(&json!({"UserPool": {"Policies": {"PasswordPolicy": {"TemporaryPasswordValidityDays": days}}}}))
    };
    let (_, pool) = pool([policy(3), policy(0), ok(&json!({"UserPool": {}}))]).await;
    for days in [3, 7, 7] {
        assert_eq!(pool.invitation_days().await.unwrap(), days);
    }
}

/// Every field a client can have, with a value that is not the default.
fn client() -> Value {
    json!({
        "UserPoolId": POOL, "ClientId": "client1", "ClientSecret": "s3cret", "ClientName": "portal",
        "LastModifiedDate": 1_795_000_000, "CreationDate": 1_795_000_000,
        "RefreshTokenValidity": 11, "AccessTokenValidity": 12, "IdTokenValidity": 13,
        "TokenValidityUnits": {"AccessToken": "minutes", "IdToken": "hours", "RefreshToken": "days"},
        "ReadAttributes": ["email"], "WriteAttributes": ["name"],
        "ExplicitAuthFlows": ["ALLOW_USER_SRP_AUTH"], "SupportedIdentityProviders": ["COGNITO"],
        "CallbackURLs": ["https://old.example.org/callback"], "LogoutURLs": ["https://old.example.org/logout"],
        "DefaultRedirectURI": "https://old.example.org/callback",
        "AllowedOAuthFlows": ["code"], "AllowedOAuthScopes": ["openid"], "AllowedOAuthFlowsUserPoolClient": true,
        "AnalyticsConfiguration": {"ApplicationId": "a", "UserDataShared": true},
        "PreventUserExistenceErrors": "ENABLED", "EnableTokenRevocation": true,
        "EnablePropagateAdditionalUserContextData": true, "AuthSessionValidity": 9,
        "RefreshTokenRotation": {"Feature": "ENABLED", "RetryGracePeriodSeconds": 30},
    })
}

fn portal_urls() -> ClientUrls {
    ClientUrls {
        callback: vec!["https://new.example.org/oauth2/idpresponse".to_owned()],
        logout: vec!["https://new.example.org/logout".to_owned()],
    }
}

#[tokio::test]
async fn an_app_client_keeps_everything_it_had_when_addresses_are_added() {
    let (service, pool) = pool([ok(&json!({"UserPoolClient": client()})), ok(&json!({}))]).await;
    assert!(pool.add_client_urls(&portal_urls()).await.unwrap());
    let mut expected = client();
    for unsettable in ["ClientSecret", "LastModifiedDate", "CreationDate"] {
        expected.as_object_mut().unwrap().remove(unsettable);
    }
    expected["CallbackURLs"]
        .as_array_mut()
        .unwrap()
        .push(json!(portal_urls().callback[0]));
    expected["LogoutURLs"]
        .as_array_mut()
        .unwrap()
        .push(json!(portal_urls().logout[0]));
    assert_eq!(service.requests()[1].json(), expected);
}

#[tokio::test]
async fn an_app_client_that_has_the_addresses_is_left_alone() {
    let mut has = client();
    has["CallbackURLs"] = json!(portal_urls().callback);
    has["LogoutURLs"] = json!(portal_urls().logout);
    let (service, pool) = pool([ok(&json!({"UserPoolClient": has}))]).await;
    assert!(!pool.add_client_urls(&portal_urls()).await.unwrap());
    assert_eq!(service.operations(), ["DescribeUserPoolClient"]);
}

#[tokio::test]
async fn a_writable_attribute_is_not_added_to_a_client_that_has_none() {
    let mut bare = client();
    bare["WriteAttributes"] = json!([]);
    let (service, pool) = pool([ok(&json!({"UserPoolClient": bare})), ok(&json!({}))]).await;
    pool.add_client_urls(&portal_urls()).await.unwrap();
    assert_eq!(service.requests()[1].json()["WriteAttributes"], json!([]));
}

/// Names of the fields of a type of the SDK, from its Debug form: the type cannot be taken apart by a pattern.
fn fields(debug: &str) -> BTreeSet<&str> {
    let lines = debug.lines().filter_map(|line| line.strip_prefix("    "));
    let names = lines.filter(|line| line.starts_with(|first: char| first.is_ascii_lowercase()));
    names.filter_map(|line| Some(line.split_once(": ")?.0)).collect()
}

/// When this fails the SDK has learnt a new field of app clients: carry it in `with_all_fields`, and give it a
/// value in `client()`.
#[test]
fn every_field_of_an_app_client_the_sdk_knows_is_carried() {
    let said = format!("{:#?}", UserPoolClientType::builder().build());
    let can_be_said = format!("{:#?}", UpdateUserPoolClientInput::builder().build().unwrap());
    let mut said = fields(&said);
    for unsettable in ["client_secret", "last_modified_date", "creation_date"] {
        assert!(said.remove(unsettable), "{unsettable}");
    }
    assert_eq!(said, fields(&can_be_said));
    assert_eq!(said.len(), client().as_object().unwrap().len() - 3);
}
