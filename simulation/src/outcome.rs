//! What can be changed about a schedule, and how it ended.

use crate::fault::{Fault, Tally};
use crate::safeguard::Safeguard;
use crate::scene::Scene;
use crate::truth::Violation;

/// What is changed about a schedule.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Keep a line for everything that happens.
    pub trace: bool,
    pub without: Option<Safeguard>,
    /// Chances that are not drawn.
    pub chances: Vec<(Fault, u8)>,
    /// Leave out the other seeds of many.
    pub only: Option<Scene>,
    /// Many are run to the end, whatever goes wrong.
    pub go_on: bool,
}

/// How a schedule ended.
#[derive(Clone)]
pub struct Outcome {
    pub violation: Option<Violation>,
    pub trace: Vec<String>,
    pub tally: Tally,
    pub counts: Counts,
}

/// What happened in a schedule, or in many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub invocations: u64,
    pub calls: u64,
    pub batches: u64,
    pub items: u64,
    pub jobs: u64,
    pub notices: u64,
    /// Notices that went out again, with the same id.
    pub repeated: u64,
    /// Invitations mailed.
    pub mails: u64,
    /// Sign-ins whose trigger answered.
    pub sign_ins: u64,
}

impl Counts {
    pub fn add(&mut self, other: &Self) {
        self.invocations += other.invocations;
        self.calls += other.calls;
        self.batches += other.batches;
        self.items += other.items;
        self.jobs += other.jobs;
        self.notices += other.notices;
        self.repeated += other.repeated;
        self.mails += other.mails;
        self.sign_ins += other.sign_ins;
    }
}
