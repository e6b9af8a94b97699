//! The user pool as a browser, an OpenID Connect client and a caller of Cognito's API use it.

mod accounts;
mod auth;
mod hosted_ui;
mod invitation;
mod listing;
mod pool;
mod reset;

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::FutureExt;
use reqwest::{Client, Response, StatusCode, Url, redirect};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use super::{CLIENT_ID, Cognito, POOL_ID, TriggerFn};
use crate::data_dir::DataDir;
use crate::outbox::{Entry, Outbox};
use crate::serve::{listen, serve};
use crate::wiring::Trigger;

const EMAIL: &str = "a@example.com";
const PASSWORD: &str = "Maple-Otter-4711";
const INVITED: &str = "ana@example.org";
const OWN: &str = "My own passw0rd";
const VERIFIER: &str = "a-verifier-that-is-long-enough-for-the-standard-0123456789";

struct TestPool {
    cognito: Cognito,
    issuer: String,
    outbox: Outbox,
    stop: CancellationToken,
    folder: tempfile::TempDir,
}

impl Drop for TestPool {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Triggers that change nothing.
fn silent() -> TriggerFn {
    Arc::new(|_, event| async move { Ok(event) }.boxed())
}

/// A trigger that answers with what `answer` makes of the event.
fn trigger_with(
    answer: impl Fn(Trigger, Value) -> Result<Value, String> + Send + Sync + 'static,
) -> TriggerFn {
    Arc::new(move |trigger, event| std::future::ready(answer(trigger, event)).boxed())
}

async fn start_pool() -> TestPool {
    start_pool_with(silent()).await
}

async fn start_pool_with(triggers: TriggerFn) -> TestPool {
    let folder = tempfile::tempdir().unwrap();
    let data = DataDir::open(&folder.path().join("data")).unwrap();
    let outbox = Outbox::open(&data.path("outbox")).unwrap();
    let listening = listen(([127, 0, 0, 1], 0).into(), "sign-in", "--web")
        .await
        .unwrap();
    let origin = format!("http://{}", listening.address);
    let cognito = Cognito::open(&data, &origin, outbox.clone()).await.unwrap();
    cognito.set_triggers(triggers);
    cognito
        .ensure_worker(EMAIL, PASSWORD, &["numbers-team"])
        .await
        .unwrap();
    let stop = CancellationToken::new();
    serve(listening, cognito.hosted_ui(), stop.clone());
    TestPool {
        issuer: cognito.issuer().to_owned(),
        cognito,
        outbox,
        stop,
        folder,
    }
}

fn browser() -> Client {
    Client::builder()
        .cookie_store(true)
        .redirect(redirect::Policy::none())
        .build()
        .unwrap()
}

impl TestPool {
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

    /// One of the pages, with what the client asked for.
    fn page(&self, name: &str) -> String {
        self.authorize(&[])
            .as_str()
            .replace("/oauth2/authorize", &format!("/{name}"))
    }

    /// Where a browser is sent that asks to sign in.
    async fn ask(&self, browser: &Client, changes: &[(&str, &str)]) -> Url {
        to(&self.ask_raw(browser, changes).await, &self.issuer)
    }

    async fn ask_raw(&self, browser: &Client, changes: &[(&str, &str)]) -> Response {
        browser.get(self.authorize(changes)).send().await.unwrap()
    }

    /// Sends a form to one of the pages.
    async fn post(&self, browser: &Client, page: &str, form: &[(&str, &str)]) -> Response {
        browser.post(self.page(page)).form(form).send().await.unwrap()
    }

    /// Through the page, as far as its answer.
    async fn log_in_as(&self, browser: &Client, email: &str, password: &str) -> Response {
        let page = self.ask(browser, &[]).await;
        assert_eq!(browser.get(page).send().await.unwrap().status(), StatusCode::OK);
        self.post(browser, "login", &[("username", email), ("password", password)])
            .await
    }

    /// The tokens of a sign-in through the page.
    async fn sign_in(&self, browser: &Client, password: &str) -> Value {
        self.redeem(&self.log_in(browser, password).await).await
    }

    /// The tokens for the code in a redirect.
    async fn redeem(&self, redirect: &Response) -> Value {
        let code = field(&to(redirect, &self.issuer), "code");
        read(self.exchange(&code, VERIFIER).await).await
    }

    async fn log_in(&self, browser: &Client, password: &str) -> Response {
        self.log_in_as(browser, EMAIL, password).await
    }

