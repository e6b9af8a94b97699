//! A small OpenID Connect provider for tests, which can send wrong tokens, refuse, and be away.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use openidconnect::core::{CoreEdDsaPrivateSigningKey, CoreJwsSigningAlgorithm};
use openidconnect::{JsonWebKeyId, PrivateSigningKey};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// The seeds of two keys; the provider publishes the first.
pub(crate) const OWN_KEY: u8 = 1;
pub(crate) const OTHER_KEY: u8 = 2;

pub(crate) struct Provider {
    pub(crate) issuer: String,
    pub(crate) says: Mutex<ProviderReplies>,
}

/// What the provider will say.
pub(crate) struct ProviderReplies {
    /// In ID tokens, beside what all of them have.
    pub(crate) claims: Value,
    /// The nonce of the current sign-in.
    pub(crate) nonce: Value,
    /// At its user-info endpoint.
    pub(crate) info: Value,
    pub(crate) sign_with: u8,
    /// The refresh token it gives, and the one it takes.
    pub(crate) refresh: Option<String>,
    /// Each refresh token can be used once.
    pub(crate) rotates: bool,
    pub(crate) token_reply: TokenReply,
    /// The requests to its token endpoint.
    pub(crate) asked: Vec<HashMap<String, String>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenReply {
    Full,
    WithoutIdToken,
    Refused,
    Away,
}

impl Provider {
    pub(crate) async fn start() -> Arc<Provider> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let says = ProviderReplies {
            claims: json!({"sub": "1234", "email": "ada@example.com", "cognito:groups": ["numbers-team", "birds"]}),
            nonce: Value::Null,
            info: json!({"sub": "1234"}),
            sign_with: OWN_KEY,
            refresh: None,
            rotates: false,
            token_reply: TokenReply::Full,
            asked: Vec::new(),
        };
        let provider = Arc::new(Provider {
            issuer,
            says: Mutex::new(says),
        });
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route(
                "/keys",
                get(async || Json(json!({ "keys": [key(OWN_KEY).as_verification_key()] }))),
            )
            .route("/token", post(tokens))
            .route("/userinfo", get(user_info))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        provider
    }

    pub(crate) fn say(&self, change: impl FnOnce(&mut ProviderReplies)) {
        change(&mut self.says.lock().unwrap());
    }

    /// How many requests its token endpoint got.
    pub(crate) fn request_count(&self) -> usize {
        self.says.lock().unwrap().asked.len()
    }

    /// The OidcConfig of a workforce that signs in here.
    pub(crate) fn oidc_config(&self) -> Value {
        let issuer = &self.issuer;
        json!({
            "ClientId": "portal", "ClientSecret": "keep-me-quiet", "Issuer": issuer,
            "AuthorizationEndpoint": format!("{issuer}/oauth2/authorize"), "TokenEndpoint": format!("{issuer}/token"),
            "UserInfoEndpoint": format!("{issuer}/userinfo"), "LogoutEndpoint": format!("{issuer}/bye"),
            "JwksUri": format!("{issuer}/keys"), "Scope": "openid offline_access",
            "AuthenticationRequestExtraParams": {"audience": "labels"},
        })
    }
}

/// An Ed25519 key in PKCS #8 is a fixed head and the 32 bytes of its seed.
fn key(seed: u8) -> CoreEdDsaPrivateSigningKey {
    let mut der = hex::decode("302e020100300506032b657004220420").unwrap();
    der.extend([seed; 32]);
    let kind = "PRIVATE KEY";
    let pem = format!(
        "-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n",
        STANDARD.encode(der)
    );
    CoreEdDsaPrivateSigningKey::from_ed25519_pem(&pem, Some(JsonWebKeyId::new("k".to_owned()))).unwrap()
}

fn token(claims: &Value, seed: u8) -> String {
    let head = URL_SAFE_NO_PAD.encode(json!({ "alg": "EdDSA", "kid": "k", "typ": "JWT" }).to_string());
    let signed = format!("{head}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
    let signature = key(seed)
        .sign(&CoreJwsSigningAlgorithm::EdDsa, signed.as_bytes())
        .unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
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

async fn tokens(
    State(provider): State<Arc<Provider>>,
    Form(asked): Form<HashMap<String, String>>,
) -> Response {
    let mut says = provider.says.lock().unwrap();
    let known = asked
        .get("refresh_token")
        .is_none_or(|given| says.refresh.as_ref() == Some(given));
    let is_refresh = asked.contains_key("refresh_token");
    says.asked.push(asked);
    if says.token_reply == TokenReply::Away {
        return (StatusCode::BAD_GATEWAY, "no provider here").into_response();
    }
    if says.token_reply == TokenReply::Refused || !known {
        return (StatusCode::BAD_REQUEST, Json(json!({"error": "invalid_grant"}))).into_response();
    }
    if says.rotates && is_refresh {
        says.refresh = says.refresh.as_ref().map(|used| format!("{used}+"));
    }
    let mut reply = json!({ "access_token": "a", "token_type": "Bearer", "expires_in": 3600 });
    if says.token_reply == TokenReply::Full {
        let now = jiff::Timestamp::now().as_second();
        let mut claims = json!({"iss": provider.issuer, "aud": "portal", "iat": now, "exp": now + 300});
        let said = says.claims.as_object().unwrap().clone();
        claims["nonce"] = says.nonce.clone();
        claims.as_object_mut().unwrap().extend(said);
        reply["id_token"] = json!(token(&claims, says.sign_with));
    }
    if let Some(refresh) = &says.refresh {
        reply["refresh_token"] = json!(refresh);
    }
    Json(reply).into_response()
}

async fn user_info(State(provider): State<Arc<Provider>>, headers: HeaderMap) -> Response {
    if headers
        .get("authorization")
        .is_none_or(|given| given != "Bearer a")
    {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    Json(provider.says.lock().unwrap().info.clone()).into_response()
}
