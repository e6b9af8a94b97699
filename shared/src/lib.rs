//! What Groundcrew decides, with nothing of how it reaches the outside: no network, no clock, no environment, no
//! AWS SDK. Text, readers and values come in; values come out. The protocols over the outside world are written
//! against the traits in [`port`].

pub mod bounds;
pub mod change;
pub mod crew;
pub mod daily;
pub mod documents;
mod encoding;
pub mod export;
mod html;
pub mod item;
pub mod job;
pub mod key;
pub mod layout;
pub mod link;
pub mod lookalike;
pub mod mail_text;
pub mod manifest;
pub mod misnamed_spec;
pub mod name;
pub mod notice;
pub mod output;
pub mod port;
pub mod shell;
pub mod spec;
mod spec_file;
pub mod status;
pub mod summary;
pub mod task;
pub mod template;
pub mod visible;
pub mod yaml;
