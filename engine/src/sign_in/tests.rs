//! Sign-ins at a small provider of the tests, which can misbehave.

use super::stand_in::{OTHER_KEY, OWN_KEY, Provider, ProviderReplies};
use super::*;
use crate::config::{Config, SignInConfig};
use crate::state::{StoredSecret, WorkforceRecord};
use crate::worker::IdentityProvider;
use crate::workforce::CurrentWorkforce;
use serde_json::{Value, json};

fn client(issuer: &str, workforce: CurrentWorkforce) -> SignInClient {
    let s3 = aws_sdk_s3::Config::builder()
        .behavior_version(aws_sdk_s3::config::BehaviorVersion::latest())
        .build();
    let config = Config {
        s3: aws_sdk_s3::Client::from_conf(s3),
        state_bucket: "state".to_owned(),
        region: "us-east-1".to_owned(),
        account: "000000000000".to_owned(),
        portal_url: "http://portal.test".to_owned(),
        sign_in: SignInConfig {
            issuer: issuer.to_owned(),
            people: None,
            client_id: "portal".to_owned(),
            client_secret: None,
            groups_claim: "cognito:groups".to_owned(),
        },
        s3_public_origin: String::new(),
        max_running_jobs: 1,
        readable: Vec::new(),
        groups: None,
        trusted_proxies: 0,
    };
    SignInClient::new(&config, workforce)
}

/// A workforce that signs in at this provider.
fn own_workforce(provider: &Provider) -> CurrentWorkforce {
    let mut config = provider.oidc_config();
    let secret = config
        .as_object_mut()
        .unwrap()
        .shift_remove("ClientSecret")
        .unwrap();
    let workforce = CurrentWorkforce::default();
    workforce.set(Some(WorkforceRecord {
        name: "own".to_owned(),
        arn: String::new(),
        config: json!({ "OidcConfig": config }),
        secret: StoredSecret(secret.as_str().map(str::to_owned)),
        created: jiff::Timestamp::UNIX_EPOCH,
        updated: jiff::Timestamp::UNIX_EPOCH,
        tags: Vec::new(),
    }));
    workforce
}

/// Starts a sign-in, sets what the provider replies, and comes back.
async fn sign_in_with(
    client: &SignInClient,
    provider: &Provider,
    change: impl FnOnce(&mut ProviderReplies),
) -> Result<VerifiedPerson, SignInError> {
    let (url, pending) = client.begin("/".to_owned()).await?;
    let asked = |name: &str| {
        url.query_pairs()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    };
    assert_eq!(asked("code_challenge_method").as_deref(), Some("S256"));
    provider.say(|says| {
        says.nonce = json!(asked("nonce"));
        change(says);
    });
    client
        .finish(pending, &asked("state").unwrap_or_default(), "code".to_owned())
        .await
}

async fn sign_in(change: impl FnOnce(&mut ProviderReplies)) -> Result<VerifiedPerson, SignInError> {
    let provider = Provider::start().await;
    let client = client(&provider.issuer, CurrentWorkforce::default());
    sign_in_with(&client, &provider, change).await
}

async fn sign_in_at_own(change: impl FnOnce(&mut ProviderReplies)) -> Result<VerifiedPerson, SignInError> {
    let provider = Provider::start().await;
    let client = client("http://127.0.0.1:9", own_workforce(&provider));
    sign_in_with(&client, &provider, |says| {
        says.info = documented_claims();
        change(says);
    })
    .await
}

/// What such a provider sends according to AWS's developer guide.
fn documented_claims() -> Value {
    json!({
        "sub": "1234", "sagemaker:sub": "122", "sagemaker-groups": ["group1", "group2"],
        "sagemaker-name": "Jane Doe", "sagemaker:client_id": "portal",
    })
}

#[tokio::test]
async fn a_verified_person_becomes_a_worker_with_groups() {
    let worker = sign_in(|_| {}).await.unwrap().worker;
    assert_eq!(
        (worker.sub.as_str(), worker.name.as_str()),
        ("1234", "ada@example.com")
    );
    assert_eq!(worker.groups, ["numbers-team", "birds"]);
    assert_eq!(worker.provider, IdentityProvider::Cognito);
    assert!(worker.id.starts_with("private.us-east-1."), "{}", worker.id);
}

