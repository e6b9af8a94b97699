//! The hosted sign-in as a browser and an OpenID Connect client go through it, and the API beside it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::{Client, Response, StatusCode, Url, redirect};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use super::{CLIENT_ID, POOL_ID, SignIn};
use crate::data_dir::DataDir;
use crate::serve::{listen, serve};

const EMAIL: &str = "a@example.com";
const PASSWORD: &str = "maple-otter-4711";
const VERIFIER: &str = "a-verifier-that-is-long-enough-for-the-standard-0123456789";

struct Hosted {
    sign_in: SignIn,
    issuer: String,
    stop: CancellationToken,
    _folder: tempfile::TempDir,
}

impl Drop for Hosted {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn hosted() -> Hosted {
    let folder = tempfile::tempdir().unwrap();
    let data = DataDir::open(&folder.path().join("data")).unwrap();
    let listening = listen(([127, 0, 0, 1], 0).into(), "sign-in", "--web")
        .await
        .unwrap();
    let sign_in = SignIn::open(&data, &format!("http://{}", listening.address)).unwrap();
    sign_in
        .ensure_worker(EMAIL, PASSWORD, &["numbers-team"])
        .await
        .unwrap();
    let stop = CancellationToken::new();
    serve(listening, sign_in.hosted(), stop.clone());
    Hosted {
        issuer: sign_in.issuer().to_owned(),
        sign_in,
        stop,
        _folder: folder,
    }
}

fn browser() -> Client {
    Client::builder()
        .cookie_store(true)
        .redirect(redirect::Policy::none())
        .build()
        .unwrap()
}

impl Hosted {
    fn redirect_uri(&self) -> String {
        self.issuer
            .replace(&format!("/cognito/{POOL_ID}"), "/oauth2/idpresponse")
    }

    fn authorize(&self, changes: &[(&str, &str)]) -> Url {
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
        let redirect = self.redirect_uri();
        let mut fields = vec![
            ("client_id", CLIENT_ID),
            ("redirect_uri", redirect.as_str()),
            ("response_type", "code"),
            ("scope", "openid email"),
            ("state", "s&1"),
            ("nonce", "n1"),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
        ];
        for (name, value) in changes {
            fields.retain(|(field, _)| field != name);
            fields.push((name, value));
        }
        Url::parse_with_params(&format!("{}/oauth2/authorize", self.issuer), fields).unwrap()
    }

    /// Through the page, as far as the redirect back to the client.
    async fn log_in(&self, browser: &Client, password: &str) -> Response {
        let page = to(
            &browser.get(self.authorize(&[])).send().await.unwrap(),
            &self.issuer,
        );
        assert_eq!(
            browser.get(page.clone()).send().await.unwrap().status(),
            StatusCode::OK
        );
        browser
            .post(page)
            .form(&[("username", EMAIL), ("password", password)])
            .send()
            .await
            .unwrap()
    }

    async fn exchange(&self, code: &str, verifier: &str) -> Response {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.redirect_uri()),
            ("code_verifier", verifier),
        ];
        let request = Client::new()
            .post(format!("{}/oauth2/token", self.issuer))
            .form(&fields);
        request
            .basic_auth(CLIENT_ID, Some(self.sign_in.client_secret()))
            .send()
            .await
            .unwrap()
    }
}

fn to(response: &Response, base: &str) -> Url {
    let location = response.headers()["location"].to_str().unwrap();
    Url::parse(base).unwrap().join(location).unwrap()
}

fn field(url: &Url, name: &str) -> String {
    url.query_pairs()
        .find(|(field, _)| field == name)
        .unwrap_or_else(|| panic!("{name} in {url}"))
        .1
        .into_owned()
}

