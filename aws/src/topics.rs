//! The topics by which workers hear of work, through the AWS SDK: one a team, which the labeling service may publish to.

#[cfg(test)]
mod tests;

use aws_sdk_sns::Client;
use aws_sdk_sns::config::http::HttpResponse;
use aws_sdk_sns::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use serde_json::{Value, json};
use shared::port::crew::{CrewError, WorkTopics};
use tokio::sync::OnceCell;

use crate::failure::Failure;
use crate::sdk::Sdk;

/// AWS's own name for the statement.
const STATEMENT: &str = "AwsSagemaker_SnsAccessPolicy";

/// [`WorkTopics`] over SNS. The client comes into being with the first call.
#[derive(Debug)]
pub struct TeamTopics {
    prefix: String,
    account: String,
    partition: String,
    sdk: Sdk,
    client: OnceCell<Client>,
}

impl TeamTopics {
    /// Topics are called `<prefix>-<team>`.
    pub fn new(prefix: String, account: String, partition: String, sdk: Sdk) -> Self {
        Self {
            prefix,
            account,
            partition,
            sdk,
            client: OnceCell::new(),
        }
    }

    async fn client(&self) -> &Client {
        self.client
            .get_or_init(|| async { Client::new(self.sdk.config().await) })
            .await
    }

    /// Who may publish: the labeling service, for work teams of this account in the topic's Region.
    /// <https://docs.aws.amazon.com/sagemaker/latest/dg/sms-workforce-management-private-sns.html>
    fn statement(&self, topic_arn: &str) -> Value {
        let region = topic_arn.split(':').nth(3).unwrap_or_default();
        let (partition, account) = (&self.partition, &self.account);
        json!({
            "Sid": STATEMENT,
            "Effect": "Allow",
            "Principal": {"Service": "sagemaker.amazonaws.com"},
            "Action": "sns:Publish",
            "Resource": topic_arn,
            "Condition": {
                "ArnLike": {"aws:SourceArn": format!("arn:{partition}:sagemaker:{region}:{account}:workteam/*")},
                "StringEquals": {"aws:SourceAccount": account},
            },
        })
    }

    /// Every subscription by e-mail: the address, and its ARN once it is confirmed.
    async fn people(&self, topic_arn: &str) -> Result<Vec<(String, Option<String>)>, CrewError> {
        let (mut people, mut token) = (Vec::new(), None);
        loop {
            let call = self.client().await.list_subscriptions_by_topic();
            let call = call.topic_arn(topic_arn).set_next_token(token);
            let page = call.send().await;
            let page = page.map_err(|e| failure("ListSubscriptionsByTopic", &e))?;
            for subscription in page.subscriptions.unwrap_or_default() {
                let arn = subscription.subscription_arn.unwrap_or_default();
                if subscription.protocol.as_deref() == Some("email") && arn != "Deleted" {
                    // `PendingConfirmation` stands where there is no ARN yet.
                    let arn = arn.starts_with("arn:").then_some(arn);
                    people.push((subscription.endpoint.unwrap_or_default(), arn));
                }
            }
            token = page.next_token;
            if token.is_none() {
                return Ok(people);
            }
        }
    }
}

/// The policy with our statement in it, or `None` where it is in it already. What else an admin has put there stays.
fn with_statement(policy: Option<&str>, ours: Value) -> Option<Value> {
    let policy = policy.and_then(|policy| serde_json::from_str(policy).ok());
    let mut policy: Value = policy.unwrap_or_else(|| json!({"Version": "2012-10-17"}));
    let mut statements = match policy.get_mut("Statement").map(Value::take) {
        Some(Value::Array(statements)) => statements,
        Some(one @ Value::Object(_)) => vec![one],
        _ => Vec::new(),
    };
    if statements.contains(&ours) {
        return None;
    }
    statements.retain(|statement| statement["Sid"] != STATEMENT);
    statements.push(ours);
    let policy_fields = policy.as_object_mut()?;
    policy_fields.insert("Statement".to_owned(), Value::Array(statements));
    Some(policy)
}

impl WorkTopics for TeamTopics {
    /// The policy is not given to CreateTopic, which refuses a topic that exists with another one.
    async fn ensure_topic(&self, team: &str) -> Result<String, CrewError> {
        let client = self.client().await;
        let name = format!("{}-{team}", self.prefix);
        let made = client.create_topic().name(name).send().await;
        let made = made.map_err(|e| failure("CreateTopic", &e))?;
        let arn = made.topic_arn.unwrap_or_default();
        let said = client.get_topic_attributes().topic_arn(&arn).send().await;
        let said = said.map_err(|e| failure("GetTopicAttributes", &e))?;
        let policy = said.attributes.as_ref().and_then(|all| all.get("Policy"));
        if let Some(policy) = with_statement(policy.map(String::as_str), self.statement(&arn)) {
            let call = client.set_topic_attributes().topic_arn(&arn);
            let call = call.attribute_name("Policy").attribute_value(policy.to_string());
            call.send().await.map_err(|e| failure("SetTopicAttributes", &e))?;
        }
        Ok(arn)
    }

    async fn subscribed(&self, topic_arn: &str) -> Result<Vec<String>, CrewError> {
        let people = self.people(topic_arn).await?;
        Ok(people.into_iter().map(|(address, _)| address).collect())
    }

    async fn subscribe(&self, topic_arn: &str, email: &str) -> Result<(), CrewError> {
        let call = self.client().await.subscribe();
        let call = call.topic_arn(topic_arn).protocol("email").endpoint(email);
        call.send().await.map_err(|e| failure("Subscribe", &e))?;
        Ok(())
    }

    /// Who never confirmed has nothing to unsubscribe; SNS forgets the request by itself.
    async fn unsubscribe(&self, topic_arn: &str, email: &str) -> Result<(), CrewError> {
        for (address, arn) in self.people(topic_arn).await? {
            if let Some(arn) = arn.filter(|_| address.eq_ignore_ascii_case(email)) {
                let call = self.client().await.unsubscribe().subscription_arn(arn);
                call.send().await.map_err(|e| failure("Unsubscribe", &e))?;
            }
        }
        Ok(())
    }
}

fn failure<E>(operation: &'static str, error: &SdkError<E, HttpResponse>) -> Failure
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let status = error.raw_response().map(|response| response.status().as_u16());
    let sent = !matches!(error, SdkError::ConstructionFailure(_));
    Failure::new(operation, sent, (status, error.code(), error.message()), || {
        DisplayErrorContext(error).to_string()
    })
}
