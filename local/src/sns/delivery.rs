//! From a published message to each subscription: into the outbox, a queue, or an HTTP endpoint with retries.
//! <https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html>

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use super::Sns;
use super::message::Message;
use super::query::SnsError;
use super::store::{Protocol, Subscription};
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

/// AWS's own: three at once, then pauses from 1 to 20 seconds. AWS goes on for an hour; a quarter of that is enough here,
/// where the admin sits in front of the machine.
pub(crate) const RETRIES: Retries = Retries {
    immediate: 3,
    later: 45,
    first_pause: Duration::from_secs(1),
    longest_pause: Duration::from_secs(20),
};

/// How long an endpoint has to answer.
pub(super) const HTTP_TIMEOUT: Duration = Duration::from_secs(15);

impl Sns {
    /// Whatever goes to the outbox is on disk before this returns; HTTP endpoints are called in the background.
    pub(super) fn deliver(&self, arn: &str, to: &Subscription, message: &Message) -> Result<(), SnsError> {
        match to.protocol {
            Protocol::Email => self.keep(outbox_entry(
                to,
                message,
                message.text("email").to_owned(),
                Delivery::Delivered,
            )),
            Protocol::EmailJson => self.keep(outbox_entry(
                to,
                message,
                self.envelope(arn, to, message),
                Delivery::Delivered,
            )),
            Protocol::Sqs => self.send_to_queue(arn, to, message),
            Protocol::Http | Protocol::Https => {
                let body = if to.raw {
                    message.text(to.protocol.name()).to_owned()
                } else {
                    self.envelope(arn, to, message)
                };
                let entry = outbox_entry(to, message, body, Delivery::Sending);
                self.keep(entry.clone())?;
                self.post(arn, to, message, entry);
                Ok(())
            }
        }
    }

    fn keep(&self, entry: Entry) -> Result<(), SnsError> {
        self.outbox
            .put(entry)
            .map_err(|error| SnsError::internal(error.to_string()))
    }

    fn envelope(&self, arn: &str, to: &Subscription, message: &Message) -> String {
        let unsubscribe = format!(
            "{}/?Action=Unsubscribe&SubscriptionArn={arn}",
            self.address.aws_url
        );
        message.envelope(to.protocol.name(), &unsubscribe).to_string()
    }

    fn send_to_queue(&self, arn: &str, to: &Subscription, message: &Message) -> Result<(), SnsError> {
        let name = to.endpoint.rsplit(':').next().unwrap_or_default();
        let queue = self
            .queues
            .get(name)
            .ok_or_else(|| SnsError::not_found("the subscribed queue"))?;
        if !to.raw {
            queue.send(sqs::Message::new(self.envelope(arn, to, message)));
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
                .run_until_cancelled(post_with_retries(&request, sns.retries))
                .await
            else {
                return;
            };
            if let Err(reason) = &sent {
                tracing::error!(
                    message = entry.id,
                    reason,
                    "failed to deliver a notice to an HTTP endpoint; not retried again"
                );
            }
            entry.state = sent.map_or_else(Delivery::Failed, |()| Delivery::Delivered);
            if let Err(error) = sns.outbox.put(entry) {
                tracing::error!(%error, "failed to write the outbox");
            }
        });
    }

    /// Asks an HTTP endpoint to confirm its subscription.
    pub(super) fn request_confirmation(&self, arn: &str, to: &Subscription, token: &str) {
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
            let requested = sns
                .stop
                .run_until_cancelled(post_with_retries(&request, sns.retries))
                .await;
            if let Some(Err(reason)) = requested {
                tracing::error!(
                    arn,
                    reason,
                    "failed to request a confirmation from an HTTP endpoint"
                );
            }
        });
    }
}

async fn post_with_retries(request: &reqwest::RequestBuilder, retries: Retries) -> Result<(), String> {
    let mut pause = retries.first_pause;
    let mut tried = 0;
    loop {
        let error = match post_once(request).await {
            Ok(()) => return Ok(()),
            Err(AttemptError::Permanent(reason)) => return Err(reason),
            Err(AttemptError::Transient(reason)) => reason,
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

/// Why one attempt failed, and whether another can succeed.
enum AttemptError {
    Transient(String),
    Permanent(String),
}

async fn post_once(request: &reqwest::RequestBuilder) -> Result<(), AttemptError> {
    let request = request
        .try_clone()
        .ok_or_else(|| AttemptError::Permanent("the request cannot be repeated".to_owned()))?;
    // The URL is left out of the message: it may hold a secret of the receiver's.
    let response = request
        .send()
        .await
        .map_err(|error| AttemptError::Transient(error.without_url().to_string()))?;
    match response.status() {
        status if status.is_success() => Ok(()),
        // As SNS does: the receiver says that asking again is pointless.
        status if status.is_client_error() && status.as_u16() != 429 => {
            Err(AttemptError::Permanent(format!("answered {status}")))
        }
        status => Err(AttemptError::Transient(format!("answered {status}"))),
    }
}

fn outbox_entry(to: &Subscription, message: &Message, text: String, state: Delivery) -> Entry {
    let id = uuid::Uuid::new_v4().to_string();
    Entry {
        id,
        at: message.at,
        protocol: to.protocol.name().to_owned(),
        to: to.endpoint.clone(),
        from: message.topic.clone(),
        subject: message.subject.clone(),
        text,
        html: None,
        state,
        secret_until: None,
    }
}
