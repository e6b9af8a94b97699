//! Lists: the filters of ListUsers, and a crew of thousands a page at a time.

use super::*;
use crate::cognito::store::record::{Status, User};

#[tokio::test]
async fn five_thousand_users_are_listed_page_by_page_each_once() {
    let pool = start_pool().await;
    let now = jiff::Timestamp::now();
    let fill = pool.cognito.pool.store.write(move |transaction| {
        (0..5_000).try_for_each(|n| {
            let status = if n % 10 == 0 {
                Status::ForceChangePassword
            } else {
                Status::Confirmed
            };
            let mut user = User::new(&format!("w{n:04}@example.org"), status, now);
            transaction.add_user(&user)?;
            user.groups.insert("numbers-team".to_owned());
            transaction.put_user(&user)
        })
    });
    fill.await.unwrap();
    let began = std::time::Instant::now();
    let all = count_users(&pool, "ListUsers", json!({}), "PaginationToken").await;
    println!("5,000 users in pages of 60: {:?}", began.elapsed());
    assert_eq!(all, 5_001);
    let invited = json!({"Filter": "cognito:user_status = \"FORCE_CHANGE_PASSWORD\"", "Limit": 7});
    assert_eq!(
        count_users(&pool, "ListUsers", invited, "PaginationToken").await,
        500
    );
    let group = json!({"GroupName": "numbers-team"});
    assert_eq!(
        count_users(&pool, "ListUsersInGroup", group, "NextToken").await,
        5_001
    );
}

async fn count_users(pool: &TestPool, operation: &str, mut request: Value, token: &str) -> usize {
    let mut seen = std::collections::BTreeSet::new();
    loop {
        let page = ok(pool, operation, request.clone()).await;
        for user in page["Users"].as_array().unwrap() {
            assert!(
                seen.insert(user["Username"].as_str().unwrap().to_owned()),
                "{user} is listed twice"
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
    let pool = start_pool().await;
    pool.invite(INVITED).await;
    let (_, user) = api(&pool, "AdminGetUser", json!({"Username": EMAIL})).await;
    for (filter, found) in [
        ("email = \"A@EXAMPLE.com\"".to_owned(), EMAIL),
        ("email ^= \"ana@\"".to_owned(), INVITED),
        ("\"email\"^=\"ana@\"".to_owned(), INVITED),
        (format!("sub = \"{}\"", user["Username"].as_str().unwrap()), EMAIL),
        ("cognito:user_status = \"CONFIRMED\"".to_owned(), EMAIL),
    ] {
        let (_, answer) = api(
            &pool,
            "ListUsers",
            json!({"Filter": filter, "AttributesToGet": ["email"]}),
        )
        .await;
        let attributes = json!([{"Name": "email", "Value": found}]);
        assert_eq!(answer["Users"][0]["Attributes"], attributes, "{filter}: {answer}");
        assert_eq!(answer["Users"].as_array().unwrap().len(), 1, "{filter}");
    }
    let disabled = ok(&pool, "ListUsers", json!({"Filter": "status = \"Disabled\""})).await;
    assert_eq!(disabled["Users"], json!([]));
    for bad in ["email", "email = ana", "custom:team = \"x\"", "email > \"x\""] {
        assert_eq!(
            error_kind(&pool, "ListUsers", json!({"Filter": bad})).await,
            "InvalidParameterException",
            "{bad}"
        );
    }
    assert_eq!(
        error_kind(&pool, "ListUsers", json!({"Limit": 61})).await,
        "InvalidParameterException"
    );
    assert_eq!(
        error_kind(&pool, "ListUsers", json!({"PaginationToken": "%"})).await,
        "InvalidParameterException"
    );
}
