//! What an admin's program asks of the workforce, and no function does: all work teams there are.

use shared::port::crew::{CrewError, WorkTeam};

use super::{PrivateWorkforce, team_description};
use crate::failure::Failure;

impl PrivateWorkforce {
    /// The account's work teams, made by Groundcrew or not; those of the first pages of 100. An account has 25, unless AWS was
    /// asked for more.
    pub async fn teams(&self, pages: usize) -> Result<Vec<WorkTeam>, CrewError> {
        let (mut teams, mut token) = (Vec::new(), None);
        for _ in 0..pages {
            let call = self.client.get().await.list_workteams().max_results(100);
            let page = call.set_next_token(token).send().await;
            let page = page.map_err(|e| Failure::of_person("ListWorkteams", &e))?;
            let found = page.workteams.unwrap_or_default().into_iter();
            teams.extend(found.map(|found| team_description(found).team));
            token = page.next_token;
            if token.is_none() {
                break;
            }
        }
        Ok(teams)
    }
}
