//! The identity provider: found by discovery, remembered for a while, asked over HTTP without following redirects.
use super::claims::PortalClient;
use super::error::SignInError;
use crate::config::SignIn;
use futures::FutureExt;
use futures::future::BoxFuture;
use openidconnect::core::{
    CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClientAuthMethod, CoreGrantType, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreResponseMode, CoreResponseType,
    CoreSubjectIdentifierType,
};
use openidconnect::{
    AdditionalProviderMetadata, AsyncHttpClient, ClientId, ClientSecret, HttpRequest, HttpResponse,
    IssuerUrl, ProviderMetadata, RedirectUrl,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// Keys rotate; after this time the provider is looked up again.
const REMEMBERED: Duration = Duration::from_secs(600);
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

/// The provider as it was found.
pub(super) struct Provider {
    pub(super) client: PortalClient,
    pub(super) sign_out: Option<String>,
}

/// Finds the provider when it is first needed.
pub(super) struct Providers {
    pub(super) http: Http,
    settings: SignIn,
    redirect: String,
    found: Mutex<Option<(Instant, Arc<Provider>)>>,
}

impl Providers {
    pub(super) fn new(settings: SignIn, redirect: String) -> Providers {
        Providers {
            http: Http(http_client()),
            settings,
            redirect,
            found: Mutex::new(None),
        }
    }

    pub(super) async fn find(&self) -> Result<Arc<Provider>, SignInError> {
        let mut found = self.found.lock().await;
        if let Some((since, provider)) = &*found
            && since.elapsed() < REMEMBERED
        {
            return Ok(provider.clone());
        }
        let provider = Arc::new(self.discover().await?);
        *found = Some((Instant::now(), provider.clone()));
        Ok(provider)
    }

    /// The next sign-in looks the provider up again: its keys may have changed.
    pub(super) async fn forget(&self) {
        *self.found.lock().await = None;
    }

    async fn discover(&self) -> Result<Provider, SignInError> {
        let unusable = |cause: &dyn std::fmt::Display| {
            SignInError::Unreachable(format!("{}: {cause}", self.settings.issuer))
        };
        let issuer = IssuerUrl::new(self.settings.issuer.clone()).map_err(|cause| unusable(&cause))?;
        let redirect = RedirectUrl::new(self.redirect.clone()).map_err(|cause| unusable(&cause))?;
        let metadata = Metadata::discover_async(issuer, &self.http)
            .await
            .map_err(|cause| unusable(&told(&cause)))?;
        let authorize = metadata.authorization_endpoint().as_str().to_owned();
        let sign_out = metadata.additional_metadata().end_session_endpoint.clone();
        let id = ClientId::new(self.settings.client_id.clone());
        let secret = self.settings.client_secret.clone().map(ClientSecret::new);
        let client = PortalClient::from_provider_metadata(metadata, id, secret).set_redirect_uri(redirect);
        Ok(Provider {
            client,
            sign_out: sign_out.or_else(|| beside(&authorize)),
        })
    }
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
