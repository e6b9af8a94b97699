//! What administrators do with accounts and groups through the API, and what the API refuses.

use super::*;

#[tokio::test]
async fn people_and_groups_are_managed_through_the_api() {
    let pool = start_pool().await;
    let new = json!({"Username": "New@Example.com", "MessageAction": "SUPPRESS"});
    let made = ok(&pool, "AdminCreateUser", new.clone()).await;
    assert_eq!(made["User"]["UserStatus"], "FORCE_CHANGE_PASSWORD");
    let spelled = json!({"Username": "Bo@example.com", "MessageAction": "SUPPRESS",
        "UserAttributes": [{"Name": "email", "Value": "bo@Example.com"}]});
    let spelled = ok(&pool, "AdminCreateUser", spelled).await;
    assert!(spelled.to_string().contains("bo@Example.com"), "{spelled}");
    assert_eq!(
        error_kind(&pool, "AdminCreateUser", new).await,
        "UsernameExistsException"
    );
    let user = json!({"Username": "new@example.com"});
    let group = json!({"GroupName": "numbers-team"});
    let member = json!({"Username": "new@example.com", "GroupName": "numbers-team"});
    let password = json!({"Username": "new@example.com", "Password": "A long passw0rd", "Permanent": true});
    ok(&pool, "AdminSetUserPassword", password).await;
    for _again_is_fine in 0..2 {
        ok(&pool, "AdminAddUserToGroup", member.clone()).await;
    }
    let users = ok(&pool, "ListUsersInGroup", group.clone()).await;
    assert_eq!(users["Users"].as_array().unwrap().len(), 2);
    ok(&pool, "AdminRemoveUserFromGroup", member).await;
    let users = ok(&pool, "ListUsersInGroup", group.clone()).await;
    assert_eq!(users["Users"].as_array().unwrap().len(), 1);
    ok(&pool, "DeleteGroup", group.clone()).await;
    assert_eq!(
        error_kind(&pool, "GetGroup", group).await,
        "ResourceNotFoundException"
    );
    let groups = ok(&pool, "AdminListGroupsForUser", json!({"Username": EMAIL})).await;
    assert_eq!(groups["Groups"], json!([]));
    ok(&pool, "AdminDeleteUser", user.clone()).await;
    assert_eq!(
        error_kind(&pool, "AdminGetUser", user).await,
        "UserNotFoundException"
    );
}

#[tokio::test]
async fn an_address_asked_for_by_many_at_once_is_one_account_and_one_mail() {
    let pool = start_pool().await;
    let asks = (0..8).map(|n| {
        let address = if n % 2 == 0 { INVITED } else { "ANA@example.org" };
        let request = json!({"Username": address, "DesiredDeliveryMediums": ["EMAIL"]});
        api(&pool, "AdminCreateUser", request)
    });
    let answers = futures::future::join_all(asks).await;
    assert_eq!(
        answers.iter().filter(|(status, _)| *status == 200).count(),
        1,
        "{answers:?}"
    );
    let others = answers
        .iter()
        .filter(|(_, answer)| answer["__type"] == "UsernameExistsException");
    assert_eq!(others.count(), 7);
    assert_eq!(pool.outbox.entries().len(), 1);
}

