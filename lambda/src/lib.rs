//! What every function shares as a Lambda function: how it starts, the events it reads, the metrics it writes.

pub mod bounds;
pub mod event;
pub mod metric;
pub mod start;

pub use start::{ConfigError, HandlerError};
