//! The AWS SDK behind the ports of [`shared::port`], for the functions, the console and the command.
//! One feature per AWS service, so that a function carries only the SDKs it calls.

pub mod pace;
pub mod sdk;

#[cfg(feature = "workforce")]
pub mod crew;
#[cfg(feature = "cognito")]
pub mod directory;
#[cfg(any(
    feature = "s3",
    feature = "sagemaker",
    feature = "workforce",
    feature = "cognito",
    feature = "sns",
    feature = "sqs"
))]
mod failure;
#[cfg(feature = "sagemaker")]
pub mod labeling;
#[cfg(any(
    feature = "s3",
    feature = "sagemaker",
    feature = "workforce",
    feature = "cognito",
    feature = "sns",
    feature = "sqs"
))]
mod lazy_client;
#[cfg(feature = "sqs")]
pub mod queues;
#[cfg(feature = "s3")]
pub mod s3;
#[cfg(all(test, any(feature = "cognito", feature = "workforce", feature = "sns")))]
mod scripted_service;
#[cfg(feature = "sns")]
pub mod topic;
#[cfg(feature = "sns")]
pub mod topics;
