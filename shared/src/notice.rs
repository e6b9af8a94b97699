//! What people are notified of: each notice in a form for people and one for programs, and the protocol that publishes it.

mod announce;
mod daily_bound;
mod dataset;
mod digest;
mod id;
mod message;
mod misplaced_files;
mod model;
mod team;

pub use announce::{AnnounceError, AnnounceOutcome, announce, send_digest};
pub use dataset::{JobRefusal, Links, deletion_commands, reject_advice};
pub use digest::DigestGroup;
pub use model::{Notice, NoticeKind, NoticeMarker};
pub use team::TeamCause;

#[cfg(test)]
mod tests;
