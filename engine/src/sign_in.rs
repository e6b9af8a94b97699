//! Signing in: an OpenID Connect client (authorization code, PKCE, state, nonce) for Cognito's hosted sign-in or the provider
//! that a workforce names. The provider is looked up at the first sign-in, so that an engine starts without it.

mod claims;
mod client;
mod error;
mod paths;
mod provider;
mod settings;

pub(crate) use client::{PendingSignIn, SignInClient, VerifiedPerson};
pub(crate) use error::SignInError;
pub use paths::{SIGN_OUT_PATH, SIGNED_IN_PATH};

#[cfg(test)]
pub(crate) mod stand_in;
#[cfg(test)]
mod tests;
