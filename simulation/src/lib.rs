//! The protocols as they run on Lambda, on a seeded clock and in a seeded faulty world.
//!
//! `build_manifest::handle`, `start_job::handle_at` and `notify::handle_at` are called as they are, over ports that
//! keep everything in memory. Every port call waits for its turn on one agenda of events, so that other invocations,
//! crashes, people and the labeling service may come in between. The schedule is a function of its seed: no thread,
//! no clock and no order of a hash map is in it. What must hold is checked after every write, by a record of the
//! truth that the functions have no part in.

mod agenda;
mod content;
mod cost;
mod dice;
pub mod eventing;
mod fault;
mod function;
mod many;
mod people;
mod processes;
mod queue;
mod run;
mod safeguard;
mod time;
mod trace;
mod truth;
mod world;

pub use cost::{Bill, bill};
pub use fault::{Fault, Tally};
pub use many::{Many, many};
pub use run::{Counts, Options, Outcome, run};
pub use safeguard::Safeguard;
pub use truth::{Promise, Violation};
pub use world::Cost;

use shared::name::JobPrefix;

const INPUT: &str = "in";
const OUTPUT: &str = "out";

fn prefix() -> Option<JobPrefix> {
    JobPrefix::new("gc00")
}
