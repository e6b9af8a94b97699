//! The work teams as this engine last read them: read again every few seconds, and at once when one is changed here.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::lock::lock;
use crate::state::TeamRecord;
use crate::worker::Worker;

/// By name in lower case.
#[derive(Default)]
pub(crate) struct CurrentTeams(Mutex<HashMap<String, Arc<TeamRecord>>>);

impl CurrentTeams {
    pub(crate) fn get(&self, name: &str) -> Option<Arc<TeamRecord>> {
        lock(&self.0).get(&name.to_ascii_lowercase()).cloned()
    }

    /// Whether the worker is in the team of this name.
    pub(crate) fn is_member(&self, worker: &Worker, team: &str) -> bool {
        self.get(team).is_some_and(|team| is_in_team(worker, &team))
    }

    /// Names of the teams the worker is in, sorted.
    pub(crate) fn names_of(&self, worker: &Worker) -> Vec<String> {
        let teams = lock(&self.0);
        let teams = teams.values().filter(|team| is_in_team(worker, team));
        let mut names: Vec<String> = teams.map(|team| team.name.clone()).collect();
        names.sort();
        names
    }

    pub(crate) fn set(&self, team: TeamRecord) {
        lock(&self.0).insert(team.name.to_ascii_lowercase(), Arc::new(team));
    }

    pub(crate) fn set_all(&self, teams: Vec<TeamRecord>) {
        let teams = teams
            .into_iter()
            .map(|team| (team.name.to_ascii_lowercase(), Arc::new(team)));
        *lock(&self.0) = teams.collect();
    }
}

fn is_in_team(worker: &Worker, team: &TeamRecord) -> bool {
    team.groups(worker.provider)
        .any(|group| worker.groups.iter().any(|of_worker| of_worker == group))
}
