//! The account's workforce and its work teams in memory, with SageMaker's limits.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use shared::name::TeamName;
use shared::port::crew::{
    CrewError, Identity, Members, TeamChangeOutcome, WorkTeam, WorkTeamDescription, Workforce,
    WorkforceDescription,
};

use super::FakeDirectory;
use super::faults::Faults;

const SUB_DOMAIN: &str = "abc123.labeling.us-east-1.sagemaker.aws";
const ARN: &str = "arn:aws:sagemaker:us-east-1:000000000000";

/// One workforce at most.
#[derive(Clone, Default)]
pub struct FakeWorkforce {
    pub faults: Faults,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    workforce: Option<WorkforceDescription>,
    teams: BTreeMap<String, WorkTeam>,
    /// When each team was made, in seconds, and the stack that says it did.
    made: BTreeMap<String, (i64, Option<String>)>,
    count: i64,
    limit: Option<usize>,
    looks_until_active: usize,
    directory: Option<FakeDirectory>,
}

impl FakeWorkforce {
    /// Work teams are made only of groups that are in this pool.
    pub fn with_groups_of(directory: &FakeDirectory) -> Self {
        let workforce = Self::default();
        workforce.state().directory = Some(directory.clone());
        workforce
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// So many work teams at most; 25 unless said.
    pub fn limit(&self, teams: usize) {
        self.state().limit = Some(teams);
    }

    /// A workforce made or changed from now on is not Active before it has been looked at so often.
    pub fn slow_to_activate(&self, looks: usize) {
        self.state().looks_until_active = looks;
    }

    /// The workforce there is already.
    pub fn put_workforce(&self, identity: Identity) {
        self.state().workforce = Some(description("default", identity, "Active"));
    }

    /// Whatever is to be said of the workforce.
    pub fn set_workforce(&self, workforce: Option<WorkforceDescription>) {
        self.state().workforce = workforce;
    }

    /// A team that is there already.
    pub fn put_team(&self, team: WorkTeam) {
        self.state().make(team, None);
    }

    /// A person deletes the team.
    pub fn remove_team(&self, name: &str) {
        self.state().teams.remove(name);
    }

    pub fn teams(&self) -> Vec<WorkTeam> {
        self.state().teams.values().cloned().collect()
    }

    async fn call<T: Send>(
        &self,
        operation: &'static str,
        about: &str,
        effect: impl FnOnce(&mut State) -> T + Send,
    ) -> Result<T, CrewError> {
        let fault = self.faults.before(operation, about).await?;
        let done = effect(&mut self.state());
        Faults::after(operation, fault).await?;
        Ok(done)
    }
}

fn description(name: &str, identity: Identity, status: &str) -> WorkforceDescription {
    WorkforceDescription {
        name: name.to_owned(),
        arn: format!("{ARN}:workforce/{name}"),
        identity,
        status: status.to_owned(),
        failure_reason: None,
        cidrs: Vec::new(),
        sub_domain: SUB_DOMAIN.to_owned(),
    }
}

fn invalid(reason: &str) -> TeamChangeOutcome {
    TeamChangeOutcome::Invalid {
        reason: format!("ValidationException: {reason}"),
    }
}

impl State {
    /// What is wrong with a work team, if anything.
    fn fault(&self, team: &WorkTeam) -> Option<TeamChangeOutcome> {
        let (groups, kind_fits) = match (&team.members, self.workforce.as_ref().map(|w| &w.identity)) {
            (
                Members::Cognito {
                    groups, user_pool, ..
                },
                Some(Identity::Cognito { user_pool: ours, .. }),
            ) => (groups, user_pool == ours),
            (Members::Oidc { groups }, Some(Identity::Oidc { .. })) => (groups, true),
            (Members::Cognito { groups, .. } | Members::Oidc { groups }, _) => (groups, false),
        };
        if !kind_fits {
            return Some(invalid("the member definition does not match the workforce"));
        }
        if !(1..=10).contains(&groups.len()) {
            return Some(invalid("between 1 and 10 member definitions"));
        }
        if TeamName::new(&team.name).is_err() || !(1..=200).contains(&team.description.chars().count()) {
            return Some(invalid("name or description failed to satisfy constraint"));
        }
        let known = self.directory.as_ref().map(FakeDirectory::groups);
        let known = known.filter(|_| matches!(team.members, Members::Cognito { .. }));
        let missing = known.is_some_and(|known| groups.iter().any(|group| !known.contains(group)));
        missing.then(|| invalid("a group does not exist in the user pool"))
    }

