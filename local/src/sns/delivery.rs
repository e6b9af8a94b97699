//! From a published message to each subscription: into the outbox, a queue, or an HTTP endpoint with retries.
//! <https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html>

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use super::Sns;
use super::message::Message;
use super::query::SnsError;
use super::store::Subscription;
use crate::outbox::{Delivery, Entry};
use crate::sqs;
use crate::sqs::attributes::MOST_ATTRIBUTES;

/// How often an HTTP endpoint is tried, and how long between.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Retries {
    /// Without a pause, the first try included.
    pub(crate) immediate: u32,
    /// With a pause, doubled each time up to the longest.
    pub(crate) later: u32,
    pub(crate) first_pause: Duration,
    pub(crate) longest_pause: Duration,
}

/// AWS's own: three at once, then from 1 to 20 seconds. It goes on for an hour; here a quarter of that, since
/// somebody is there to look.
pub(crate) const RETRIES: Retries = Retries {
    immediate: 3,
    later: 45,
    first_pause: Duration::from_secs(1),
    longest_pause: Duration::from_secs(20),
};

/// An endpoint has this long to answer.
pub(super) const HTTP_TIMEOUT: Duration = Duration::from_secs(15);

impl Sns {
    /// What must not be lost is on disk before this returns; HTTP endpoints are called meanwhile.
    pub(super) fn deliver(&self, arn: &str, to: &Subscription, message: &Message) -> Result<(), SnsError> {
        match to.protocol.as_str() {
            "email" => self.keep(entry(
                to,
                message,
                message.text("email").to_owned(),
                Delivery::Delivered,
            )),
            "email-json" => self.keep(entry(
                to,
                message,
                self.enveloped(arn, to, message),
                Delivery::Delivered,
            )),
            "sqs" => self.queue(arn, to, message),
            "http" | "https" => {
                let body = if to.raw {
                    message.text(&to.protocol).to_owned()
                } else {
                    self.enveloped(arn, to, message)
                };
                let entry = entry(to, message, body, Delivery::Sending);
                self.keep(entry.clone())?;
                self.post(arn, to, message, entry);
                Ok(())
            }
            other => Err(SnsError::internal(format!(
                "a subscription of protocol {other} cannot be delivered to"
            ))),
        }
    }

    fn keep(&self, entry: Entry) -> Result<(), SnsError> {
        self.outbox
            .put(entry)
            .map_err(|error| SnsError::internal(error.to_string()))
    }

    fn enveloped(&self, arn: &str, to: &Subscription, message: &Message) -> String {
        let unsubscribe = format!(
            "{}/?Action=Unsubscribe&SubscriptionArn={arn}",
            self.address.aws_url
        );
        message.envelope(&to.protocol, &unsubscribe).to_string()
    }

    fn queue(&self, arn: &str, to: &Subscription, message: &Message) -> Result<(), SnsError> {
        let name = to.endpoint.rsplit(':').next().unwrap_or_default();
        let queue = self
            .queues
            .get(name)
            .ok_or_else(|| SnsError::not_found("the subscribed queue"))?;
        if !to.raw {
            queue.send(sqs::Message::new(self.enveloped(arn, to, message)));
            return Ok(());
        }
        // SQS carries no more attributes than this; SNS discards a raw message that has them.
        if message.attributes.len() > MOST_ATTRIBUTES {
            tracing::warn!(
                message = message.id,
                "raw message discarded; it has more than 10 attributes"
            );
            return Ok(());
        }
        let mut raw = sqs::Message::new(message.text("sqs"));
        raw.attributes = message
            .attributes
            .iter()
            .map(|(name, attribute)| (name.clone(), attribute.for_a_queue()))
            .collect();
        queue.send(raw);
        Ok(())
    }