#[tokio::test]
async fn a_person_signs_in_and_the_client_learns_who_and_which_groups() {
    let hosted = hosted().await;
    let browser = browser();
    let back = to(&hosted.log_in(&browser, PASSWORD).await, &hosted.issuer);
    assert!(back.as_str().starts_with(&hosted.redirect_uri()), "{back}");
    assert_eq!(field(&back, "state"), "s&1");
    let code = field(&back, "code");
    let tokens: Value = hosted
        .exchange(&code, VERIFIER)
        .await
        .error_for_status()
        .unwrap()
        .json()
        .await
        .unwrap();

    let jwks: Value = reqwest::get(format!("{}/.well-known/jwks.json", hosted.issuer))
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let keys: jsonwebtoken::jwk::JwkSet = serde_json::from_value(jwks).unwrap();
    let id_token = tokens["id_token"].as_str().unwrap();
    let kid = jsonwebtoken::decode_header(id_token).unwrap().kid.unwrap();
    let key = jsonwebtoken::DecodingKey::from_jwk(keys.find(&kid).unwrap()).unwrap();
    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::RS256);
    validation.set_audience(&[CLIENT_ID]);
    validation.set_issuer(&[&hosted.issuer]);
    let claims = jsonwebtoken::decode::<Value>(id_token, &key, &validation)
        .unwrap()
        .claims;
    assert_eq!(claims["email"], EMAIL);
    assert_eq!(claims["nonce"], "n1");
    assert_eq!(claims["token_use"], "id");
    assert_eq!(claims["cognito:groups"], json!(["numbers-team"]));

    assert_eq!(
        hosted.exchange(&code, VERIFIER).await.status(),
        StatusCode::BAD_REQUEST,
        "a code is good once"
    );
    let again = browser.get(hosted.authorize(&[])).send().await.unwrap();
    assert!(
        to(&again, &hosted.issuer).as_str().contains("code="),
        "the sign-in is remembered"
    );
    browser
        .get(format!("{}/logout", hosted.issuer))
        .send()
        .await
        .unwrap();
    let after = browser.get(hosted.authorize(&[])).send().await.unwrap();
    assert!(
        to(&after, &hosted.issuer).path().ends_with("/login"),
        "and forgotten on signing out"
    );
}

