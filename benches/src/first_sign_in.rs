//! A first sign-in that starts `assign-worker` cold: from starting the process to the answer with the new group in it,
//! against the five seconds Cognito waits.
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-working-with-lambda-triggers.html>

use anyhow::{Result, ensure};
use axum::Router;
use axum::http::{HeaderMap, Method};
use axum::response::IntoResponse;
use serde_json::{Value, json};

use crate::lambda::Function;
use crate::measure::{binary, median};

const ROUNDS: usize = 31;
const LIMIT_MS: f64 = 5_000.0;
const POOL: &str = "us-east-1_bench";

pub(crate) async fn run(environment: Vec<(String, String)>) -> Result<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    let mut environment = environment;
    environment.push(("AWS_ENDPOINT_URL".to_owned(), url));
    let (mut cold, mut warm) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let mut function = Function::start(&binary("assign-worker")?, &environment).await?;
        check_assignment(&function.invoke(sign_in()).await?)?;
        cold.push(function.age().as_secs_f64() * 1e3);
        let before = function.age();
        check_assignment(&function.invoke(sign_in()).await?)?;
        warm.push((function.age() - before).as_secs_f64() * 1e3);
    }
    let (cold, warm) = (median(cold)?, median(warm)?);
    println!("\nfirst sign-in: assign-worker with one read, one group and one marker, median of {ROUNDS}");
    for (name, ms) in [("cold start", cold), ("warm", warm)] {
        println!(
            "{name:<16} {ms:>8.1} ms {:>8.2} % of the limit",
            ms / LIMIT_MS * 100.0
        );
    }
    Ok(())
}

fn check_assignment(reply: &Value) -> Result<()> {
    let groups = reply.pointer("/response/claimsOverrideDetails/groupOverrideDetails/groupsToOverride");
    ensure!(
        groups == Some(&json!(["numbers"])),
        "not check_assignment: {reply}"
    );
    Ok(())
}

/// S3 with one document in it, and a user pool that does what it is asked.
async fn answer(method: Method, headers: HeaderMap) -> impl IntoResponse {
    let body = match method {
        Method::GET => json!({
            "email": "ana@example.org", "user_pool": POOL, "sub": "8f4d",
            "teams": {"numbers": {"since": "2026-11-22T10:00:00Z"}}
        })
        .to_string(),
        _ if headers.contains_key("x-amz-target") => "{}".to_owned(),
        _ => String::new(),
    };
    ([("ETag", "\"0\"")], body)
}

fn sign_in() -> Value {
    json!({
        "version": "1", "triggerSource": "TokenGeneration_NewPasswordChallenge", "userPoolId": POOL,
        "userName": "8f4d",
        "request": {
            "userAttributes": {
                "sub": "8f4d", "cognito:user_status": "CONFIRMED", "email_verified": "true",
                "email": "ana@example.org",
            },
            "groupConfiguration": {"groupsToOverride": [], "iamRolesToOverride": [], "preferredRole": null},
        },
        "response": {"claimsOverrideDetails": null},
    })
}