#[tokio::test]
async fn an_invitation_goes_by_mail_where_nothing_is_said_and_never_by_sms() {
    let pool = start_pool().await;
    let silent = json!({"Username": "cy@example.org", "DesiredDeliveryMediums": null});
    ok(&pool, "AdminCreateUser", silent).await;
    assert_eq!(pool.outbox.entries().len(), 1);
    let resend = |name: &str| json!({"Username": name, "MessageAction": "RESEND", "DesiredDeliveryMediums": ["EMAIL"]});
    let suppress = |name: &str| json!({"Username": name, "MessageAction": "SUPPRESS"});
    let mut custom = suppress(INVITED);
    custom["UserAttributes"] = json!([{"Name": "custom:team", "Value": "x"}]);
    for (request, kind) in [
        (
            json!({"Username": INVITED, "DesiredDeliveryMediums": ["SMS"]}),
            "UnsupportedOperationException",
        ),
        (resend(INVITED), "UserNotFoundException"),
        (resend(EMAIL), "UnsupportedUserStateException"),
        (
            json!({"Username": INVITED, "MessageAction": "WHISPER"}),
            "InvalidParameterException",
        ),
        (suppress("no-address"), "InvalidParameterException"),
        (suppress("a@b"), "InvalidParameterException"),
        (suppress("a b@example.org"), "InvalidParameterException"),
        (suppress("a@b@example.org"), "InvalidParameterException"),
        (suppress("@example.org"), "InvalidParameterException"),
        (suppress(""), "InvalidParameterException"),
        (custom, "InvalidParameterException"),
    ] {
        assert_eq!(
            error_kind(&pool, "AdminCreateUser", request.clone()).await,
            kind,
            "{request}"
        );
    }
    assert_eq!(pool.outbox.entries().len(), 1, "only the first one");
}

#[tokio::test]
async fn passwords_follow_the_policy_wherever_they_are_set() {
    let pool = start_pool().await;
    let weak = json!({"Username": INVITED, "DesiredDeliveryMediums": ["EMAIL"], "TemporaryPassword": "weak"});
    assert_eq!(
        error_kind(&pool, "AdminCreateUser", weak).await,
        "InvalidPasswordException"
    );
    let lower = json!({"Username": EMAIL, "Password": "lower-case-1"});
    let (_, answer) = api(&pool, "AdminSetUserPassword", lower).await;
    assert_eq!(
        answer["message"],
        "Password did not conform with policy: Password must have uppercase characters"
    );
    let temporary = json!({"Username": EMAIL, "Password": "Temp0rary!"});
    ok(&pool, "AdminSetUserPassword", temporary).await;
    let user = ok(&pool, "AdminGetUser", json!({"Username": EMAIL})).await;
    assert_eq!(user["UserStatus"], "FORCE_CHANGE_PASSWORD");
    assert_eq!(
        initiate(&pool, EMAIL, "Temp0rary!").await.1["ChallengeName"],
        "NEW_PASSWORD_REQUIRED"
    );
}

/// Operations of Cognito that neither the functions nor the pages nor the promised clients need.
const NOT_HERE: [&str; 24] = [
    "AdminConfirmSignUp",
    "AdminDisableUser",
    "AdminEnableUser",
    "AdminInitiateAuth",
    "AdminLinkProviderForUser",
    "AdminResetUserPassword",
    "AdminRespondToAuthChallenge",
    "AdminUpdateUserAttributes",
    "AdminUserGlobalSignOut",
    "ChangePassword",
    "ConfirmForgotPassword",
    "ConfirmSignUp",
    "CreateUserPool",
    "CreateUserPoolClient",
    "CreateUserPoolDomain",
    "DeleteUserPoolClient",
    "DeleteUserPoolDomain",
    "DescribeUserPoolDomain",
    "ForgotPassword",
    "ResendConfirmationCode",
    "RevokeToken",
    "SetUserPoolMfaConfig",
    "UpdateGroup",
    "UpdateUserPool",
];

#[tokio::test]
async fn what_the_api_does_not_do_it_refuses_by_name() {
    let pool = start_pool().await;
    for operation in NOT_HERE {
        let (status, answer) = api(&pool, operation, json!({})).await;
        assert_eq!(
            (status, &answer["__type"]),
            (400, &json!("UnsupportedOperationException")),
            "{operation}"
        );
        let message = answer["message"].as_str().unwrap();
        assert!(message.contains(operation), "{message}");
    }
    let srp = json!({"ClientId": CLIENT_ID, "AuthFlow": "USER_SRP_AUTH"});
    let (_, answer) = call(&pool, "InitiateAuth", srp).await;
    assert_eq!(answer["__type"], "UnsupportedOperationException");
    let elsewhere = json!({"UserPoolId": "us-east-1_x", "Username": EMAIL});
    let (_, elsewhere) = call(&pool, "AdminGetUser", elsewhere).await;
    assert_eq!(elsewhere["__type"], "ResourceNotFoundException");
    let (_, answer) = call(&pool, "SignUp", json!({"ClientId": CLIENT_ID})).await;
    assert_eq!(answer["message"], "SignUp is not permitted for this user pool");
}

