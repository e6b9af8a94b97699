//! Who a worker is: an OpenID Connect client (authorization code, PKCE, state, nonce) for Cognito's hosted sign-in or
//! any other provider. The provider is looked up at the first sign-in, so that an engine starts without it.
mod claims;
mod client;
mod error;
mod provider;

pub(crate) use client::{Pending, SignInClient};
pub(crate) use error::SignInError;

#[cfg(test)]
mod tests;
