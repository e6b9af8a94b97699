//! Looks after the jobs: a supervisor finds the unfinished jobs and gives each a keeper, which takes it from its creation to
//! the announcement of its end. Every step can be repeated, by this engine or another: the job's document says how far the
//! job is, and only a conditional write to it moves the job on.

mod announce;
mod finish;
mod job_keeper;
mod open;
mod supervisor;

pub(crate) use supervisor::{run_supervisor, start_keeper, supervise};

#[cfg(test)]
mod tests;
