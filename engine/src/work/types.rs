//! What the portal and the distribution of work say to each other.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A signed-in person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worker {
    /// `private.<region>.<hash>`: the id that stands in the output.
    pub id: String,
    /// The identity provider's id of the person.
    pub sub: String,
    /// The identity provider.
    pub issuer: String,
    pub provider: IdentityProvider,
    /// For greeting; never logged, and stored nowhere but in the person's own sealed session.
    pub name: String,
    /// The user groups the identity provider vouches for; a work team names the groups its members are in.
    pub groups: Vec<String>,
}

/// The two kinds of private workforce. A group of one is nobody's group in the other, whatever its name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum IdentityProvider {
    #[default]
    Cognito,
    /// Any OpenID Connect provider, named by the workforce itself.
    Oidc,
}

impl IdentityProvider {
    /// `identityProviderType` in worker responses.
    pub(crate) fn name(self) -> &'static str {
        match self {
            IdentityProvider::Cognito => "Cognito",
            IdentityProvider::Oidc => "Oidc",
        }
    }
}

/// A running job as one worker sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PortalJob {
    pub name: String,
    /// The work team whose job it is.
    pub team: String,
    pub title: String,
    pub description: String,
    /// Data objects in the job.
    pub total: u64,
    /// Data objects that need no more answers.
    pub done: u64,
    /// Data objects this worker has answered.
    pub done_by_you: u64,
    /// Data objects this worker could be given now.
    pub available: u64,
    /// The worker has a task of this job open.
    pub held: bool,
    /// Time limit of one task.
    pub seconds_per_task: u32,
    pub created: Timestamp,
}

impl PortalJob {
    /// There is nothing in it for this worker now.
    pub(super) fn is_idle(&self) -> bool {
        self.available == 0 && !self.held
    }
}

/// The right, for a while, to answer one data object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lease {
    /// `<job>.<index>`; to be treated as opaque.
    pub token: String,
    pub job: String,
    pub index: u32,
    pub title: String,
    pub expires: Timestamp,
    pub seconds_left: u32,
}

/// A task the worker holds, ready to be rendered.
#[derive(Clone, Debug, PartialEq)]
pub struct HeldTask {
    pub job: String,
    /// The job's worker template: HTML with Liquid.
    pub template: std::sync::Arc<str>,
    /// `{"taskObject": …, "labels": […], "manifestLine": {…}}`: what the template sees as `task.input`.
    pub task_input: Value,
    pub title: String,
    pub expires: Timestamp,
    pub seconds_left: u32,
}

/// The messages are for the worker.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WorkError {
    /// No such job, or the worker is in no group of its work team: the same answer, so that names cannot be probed.
    #[error("There is no job of this name for you.")]
    NoSuchJob,
    /// Never held, given back, or its time is over.
    #[error("This task is no longer yours: its time limit passed, or it was given back. Take the next one.")]
    NotHeld,
    /// Completed, stopped or failed meanwhile.
    #[error("This job is over; thank you. Nothing more can be handed in.")]
    JobOver,
    /// Says what the answer lacks.
    #[error("This answer cannot be used: {0}.")]
    BadAnswer(String),
    /// The store did not answer; nothing was lost, and trying again is safe.
    #[error("Your answer could not be saved just now. Please try again.")]
    Unavailable,
}
