//! The account's workforce, its work teams and the teams' topics, as the functions see them through the ports.

use std::collections::BTreeMap;

use shared::port::crew::{
    CrewError, Identity, Members, TeamChangeOutcome, WorkTeam, WorkTeamDescription, WorkTopics, Workforce,
    WorkforceDescription,
};

use super::World;
use super::directory::CallKind;
use super::store::Port;
use crate::fault::Fault;
use crate::time::{MINUTE, Ms, timestamp};
use crate::{CLIENT, POOL};

const HOST: &str = "abc.labeling.us-east-1.sagemaker.aws";

#[derive(Default)]
pub(crate) struct Crowd {
    /// Active from then on; `None`: there is none.
    pub(crate) workforce: Option<Ms>,
    /// A new one takes up to half an hour.
    pub(crate) slow: bool,
    pub(crate) teams: BTreeMap<String, WorkTeam>,
    /// When each was made, and the stack its tag names.
    made: BTreeMap<String, (Ms, Option<String>)>,
    /// Work teams there may be.
    pub(crate) room: usize,
    /// By ARN: lower-cased address, and whether it has confirmed.
    pub(crate) topics: BTreeMap<String, BTreeMap<String, bool>>,
}

const fn crowd(operation: &'static str) -> CallKind {
    CallKind {
        operation,
        throttled: Fault::WorkforceThrottled,
        lost: Fault::WorkforceResponseLost,
    }
}

impl World {
    fn make_workforce(&mut self) -> TeamChangeOutcome {
        if self.crowd.workforce.is_some() {
            return TeamChangeOutcome::Taken;
        }
        self.writes += 1;
        let takes = match self.crowd.slow {
            true if self.faults.is_calm() => self.dice.between(0, 4 * MINUTE),
            true => self.dice.between(0, 30 * MINUTE),
            false => 0,
        };
        self.crowd.workforce = Some(self.now + takes);
        TeamChangeOutcome::Done
    }

    /// A work team that others made.
    pub(super) fn put_team_of_others(&mut self, name: &str) {
        let team = WorkTeam {
            name: name.to_owned(),
            description: "Made by others".to_owned(),
            members: Members::Oidc { groups: Vec::new() },
            topic_arn: None,
        };
        self.crowd.teams.insert(name.to_owned(), team);
        self.crowd.made.insert(name.to_owned(), (self.now, None));
        self.truth.crew.teams_of_others.insert(name.to_owned());
    }

    fn make_team(&mut self, team: &WorkTeam, owner: &str) -> TeamChangeOutcome {
        if self.crowd.teams.contains_key(&team.name) {
            return TeamChangeOutcome::Taken;
        }
        if self.crowd.teams.len() >= self.crowd.room {
            let reason = "ResourceLimitExceeded: work teams".to_owned();
            return TeamChangeOutcome::LimitReached { reason };
        }
        let made = (self.now, Some(owner.to_owned()));
        self.crowd.made.insert(team.name.clone(), made);
        self.set_team(0, team)
    }

    fn set_team(&mut self, of: u32, team: &WorkTeam) -> TeamChangeOutcome {
        self.writes += 1;
        let held = self.is_no_team_of_others(of, &team.name);
        self.check(held);
        self.crowd.teams.insert(team.name.clone(), team.clone());
        TeamChangeOutcome::Done
    }
}

impl Workforce for Port {
    async fn workforce(&self) -> Result<Option<WorkforceDescription>, CrewError> {
        self.look(crowd("ListWorkforces"), "", |world| {
            let active = world.crowd.workforce? <= world.now;
            Some(WorkforceDescription {
                name: "default".to_owned(),
                arn: "arn:aws:sagemaker:us-east-1:111122223333:workforce/default".to_owned(),
                identity: Identity::Cognito {
                    user_pool: POOL.to_owned(),
                    client_id: CLIENT.to_owned(),
                },
                status: if active { "Active" } else { "Initializing" }.to_owned(),
                failure_reason: None,
                cidrs: Vec::new(),
                sub_domain: if active { HOST.to_owned() } else { String::new() },
            })
        })
        .await
    }

