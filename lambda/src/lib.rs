//! What every function shares as a Lambda function: how it starts, the events it reads, the metrics it writes.

pub mod bounds;
pub mod event;
pub mod message_body;
pub mod metric;
pub mod pending_work;
pub mod start;

pub use start::{ConfigError, HandlerError};
