//! The console: where an admin looks. One model of how everything stands, assembled from what lies in S3, what the
//! labeling service says and what the dead-letter queues hold; one page that shows it live and takes files. It
//! reaches everything through AWS APIs, so that it serves one machine and a deployed stack alike.

mod assets;
mod config;
mod dead_letters;
mod documents;
mod gate;
mod live;
pub mod model;
mod reader;
mod reason;
mod router;
mod sessions;
mod starter;
mod team_file;
mod upload;

pub use config::{ConsoleConfig, Hints, Queue};
pub use reader::{LoadError, Reader, is_listed_alone};
pub use router::{router, router_beside};
pub use sessions::link_token;
pub use starter::{Kind, starter};