    async fn create_workforce(&self, name: &str, _: &str, _: &str) -> Result<TeamChangeOutcome, CrewError> {
        self.change(crowd("CreateWorkforce"), name.to_owned(), |world, _| {
            world.make_workforce()
        })
        .await
    }

    async fn set_networks(&self, workforce: &str, _: &[String]) -> Result<TeamChangeOutcome, CrewError> {
        self.change(crowd("UpdateWorkforce"), workforce.to_owned(), |_, _| {
            TeamChangeOutcome::Done
        })
        .await
    }

    async fn team(&self, name: &str) -> Result<Option<WorkTeamDescription>, CrewError> {
        self.look(crowd("DescribeWorkteam"), name, |world| {
            Some(WorkTeamDescription {
                team: world.crowd.teams.get(name)?.clone(),
                arn: format!("arn:aws:sagemaker:us-east-1:111122223333:workteam/private-crowd/{name}"),
                created: timestamp(world.crowd.made.get(name)?.0),
                sub_domain: HOST.to_owned(),
            })
        })
        .await
    }

    async fn team_owner(&self, arn: &str) -> Result<Option<String>, CrewError> {
        let name = arn.rsplit('/').next().unwrap_or_default();
        self.look(crowd("ListTags"), name, |world| {
            world.crowd.made.get(name)?.1.clone()
        })
        .await
    }

    async fn create_team(
        &self,
        _: &str,
        team: &WorkTeam,
        owner: &str,
    ) -> Result<TeamChangeOutcome, CrewError> {
        let (wanted, owner) = (team.clone(), owner.to_owned());
        self.change(crowd("CreateWorkteam"), team.name.clone(), move |world, _| {
            world.make_team(&wanted, &owner)
        })
        .await
    }

    async fn update_team(&self, team: &WorkTeam) -> Result<TeamChangeOutcome, CrewError> {
        let wanted = team.clone();
        self.change(crowd("UpdateWorkteam"), team.name.clone(), move |world, of| {
            world.set_team(of, &wanted)
        })
        .await
    }
}

fn no_such_topic(operation: &'static str) -> CrewError {
    CrewError::Refused {
        operation,
        reason: "NotFound: Topic does not exist".to_owned(),
    }
}

impl WorkTopics for Port {
    async fn ensure_topic(&self, team: &str) -> Result<String, CrewError> {
        let arn = format!("arn:aws:sns:us-east-1:111122223333:work-{team}");
        self.change(crowd("CreateTopic"), team.to_owned(), move |world, _| {
            if !world.crowd.topics.contains_key(&arn) {
                world.writes += 1;
                world.crowd.topics.insert(arn.clone(), BTreeMap::new());
            }
            arn.clone()
        })
        .await
    }

    async fn subscribers(&self, topic_arn: &str) -> Result<Vec<String>, CrewError> {
        let operation = "ListSubscriptionsByTopic";
        let people = self.look(crowd(operation), topic_arn, |world| {
            let people = world.crowd.topics.get(topic_arn)?;
            Some(people.keys().cloned().collect())
        });
        people.await?.ok_or_else(|| no_such_topic(operation))
    }

    async fn subscribe(&self, topic_arn: &str, email: &str) -> Result<(), CrewError> {
        let (arn, address) = (topic_arn.to_owned(), email.to_lowercase());
        let done = self.change(
            crowd("Subscribe"),
            format!("{topic_arn} {email}"),
            move |world, _| {
                let people = world.crowd.topics.get_mut(&arn)?;
                if people.insert(address.clone(), true).is_none() {
                    world.writes += 1;
                }
                Some(())
            },
        );
        done.await?.ok_or_else(|| no_such_topic("Subscribe"))
    }

    async fn unsubscribe(&self, topic_arn: &str, email: &str) -> Result<(), CrewError> {
        let (arn, address) = (topic_arn.to_owned(), email.to_lowercase());
        let asked = crowd("Unsubscribe");
        self.change(asked, format!("{topic_arn} {email}"), move |world, _| {
            let people = world.crowd.topics.get_mut(&arn);
            let gone = people.is_some_and(|people| people.remove(&address).is_some());
            world.writes += u64::from(gone);
        })
        .await
    }
}
