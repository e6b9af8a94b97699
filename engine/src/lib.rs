//! A labeling engine: Ground Truth's labeling API, the work behind it, and the portal where workers label. All state lies
//! in S3 and is changed by conditional writes alone.

mod api;
mod blocking;
mod clock;
mod config;
mod consolidate;
mod core;
pub mod crowd;
mod engine;
mod job;
mod keeper;
mod network;
mod notices;
mod output;
pub mod portal;
pub mod render;
pub mod sign_in;
mod state;
#[cfg(test)]
mod testing;
pub mod work;
mod workforce;

pub use config::{Config, DEFAULT_MAX_RUNNING_JOBS, Groups, Readable, SignIn};
pub use engine::{Engine, EngineError, EventSink, WorkNotice};
