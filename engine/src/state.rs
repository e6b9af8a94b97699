//! The engine's state: JSON documents in S3, created and changed only by conditional writes. So a process that is killed at
//! any moment loses nothing, and two processes on one store agree.

mod address;
mod documents;
mod job_list;
#[cfg(test)]
pub(crate) mod memory;
mod objects;
mod records;
mod s3;

pub(crate) use address::Address;
pub(crate) use documents::{Documents, StoredDocument, UpdateError};
pub(crate) use job_list::JobList;
pub(crate) use objects::{ObjectStore, StoreError, WriteCondition};
pub(crate) use records::{
    Counters, JobRecord, JobStatus, StoredSecret, Tag, TeamRecord, UnfinishedMarker, WorkforceRecord, keys,
};
pub(crate) use s3::S3Store;