    fn make(&mut self, team: WorkTeam, owner: Option<&str>) {
        self.count += 1;
        let made = (self.count, owner.map(str::to_owned));
        self.made.insert(team.name.clone(), made);
        self.teams.insert(team.name.clone(), team);
    }

    fn busy(&mut self, status: &str) {
        let waits = self.looks_until_active > 0;
        if let Some(workforce) = self.workforce.as_mut().filter(|_| waits) {
            status.clone_into(&mut workforce.status);
        }
    }

    fn look(&mut self) -> Option<WorkforceDescription> {
        let workforce = self.workforce.as_mut()?;
        if matches!(workforce.status.as_str(), "Initializing" | "Updating") {
            if self.looks_until_active == 0 {
                "Active".clone_into(&mut workforce.status);
            } else {
                self.looks_until_active -= 1;
            }
        }
        Some(workforce.clone())
    }
}

impl Workforce for FakeWorkforce {
    async fn workforce(&self) -> Result<Option<WorkforceDescription>, CrewError> {
        self.call("ListWorkforces", "", State::look).await
    }

    async fn create_workforce(
        &self,
        name: &str,
        user_pool: &str,
        client_id: &str,
    ) -> Result<TeamChangeOutcome, CrewError> {
        self.call("CreateWorkforce", name, |state| {
            if state.workforce.is_some() {
                return TeamChangeOutcome::Taken;
            }
            let identity = Identity::Cognito {
                user_pool: user_pool.to_owned(),
                client_id: client_id.to_owned(),
            };
            state.workforce = Some(description(name, identity, "Active"));
            state.busy("Initializing");
            TeamChangeOutcome::Done
        })
        .await
    }

    async fn set_networks(&self, workforce: &str, cidrs: &[String]) -> Result<TeamChangeOutcome, CrewError> {
        self.call("UpdateWorkforce", workforce, |state| {
            let Some(there) = state.workforce.as_mut().filter(|there| there.name == workforce) else {
                return invalid("no such workforce");
            };
            if cidrs.len() > 10 {
                return invalid("at most 10 CIDRs");
            }
            there.cidrs = cidrs.to_vec();
            state.busy("Updating");
            TeamChangeOutcome::Done
        })
        .await
    }

    async fn team(&self, name: &str) -> Result<Option<WorkTeamDescription>, CrewError> {
        self.call("DescribeWorkteam", name, |state| {
            let team = state.teams.get(name)?.clone();
            Some(WorkTeamDescription {
                arn: format!("{ARN}:workteam/private-crowd/{name}"),
                created: state
                    .made
                    .get(name)
                    .and_then(|(second, _)| Timestamp::from_second(*second).ok())?,
                team,
                sub_domain: SUB_DOMAIN.to_owned(),
            })
        })
        .await
    }

    async fn team_owner(&self, arn: &str) -> Result<Option<String>, CrewError> {
        self.call("ListTags", arn, |state| {
            let name = arn.rsplit('/').next().unwrap_or_default();
            state.made.get(name).and_then(|(_, owner)| owner.clone())
        })
        .await
    }

    async fn create_team(
        &self,
        workforce: &str,
        team: &WorkTeam,
        owner: &str,
    ) -> Result<TeamChangeOutcome, CrewError> {
        self.call("CreateWorkteam", &team.name, |state| {
            let there = state
                .workforce
                .as_ref()
                .is_some_and(|there| there.name == workforce);
            if !there {
                return invalid("no such workforce");
            }
            if let Some(fault) = state.fault(team) {
                return fault;
            }
            if state.teams.contains_key(&team.name) {
                return TeamChangeOutcome::Taken;
            }
            if state.teams.len() >= state.limit.unwrap_or(25) {
                let reason = "ResourceLimitExceeded: work teams".to_owned();
                return TeamChangeOutcome::LimitReached { reason };
            }
            state.make(team.clone(), Some(owner));
            TeamChangeOutcome::Done
        })
        .await
    }

    async fn update_team(&self, team: &WorkTeam) -> Result<TeamChangeOutcome, CrewError> {
        self.call("UpdateWorkteam", &team.name, |state| {
            if !state.teams.contains_key(&team.name) {
                return invalid("no such work team");
            }
            if let Some(fault) = state.fault(team) {
                return fault;
            }
            state.teams.insert(team.name.clone(), team.clone());
            TeamChangeOutcome::Done
        })
        .await
    }
}
