//! The identity provider: the workforce's own by the endpoints it names, the configured one by discovery. It is remembered
//! for a while, and requests to it do not follow redirects.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::BoxFuture;
use http::StatusCode;
use http::header::{ACCEPT, AUTHORIZATION};
use openidconnect::core::{
    CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClientAuthMethod, CoreGrantType, CoreJsonWebKey,
    CoreJsonWebKeySet, CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm,
    CoreJwsSigningAlgorithm, CoreResponseMode, CoreResponseType, CoreSubjectIdentifierType,
};
use openidconnect::url::ParseError;
use openidconnect::{
    AccessToken, AdditionalProviderMetadata, AsyncHttpClient, AuthType, AuthUrl, ClientId, ClientSecret,
    HttpRequest, HttpResponse, IssuerUrl, JsonWebKeySetUrl, ProviderMetadata, RedirectUrl, TokenUrl,
    UserInfoUrl,
};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::claims::{Claims, PortalClient};
use super::error::SignInError;
use super::settings::{Endpoints, Settings};
use crate::config::SignInConfig;
use crate::workforce::CurrentWorkforce;

/// Keys rotate; after this time the provider is looked up again.
const REMEMBERED: Duration = Duration::from_secs(600);
/// How long a failed lookup is remembered: people who wait for the provider would otherwise each look it up in turn.
const FAILURE_REMEMBERED: Duration = Duration::from_secs(2);
/// Discovery documents, key sets and tokens are a few kilobytes.
const MAX_REPLY: usize = 256 * 1024;

/// What discovery says beyond the core: where to sign out. Optional; Cognito does not have it in the standard's form.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct SignOut {
    end_session_endpoint: Option<String>,
}

impl AdditionalProviderMetadata for SignOut {}

type Metadata = ProviderMetadata<
    SignOut,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// Signatures with the provider's key. HS256 and the like are left out: they are made with the client's secret.
const SIGNATURES: [CoreJwsSigningAlgorithm; 10] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EcdsaP521Sha512,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// The provider, and the client for it.
pub(super) struct Provider {
    pub(super) settings: Settings,
    pub(super) client: PortalClient,
    pub(super) sign_out: Option<String>,
}

/// When the provider was looked up, and with which result.
type Lookup = (Instant, Result<Arc<Provider>, String>);

/// Looks up the provider when it is first needed, and again when the workforce gets another.
pub(super) struct Providers {
    pub(super) http: Http,
    configured: SignInConfig,
    workforce: CurrentWorkforce,
    redirect: String,
    last: Mutex<Option<(Settings, Lookup)>>,
}

impl Providers {
    pub(super) fn new(configured: SignInConfig, workforce: CurrentWorkforce, redirect: String) -> Providers {
        Providers {
            http: Http(http_client()),
            configured,
            workforce,
            redirect,
            last: Mutex::new(None),
        }
    }

    pub(super) fn settings(&self) -> Result<Settings, SignInError> {
        if self.workforce.is_unreadable() {
            let cause = "the workforce's document cannot be read";
            return Err(SignInError::Unreachable(cause.to_owned()));
        }
        Settings::current(&self.configured, self.workforce.get().as_deref())
    }

    pub(super) async fn find(&self) -> Result<Arc<Provider>, SignInError> {
        let settings = self.settings()?;
        let mut last = self.last.lock().await;
        if let Some((of, (since, provider))) = &*last
            && *of == settings
            && since.elapsed()
                < if provider.is_ok() {
                    REMEMBERED
                } else {
                    FAILURE_REMEMBERED
                }
        {
            return provider.clone().map_err(SignInError::Unreachable);
        }
        let provider = self.look_up(&settings).await.map(Arc::new);
        *last = Some((settings, (Instant::now(), provider.clone())));
        provider.map_err(SignInError::Unreachable)
    }

    /// The next sign-in looks the provider up again: its keys may have changed.
    pub(super) async fn forget(&self) {
        *self.last.lock().await = None;
    }

    async fn look_up(&self, settings: &Settings) -> Result<Provider, String> {
        let unusable = |cause: String| format!("{}: {cause}", settings.issuer);
        let redirect =
            RedirectUrl::new(self.redirect.clone()).map_err(|cause| unusable(cause.to_string()))?;
        let metadata = match &settings.endpoints {
            Some(endpoints) => self.fetch_keys(settings, endpoints).await,
            None => self.discover(settings).await,
        };
        let metadata = metadata.map_err(unusable)?;
        let authorize = metadata.authorization_endpoint().as_str().to_owned();
        let sign_out = metadata.additional_metadata().end_session_endpoint.clone();
        let id = ClientId::new(settings.client_id.clone());
        let secret = settings.client_secret.0.clone().map(ClientSecret::new);
        let client = PortalClient::from_provider_metadata(metadata, id, secret).set_redirect_uri(redirect);
        Ok(Provider {
            client: match settings.endpoints {
                // As AWS's page on testing such a provider does.
                Some(_) => client.set_auth_type(AuthType::RequestBody),
                None => client,
            },
            settings: settings.clone(),
            sign_out: sign_out.or_else(|| cognito_sign_out(&authorize)),
        })
    }

