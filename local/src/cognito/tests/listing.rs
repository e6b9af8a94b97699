//! ListUsers: filters, and a crew of thousands a page at a time.

use super::*;
use crate::cognito::store::record::{Status, User};

#[tokio::test]
async fn five_thousand_users_are_listed_page_by_page_each_once() {
    let hosted = hosted().await;
    let now = jiff::Timestamp::now();
    let fill = hosted.sign_in.pool.store.write(move |changes| {
        (0..5_000).try_for_each(|n| {
            let status = if n % 10 == 0 {
                Status::ForceChangePassword
            } else {
                Status::Confirmed
            };
            let mut user = User::new(&format!("w{n:04}@example.org"), status, now);
            changes.add_user(&user)?;
            user.groups.insert("numbers-team".to_owned());
            changes.put_user(&user)
        })
    });
    fill.await.unwrap();
    let began = std::time::Instant::now();
    let all = listed(&hosted, "ListUsers", json!({}), "PaginationToken").await;
    println!("5,000 users in pages of 60: {:?}", began.elapsed());
    assert_eq!(all, 5_001);
    let invited = json!({"Filter": "cognito:user_status = \"FORCE_CHANGE_PASSWORD\"", "Limit": 7});
    assert_eq!(
        listed(&hosted, "ListUsers", invited, "PaginationToken").await,
        500
    );
    let group = json!({"GroupName": "numbers-team"});
    assert_eq!(
        listed(&hosted, "ListUsersInGroup", group, "NextToken").await,
        5_001
    );
}

async fn listed(hosted: &Hosted, operation: &str, mut request: Value, token: &str) -> usize {
    let mut seen = std::collections::BTreeSet::new();
    loop {
        let (status, page) = api(hosted, operation, request.clone()).await;
        assert_eq!(status, 200, "{page}");
        for user in page["Users"].as_array().unwrap() {
            assert!(
                seen.insert(user["Username"].as_str().unwrap().to_owned()),
                "{user} comes twice"
            );
        }
        match page.get(token) {
            Some(next) => request[token] = next.clone(),
            None => return seen.len(),
        }
    }
}

#[tokio::test]
async fn users_are_found_by_what_cognito_filters_by() {
    let hosted = hosted().await;
    hosted.invite(INVITED).await;
    api(&hosted, "AdminDisableUser", json!({"Username": INVITED})).await;
    let (_, user) = api(&hosted, "AdminGetUser", json!({"Username": EMAIL})).await;
    for (filter, found) in [
        ("email = \"A@EXAMPLE.com\"".to_owned(), EMAIL),
        ("email ^= \"ana@\"".to_owned(), INVITED),
        ("\"email\"^=\"ana@\"".to_owned(), INVITED),
        (format!("sub = \"{}\"", user["Username"].as_str().unwrap()), EMAIL),
        ("status = \"Disabled\"".to_owned(), INVITED),
        ("cognito:user_status = \"CONFIRMED\"".to_owned(), EMAIL),
    ] {
        let (_, answer) = api(
            &hosted,
            "ListUsers",
            json!({"Filter": filter, "AttributesToGet": ["email"]}),
        )
        .await;
        let attributes = json!([{"Name": "email", "Value": found}]);
        assert_eq!(answer["Users"][0]["Attributes"], attributes, "{filter}: {answer}");
        assert_eq!(answer["Users"].as_array().unwrap().len(), 1, "{filter}");
    }
    for bad in ["email", "email = ana", "custom:team = \"x\"", "email > \"x\""] {
        assert_eq!(
            refused(&hosted, "ListUsers", json!({"Filter": bad})).await,
            "InvalidParameterException",
            "{bad}"
        );
    }
    assert_eq!(
        refused(&hosted, "ListUsers", json!({"Limit": 61})).await,
        "InvalidParameterException"
    );
    assert_eq!(
        refused(&hosted, "ListUsers", json!({"PaginationToken": "%"})).await,
        "InvalidParameterException"
    );
}