#[tokio::test]
async fn a_token_that_is_not_for_this_sign_in_is_refused() {
    type Change = fn(&mut ProviderReplies);
    let table: [(&str, Change); 5] = [
        ("another nonce", |says| says.nonce = json!("stolen")),
        ("another audience", |says| says.claims["aud"] = json!("other-app")),
        ("another issuer", |says| {
            says.claims["iss"] = json!("https://evil.test");
        }),
        ("expired", |says| says.claims["exp"] = json!(1_000_000)),
        ("another key", |says| says.sign_with = OTHER_KEY),
    ];
    for (what, change) in table {
        for refused in [sign_in(change).await, sign_in_at_own(change).await] {
            assert!(
                matches!(refused, Err(SignInError::Untrusted(_))),
                "{what}: {refused:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_workforces_own_provider_is_asked_as_its_settings_say_and_read_as_aws_documents() {
    let provider = Provider::start().await;
    let client = client("http://127.0.0.1:9", own_workforce(&provider));
    let (url, _) = client.begin("/".to_owned()).await.unwrap();
    let query = url.query().unwrap();
    assert!(
        query.contains("scope=openid+offline_access") && query.contains("audience=labels"),
        "{query}"
    );
    let person = sign_in_with(&client, &provider, |says| says.info = documented_claims())
        .await
        .unwrap();
    let worker = person.worker;
    assert_eq!((worker.sub.as_str(), worker.name.as_str()), ("122", "Jane Doe"));
    assert_eq!(worker.groups, ["group1", "group2"]);
    assert_eq!(
        (worker.provider, &worker.issuer),
        (IdentityProvider::Oidc, &provider.issuer)
    );
    let asked = provider.says.lock().unwrap().asked[0].clone();
    assert_eq!(asked["client_secret"], "keep-me-quiet");
    assert_eq!(asked["client_id"], "portal");
    assert!(
        client
            .sign_out_url()
            .await
            .starts_with(&format!("{}/bye?", provider.issuer))
    );
}

#[tokio::test]
async fn claims_may_be_in_the_id_token_and_a_single_group_may_be_a_text() {
    let person = sign_in_at_own(|says| {
        says.info = json!({"sub": "1234"});
        says.claims = json!({"sub": "1234", "sagemaker-sub": "122", "sagemaker:groups": "group1", "sagemaker-client_id": "portal"});
    });
    let worker = person.await.unwrap().worker;
    assert_eq!(
        (worker.groups, worker.sub),
        (vec!["group1".to_owned()], "122".to_owned())
    );
    let without_groups = sign_in_at_own(|says| {
        drop(
            says.info
                .as_object_mut()
                .unwrap()
                .shift_remove("sagemaker-groups"),
        );
    });
    // The groups claim of the engine's configuration counts too.
    assert_eq!(
        without_groups.await.unwrap().worker.groups,
        ["numbers-team", "birds"]
    );
}

#[tokio::test]
async fn a_missing_claim_of_a_workforces_provider_is_named() {
    type Change = fn(&mut ProviderReplies);
    type Check = fn(&SignInError) -> bool;
    let table: [(&str, Change, Check); 5] = [
        (
            "no sagemaker:sub",
            |says| says.info["sagemaker:sub"] = Value::Null,
            |error| matches!(error, SignInError::MissingClaim("sagemaker:sub")),
        ),
        (
            "no client",
            |says| says.info["sagemaker:client_id"] = Value::Null,
            |error| matches!(error, SignInError::MissingClaim("sagemaker:client_id")),
        ),
        (
            "another client",
            |says| says.info["sagemaker:client_id"] = json!("other"),
            |error| matches!(error, SignInError::Untrusted(_)),
        ),
        (
            "another person",
            |says| says.info["sub"] = json!("other"),
            |error| matches!(error, SignInError::Untrusted(_)),
        ),
        (
            "eleven groups",
            |says| says.info["sagemaker-groups"] = json!(vec!["g"; 11]),
            |error| matches!(error, SignInError::TooManyGroups),
        ),
    ];
    for (what, change, expected) in table {
        let refused = sign_in_at_own(change).await.unwrap_err();
        assert!(expected(&refused), "{what}: {refused:?}");
    }
}

#[tokio::test]
async fn the_sign_in_follows_the_workforce_without_a_restart() {
    let (cognito, own) = (Provider::start().await, Provider::start().await);
    let workforce = CurrentWorkforce::default();
    let client = client(&cognito.issuer, workforce.clone());
    let (url, pending) = client.begin("/".to_owned()).await.unwrap();
    assert!(url.as_str().starts_with(&cognito.issuer), "{url}");
    let before = client.provider();
    workforce.set(own_workforce(&own).get().map(|workforce| (*workforce).clone()));
    let (url, _) = client.begin("/".to_owned()).await.unwrap();
    assert!(url.as_str().starts_with(&own.issuer), "{url}");
    assert_ne!(client.provider(), before);
    let state = serde_json::to_value(&pending).unwrap()["state"]
        .as_str()
        .unwrap()
        .to_owned();
    let late = client.finish(pending, &state, "code".to_owned()).await;
    assert!(matches!(late, Err(SignInError::StateMismatch)), "{late:?}");
}

#[tokio::test]
async fn a_reply_with_another_state_is_refused_before_the_provider_is_asked() {
    let provider = Provider::start().await;
    let client = client(&provider.issuer, CurrentWorkforce::default());
    let (_, pending) = client.begin("/".to_owned()).await.unwrap();
    let refused = client.finish(pending, "forged", "code".to_owned()).await;
    assert!(matches!(refused, Err(SignInError::StateMismatch)), "{refused:?}");
    assert_eq!(
        (provider.request_count(), provider.says.lock().unwrap().sign_with),
        (0, OWN_KEY)
    );
}

#[tokio::test]
async fn a_provider_that_is_away_is_reported() {
    let client = client("http://127.0.0.1:9", CurrentWorkforce::default());
    let refused = client.begin("/".to_owned()).await.map(|_| ());
    assert!(matches!(refused, Err(SignInError::Unreachable(_))), "{refused:?}");
}

#[tokio::test]
async fn signing_out_goes_to_the_provider_and_comes_back_to_the_portal() {
    let provider = Provider::start().await;
    let url = client(&provider.issuer, CurrentWorkforce::default())
        .sign_out_url()
        .await;
    let out = format!("{}/logout?client_id=portal&", provider.issuer);
    // Exactly one of the app client's sign-out URLs.
    let back = "http%3A%2F%2Fportal.test%2Flogout";
    let expected = format!("{out}logout_uri={back}&post_logout_redirect_uri={back}");
    assert_eq!(url, expected);
}
