//! A labeling engine: Ground Truth's labeling API, the work behind it, and the portal where workers label. All state lies
//! in S3 and is changed by conditional writes alone.

mod config;
pub mod work;

pub use config::{Config, DEFAULT_MAX_RUNNING_JOBS, SignIn};
