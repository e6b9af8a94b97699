//! The topics that notify workers of new work, through the AWS SDK: one for each team, which the labeling service may
//! publish to.

#[cfg(test)]
mod tests;

use aws_sdk_sns::Client;
use serde_json::{Value, json};
use shared::port::crew::{CrewError, WorkTopics};

use crate::failure::Failure;
use crate::lazy_client::LazyClient;
use crate::sdk::Sdk;

/// AWS's own name for the statement.
const STATEMENT: &str = "AwsSagemaker_SnsAccessPolicy";

/// [`WorkTopics`] over SNS.
#[derive(Debug)]
pub struct TeamTopics {
    prefix: String,
    account: String,
    partition: String,
    client: LazyClient<Client>,
}

impl TeamTopics {
    /// Topics are called `<prefix>-<team>`.
    pub fn new(prefix: String, account: String, partition: String, sdk: Sdk) -> Self {
        Self {
            prefix,
            account,
            partition,
            client: LazyClient::new(sdk, Client::new),
        }
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
    async fn email_subscriptions(&self, topic_arn: &str) -> Result<Vec<(String, Option<String>)>, CrewError> {
        let (mut subscriptions, mut token) = (Vec::new(), None);
        loop {
            let call = self.client.get().await.list_subscriptions_by_topic();
            let call = call.topic_arn(topic_arn).set_next_token(token);
            let page = call.send().await;
            let page = page.map_err(|e| Failure::of_person("ListSubscriptionsByTopic", &e))?;
            for subscription in page.subscriptions.unwrap_or_default() {
                let arn = subscription.subscription_arn.unwrap_or_default();
                if subscription.protocol.as_deref() == Some("email") && arn != "Deleted" {
                    // The ARN reads `PendingConfirmation` until it is confirmed.
                    let arn = arn.starts_with("arn:").then_some(arn);
                    subscriptions.push((subscription.endpoint.unwrap_or_default(), arn));
                }
            }
            token = page.next_token;
            if token.is_none() {
                return Ok(subscriptions);
            }
        }
    }
}

/// The policy with our statement added; `None` where it has it already. An admin's statements stay.
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
    /// The policy is not given to CreateTopic, which refuses a topic that exists with another policy.
    async fn ensure_topic(&self, team: &str) -> Result<String, CrewError> {
        let client = self.client.get().await;
        let name = format!("{}-{team}", self.prefix);
        let created = client.create_topic().name(name).send().await;
        let created = created.map_err(|e| Failure::of_person("CreateTopic", &e))?;
        let arn = created.topic_arn.unwrap_or_default();
        let attributes = client.get_topic_attributes().topic_arn(&arn).send().await;
        let attributes = attributes.map_err(|e| Failure::of_person("GetTopicAttributes", &e))?;
        let policy = attributes.attributes.as_ref().and_then(|all| all.get("Policy"));
        if let Some(policy) = with_statement(policy.map(String::as_str), self.statement(&arn)) {
            let call = client.set_topic_attributes().topic_arn(&arn);
            let call = call.attribute_name("Policy").attribute_value(policy.to_string());
            call.send()
                .await
                .map_err(|e| Failure::of_person("SetTopicAttributes", &e))?;
        }
        Ok(arn)
    }

    async fn subscribers(&self, topic_arn: &str) -> Result<Vec<String>, CrewError> {
        let subscriptions = self.email_subscriptions(topic_arn).await?;
        Ok(subscriptions.into_iter().map(|(address, _)| address).collect())
    }

    async fn subscribe(&self, topic_arn: &str, email: &str) -> Result<(), CrewError> {
        let call = self.client.get().await.subscribe();
        let call = call.topic_arn(topic_arn).protocol("email").endpoint(email);
        call.send()
            .await
            .map_err(|e| Failure::of_person("Subscribe", &e))?;
        Ok(())
    }

    /// A person who never confirmed has nothing to unsubscribe; SNS forgets the request by itself.
    async fn unsubscribe(&self, topic_arn: &str, email: &str) -> Result<(), CrewError> {
        for (address, arn) in self.email_subscriptions(topic_arn).await? {
            if let Some(arn) = arn.filter(|_| address.eq_ignore_ascii_case(email)) {
                let call = self.client.get().await.unsubscribe().subscription_arn(arn);
                call.send()
                    .await
                    .map_err(|e| Failure::of_person("Unsubscribe", &e))?;
            }
        }
        Ok(())
    }
}
