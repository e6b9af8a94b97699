//! The identity provider: the workforce's own by the endpoints it names, the configured one by discovery; remembered for a
//! while, asked over HTTP without following redirects.
use super::claims::{Claims, PortalClient};
use super::error::SignInError;
use super::settings::{Endpoints, Settings};
use crate::config::SignIn;
use crate::workforce::CurrentWorkforce;
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
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// Keys rotate; after this time the provider is looked up again.
const REMEMBERED: Duration = Duration::from_secs(600);
/// A provider that is away is not asked again at once: those who wait for it would do so one after the other.
const AWAY: Duration = Duration::from_secs(2);
/// Discovery documents, key sets and tokens are a few kilobytes.
const MAX_REPLY: usize = 256 * 1024;

/// What discovery says beyond the core: where to sign out. Optional, and with Cognito not the standard's form.
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

/// Signed with the provider's key. Not HS256 and its like: they are signed with the client's secret.
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

/// The provider as it was found.
pub(super) struct Provider {
    pub(super) settings: Settings,
    pub(super) client: PortalClient,
    pub(super) sign_out: Option<String>,
}

type Found = (Instant, Result<Arc<Provider>, String>);

/// Finds the provider when it is first needed, and the next one when the workforce gets another.
pub(super) struct Providers {
    pub(super) http: Http,
    configured: SignIn,
    workforce: CurrentWorkforce,
    redirect: String,
    found: Mutex<Option<(Settings, Found)>>,
}

impl Providers {
    pub(super) fn new(configured: SignIn, workforce: CurrentWorkforce, redirect: String) -> Providers {
        Providers {
            http: Http(http_client()),
            configured,
            workforce,
            redirect,
            found: Mutex::new(None),
        }
    }

    pub(super) fn settings(&self) -> Result<Settings, SignInError> {
        if self.workforce.is_unreadable() {
            let why = "which provider the workforce names cannot be read";
            return Err(SignInError::Unreachable(why.to_owned()));
        }
        Settings::now(&self.configured, self.workforce.get().as_deref())
    }

    pub(super) async fn find(&self) -> Result<Arc<Provider>, SignInError> {
        let settings = self.settings()?;
        let mut found = self.found.lock().await;
        if let Some((of, (since, provider))) = &*found
            && *of == settings
            && since.elapsed() < if provider.is_ok() { REMEMBERED } else { AWAY }
        {
            return provider.clone().map_err(SignInError::Unreachable);
        }
        let provider = self.look_up(&settings).await.map(Arc::new);
        *found = Some((settings, (Instant::now(), provider.clone())));
        provider.map_err(SignInError::Unreachable)
    }

    /// The next sign-in looks the provider up again: its keys may have changed.
    pub(super) async fn forget(&self) {
        *self.found.lock().await = None;
    }

    async fn look_up(&self, settings: &Settings) -> Result<Provider, String> {
        let unusable = |cause: String| format!("{}: {cause}", settings.issuer);
        let redirect =
            RedirectUrl::new(self.redirect.clone()).map_err(|cause| unusable(cause.to_string()))?;
        let metadata = match &settings.own {
            Some(own) => self.own(settings, own).await,
            None => self.discover(settings).await,
        };
        let metadata = metadata.map_err(unusable)?;
        let authorize = metadata.authorization_endpoint().as_str().to_owned();
        let sign_out = metadata.additional_metadata().end_session_endpoint.clone();
        let id = ClientId::new(settings.client_id.clone());
        let secret = settings.client_secret.0.clone().map(ClientSecret::new);
        let client = PortalClient::from_provider_metadata(metadata, id, secret).set_redirect_uri(redirect);
        Ok(Provider {
            client: match settings.own {
                // So AWS's own page on testing such a provider sends it.
                Some(_) => client.set_auth_type(AuthType::RequestBody),
                None => client,
            },
            settings: settings.clone(),
            sign_out: sign_out.or_else(|| beside(&authorize)),
        })
    }

    async fn discover(&self, settings: &Settings) -> Result<Metadata, String> {
        let issuer = IssuerUrl::new(settings.issuer.clone()).map_err(|cause| cause.to_string())?;
        let found = Metadata::discover_async(issuer, &self.http).await;
        found.map_err(|cause| told(&cause))
    }

    async fn own(&self, settings: &Settings, own: &Endpoints) -> Result<Metadata, String> {
        let metadata = named(settings, own).map_err(|cause| cause.to_string())?;
        let keys = CoreJsonWebKeySet::fetch_async(metadata.jwks_uri(), &self.http).await;
        Ok(metadata.set_jwks(keys.map_err(|cause| told(&cause))?))
    }

    /// What the user-info endpoint says to the holder of this token.
    pub(super) async fn user_info(&self, url: &str, token: &AccessToken) -> Result<Claims, SignInError> {
        let request = http::Request::get(url)
            .header(AUTHORIZATION, format!("Bearer {}", token.secret()))
            .header(ACCEPT, "application/json")
            .body(Vec::new());
        let request = request.map_err(|cause| SignInError::Unreachable(cause.to_string()))?;
        let reply = self.http.call(request).await;
        let reply = reply.map_err(|cause| SignInError::Unreachable(told(&cause)))?;
        match reply.status() {
            StatusCode::OK => serde_json::from_slice(reply.body()).map_err(|_| {
                // The body is about a person: it stays out of the log.
                SignInError::Untrusted("the user-info reply is no JSON object".to_owned())
            }),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Err(SignInError::Refused("by the user-info endpoint".to_owned()))
            }
            other => Err(SignInError::Unreachable(format!("user info: {other}"))),
        }
    }
}

fn named(settings: &Settings, own: &Endpoints) -> Result<Metadata, ParseError> {
    let metadata = Metadata::new(
        IssuerUrl::new(settings.issuer.clone())?,
        AuthUrl::new(own.authorization_endpoint.clone())?,
        JsonWebKeySetUrl::new(own.jwks_uri.clone())?,
        Vec::new(),
        Vec::new(),
        SIGNATURES.to_vec(),
        SignOut {
            end_session_endpoint: Some(own.logout_endpoint.clone()),
        },
    );
    Ok(metadata
        .set_token_endpoint(Some(TokenUrl::new(own.token_endpoint.clone())?))
        .set_userinfo_endpoint(Some(UserInfoUrl::new(own.user_info_endpoint.clone())?)))
}

/// HTTP as the `openidconnect` crate wants it.
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
    let mut answer = http::Response::builder().status(reply.status());
    if let Some(headers) = answer.headers_mut() {
        *headers = std::mem::take(reply.headers_mut());
    }
    let mut body = Vec::new();
    while let Some(part) = reply.chunk().await? {
        if body.len() + part.len() > MAX_REPLY {
            return Err(HttpFailure::TooLarge);
        }
        body.extend_from_slice(&part);
    }
    Ok(answer.body(body)?)
}

/// Cognito's hosted sign-in has its `/logout` beside its `/oauth2/authorize` and need not list it.
fn beside(authorize: &str) -> Option<String> {
    Some(format!("{}/logout", authorize.strip_suffix("/oauth2/authorize")?))
}

/// Following redirects would let a provider send the engine to addresses inside its own network.
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
pub(super) fn told(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
