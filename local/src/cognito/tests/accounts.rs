//! What administrators do with accounts and groups through the API.

use super::*;

#[tokio::test]
async fn people_and_groups_are_managed_through_the_api() {
    let hosted = hosted().await;
    let new = json!({"Username": "New@Example.com", "MessageAction": "SUPPRESS"});
    let (status, made) = api(&hosted, "AdminCreateUser", new.clone()).await;
    assert_eq!(
        (status, &made["User"]["UserStatus"]),
        (200, &json!("FORCE_CHANGE_PASSWORD"))
    );
    assert_eq!(
        refused(&hosted, "AdminCreateUser", new).await,
        "UsernameExistsException"
    );
    let password = json!({"Username": "new@example.com", "Password": "A long passw0rd", "Permanent": true});
    assert_eq!(api(&hosted, "AdminSetUserPassword", password).await.0, 200);
    let member = json!({"Username": "new@example.com", "GroupName": "numbers-team"});
    assert_eq!(api(&hosted, "AdminAddUserToGroup", member.clone()).await.0, 200);
    assert_eq!(
        api(&hosted, "AdminAddUserToGroup", member.clone()).await.0,
        200,
        "again is fine"
    );
    let (_, users) = api(&hosted, "ListUsersInGroup", json!({"GroupName": "numbers-team"})).await;
    assert_eq!(users["Users"].as_array().unwrap().len(), 2);
    assert_eq!(api(&hosted, "AdminRemoveUserFromGroup", member).await.0, 200);
    let about = json!({"GroupName": "numbers-team", "Description": "Counts", "Precedence": 3});
    assert_eq!(
        api(&hosted, "UpdateGroup", about).await.1["Group"]["Precedence"],
        3
    );
    assert_eq!(
        api(&hosted, "DeleteGroup", json!({"GroupName": "numbers-team"}))
            .await
            .0,
        200
    );
    let (_, groups) = api(&hosted, "AdminListGroupsForUser", json!({"Username": EMAIL})).await;
    assert_eq!(groups["Groups"], json!([]));
    assert_eq!(
        api(&hosted, "AdminDeleteUser", json!({"Username": "new@example.com"}))
            .await
            .0,
        200
    );
    assert_eq!(
        refused(&hosted, "AdminGetUser", json!({"Username": "new@example.com"})).await,
        "UserNotFoundException"
    );
}

