//! The functions of the product that are simulated. A further one is a variant here, a constructor in
//! [`crate::instances`], a queue and a place in the closing rounds of [`crate::run`].

use std::fmt;

use crate::time::{Ms, SECOND};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Function {
    BuildManifest,
    StartJob,
    Notify,
}

impl Function {
    pub(crate) const ALL: [Self; 3] = [Self::BuildManifest, Self::StartJob, Self::Notify];

    /// How long an invocation may run: the template's `Timeout`.
    pub(crate) fn timeout(self) -> Ms {
        match self {
            Self::BuildManifest => 900 * SECOND,
            Self::StartJob | Self::Notify => 300 * SECOND,
        }
    }

    /// The template's `VisibilityTimeout`.
    pub(crate) fn visibility(self) -> Ms {
        match self {
            Self::BuildManifest => 5_460 * SECOND,
            Self::StartJob | Self::Notify => 1_800 * SECOND,
        }
    }

    /// The template's `maxReceiveCount`.
    pub(crate) fn max_receives(self) -> u32 {
        match self {
            Self::StartJob => 20,
            Self::BuildManifest | Self::Notify => 8,
        }
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BuildManifest => "build-manifest",
            Self::StartJob => "start-job",
            Self::Notify => "notify",
        })
    }
}
