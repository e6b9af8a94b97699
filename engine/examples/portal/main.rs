//! The portal over made-up jobs, without a store or a sign-in: to look at and to work on its pages.
//! `cargo run -p engine --example portal`, then open the address it prints.
#![allow(
    clippy::print_stdout,
    reason = "an example says where it is and what it was told"
)]

mod desk;

use desk::MadeUp;
use engine::portal::{PortalState, router};
use engine::work::Worker;
use engine::{Config, SignIn};
use std::sync::Arc;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let port = std::env::args().nth(1).unwrap_or_else(|| "8099".to_owned());
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    let url = format!("http://{}", listener.local_addr()?);
    println!("{url}");
    let everyone = Worker {
        id: "private.us-east-1.0123456789abcdef".to_owned(),
        sub: "1".to_owned(),
        issuer: "https://example.com".to_owned(),
        provider: engine::work::IdentityProvider::Cognito,
        name: "Ada Lovelace".to_owned(),
        groups: vec!["numbers-team".to_owned()],
    };
    let state = PortalState::preview(&config(url.clone()), Arc::new(MadeUp::new(url)), everyone);
    axum::serve(listener, router(state)).await
}

fn config(portal_url: String) -> Config {
    let s3 = aws_sdk_s3::Config::builder()
        .behavior_version(aws_sdk_s3::config::BehaviorVersion::latest())
        .build();
    Config {
        s3: aws_sdk_s3::Client::from_conf(s3),
        state_bucket: "none".to_owned(),
        region: "us-east-1".to_owned(),
        account: "000000000000".to_owned(),
        s3_public_origin: portal_url.clone(),
        portal_url,
        sign_in: SignIn {
            issuer: "https://example.com".to_owned(),
            people: None,
            client_id: "none".to_owned(),
            client_secret: None,
            groups_claim: "cognito:groups".to_owned(),
        },
        max_running_jobs: 1,
        readable: Vec::new(),
        groups: None,
        trusted_proxies: 0,
    }
}