#[tokio::test]
async fn an_address_asked_for_by_many_at_once_is_one_account_and_one_mail() {
    let hosted = hosted().await;
    let asks = (0..8).map(|n| {
        let address = if n % 2 == 0 { INVITED } else { "ANA@example.org" };
        api(
            &hosted,
            "AdminCreateUser",
            json!({"Username": address, "DesiredDeliveryMediums": ["EMAIL"]}),
        )
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
    assert_eq!(hosted.outbox.entries().len(), 1);
}

#[tokio::test]
async fn an_invitation_goes_by_mail_where_nothing_is_said_and_never_by_sms() {
    let hosted = hosted().await;
    let (status, _) = api(
        &hosted,
        "AdminCreateUser",
        json!({"Username": "cy@example.org", "DesiredDeliveryMediums": null}),
    )
    .await;
    let invited = hosted.outbox.entries().len();
    assert_eq!((status, invited), (200, 1));
    let sms = json!({"Username": INVITED, "DesiredDeliveryMediums": ["SMS"]});
    assert_eq!(
        refused(&hosted, "AdminCreateUser", sms).await,
        "UnsupportedOperationException"
    );
    let nobody = json!({"Username": INVITED, "MessageAction": "RESEND", "DesiredDeliveryMediums": ["EMAIL"]});
    assert_eq!(
        refused(&hosted, "AdminCreateUser", nobody).await,
        "UserNotFoundException"
    );
    let settled = json!({"Username": EMAIL, "MessageAction": "RESEND", "DesiredDeliveryMediums": ["EMAIL"]});
    assert_eq!(
        refused(&hosted, "AdminCreateUser", settled).await,
        "UnsupportedUserStateException"
    );
    for odd in [
        "nobody",
        "a@b",
        "a b@example.org",
        "a@b@example.org",
        "@example.org",
        "",
    ] {
        let request = json!({"Username": odd, "MessageAction": "SUPPRESS"});
        assert_eq!(
            refused(&hosted, "AdminCreateUser", request).await,
            "InvalidParameterException",
            "{odd}"
        );
    }
    let custom = json!({"Username": INVITED, "MessageAction": "SUPPRESS",
        "UserAttributes": [{"Name": "custom:team", "Value": "x"}]});
    assert_eq!(
        refused(&hosted, "AdminCreateUser", custom).await,
        "InvalidParameterException"
    );
    assert_eq!(hosted.outbox.entries().len(), 1, "the first one alone");
}

#[tokio::test]
async fn passwords_keep_the_policy_wherever_they_are_set() {
    let hosted = hosted().await;
    let weak = json!({"Username": INVITED, "DesiredDeliveryMediums": ["EMAIL"], "TemporaryPassword": "weak"});
    assert_eq!(
        refused(&hosted, "AdminCreateUser", weak).await,
        "InvalidPasswordException"
    );
    let (_, answer) = api(
        &hosted,
        "AdminSetUserPassword",
        json!({"Username": EMAIL, "Password": "lower-case-1"}),
    )
    .await;
    assert_eq!(
        answer["message"],
        "Password did not conform with policy: Password must have uppercase characters"
    );
    let temporary = json!({"Username": EMAIL, "Password": "Temp0rary!"});
    assert_eq!(api(&hosted, "AdminSetUserPassword", temporary).await.0, 200);
    let (_, user) = api(&hosted, "AdminGetUser", json!({"Username": EMAIL})).await;
    assert_eq!(user["UserStatus"], "FORCE_CHANGE_PASSWORD");
    assert_eq!(
        initiate(&hosted, EMAIL, "Temp0rary!").await.1["ChallengeName"],
        "NEW_PASSWORD_REQUIRED"
    );
}

#[tokio::test]
async fn a_changed_address_is_another_name_to_sign_in_with_and_has_to_be_verified_anew() {
    let hosted = hosted().await;
    hosted.invite(INVITED).await;
    let change = |to: &str| json!({"Username": EMAIL, "UserAttributes": [{"Name": "email", "Value": to}]});
    assert_eq!(
        refused(&hosted, "AdminUpdateUserAttributes", change(INVITED)).await,
        "AliasExistsException"
    );
    assert_eq!(
        api(&hosted, "AdminUpdateUserAttributes", change("b@example.com"))
            .await
            .0,
        200
    );
    assert_eq!(
        refused(&hosted, "AdminGetUser", json!({"Username": EMAIL})).await,
        "UserNotFoundException"
    );
    let (_, user) = api(&hosted, "AdminGetUser", json!({"Username": "B@example.com"})).await;
    assert!(
        user["UserAttributes"]
            .as_array()
            .unwrap()
            .contains(&json!({"Name": "email_verified", "Value": "false"}))
    );
    assert_eq!(initiate(&hosted, "b@example.com", PASSWORD).await.0, 200);
}

#[tokio::test]
async fn what_the_api_does_not_do_it_refuses_by_name() {
    let hosted = hosted().await;
    for (operation, request) in [
        ("AdminLinkProviderForUser", json!({})),
        ("CreateUserPool", json!({"PoolName": "second"})),
        ("AdminGetUser", json!({"Username": EMAIL, "Unheard": {}})),
        (
            "AdminInitiateAuth",
            json!({"ClientId": CLIENT_ID, "AuthFlow": "USER_SRP_AUTH"}),
        ),
    ] {
        assert_eq!(
            refused(&hosted, operation, request).await,
            "UnsupportedOperationException",
            "{operation}"
        );
    }
    let (_, elsewhere) = call(
        &hosted,
        "AdminGetUser",
        json!({"UserPoolId": "us-east-1_x", "Username": EMAIL}),
    )
    .await;
    assert_eq!(elsewhere["__type"], "ResourceNotFoundException");
}