    async fn discover(&self, settings: &Settings) -> Result<Metadata, String> {
        let issuer = IssuerUrl::new(settings.issuer.clone()).map_err(|cause| cause.to_string())?;
        let metadata = Metadata::discover_async(issuer, &self.http).await;
        metadata.map_err(|cause| error_chain(&cause))
    }

    async fn fetch_keys(&self, settings: &Settings, endpoints: &Endpoints) -> Result<Metadata, String> {
        let metadata = metadata(settings, endpoints).map_err(|cause| cause.to_string())?;
        let keys = CoreJsonWebKeySet::fetch_async(metadata.jwks_uri(), &self.http).await;
        Ok(metadata.set_jwks(keys.map_err(|cause| error_chain(&cause))?))
    }

    /// The claims of the user-info endpoint for this token.
    pub(super) async fn user_info(&self, url: &str, token: &AccessToken) -> Result<Claims, SignInError> {
        let request = http::Request::get(url)
            .header(AUTHORIZATION, format!("Bearer {}", token.secret()))
            .header(ACCEPT, "application/json")
            .body(Vec::new());
        let request = request.map_err(|cause| SignInError::Unreachable(cause.to_string()))?;
        let reply = self.http.call(request).await;
        let reply = reply.map_err(|cause| SignInError::Unreachable(error_chain(&cause)))?;
        match reply.status() {
            StatusCode::OK => serde_json::from_slice(reply.body()).map_err(|_| {
                // The body is about a person: it stays out of the log.
                SignInError::Untrusted("the user-info reply is not a JSON object".to_owned())
            }),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(SignInError::Refused(
                "refused by the user-info endpoint".to_owned(),
            )),
            other => Err(SignInError::Unreachable(format!("user info: {other}"))),
        }
    }
}

/// The metadata of a provider whose endpoints the workforce names.
fn metadata(settings: &Settings, endpoints: &Endpoints) -> Result<Metadata, ParseError> {
    let metadata = Metadata::new(
        IssuerUrl::new(settings.issuer.clone())?,
        AuthUrl::new(endpoints.authorization_endpoint.clone())?,
        JsonWebKeySetUrl::new(endpoints.jwks_uri.clone())?,
        Vec::new(),
        Vec::new(),
        SIGNATURES.to_vec(),
        SignOut {
            end_session_endpoint: Some(endpoints.logout_endpoint.clone()),
        },
    );
    Ok(metadata
        .set_token_endpoint(Some(TokenUrl::new(endpoints.token_endpoint.clone())?))
        .set_userinfo_endpoint(Some(UserInfoUrl::new(endpoints.user_info_endpoint.clone())?)))
}

/// An HTTP client for the `openidconnect` crate.
pub(super) struct Http(reqwest::Client);

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = HttpFailure;
    type Future = BoxFuture<'c, Result<HttpResponse, HttpFailure>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        send(self.0.clone(), request).boxed()
    }
}

async fn send(http: reqwest::Client, request: HttpRequest) -> Result<HttpResponse, HttpFailure> {
    let mut reply = http.execute(reqwest::Request::try_from(request)?).await?;
    let mut response = http::Response::builder().status(reply.status());
    if let Some(headers) = response.headers_mut() {
        *headers = std::mem::take(reply.headers_mut());
    }
    let mut body = Vec::new();
    while let Some(part) = reply.chunk().await? {
        if body.len() + part.len() > MAX_REPLY {
            return Err(HttpFailure::TooLarge);
        }
        body.extend_from_slice(&part);
    }
    Ok(response.body(body)?)
}

/// Cognito's hosted sign-in has `/logout` beside `/oauth2/authorize`, and discovery need not list it.
fn cognito_sign_out(authorize: &str) -> Option<String> {
    Some(format!("{}/logout", authorize.strip_suffix("/oauth2/authorize")?))
}

/// Without redirects: they would let a provider send the engine to addresses inside its own network.
fn http_client() -> reqwest::Client {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(5))
        .timeout(Duration::from_secs(10))
        .build()
        .unwrap_or_default()
}

/// Why a request to the provider failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum HttpFailure {
    #[error(transparent)]
    Http(#[from] reqwest::Error),
    #[error(transparent)]
    Malformed(#[from] http::Error),
    #[error("the reply is larger than {MAX_REPLY} bytes")]
    TooLarge,
}

/// An error with its causes, on one line.
pub(super) fn error_chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
