//! The console: the admin's web page. It assembles one model of the stack from what is in S3, what the labeling service
//! says and what is in the dead-letter queues; one page shows the model live and uploads files. It reaches everything
//! through AWS APIs, so that it serves one machine and a deployed stack alike.

mod adoption;
mod assets;
mod config;
mod dead_letters;
mod documents;
mod gate;
mod live;
pub mod model;
mod reader;
mod router;
mod sessions;
mod starter;
mod team_file;
mod upload;

pub use adoption::{AdoptionError, AdoptionTime, adopt_team};
pub use config::{ConsoleConfig, Hints, Queue};
pub use reader::{Reader, has_only_listed_people};
pub use router::{router, router_with_pages};
pub use sessions::link_token;
