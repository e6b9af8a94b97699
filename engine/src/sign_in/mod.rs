//! Who a worker is: an OpenID Connect client (authorization code, PKCE, state, nonce) for Cognito's hosted sign-in or
//! the provider a workforce names. The provider is looked up at the first sign-in, so that an engine starts without it.
mod claims;
mod client;
mod error;
mod provider;
mod settings;

pub(crate) use client::{Pending, SignInClient, Vouched};
pub(crate) use error::SignInError;

#[cfg(test)]
pub(crate) mod stand_in;
#[cfg(test)]
mod tests;
