//! The protocols as they run on Lambda, on a seeded clock and in a seeded faulty world.
//!
//! `build_manifest::handle`, `start_job::handle_at`, `notify::handle_at`, `sync_team::handle` and
//! `assign_worker::handle_at` are called as they are, over ports that keep everything in memory. Every port call waits for its turn on one agenda of events, so that other invocations,
//! crashes, people and the labeling service may come in between. The schedule is a function of its seed: no thread,
//! no clock and no order of a hash map is in it. What must hold is checked after every write, by a record of the
//! truth that the functions have no part in.

mod agenda;
mod clock;
mod content;
mod cost;
mod crew;
mod crew_ending;
mod dice;
pub mod eventing;
mod fault;
mod function;
mod many;
mod outcome;
mod people;
mod processes;
mod queue;
mod run;
mod safeguard;
mod scene;
mod time;
mod trace;
mod truth;
mod world;

pub use cost::{Bill, bill};
pub use fault::{Fault, Tally};
pub use many::{Many, many};
pub use outcome::{Counts, Options, Outcome};
pub use run::run;
pub use safeguard::Safeguard;
pub use scene::Scene;
pub use truth::{Promise, Violation};
pub use world::Cost;

use shared::name::JobPrefix;

const INPUT: &str = "in";
const OUTPUT: &str = "out";
const POOL: &str = "us-east-1_pool";
const CLIENT: &str = "client";

fn prefix() -> Option<JobPrefix> {
    JobPrefix::new("gc00")
}
