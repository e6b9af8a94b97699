//! The topic notices are published to, through the AWS SDK.

use aws_sdk_sns::Client;
use aws_sdk_sns::types::MessageAttributeValue;
use shared::port::NoticeMessage;
use shared::port::{PublishError, Topic};

use crate::failure::Failure;
use crate::lazy_client::LazyClient;
use crate::sdk::Sdk;

/// [`Topic`] over SNS.
#[derive(Debug)]
pub struct SnsTopic {
    arn: String,
    client: LazyClient<Client>,
}

impl SnsTopic {
    pub fn new(arn: String, sdk: Sdk) -> Self {
        Self {
            arn,
            client: LazyClient::new(sdk, Client::new),
        }
    }
}

impl Topic for SnsTopic {
    async fn publish(&self, message: &NoticeMessage) -> Result<(), PublishError> {
        let mut call = self
            .client
            .get()
            .await
            .publish()
            .topic_arn(&self.arn)
            .message_structure("json");
        // SNS refuses an attribute without a value.
        for (name, value) in message.attributes.iter().filter(|(_, value)| !value.is_empty()) {
            let value = MessageAttributeValue::builder()
                .data_type("String")
                .string_value(value)
                .build();
            call = call.message_attributes(
                *name,
                value.map_err(|e| PublishError {
                    reason: e.to_string(),
                })?,
            );
        }
        let sent = call.subject(&message.subject).message(&message.body).send().await;
        sent.map_err(|error| Failure::of("Publish", &error))?;
        let attribute = |name: &str| message.attributes.get(name).map(String::as_str);
        tracing::info!(id = attribute("id"), kind = attribute("kind"), "notice published");
        Ok(())
    }
}
