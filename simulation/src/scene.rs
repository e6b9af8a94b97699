//! What a schedule is about: files and jobs, or people and teams. The two touch in nothing but their notices.

/// Which functions a schedule has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scene {
    /// build-manifest, start-job, notify.
    Datasets,
    /// sync-team, assign-worker.
    Crew,
}

impl Scene {
    /// Every third seed is about people.
    pub fn of(seed: u64) -> Self {
        match seed % 3 {
            2 => Self::Crew,
            _ => Self::Datasets,
        }
    }
}
