//! The workforce and its work teams, through the AWS SDK: SageMaker, or the service at `AWS_ENDPOINT_URL_SAGEMAKER`.

mod admin;
#[cfg(test)]
mod tests;

use std::time::Duration;

use aws_sdk_sagemaker::Client;
use aws_sdk_sagemaker::types::{
    CognitoConfig, CognitoMemberDefinition, MemberDefinition, NotificationConfiguration,
    OidcMemberDefinition, SourceIpConfig, Tag, Workteam,
};
use jiff::Timestamp;
use shared::port::crew::{
    CrewError, Identity, Members, OWNER_TAG, TeamChangeOutcome, WorkTeam, WorkTeamDescription, Workforce,
    WorkforceDescription,
};

use crate::failure::Failure;
use crate::lazy_client::LazyClient;
use crate::sdk::Sdk;

/// "Any network": the API takes one to ten ranges and cannot be given none.
const ANYWHERE: &str = "0.0.0.0/0";

/// [`Workforce`] over SageMaker's API.
#[derive(Debug)]
pub struct PrivateWorkforce {
    client: LazyClient<Client>,
    waits: [Duration; 2],
}

impl PrivateWorkforce {
    pub fn new(sdk: Sdk) -> Self {
        Self {
            client: LazyClient::new(sdk, Client::new),
            waits: [2, 4].map(Duration::from_secs),
        }
    }

    async fn create_team_once(
        &self,
        workforce: &str,
        team: &WorkTeam,
        owner: &str,
    ) -> Result<TeamChangeOutcome, CrewError> {
        let tag = Tag::builder().key(OWNER_TAG).value(owner).build();
        let call = self.client.get().await.create_workteam();
        let call = call
            .workteam_name(&team.name)
            .workforce_name(workforce)
            .description(&team.description)
            .set_member_definitions(Some(member_definitions(&team.members)))
            .set_notification_configuration(team.topic_arn.as_deref().map(|arn| notification(Some(arn))))
            .tags(tag);
        match call.send().await {
            Ok(_) => Ok(TeamChangeOutcome::Done),
            Err(error) => refused_change(Failure::of_person("CreateWorkteam", &error)),
        }
    }
}

impl Workforce for PrivateWorkforce {
    async fn workforce(&self) -> Result<Option<WorkforceDescription>, CrewError> {
        let mut token = None;
        loop {
            let call = self.client.get().await.list_workforces().set_next_token(token);
            let page = call
                .send()
                .await
                .map_err(|e| Failure::of_person("ListWorkforces", &e))?;
            if let Some(workforce) = page.workforces.unwrap_or_default().into_iter().next() {
                return Ok(Some(workforce_description(workforce)));
            }
            token = page.next_token;
            if token.is_none() {
                return Ok(None);
            }
        }
    }

    async fn create_workforce(
        &self,
        name: &str,
        user_pool: &str,
        client_id: &str,
    ) -> Result<TeamChangeOutcome, CrewError> {
        let pool = CognitoConfig::builder().user_pool(user_pool).client_id(client_id);
        let call = self.client.get().await.create_workforce();
        match call
            .workforce_name(name)
            .cognito_config(pool.build())
            .send()
            .await
        {
            Ok(_) => Ok(TeamChangeOutcome::Done),
            Err(error) => refused_change(Failure::of_person("CreateWorkforce", &error)),
        }
    }

    async fn set_networks(&self, workforce: &str, cidrs: &[String]) -> Result<TeamChangeOutcome, CrewError> {
        let ranges = match cidrs {
            [] => vec![ANYWHERE.to_owned()],
            ranges => ranges.to_vec(),
        };
        let networks = SourceIpConfig::builder().set_cidrs(Some(ranges)).build();
        let call = self.client.get().await.update_workforce();
        match call
            .workforce_name(workforce)
            .source_ip_config(networks)
            .send()
            .await
        {
            Ok(_) => Ok(TeamChangeOutcome::Done),
            Err(error) => refused_change(Failure::of_person("UpdateWorkforce", &error)),
        }
    }

    /// A missing team is a ValidationException, as is a name that is not valid; the names asked for were checked.
    async fn team(&self, name: &str) -> Result<Option<WorkTeamDescription>, CrewError> {
        match self
            .client
            .get()
            .await
            .describe_workteam()
            .workteam_name(name)
            .send()
            .await
        {
            Ok(output) => Ok(output.workteam.map(team_description)),
            Err(error) => {
                let failure = Failure::of_person("DescribeWorkteam", &error);
                match failure.code() {
                    "ValidationException" | "ResourceNotFound" => Ok(None),
                    _ => Err(failure.into()),
                }
            }
        }
    }

    /// A group or a workforce made a moment ago may not be visible to this call yet, which then answers with a
    /// ValidationException: that answer is believed the third time.
    async fn create_team(
        &self,
        workforce: &str,
        team: &WorkTeam,
        owner: &str,
    ) -> Result<TeamChangeOutcome, CrewError> {
        for wait in self.waits {
            match self.create_team_once(workforce, team, owner).await? {
                TeamChangeOutcome::Invalid { .. } => tokio::time::sleep(wait).await,
                change => return Ok(change),
            }
        }
        self.create_team_once(workforce, team, owner).await
    }