    async fn exchange(&self, code: &str, verifier: &str) -> Response {
        self.tokens(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.redirect_uri()),
            ("code_verifier", verifier),
        ])
        .await
    }

    async fn tokens(&self, fields: &[(&str, &str)]) -> Response {
        let request = Client::new()
            .post(format!("{}/oauth2/token", self.issuer))
            .form(fields);
        request
            .basic_auth(CLIENT_ID, Some(self.cognito.client_secret()))
            .send()
            .await
            .unwrap()
    }

    /// The claims of a token, its signature checked against the published key.
    async fn claims(&self, token: &Value) -> Value {
        let token = token.as_str().unwrap();
        let jwks = reqwest::get(format!("{}/.well-known/jwks.json", self.issuer))
            .await
            .unwrap();
        let keys: jsonwebtoken::jwk::JwkSet = jwks.json().await.unwrap();
        let kid = jsonwebtoken::decode_header(token).unwrap().kid.unwrap();
        let key = jsonwebtoken::DecodingKey::from_jwk(keys.find(&kid).unwrap()).unwrap();
        let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::RS256);
        validation.validate_aud = false;
        validation.set_issuer(&[&self.issuer]);
        jsonwebtoken::decode::<Value>(token, &key, &validation)
            .unwrap()
            .claims
    }

    /// What was mailed to an address, the newest first.
    fn mail_to(&self, email: &str) -> Vec<Entry> {
        let entries = self.outbox.entries();
        entries.into_iter().filter(|entry| entry.to == email).collect()
    }

    /// The secret in the newest mail to an address. Waits for the mail.
    async fn wait_for_secret(&self, email: &str, mails: usize) -> String {
        let waited = tokio::time::timeout(Duration::from_secs(20), async {
            while self.mail_to(email).len() < mails {
                tokio::task::yield_now().await;
            }
        });
        assert!(
            waited.await.is_ok(),
            "{} of {mails} mails to {email}",
            self.mail_to(email).len()
        );
        let text = self.mail_to(email).remove(0).text;
        // Alone on the last line.
        text.lines().last().unwrap().to_owned()
    }

    async fn invite(&self, email: &str) -> String {
        let request = json!({
            "Username": email, "DesiredDeliveryMediums": ["EMAIL"],
            "UserAttributes": [{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}],
        });
        ok(self, "AdminCreateUser", request).await;
        self.wait_for_secret(email, 1).await
    }
}

/// The JSON of an answer that succeeded.
async fn read(response: Response) -> Value {
    response.error_for_status().unwrap().json().await.unwrap()
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

/// A hidden field of a page.
fn hidden_field(page: &str, name: &str) -> String {
    let start = format!("name=\"{name}\" value=\"");
    let at = page.find(&start).unwrap_or_else(|| panic!("{name} in {page}")) + start.len();
    page[at..].split('"').next().unwrap().to_owned()
}

/// An operation of Cognito's API on this pool.
async fn api(pool: &TestPool, operation: &str, mut request: Value) -> (u16, Value) {
    request["UserPoolId"] = json!(POOL_ID);
    call(pool, operation, request).await
}

/// The same where it has to succeed: what it answers.
async fn ok(pool: &TestPool, operation: &str, request: Value) -> Value {
    let (status, answer) = api(pool, operation, request).await;
    assert_eq!(status, 200, "{operation} {answer}");
    answer
}

async fn call(pool: &TestPool, operation: &str, request: Value) -> (u16, Value) {
    let request = http::Request::post("/")
        .header(
            "x-amz-target",
            format!("AWSCognitoIdentityProviderService.{operation}"),
        )
        .body(axum::body::Body::from(request.to_string()))
        .unwrap();
    let response = tower::ServiceExt::oneshot(pool.cognito.api(), request)
        .await
        .unwrap();
    let status = response.status().as_u16();
    let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap())
}

/// The type of the error an operation answers with.
async fn error_kind(pool: &TestPool, operation: &str, request: Value) -> String {
    let (status, answer) = api(pool, operation, request).await;
    assert_eq!(status, 400, "{operation} {answer}");
    answer["__type"].as_str().unwrap().to_owned()
}

/// `SECRET_HASH` of the portal's client.
fn secret_hash(pool: &TestPool, name: &str) -> String {
    use base64::engine::general_purpose::STANDARD;
    let key = aws_lc_rs::hmac::Key::new(
        aws_lc_rs::hmac::HMAC_SHA256,
        pool.cognito.client_secret().as_bytes(),
    );
    STANDARD.encode(aws_lc_rs::hmac::sign(
        &key,
        format!("{name}{CLIENT_ID}").as_bytes(),
    ))
}

/// InitiateAuth with a password, at the portal's client.
async fn initiate(pool: &TestPool, email: &str, password: &str) -> (u16, Value) {
    let request = json!({
        "ClientId": CLIENT_ID, "AuthFlow": "USER_PASSWORD_AUTH",
        "AuthParameters": {"USERNAME": email, "PASSWORD": password, "SECRET_HASH": secret_hash(pool, email)},
    });
    call(pool, "InitiateAuth", request).await
}
