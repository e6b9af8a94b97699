//! What stands between the protocols and AWS: the SDK behind the ports of [`shared::port`], the start of a function,
//! and the events it is handed. One feature per AWS service, so that a function carries only the SDKs it calls.

pub mod bounds;
pub mod event;
#[cfg(feature = "fake")]
pub mod fake;
pub mod metric;
pub mod sdk;
pub mod start;

#[cfg(feature = "workforce")]
pub mod crew;
#[cfg(feature = "cognito")]
pub mod directory;
mod failure;
mod key;
#[cfg(feature = "sagemaker")]
pub mod labeling;
#[cfg(any(feature = "cognito", feature = "fake"))]
pub mod pace;
#[cfg(feature = "s3")]
pub mod s3;
#[cfg(all(test, any(feature = "cognito", feature = "workforce", feature = "sns")))]
mod scripted;
#[cfg(feature = "sns")]
pub mod topic;
#[cfg(feature = "sns")]
pub mod topics;

pub use start::{ConfigError, HandlerError};
