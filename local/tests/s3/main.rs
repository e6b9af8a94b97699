//! The object store through the real SDK, over a loopback port.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod bodies;
mod browsers;
mod conditions;
mod durability;
mod keys;
mod listing;
mod multipart;
mod notices;
mod refusals;
mod request_amendment;
mod server;
mod signatures;
