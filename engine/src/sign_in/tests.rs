//! A sign-in against a small provider of the tests' own, which can be told to cheat.
use super::*;
use crate::config::{Config, SignIn};
use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use openidconnect::core::{CoreEdDsaPrivateSigningKey, CoreJwsSigningAlgorithm};
use openidconnect::{JsonWebKeyId, PrivateSigningKey};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

/// The seeds of two keys; the provider publishes the first.
const OWN: u8 = 1;
const OTHER: u8 = 2;

/// What the provider will say at its token endpoint.
struct Provider {
    issuer: String,
    claims: Mutex<Value>,
    sign_with: Mutex<u8>,
}

/// An Ed25519 key in PKCS #8 is a fixed head and the 32 bytes of its seed.
fn key(seed: u8) -> CoreEdDsaPrivateSigningKey {
    let mut der = hex::decode("302e020100300506032b657004220420").expect("hex");
    der.extend([seed; 32]);
    let kind = "PRIVATE KEY";
    let pem = format!(
        "-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n",
        STANDARD.encode(der)
    );
    CoreEdDsaPrivateSigningKey::from_ed25519_pem(&pem, Some(JsonWebKeyId::new("k".to_owned())))
        .expect("a key")
}

fn token(claims: &Value, seed: u8) -> String {
    let head = URL_SAFE_NO_PAD.encode(json!({ "alg": "EdDSA", "kid": "k", "typ": "JWT" }).to_string());
    let signed = format!("{head}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
    let signature = key(seed)
        .sign(&CoreJwsSigningAlgorithm::EdDsa, signed.as_bytes())
        .expect("a signature");
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

async fn provider() -> Arc<Provider> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let issuer = format!("http://{}", listener.local_addr().expect("an address"));
    let provider = Arc::new(Provider {
        issuer,
        claims: Mutex::default(),
        sign_with: Mutex::new(OWN),
    });
    let router = Router::new()
        .route("/.well-known/openid-configuration", get(discovery))
        .route(
            "/keys",
            get(|| async { Json(json!({ "keys": [key(OWN).as_verification_key()] })) }),
        )
        .route("/token", post(tokens))
        .with_state(provider.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    provider
}

async fn discovery(State(provider): State<Arc<Provider>>) -> Json<Value> {
    let issuer = &provider.issuer;
    Json(json!({
        "issuer": issuer, "authorization_endpoint": format!("{issuer}/oauth2/authorize"),
        "token_endpoint": format!("{issuer}/token"), "jwks_uri": format!("{issuer}/keys"),
        "response_types_supported": ["code"], "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["EdDSA"],
    }))
}

async fn tokens(State(provider): State<Arc<Provider>>) -> Json<Value> {
    let token = token(
        &provider.claims.lock().expect("no panic"),
        *provider.sign_with.lock().expect("no panic"),
    );
    Json(json!({ "access_token": "a", "token_type": "Bearer", "expires_in": 3600, "id_token": token }))
}

fn client(issuer: &str) -> SignInClient {
    let s3 = aws_sdk_s3::Config::builder()
        .behavior_version(aws_sdk_s3::config::BehaviorVersion::latest())
        .build();
    SignInClient::new(&Config {
        s3: aws_sdk_s3::Client::from_conf(s3),
        state_bucket: "state".to_owned(),
        region: "us-east-1".to_owned(),
        account: "000000000000".to_owned(),
        portal_url: "http://portal.test".to_owned(),
        sign_in: SignIn {
            issuer: issuer.to_owned(),
            people: None,
            client_id: "portal".to_owned(),
            client_secret: None,
            groups_claim: "cognito:groups".to_owned(),
        },
        s3_public_origin: String::new(),
        max_running_jobs: 1,
    })
}

/// Starts a sign-in, has the provider vouch with `change`d claims, and comes back.
async fn sign_in(change: impl Fn(&mut Value), seed: u8) -> Result<crate::work::Worker, SignInError> {
    let provider = provider().await;
    let client = client(&provider.issuer);
    let (url, pending) = client.begin("/".to_owned()).await?;
    let asked = |name: &str| {
        url.query_pairs()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    };
    assert_eq!(asked("code_challenge_method").as_deref(), Some("S256"));
    let now = jiff::Timestamp::now().as_second();
    let mut claims = json!({
        "iss": provider.issuer, "aud": "portal", "sub": "1234", "iat": now, "exp": now + 300, "nonce": asked("nonce"),
        "email": "ada@example.com", "cognito:groups": ["numbers-team", "birds"],
    });
    change(&mut claims);
    *provider.claims.lock().expect("no panic") = claims;
    *provider.sign_with.lock().expect("no panic") = seed;
    client
        .finish(pending, &asked("state").unwrap_or_default(), "code".to_owned())
        .await
}

#[tokio::test]
async fn a_vouched_for_person_becomes_a_worker_with_groups() {
    let worker = sign_in(|_| {}, OWN).await.expect("signed in");
    assert_eq!(
        (worker.sub.as_str(), worker.name.as_str()),
        ("1234", "ada@example.com")
    );
    assert_eq!(worker.groups, ["numbers-team", "birds"]);
    assert!(worker.id.starts_with("private.us-east-1."), "{}", worker.id);
}

#[tokio::test]
async fn a_token_that_is_not_for_this_sign_in_is_refused() {
    type Change = fn(&mut Value);
    let table: [(&str, Change, u8); 5] = [
        ("another nonce", |claims| claims["nonce"] = json!("stolen"), OWN),
        (
            "another audience",
            |claims| claims["aud"] = json!("other-app"),
            OWN,
        ),
        (
            "another issuer",
            |claims| claims["iss"] = json!("https://evil.test"),
            OWN,
        ),
        ("expired", |claims| claims["exp"] = json!(1_000_000), OWN),
        ("another key", |_| {}, OTHER),
    ];
    for (what, change, seed) in table {
        let refused = sign_in(change, seed).await;
        assert!(
            matches!(refused, Err(SignInError::Untrusted(_))),
            "{what}: {refused:?}"
        );
    }
}

#[tokio::test]
async fn an_answer_with_another_state_is_refused_before_the_provider_is_asked() {
    let provider = provider().await;
    let client = client(&provider.issuer);
    let (_, pending) = client.begin("/".to_owned()).await.expect("begun");
    let refused = client.finish(pending, "forged", "code".to_owned()).await;
    assert!(matches!(refused, Err(SignInError::StateMismatch)), "{refused:?}");
}

#[tokio::test]
async fn a_provider_that_is_away_is_said_so() {
    let refused = client("http://127.0.0.1:9")
        .begin("/".to_owned())
        .await
        .map(|_| ());
    assert!(matches!(refused, Err(SignInError::Unreachable(_))), "{refused:?}");
}

#[tokio::test]
async fn signing_out_goes_to_the_provider_and_comes_back_to_the_portal() {
    let provider = provider().await;
    let url = client(&provider.issuer).sign_out_url().await;
    assert!(
        url.starts_with(&format!(
            "{}/logout?client_id=portal&logout_uri=",
            provider.issuer
        )),
        "{url}"
    );
}