    fn post(&self, arn: &str, to: &Subscription, message: &Message, mut entry: Entry) {
        let mut request = self
            .http
            .post(&to.endpoint)
            .header("content-type", "text/plain; charset=UTF-8")
            .header("user-agent", "Amazon Simple Notification Service Agent")
            .header("x-amz-sns-message-type", "Notification")
            .header("x-amz-sns-message-id", &message.id)
            .header("x-amz-sns-topic-arn", &message.topic)
            .header("x-amz-sns-subscription-arn", arn);
        if to.raw {
            request = request.header("x-amz-sns-rawdelivery", "true");
        }
        let request = request.body(entry.text.clone());
        let sns = self.clone();
        self.running.spawn(async move {
            let Some(sent) = sns
                .stop
                .run_until_cancelled(try_until(&request, sns.retries))
                .await
            else {
                return;
            };
            if let Err(reason) = &sent {
                tracing::error!(
                    message = entry.id,
                    reason,
                    "an HTTP endpoint did not take a notice; given up"
                );
            }
            entry.state = sent.map_or_else(Delivery::Failed, |()| Delivery::Delivered);
            if let Err(error) = sns.outbox.put(entry) {
                tracing::error!(%error, "the outbox could not be written");
            }
        });
    }

    /// Asks an HTTP endpoint whether it wants what it was subscribed to.
    pub(super) fn ask_for_confirmation(&self, arn: &str, to: &Subscription, token: &str) {
        let url = format!(
            "{}/?Action=ConfirmSubscription&TopicArn={}&Token={token}",
            self.address.aws_url, to.topic
        );
        let id = uuid::Uuid::new_v4().to_string();
        let body = json!({
            "Type": "SubscriptionConfirmation",
            "MessageId": id,
            "Token": token,
            "TopicArn": to.topic,
            "Message": format!("You have chosen to subscribe to the topic {}.\nTo confirm, visit the SubscribeURL.", to.topic),
            "SubscribeURL": url,
            "Timestamp": Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string(),
            "SignatureVersion": "1",
            "Signature": "",
            "SigningCertURL": "",
        });
        let request = self
            .http
            .post(&to.endpoint)
            .header("content-type", "text/plain; charset=UTF-8")
            .header("user-agent", "Amazon Simple Notification Service Agent")
            .header("x-amz-sns-message-type", "SubscriptionConfirmation")
            .header("x-amz-sns-message-id", id)
            .header("x-amz-sns-topic-arn", &to.topic)
            .body(body.to_string());
        let (sns, arn) = (self.clone(), arn.to_owned());
        self.running.spawn(async move {
            let asked = sns
                .stop
                .run_until_cancelled(try_until(&request, sns.retries))
                .await;
            if let Some(Err(reason)) = asked {
                tracing::error!(arn, reason, "a subscriber could not be asked to confirm");
            }
        });
    }
}

async fn try_until(request: &reqwest::RequestBuilder, retries: Retries) -> Result<(), String> {
    let mut pause = retries.first_pause;
    let mut tried = 0;
    loop {
        let error = match attempt(request).await {
            Ok(()) => return Ok(()),
            Err(Attempt::Permanent(reason)) => return Err(reason),
            Err(Attempt::Transient(reason)) => reason,
        };
        tried += 1;
        if tried >= retries.immediate + retries.later {
            return Err(format!("{error} (tried {tried} times)"));
        }
        if tried >= retries.immediate {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(retries.longest_pause);
        }
    }
}

enum Attempt {
    Transient(String),
    Permanent(String),
}

async fn attempt(request: &reqwest::RequestBuilder) -> Result<(), Attempt> {
    let request = request
        .try_clone()
        .ok_or_else(|| Attempt::Permanent("the request cannot be repeated".to_owned()))?;
    // The URL is left out of the message: it may hold a secret of the receiver's.
    let response = request
        .send()
        .await
        .map_err(|error| Attempt::Transient(error.without_url().to_string()))?;
    match response.status() {
        status if status.is_success() => Ok(()),
        // As SNS does: the receiver says that asking again is pointless.
        status if status.is_client_error() && status.as_u16() != 429 => {
            Err(Attempt::Permanent(format!("answered {status}")))
        }
        status => Err(Attempt::Transient(format!("answered {status}"))),
    }
}

fn entry(to: &Subscription, message: &Message, text: String, state: Delivery) -> Entry {
    let id = uuid::Uuid::new_v4().to_string();
    Entry {
        id,
        at: message.at,
        protocol: to.protocol.clone(),
        to: to.endpoint.clone(),
        from: message.topic.clone(),
        subject: message.subject.clone(),
        text,
        html: None,
        state,
        secret_until: None,
    }
}
