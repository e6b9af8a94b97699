//! The ports in memory, with the faults real ones have: lost responses, throttling, a second writer in between.
//! For tests alone; time is handed in.

mod labeling;
mod store;
mod topic;

pub use labeling::{Answer, FakeLabeling};
pub use store::{FakeStore, Fault};
pub use topic::FakeTopic;
