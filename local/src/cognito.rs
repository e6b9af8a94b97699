//! Cognito on one machine: one user pool with people and groups, invitations and codes by mail, the hosted sign-in as an
//! OpenID Connect provider, triggers, and the part of the API that is used. Everything else is refused by name.

mod api;
mod attributes;
mod client;
mod error;
mod grants;
mod hosted_ui;
mod identity;
mod invite;
mod keys;
mod limits;
mod mail;
mod mail_text;
mod password_policy;
mod password_reset;
mod passwords;
mod pool;
mod sign_in;
mod stack;
mod store;
#[cfg(test)]
mod tests;
mod time;
mod tokens;
mod triggers;

pub(crate) use api::is_unsigned;
pub(crate) use error::PoolError;
pub(crate) use passwords::{random_secret, readable_password};
pub(crate) use pool::{CLIENT_ID, Cognito, POOL_ID, TriggerFn};
