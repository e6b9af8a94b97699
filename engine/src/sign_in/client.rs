//! A person's sign-in: sent to the provider, verified when they come back, and verified again while the session lasts.

use openidconnect::core::{CoreAuthenticationFlow, CoreErrorResponseType, CoreTokenType};
use openidconnect::url::Url;
use openidconnect::{
    AuthorizationCode, CsrfToken, Nonce, OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier,
    RefreshToken, RequestTokenError, Scope, StandardErrorResponse, StandardTokenResponse, TokenResponse,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::claims::{self, Claims};
use super::error::SignInError;
use super::paths::{SIGN_OUT_PATH, SIGNED_IN_PATH};
use super::provider::{Provider, Providers, error_chain};
use crate::config::Config;
use crate::worker::Worker;
use crate::workforce::CurrentWorkforce;

/// The reply of the token endpoint.
type Tokens = StandardTokenResponse<claims::TokenFields, CoreTokenType>;

/// What must be remembered while the person is at the provider. An encrypted cookie of that browser holds it.
#[derive(Deserialize, Serialize)]
pub(crate) struct PendingSignIn {
    state: String,
    nonce: String,
    verifier: String,
    /// The provider the person was sent to.
    provider: String,
    /// Where the person wanted to go.
    pub(crate) next: String,
}

/// A person for whom the provider has just vouched.
#[derive(Debug)]
pub(crate) struct VerifiedPerson {
    pub(crate) worker: Worker,
    /// The provider, as [`SignInClient::provider`] names it.
    pub(crate) provider: String,
    /// A token to verify the person again without asking them. Not every provider gives one.
    pub(crate) refresh: Option<String>,
}

/// Signs people in.
pub(crate) struct SignInClient {
    providers: Providers,
    portal_url: String,
    region: String,
}

impl SignInClient {
    pub(crate) fn new(config: &Config, workforce: CurrentWorkforce) -> SignInClient {
        let redirect = format!("{}{SIGNED_IN_PATH}", config.portal_url);
        SignInClient {
            providers: Providers::new(config.sign_in.clone(), workforce, redirect),
            portal_url: config.portal_url.clone(),
            region: config.region.clone(),
        }
    }

    /// The provider people sign in with now; `None` if the workforce's provider cannot be read.
    pub(crate) fn provider(&self) -> Option<String> {
        Some(self.providers.settings().ok()?.name())
    }

    /// The address to send the person to.
    pub(crate) async fn begin(&self, next: String) -> Result<(Url, PendingSignIn), SignInError> {
        let provider = self.providers.find().await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let request = provider.client.authorize_url(
            CoreAuthenticationFlow::AuthorizationCode,
            CsrfToken::new_random,
            Nonce::new_random,
        );
        let request = match &provider.settings.endpoints {
            None => request.add_scopes(["email", "profile"].map(|scope| Scope::new(scope.to_owned()))),
            Some(endpoints) => endpoints.extra_parameters().fold(
                request.add_scopes(endpoints.scopes().map(|scope| Scope::new(scope.to_owned()))),
                |request, (name, value)| request.add_extra_param(name.to_owned(), value.to_owned()),
            ),
        };
        let (url, state, nonce) = request.set_pkce_challenge(challenge).url();
        let pending = PendingSignIn {
            state: state.into_secret(),
            nonce: nonce.secret().clone(),
            verifier: verifier.into_secret(),
            provider: provider.settings.name(),
            next,
        };
        Ok((url, pending))
    }

    /// The person for whom the provider vouches. The code is exchanged, and the ID token's issuer, audience, signature, nonce
    /// and expiry are checked.
    pub(crate) async fn finish(
        &self,
        pending: PendingSignIn,
        state: &str,
        code: String,
    ) -> Result<VerifiedPerson, SignInError> {
        if !are_equal(&pending.state, state) {
            return Err(SignInError::StateMismatch);
        }
        let provider = self.providers.find().await?;
        if pending.provider != provider.settings.name() {
            return Err(SignInError::StateMismatch);
        }
        let reply = self.exchange(&provider, code, pending.verifier).await?;
        if reply.id_token().is_none() {
            return Err(SignInError::Untrusted("no ID token".to_owned()));
        }
        self.verify(&provider, &reply, Some(&Nonce::new(pending.nonce)))
            .await
    }

    /// Requests the person's groups from the provider again, without the person. After a [final
    /// error](SignInError::is_final) the person must not be admitted any more.
    pub(crate) async fn renew(&self, refresh: &str, known: &Worker) -> Result<VerifiedPerson, SignInError> {
        let provider = self.providers.find().await?;
        let token = RefreshToken::new(refresh.to_owned());
        let request = provider.client.exchange_refresh_token(&token);
        let request = request.map_err(|error| SignInError::Unreachable(error_chain(&error)))?;
        let reply = request.request_async(&self.providers.http).await;
        let mut person = self
            .verify(&provider, &reply.map_err(|error| token_error(&error))?, None)
            .await?;
        if person.worker.id != known.id {
            return Err(SignInError::Refused("another person's token".to_owned()));
        }
        // A provider that does not change its refresh tokens does not send them again.
        person.refresh.get_or_insert_with(|| refresh.to_owned());
        Ok(person)
    }

    async fn verify(
        &self,
        provider: &Provider,
        reply: &Tokens,
        nonce: Option<&Nonce>,
    ) -> Result<VerifiedPerson, SignInError> {
        let claims = match self.claims(provider, reply, nonce).await {
            Err(error @ SignInError::Untrusted(_)) => {
                self.providers.forget().await;
                return Err(error);
            }
            other => other?,
        };
        Ok(VerifiedPerson {
            worker: claims::worker(&claims, &provider.settings, &self.region)?,
            provider: provider.settings.name(),
            refresh: reply.refresh_token().map(|token| token.secret().clone()),
        })
    }

    /// The claims of the ID token and, if needed, of the user-info endpoint: AWS takes a workforce's claims from either, and a
    /// refresh may come without an ID token.
    async fn claims(
        &self,
        provider: &Provider,
        reply: &Tokens,
        nonce: Option<&Nonce>,
    ) -> Result<Claims, SignInError> {
        let mut claims = match reply.id_token() {
            Some(_) => id_claims(provider, reply, nonce)?,
            None => Claims::new(),
        };
        let endpoint = provider.client.user_info_url();
        if provider.settings.endpoints.is_none() && reply.id_token().is_some() {
            return Ok(claims);
        }
        let endpoint = endpoint.ok_or_else(|| SignInError::Untrusted("no ID token".to_owned()))?;
        let more = self
            .providers
            .user_info(endpoint.as_str(), reply.access_token())
            .await?;
        // "The sub Claim in the UserInfo Response MUST be verified to exactly match" (OpenID Connect Core, 5.3.2).
        if claims.get("sub").is_some_and(|sub| Some(sub) != more.get("sub")) {
            return Err(SignInError::Untrusted(
                "the user-info reply is about another person".to_owned(),
            ));
        }
        claims.extend(more);
        Ok(claims)
    }

    async fn exchange(
        &self,
        provider: &Provider,
        code: String,
        verifier: String,
    ) -> Result<Tokens, SignInError> {
        let code = AuthorizationCode::new(code);
        let request = provider
            .client
            .exchange_code(code)
            .map_err(|error| SignInError::Unreachable(error_chain(&error)))?;
        let reply = request
            .set_pkce_verifier(PkceCodeVerifier::new(verifier))
            .request_async(&self.providers.http)
            .await;
        reply.map_err(|error| token_error(&error))
    }

    /// Where to sign out at the provider as well, with Cognito's parameters and the standard's. If the provider has no such
    /// address or does not reply, the portal's own page.
    pub(crate) async fn sign_out_url(&self) -> String {
        let home = format!("{}/", self.portal_url);
        let Ok(provider) = self.providers.find().await else {
            return home;
        };
        let Some(address) = provider
            .sign_out
            .as_deref()
            .and_then(|address| Url::parse(address).ok())
        else {
            return home;
        };
        // "The logout_uri must be one of the sign-out URLs of the app client" (Cognito's /logout), compared exactly.
        let back = format!("{}{SIGN_OUT_PATH}", self.portal_url);
        let parameters = [
            ("client_id", provider.settings.client_id.as_str()),
            ("logout_uri", &back),
            ("post_logout_redirect_uri", &back),
        ];
        let mut address = address;
        address.query_pairs_mut().extend_pairs(parameters);
        address.into()
    }
}

fn id_claims(provider: &Provider, reply: &Tokens, nonce: Option<&Nonce>) -> Result<Claims, SignInError> {
    let untrusted = |cause: String| SignInError::Untrusted(cause);
    let token = reply
        .id_token()
        .ok_or_else(|| untrusted("no ID token".to_owned()))?;
    let verifier = provider.client.id_token_verifier();
    let claims = match nonce {
        Some(nonce) => token.claims(&verifier, nonce),
        // A refreshed token belongs to no request of a browser, so it has no nonce.
        None => token.claims(&verifier, |_: Option<&Nonce>| Ok(())),
    };
    let claims = claims.map_err(|error| untrusted(error_chain(&error)))?;
    match serde_json::to_value(claims) {
        Ok(Value::Object(claims)) => Ok(claims),
        _ => Err(untrusted("the ID token is not readable".to_owned())),
    }
}

type Failure<E> = RequestTokenError<E, StandardErrorResponse<CoreErrorResponseType>>;

fn token_error<E: std::error::Error + 'static>(error: &Failure<E>) -> SignInError {
    match error {
        RequestTokenError::Request(cause) => SignInError::Unreachable(error_chain(cause)),
        RequestTokenError::ServerResponse(refusal) => match refusal.error() {
            CoreErrorResponseType::Extension(temporary)
                if ["server_error", "temporarily_unavailable"].contains(&temporary.as_str()) =>
            {
                SignInError::Unreachable(temporary.clone())
            }
            other => SignInError::Refused(other.to_string()),
        },
        // The body could hold a token: it stays out of the log.
        RequestTokenError::Parse(..) => SignInError::Untrusted("the token reply is not readable".to_owned()),
        RequestTokenError::Other(cause) => SignInError::Untrusted(cause.clone()),
    }
}

/// Compares by hash, so that the time it takes reveals nothing.
fn are_equal(kept: &str, given: &str) -> bool {
    Sha256::digest(kept) == Sha256::digest(given)
}
