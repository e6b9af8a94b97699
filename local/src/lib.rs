//! AWS on one machine: S3, sign-in, notices, queues and the clock, wired to the functions and the engine.

pub mod aws_auth;
mod aws_json;
mod aws_port;
mod client_address;
mod cognito;
mod data_dir;
mod database;
mod drop_folder;
mod error;
mod events;
mod info;
mod lock;
mod outbox;
mod page;
mod recorder;
pub mod s3;
mod serve;
mod sns;
pub mod sqs;
mod stack;
mod web_guard;
mod web_port;
pub mod wiring;
mod work_team;

pub use client_address::TrustedProxies;
pub use drop_folder::{DropProblem, DropStatus};
pub use error::StackError;
pub use info::{FirstWorker, QueueInfo, StackConfig, StackInfo};
pub use outbox::{Delivery, Entry as OutboxEntry, Outbox};
pub use stack::Stack;
