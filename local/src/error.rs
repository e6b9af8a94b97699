//! Why a stack did not start, and what to do about it.

use std::net::SocketAddr;
use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum StackError {
    #[error(
        "{} is in use by another groundcrew (process {pid}). Stop that one, or start this one with another folder: \
         --data DIR",
        data.display()
    )]
    DataInUse { data: PathBuf, pid: String },
    #[error(
        "{} has other files in it and is not a data folder of groundcrew. Name a folder that is empty or does not exist yet: \
         --data DIR",
        .0.display()
    )]
    NotData(PathBuf),
    #[error(
        "{} was made by another version of groundcrew: its format is {found}, and this version reads {expected}. Start this \
         version with another folder: --data DIR",
        data.display()
    )]
    OtherFormat {
        data: PathBuf,
        found: String,
        expected: &'static str,
    },
    #[error(
        "{} is damaged: {reason}. Put back a copy of it; or move it away, and groundcrew starts without what it held",
        path.display()
    )]
    Damaged { path: PathBuf, reason: String },
    #[error("{what} {}: {reason}", path.display())]
    Data {
        what: &'static str,
        path: PathBuf,
        reason: String,
    },
    #[error(
        "cannot listen on {address} for {purpose}: {reason}. Choose another address with {flag} HOST:PORT"
    )]
    Listen {
        address: SocketAddr,
        purpose: &'static str,
        flag: &'static str,
        reason: std::io::Error,
    },
    #[error(
        "cannot listen on {aws} for the AWS endpoint, nor on {web} for the portal and the console: {reason}. Is another \
         groundcrew running? These are free: --aws {} --web {}",
        free.0,
        free.1
    )]
    ListenBoth {
        aws: SocketAddr,
        web: SocketAddr,
        /// Of the second one.
        reason: std::io::Error,
        free: (SocketAddr, SocketAddr),
    },
    #[error(
        "the AWS port listens on loopback only, and {0} is not a loopback address: what it serves is meant for this \
         machine. Use --aws 127.0.0.1:PORT"
    )]
    NotLoopback(SocketAddr),
    #[error("{what} did not start: {reason}")]
    Part { what: &'static str, reason: String },
    #[error("{what}: {reason}")]
    Refused { what: String, reason: String },
}
