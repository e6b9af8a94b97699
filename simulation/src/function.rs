//! The functions of the product that are simulated. A further one is a variant here, a constructor in
//! [`crate::instances`], a queue and a place in the closing rounds of [`crate::run`].

use std::fmt;

use crate::scene::Scene;
use crate::time::{Ms, SECOND};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Function {
    BuildManifest,
    StartJob,
    Notify,
    SyncTeam,
    /// Called by Cognito itself: no queue, no clock.
    AssignWorker,
}

impl Function {
    /// Those the clock asks.
    pub(crate) fn with_sweep(scene: Scene) -> &'static [Self] {
        match scene {
            Scene::Datasets => &[Self::BuildManifest, Self::StartJob, Self::Notify],
            Scene::Crew => &[Self::SyncTeam],
        }
    }

    pub(crate) fn is_about_people(self) -> bool {
        matches!(self, Self::SyncTeam | Self::AssignWorker)
    }

    /// How long an invocation may run: the template's `Timeout`.
    pub(crate) fn timeout(self) -> Ms {
        match self {
            Self::BuildManifest | Self::SyncTeam => 900 * SECOND,
            Self::StartJob | Self::Notify => 300 * SECOND,
            // Cognito's patience.
            Self::AssignWorker => 5 * SECOND,
        }
    }

    /// A crash comes before one of so many calls.
    pub(crate) fn calls(self) -> u32 {
        match self {
            Self::BuildManifest | Self::StartJob | Self::Notify => 25,
            Self::SyncTeam => 70,
            Self::AssignWorker => 5,
        }
    }

    /// The template's `VisibilityTimeout`.
    pub(crate) fn visibility(self) -> Ms {
        match self {
            Self::BuildManifest => 5_460 * SECOND,
            Self::SyncTeam => 5_400 * SECOND,
            Self::StartJob | Self::Notify => 1_800 * SECOND,
            Self::AssignWorker => 0,
        }
    }

    /// The template's `maxReceiveCount`.
    pub(crate) fn max_receives(self) -> u32 {
        match self {
            Self::StartJob => 20,
            Self::BuildManifest | Self::Notify | Self::SyncTeam => 8,
            Self::AssignWorker => 1,
        }
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BuildManifest => "build-manifest",
            Self::StartJob => "start-job",
            Self::Notify => "notify",
            Self::SyncTeam => "sync-team",
            Self::AssignWorker => "assign-worker",
        })
    }
}