/// Each operation: a request that is read, and members of the API's model that are not.
/// <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_Operations.html>
fn operations() -> Vec<(&'static str, Value, &'static [&'static str])> {
    let (pool, user) = (json!({}), json!({"Username": EMAIL}));
    let (group, client) = (
        json!({"GroupName": "numbers-team"}),
        json!({"ClientId": CLIENT_ID}),
    );
    let member = json!({"Username": EMAIL, "GroupName": "numbers-team"});
    vec![
        ("AdminCreateUser", user.clone(), &[]),
        ("AdminGetUser", user.clone(), &[]),
        (
            "AdminSetUserPassword",
            json!({"Username": EMAIL, "Password": "x"}),
            &[],
        ),
        ("AdminDeleteUser", user.clone(), &[]),
        ("ListUsers", pool.clone(), &[]),
        ("CreateGroup", group.clone(), &[]),
        ("GetGroup", group.clone(), &[]),
        ("DeleteGroup", group.clone(), &[]),
        ("ListGroups", pool.clone(), &[]),
        ("AdminAddUserToGroup", member.clone(), &[]),
        ("AdminRemoveUserFromGroup", member, &[]),
        ("AdminListGroupsForUser", user, &[]),
        ("ListUsersInGroup", group, &[]),
        ("DescribeUserPool", pool.clone(), &[]),
        ("DescribeUserPoolClient", client.clone(), &[]),
        (
            "UpdateUserPoolClient",
            client,
            &[
                "AnalyticsConfiguration",
                "EnablePropagateAdditionalUserContextData",
                "RefreshTokenRotation",
            ],
        ),
        ("ListUserPoolClients", pool, &["ClientType"]),
    ]
}

#[tokio::test]
async fn members_that_are_not_read_are_refused_by_name() {
    let pool = start_pool().await;
    for (operation, request, unread) in operations() {
        for member in unread.iter().chain(&["Unheard"]) {
            let mut more = request.clone();
            more[*member] = json!("x");
            let (_, answer) = api(&pool, operation, more).await;
            let message = answer["message"].as_str().unwrap_or_default();
            assert_eq!(
                answer["__type"], "UnsupportedOperationException",
                "{operation} {member}: {answer}"
            );
            assert!(
                message.contains(&format!("the member {member}")),
                "{operation} {member}: {message}"
            );
        }
    }
    for (operation, request, member) in [
        ("ListUserPools", json!({"MaxResults": 1}), "Unheard"),
        (
            "InitiateAuth",
            json!({"ClientId": CLIENT_ID, "AuthFlow": "USER_PASSWORD_AUTH"}),
            "Session",
        ),
        (
            "RespondToAuthChallenge",
            json!({"ClientId": CLIENT_ID, "ChallengeName": "x"}),
            "Unheard",
        ),
        ("GetUser", json!({"AccessToken": "x"}), "Unheard"),
        ("GlobalSignOut", json!({"AccessToken": "x"}), "Unheard"),
    ] {
        let mut more = request;
        more[member] = json!("x");
        let (_, answer) = call(&pool, operation, more).await;
        assert_eq!(
            answer["__type"], "UnsupportedOperationException",
            "{operation}: {answer}"
        );
    }
    let nested =
        json!({"Username": INVITED, "UserAttributes": [{"Name": "name", "Value": "Ana", "Color": "red"}]});
    let (_, answer) = api(&pool, "AdminCreateUser", nested).await;
    assert!(answer.to_string().contains("UserAttributes.0.Color"), "{answer}");
    assert!(pool.cognito.user(INVITED).is_err());
}
