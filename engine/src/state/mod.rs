//! What the engine remembers, and how: JSON documents in S3, created and changed by conditional writes alone, so that
//! killing a process at any moment loses nothing and two processes on one store agree.

mod address;
mod documents;
#[cfg(test)]
pub(crate) mod memory;
mod objects;
mod records;
mod s3;

pub(crate) use address::Address;
pub(crate) use documents::{Documents, Stored, UpdateError};
pub(crate) use objects::{Objects, StoreError, When};
pub(crate) use records::{
    Counters, JobRecord, JobStatus, Marker, Secret, Tag, TeamRecord, WorkforceRecord, keys,
};
pub(crate) use s3::S3;
