//! The sign-in as a browser, an OpenID Connect client and a caller of Cognito's API go through it.

mod accounts;
mod auth;
mod hosted;
mod invited;
mod listing;
mod pool;
mod recovery;

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::FutureExt;
use reqwest::{Client, Response, StatusCode, Url, redirect};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use super::triggers::TriggerFn;
use super::{CLIENT_ID, POOL_ID, SignIn};
use crate::data_dir::DataDir;
use crate::outbox::{Entry, Outbox};
use crate::serve::{listen, serve};
use crate::wiring::Trigger;

const EMAIL: &str = "a@example.com";
const PASSWORD: &str = "Maple-Otter-4711";
const INVITED: &str = "ana@example.org";
const OWN: &str = "My own passw0rd";
const VERIFIER: &str = "a-verifier-that-is-long-enough-for-the-standard-0123456789";

struct Hosted {
    sign_in: SignIn,
    issuer: String,
    outbox: Outbox,
    stop: CancellationToken,
    folder: tempfile::TempDir,
}

impl Drop for Hosted {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Triggers that change nothing.
fn silent() -> TriggerFn {
    Arc::new(|_, event| async move { Ok(event) }.boxed())
}

/// A trigger that answers with what `answer` makes of the event.
fn answering(answer: impl Fn(Trigger, Value) -> Result<Value, String> + Send + Sync + 'static) -> TriggerFn {
    Arc::new(move |trigger, event| std::future::ready(answer(trigger, event)).boxed())
}

async fn hosted() -> Hosted {
    hosted_with(silent()).await
}

async fn hosted_with(triggers: TriggerFn) -> Hosted {
    let folder = tempfile::tempdir().unwrap();
    let data = DataDir::open(&folder.path().join("data")).unwrap();
    let outbox = Outbox::open(&data.path("outbox")).unwrap();
    let listening = listen(([127, 0, 0, 1], 0).into(), "sign-in", "--web")
        .await
        .unwrap();
    let origin = format!("http://{}", listening.address);
    let sign_in = SignIn::open(&data, &origin, outbox.clone()).await.unwrap();
    sign_in.set_triggers(triggers);
    sign_in
        .ensure_worker(EMAIL, PASSWORD, &["numbers-team"])
        .await
        .unwrap();
    let stop = CancellationToken::new();
    serve(listening, sign_in.hosted(), stop.clone());
    Hosted {
        issuer: sign_in.issuer().to_owned(),
        sign_in,
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

    /// One of the pages, with what the client asked for.
    fn page(&self, name: &str) -> String {
        self.authorize(&[])
            .as_str()
            .replace("/oauth2/authorize", &format!("/{name}"))
    }

    /// Through the page, as far as its answer.
    async fn log_in_as(&self, browser: &Client, email: &str, password: &str) -> Response {
        let page = to(
            &browser.get(self.authorize(&[])).send().await.unwrap(),
            &self.issuer,
        );
        assert_eq!(
            browser.get(page.clone()).send().await.unwrap().status(),
            StatusCode::OK
        );
        let form = [("username", email), ("password", password)];
        browser.post(page).form(&form).send().await.unwrap()
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
            .basic_auth(CLIENT_ID, Some(self.sign_in.client_secret()))
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

    /// The secret in the newest mail to an address: what stands before the last full stop. Waits for the mail.
    async fn mailed(&self, email: &str, mails: usize) -> String {
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
        let (status, answer) = api(self, "AdminCreateUser", request).await;
        assert_eq!(status, 200, "{answer}");
        self.mailed(email, 1).await
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

/// A hidden field of a page.
fn hidden(page: &str, name: &str) -> String {
    let start = format!("name=\"{name}\" value=\"");
    let at = page.find(&start).unwrap_or_else(|| panic!("{name} in {page}")) + start.len();
    page[at..].split('"').next().unwrap().to_owned()
}

/// An operation of Cognito's API on this pool.
async fn api(hosted: &Hosted, operation: &str, mut request: Value) -> (u16, Value) {
    request["UserPoolId"] = json!(POOL_ID);
    call(hosted, operation, request).await
}

async fn call(hosted: &Hosted, operation: &str, request: Value) -> (u16, Value) {
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

/// The type of the error an operation answers with.
async fn refused(hosted: &Hosted, operation: &str, request: Value) -> String {
    let (status, answer) = api(hosted, operation, request).await;
    assert_eq!(status, 400, "{operation} {answer}");
    answer["__type"].as_str().unwrap().to_owned()
}

/// `SECRET_HASH` of the portal's client.
fn secret_hash(hosted: &Hosted, name: &str) -> String {
    use base64::engine::general_purpose::STANDARD;
    let key = aws_lc_rs::hmac::Key::new(
        aws_lc_rs::hmac::HMAC_SHA256,
        hosted.sign_in.client_secret().as_bytes(),
    );
    STANDARD.encode(aws_lc_rs::hmac::sign(
        &key,
        format!("{name}{CLIENT_ID}").as_bytes(),
    ))
}

/// InitiateAuth with a password, at the portal's client.
async fn initiate(hosted: &Hosted, email: &str, password: &str) -> (u16, Value) {
    let request = json!({
        "ClientId": CLIENT_ID, "AuthFlow": "USER_PASSWORD_AUTH",
        "AuthParameters": {"USERNAME": email, "PASSWORD": password, "SECRET_HASH": secret_hash(hosted, email)},
    });
    call(hosted, "InitiateAuth", request).await
}
