//! A labeling engine: Ground Truth's labeling API, the work behind it, and the portal where workers label. All state is in
//! S3, and is changed only by conditional writes.

mod answer;
mod api;
mod clock;
mod config;
mod consolidate;
mod core;
mod desk;
mod engine;
mod event_sink;
mod html;
mod job;
mod keeper;
mod keyed_locks;
mod lock;
mod notices;
mod output;
mod portal;
mod read_access;
mod render;
mod run_blocking;
mod running_job;
mod sign_in;
mod state;
#[cfg(test)]
mod testing;
mod work;
mod work_teams;
mod worker;
mod workforce;

pub use config::{Config, DEFAULT_MAX_RUNNING_JOBS, GroupDirectory, ReadablePrefix, SignInConfig};
pub use engine::{Engine, EngineError};
pub use event_sink::{EventSink, WorkNotice};
pub use portal::ICON;
pub use sign_in::{SIGN_OUT_PATH, SIGNED_IN_PATH};