    async fn team_owner(&self, arn: &str) -> Result<Option<String>, CrewError> {
        let mut token = None;
        loop {
            let call = self.client.get().await.list_tags().resource_arn(arn);
            let page = call.set_next_token(token).send().await;
            let page = page.map_err(|error| Failure::of_person("ListTags", &error))?;
            let tags = page.tags.unwrap_or_default();
            if let Some(tag) = tags.into_iter().find(|tag| tag.key() == Some(OWNER_TAG)) {
                return Ok(tag.value);
            }
            token = page.next_token;
            if token.is_none() {
                return Ok(None);
            }
        }
    }

    /// What is not named stays as it is, so that no topic is named with an empty configuration.
    async fn update_team(&self, team: &WorkTeam) -> Result<TeamChangeOutcome, CrewError> {
        let call = self.client.get().await.update_workteam();
        let call = call
            .workteam_name(&team.name)
            .description(&team.description)
            .set_member_definitions(Some(member_definitions(&team.members)))
            .notification_configuration(notification(team.topic_arn.as_deref()));
        match call.send().await {
            Ok(_) => Ok(TeamChangeOutcome::Done),
            Err(error) => refused_change(Failure::of_person("UpdateWorkteam", &error)),
        }
    }
}

fn member_definitions(members: &Members) -> Vec<MemberDefinition> {
    match members {
        Members::Cognito {
            user_pool,
            client_id,
            groups,
        } => {
            let of_group = |group: &String| {
                let people = CognitoMemberDefinition::builder()
                    .user_pool(user_pool)
                    .client_id(client_id)
                    .user_group(group);
                MemberDefinition::builder()
                    .cognito_member_definition(people.build())
                    .build()
            };
            groups.iter().map(of_group).collect()
        }
        Members::Oidc { groups } => {
            let people = OidcMemberDefinition::builder().set_groups(Some(groups.clone()));
            vec![
                MemberDefinition::builder()
                    .oidc_member_definition(people.build())
                    .build(),
            ]
        }
    }
}

fn notification(topic_arn: Option<&str>) -> NotificationConfiguration {
    NotificationConfiguration::builder()
        .set_notification_topic_arn(topic_arn.map(str::to_owned))
        .build()
}

fn workforce_description(workforce: aws_sdk_sagemaker::types::Workforce) -> WorkforceDescription {
    let cidrs = workforce.source_ip_config.and_then(|networks| networks.cidrs);
    let mut cidrs = cidrs.unwrap_or_default();
    if cidrs == [ANYWHERE] {
        cidrs.clear();
    }
    let identity = match (workforce.cognito_config, workforce.oidc_config) {
        (Some(pool), _) => Identity::Cognito {
            user_pool: pool.user_pool.unwrap_or_default(),
            client_id: pool.client_id.unwrap_or_default(),
        },
        (None, provider) => Identity::Oidc {
            issuer: provider.and_then(|provider| provider.issuer).unwrap_or_default(),
        },
    };
    WorkforceDescription {
        name: workforce.workforce_name.unwrap_or_default(),
        arn: workforce.workforce_arn.unwrap_or_default(),
        identity,
        // A workforce made before AWS added the status has none, and is in use.
        status: workforce
            .status
            .map_or_else(|| "Active".to_owned(), |status| status.as_str().to_owned()),
        failure_reason: workforce.failure_reason,
        cidrs,
        sub_domain: host_alone(workforce.sub_domain),
    }
}

fn team_description(team: Workteam) -> WorkTeamDescription {
    let topic_arn = team.notification_configuration;
    let topic_arn = topic_arn.and_then(|notification| notification.notification_topic_arn);
    let created = team
        .create_date
        .and_then(|date| Timestamp::from_nanosecond(date.as_nanos()).ok());
    WorkTeamDescription {
        arn: team.workteam_arn.unwrap_or_default(),
        created: created.unwrap_or(Timestamp::UNIX_EPOCH),
        sub_domain: host_alone(team.sub_domain),
        team: WorkTeam {
            name: team.workteam_name.unwrap_or_default(),
            description: team.description.unwrap_or_default(),
            members: members(team.member_definitions.unwrap_or_default()),
            topic_arn: topic_arn.filter(|arn| !arn.is_empty()),
        },
    }
}

fn members(definitions: Vec<MemberDefinition>) -> Members {
    let (mut pool, mut client, mut groups) = (String::new(), String::new(), Vec::new());
    for definition in definitions {
        if let Some(provider) = definition.oidc_member_definition {
            return Members::Oidc {
                groups: provider.groups.unwrap_or_default(),
            };
        }
        if let Some(people) = definition.cognito_member_definition {
            pool = people.user_pool.unwrap_or_default();
            client = people.client_id.unwrap_or_default();
            groups.extend(people.user_group);
        }
    }
    Members::Cognito {
        user_pool: pool,
        client_id: client,
        groups,
    }
}

/// Without scheme and slash, should it ever be a URL.
fn host_alone(sub_domain: Option<String>) -> String {
    let host = sub_domain.unwrap_or_default();
    host.trim_start_matches("https://")
        .trim_end_matches('/')
        .to_owned()
}

fn refused_change(failure: Failure) -> Result<TeamChangeOutcome, CrewError> {
    match failure.code() {
        "ResourceInUse" => Ok(TeamChangeOutcome::Taken),
        "ResourceLimitExceeded" => Ok(TeamChangeOutcome::LimitReached {
            reason: failure.into_reason(),
        }),
        "ValidationException" if failure.says("already exists") => Ok(TeamChangeOutcome::Taken),
        "ValidationException" => Ok(TeamChangeOutcome::Invalid {
            reason: failure.into_reason(),
        }),
        // Another call is changing it.
        "ConflictException" => Err(failure.into_transient()),
        _ => Err(failure.into()),
    }
}
