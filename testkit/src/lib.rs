//! The ports in memory, with the faults real ones have: lost responses, throttling, a second writer in between.
//! For tests alone; time is handed in.

mod directory;
mod faults;
mod labeling;
mod log;
mod metrics;
mod store;
mod topic;
mod topics;
mod workforce;

pub use directory::{FakeDirectory, SentInvitation};
pub use faults::{Call, CrewFault, Faults};
pub use labeling::{Answer, FakeLabeling};
pub use log::FakeLog;
pub use metrics::FakeMetrics;
pub use store::{FakeStore, Fault};
pub use topic::FakeTopic;
pub use topics::FakeTopics;
pub use workforce::FakeWorkforce;