#[tokio::test]
async fn a_code_is_worth_nothing_without_its_verifier_and_the_client_secret() {
    let hosted = hosted().await;
    let code = || async {
        field(
            &to(&hosted.log_in(&browser(), PASSWORD).await, &hosted.issuer),
            "code",
        )
    };
    assert_eq!(
        hosted.exchange(&code().await, "another").await.status(),
        StatusCode::BAD_REQUEST
    );
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &code().await),
        ("client_id", CLIENT_ID),
    ];
    let bare = Client::new()
        .post(format!("{}/oauth2/token", hosted.issuer))
        .form(&fields)
        .send()
        .await
        .unwrap();
    assert_eq!(bare.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_look_alike_and_guessing_is_slowed() {
    let hosted = hosted().await;
    let wrong = hosted.log_in(&browser(), "wrong password").await;
    assert_eq!(wrong.status(), StatusCode::UNAUTHORIZED);
    let wrong = wrong.text().await.unwrap();
    let page = to(
        &browser().get(hosted.authorize(&[])).send().await.unwrap(),
        &hosted.issuer,
    );
    let unknown = browser()
        .post(page)
        .form(&[("username", "b@example.com"), ("password", "wrong password")]);
    let unknown = unknown.send().await.unwrap().text().await.unwrap();
    assert_eq!(wrong, unknown.replace("b@example.com", EMAIL));
    for _ in 0..4 {
        hosted.log_in(&browser(), "wrong password").await;
    }
    assert_eq!(
        hosted.log_in(&browser(), PASSWORD).await.status(),
        StatusCode::TOO_MANY_REQUESTS
    );
}

#[tokio::test]
async fn nobody_is_sent_to_an_address_the_client_does_not_have() {
    let hosted = hosted().await;
    let exact = hosted.redirect_uri();
    for uri in [
        "https://evil.example/oauth2/idpresponse",
        &format!("{exact}/"),
        &format!("{exact}?x=1"),
    ] {
        let answer = browser()
            .get(hosted.authorize(&[("redirect_uri", uri)]))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{uri}");
    }
    for (name, value, error) in [
        ("response_type", "token", "unsupported_response_type"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("scope", "openid aws.cognito.signin.user.admin", "invalid_scope"),
    ] {
        let answer = browser()
            .get(hosted.authorize(&[(name, value)]))
            .send()
            .await
            .unwrap();
        assert_eq!(field(&to(&answer, &hosted.issuer), "error"), error);
    }
    let page = hosted
        .authorize(&[])
        .as_str()
        .replace("/oauth2/authorize", "/login");
    let form = [("username", EMAIL), ("password", PASSWORD)];
    let foreign = browser()
        .post(page)
        .header("origin", "https://evil.example")
        .form(&form)
        .send()
        .await
        .unwrap();
    assert_eq!(foreign.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn what_was_typed_into_the_form_comes_back_as_text() {
    let hosted = hosted().await;
    let page = hosted
        .authorize(&[])
        .as_str()
        .replace("/oauth2/authorize", "/login");
    let form = [("username", "\"><script>x</script>"), ("password", "whatever")];
    let text = browser()
        .post(page)
        .form(&form)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(!text.contains("<script>"), "{text}");
}

async fn api(hosted: &Hosted, operation: &str, mut request: Value) -> (u16, Value) {
    request["UserPoolId"] = json!(POOL_ID);
    let request = http::Request::post("/")
        .header(
            "x-amz-target",
            format!("AWSCognitoIdentityProviderService.{operation}"),
        )
        .body(axum::body::Body::from(request.to_string()))
        .unwrap();
    let response = tower::ServiceExt::oneshot(hosted.sign_in.api(), request)
        .await
        .unwrap();
    let status = response.status().as_u16();
    let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap())
}

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
        api(&hosted, "AdminCreateUser", new).await.1["__type"],
        "UsernameExistsException"
    );
    let password = json!({"Username": "new@example.com", "Password": "a long password", "Permanent": true});
    assert_eq!(api(&hosted, "AdminSetUserPassword", password).await.0, 200);
    let member = json!({"Username": "new@example.com", "GroupName": "numbers-team"});
    assert_eq!(api(&hosted, "AdminAddUserToGroup", member).await.0, 200);
    let (_, users) = api(&hosted, "ListUsersInGroup", json!({"GroupName": "numbers-team"})).await;
    assert_eq!(users["Users"].as_array().unwrap().len(), 2);
    let (_, found) = api(&hosted, "ListUsers", json!({"Filter": "email ^= \"new@\""})).await;
    assert_eq!(found["Users"][0]["UserStatus"], "CONFIRMED");
    let (_, page) = api(&hosted, "ListUsers", json!({"Limit": 1})).await;
    assert_eq!(page["Users"].as_array().unwrap().len(), 1);
    assert!(page["PaginationToken"].is_string());
}

#[tokio::test]
async fn what_the_api_does_not_do_yet_it_refuses_by_name() {
    let hosted = hosted().await;
    for (operation, request) in [
        ("AdminCreateUser", json!({"Username": "x@example.com"})),
        (
            "AdminSetUserPassword",
            json!({"Username": EMAIL, "Password": "a long password"}),
        ),
        ("AdminDeleteUser", json!({"Username": EMAIL})),
    ] {
        let (status, answer) = api(&hosted, operation, request).await;
        assert_eq!(
            (status, &answer["__type"]),
            (400, &json!("UnsupportedOperationException")),
            "{answer}"
        );
    }
    let (_, extra) = api(
        &hosted,
        "AdminGetUser",
        json!({"Username": EMAIL, "ClientMetadata": {}}),
    )
    .await;
    assert_eq!(extra["__type"], "InvalidParameterException");
}
