//! AWS on one machine: S3, sign-in, notices, queues and the clock, wired to the functions and the engine.

pub mod aws_auth;
pub mod s3;
