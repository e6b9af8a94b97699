//! A running job: who has which item, for how long, and what was answered. The rules are in `item`, the memory of all items
//! in `index`, the protocol with the store in `items`, and what workers can do in `job`.

mod answers;
mod finished_items;
mod index;
mod item;
mod items;
mod job;
mod open_watch;
mod registry;
#[cfg(test)]
mod tests;

pub(crate) use answers::{WorkerAnswer, last_submission};
pub(crate) use index::ItemState;
pub(crate) use item::ItemRecord;
pub(crate) use job::{Inputs, RunningJob};
pub(crate) use registry::RunningJobs;
