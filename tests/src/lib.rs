//! What the journeys share: the product as a process, a real browser to drive, and bounded waiting.

pub mod app;
pub mod aws;
pub mod browser;
pub mod busy;
pub mod crew;
pub mod foreign;
pub mod job;
pub mod raw;
pub mod roles;
pub mod sign_in;
pub mod signature;
pub mod template;
pub mod wait;
pub mod worker;
