//! The state of the stack in one value: what the console shows, and what `groundcrew status` prints. Assembled without
//! I/O from the facts that a [`crate::Reader`] collected.

mod assemble;
pub mod crew;
mod dataset;
mod facts;
mod headline;
mod job;
mod messages;
mod people;
mod stack;
pub mod team_size;
mod tone;

pub use assemble::assemble;
pub use dataset::Dataset;
pub use facts::{Batch, CrewFacts, Facts, ListedJob};
pub use job::{Job, LabelSummary, ObjectLink, Phase};
pub use messages::{DeadLetters, NoticeView};
pub use stack::{Model, NOTICES};
pub use tone::Tone;
