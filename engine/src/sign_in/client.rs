//! The two halves of a sign-in: sending a person to the provider, and taking the person back.
use super::claims;
use super::error::SignInError;
use super::provider::{Provider, Providers, told};
use crate::config::{Config, SignIn};
use crate::work::Worker;
use openidconnect::core::{CoreAuthenticationFlow, CoreTokenType};
use openidconnect::url::Url;
use openidconnect::{
    AuthorizationCode, CsrfToken, Nonce, PkceCodeChallenge, PkceCodeVerifier, RequestTokenError, Scope,
    StandardTokenResponse, TokenResponse,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What the token endpoint gives.
type Tokens = StandardTokenResponse<claims::TokenFields, CoreTokenType>;

/// What must be remembered while the person is away at the provider; kept in an encrypted cookie of that browser.
#[derive(Deserialize, Serialize)]
pub(crate) struct Pending {
    state: String,
    nonce: String,
    verifier: String,
    /// Where the person wanted to go.
    pub(crate) next: String,
}

/// Signs people in.
pub(crate) struct SignInClient {
    providers: Providers,
    settings: SignIn,
    portal_url: String,
    region: String,
}

impl SignInClient {
    pub(crate) fn new(config: &Config) -> SignInClient {
        let redirect = format!("{}/oauth2/idpresponse", config.portal_url);
        SignInClient {
            providers: Providers::new(config.sign_in.clone(), redirect),
            settings: config.sign_in.clone(),
            portal_url: config.portal_url.clone(),
            region: config.region.clone(),
        }
    }

    /// The address to send the person to.
    pub(crate) async fn begin(&self, next: String) -> Result<(Url, Pending), SignInError> {
        let provider = self.providers.find().await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let (url, state, nonce) = provider
            .client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                CsrfToken::new_random,
                Nonce::new_random,
            )
            .add_scope(Scope::new("email".to_owned()))
            .add_scope(Scope::new("profile".to_owned()))
            .set_pkce_challenge(challenge)
            .url();
        let (state, nonce) = (state.into_secret(), nonce.secret().clone());
        Ok((
            url,
            Pending {
                state,
                nonce,
                verifier: verifier.into_secret(),
                next,
            },
        ))
    }

    /// The person the provider vouches for: the code is exchanged, and the ID token's issuer, audience, signature,
    /// nonce and expiry are checked.
    pub(crate) async fn finish(
        &self,
        pending: Pending,
        state: &str,
        code: String,
    ) -> Result<Worker, SignInError> {
        if !same(&pending.state, state) {
            return Err(SignInError::StateMismatch);
        }
        let provider = self.providers.find().await?;
        let reply = self.exchange(&provider, code, pending.verifier).await?;
        let vouched = self.vouched(&provider, &reply, &Nonce::new(pending.nonce));
        if vouched.is_err() {
            self.providers.forget().await;
        }
        vouched
    }

    fn vouched(&self, provider: &Provider, reply: &Tokens, nonce: &Nonce) -> Result<Worker, SignInError> {
        let token = reply
            .id_token()
            .ok_or_else(|| SignInError::Untrusted("no ID token".to_owned()))?;
        let verifier = provider.client.id_token_verifier();
        let claims = token
            .claims(&verifier, nonce)
            .map_err(|error| SignInError::Untrusted(told(&error)))?;
        Ok(claims::worker(claims, &self.settings, &self.region))
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
            .map_err(|error| SignInError::Unreachable(told(&error)))?;
        let reply = request
            .set_pkce_verifier(PkceCodeVerifier::new(verifier))
            .request_async(&self.providers.http)
            .await;
        reply.map_err(|error| match error {
            RequestTokenError::Request(cause) => SignInError::Unreachable(told(&cause)),
            RequestTokenError::ServerResponse(refusal) => SignInError::Refused(refusal.error().to_string()),
            // The body could hold a token: it stays out of the log.
            RequestTokenError::Parse(..) => {
                SignInError::Untrusted("the token reply is not readable".to_owned())
            }
            RequestTokenError::Other(cause) => SignInError::Untrusted(cause),
        })
    }

    /// Where to sign out at the provider as well: both its own parameters (Cognito) and the standard's are given. If
    /// the provider offers nothing, or is away, the portal's own page has to do.
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
        let parameters = [
            ("client_id", self.settings.client_id.as_str()),
            ("logout_uri", &home),
            ("post_logout_redirect_uri", &home),
        ];
        let mut address = address;
        address.query_pairs_mut().extend_pairs(parameters);
        address.into()
    }
}

/// Compares by hash, so that how long it takes tells nothing.
fn same(kept: &str, given: &str) -> bool {
    Sha256::digest(kept) == Sha256::digest(given)
}
