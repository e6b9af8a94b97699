//! The topic notices leave by, through the AWS SDK.

use aws_sdk_sns::Client;
use aws_sdk_sns::error::{DisplayErrorContext, ProvideErrorMetadata};
use aws_sdk_sns::types::MessageAttributeValue;
use shared::notice::Message;
use shared::port::{PublishError, Topic};
use tokio::sync::OnceCell;

use crate::failure;
use crate::sdk::Sdk;

/// [`Topic`] over SNS. The client comes into being with the first notice.
#[derive(Debug)]
pub struct SnsTopic {
    arn: String,
    sdk: Sdk,
    client: OnceCell<Client>,
}

impl SnsTopic {
    pub fn new(arn: String, sdk: Sdk) -> Self {
        Self {
            arn,
            sdk,
            client: OnceCell::new(),
        }
    }

    async fn client(&self) -> &Client {
        self.client
            .get_or_init(|| async { Client::new(self.sdk.config().await) })
            .await
    }
}

impl Topic for SnsTopic {
    async fn publish(&self, message: &Message) -> Result<(), PublishError> {
        let mut call = self
            .client()
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
        let said = |name: &str| message.attributes.get(name).map(String::as_str);
        let sent = sent.map(|_| tracing::info!(id = said("id"), kind = said("kind"), "notice sent"));
        sent.map_err(|error| {
            let status = error.raw_response().map(|response| response.status().as_u16());
            let otherwise = || DisplayErrorContext(&error).to_string();
            PublishError {
                reason: failure::reason(status, error.code(), error.message(), otherwise),
            }
        })
    }
}
