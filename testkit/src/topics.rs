//! The teams' topics in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use shared::port::crew::{CrewError, WorkTopics};

use super::faults::Faults;

const ARN: &str = "arn:aws:sns:us-east-1:000000000000:groundcrew-work";

/// Topics, and who is subscribed.
#[derive(Clone, Default)]
pub struct FakeTopics {
    pub faults: Faults,
    /// By ARN: lower-cased address, and whether it has confirmed.
    topics: Arc<Mutex<BTreeMap<String, BTreeMap<String, bool>>>>,
}

impl FakeTopics {
    fn topics(&self) -> MutexGuard<'_, BTreeMap<String, BTreeMap<String, bool>>> {
        self.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn arn(team: &str) -> String {
        format!("{ARN}-{team}")
    }

    /// Teams that have a topic.
    pub fn teams(&self) -> Vec<String> {
        let prefix = Self::arn("");
        let topics = self.topics();
        let teams = topics.keys().filter_map(|arn| arn.strip_prefix(&prefix));
        teams.map(str::to_owned).collect()
    }

    /// The person has followed the link of SNS's mail.
    pub fn confirm(&self, team: &str, email: &str) {
        if let Some(people) = self.topics().get_mut(&Self::arn(team)) {
            people.insert(email.to_lowercase(), true);
        }
    }

    /// Addresses that are subscribed to the team's topic or have been asked to confirm.
    pub fn people(&self, team: &str) -> Vec<String> {
        let topics = self.topics();
        let people = topics.get(&Self::arn(team));
        people
            .map(|people| people.keys().cloned().collect())
            .unwrap_or_default()
    }

    async fn call<T: Send>(
        &self,
        operation: &'static str,
        about: &str,
        effect: impl FnOnce(&mut BTreeMap<String, BTreeMap<String, bool>>) -> T + Send,
    ) -> Result<T, CrewError> {
        let fault = self.faults.before(operation, about).await?;
        let done = effect(&mut self.topics());
        Faults::after(operation, fault).await?;
        Ok(done)
    }
}

fn no_such_topic(operation: &'static str) -> CrewError {
    CrewError::Refused {
        operation,
        reason: "NotFound: Topic does not exist".to_owned(),
    }
}

impl WorkTopics for FakeTopics {
    async fn ensure_topic(&self, team: &str) -> Result<String, CrewError> {
        let arn = Self::arn(team);
        self.call("CreateTopic", team, |topics| {
            topics.entry(arn.clone()).or_default();
        })
        .await?;
        Ok(arn)
    }

    async fn subscribers(&self, topic_arn: &str) -> Result<Vec<String>, CrewError> {
        let operation = "ListSubscriptionsByTopic";
        let people = self
            .call(operation, topic_arn, |topics| topics.get(topic_arn).cloned())
            .await?;
        people
            .map(|people| people.into_keys().collect())
            .ok_or_else(|| no_such_topic(operation))
    }

    async fn subscribe(&self, topic_arn: &str, email: &str) -> Result<(), CrewError> {
        let there = self
            .call("Subscribe", email, |topics| {
                let people = topics.get_mut(topic_arn)?;
                people.entry(email.to_lowercase()).or_insert(false);
                Some(())
            })
            .await?;
        there.ok_or_else(|| no_such_topic("Subscribe"))
    }

    /// An address that has not confirmed has no subscription ARN to unsubscribe: it lapses by itself.
    async fn unsubscribe(&self, topic_arn: &str, email: &str) -> Result<(), CrewError> {
        self.call("Unsubscribe", email, |topics| {
            let address = email.to_lowercase();
            if let Some(people) = topics.get_mut(topic_arn) {
                people.retain(|person, confirmed| !(*confirmed && *person == address));
            }
        })
        .await
    }
}
