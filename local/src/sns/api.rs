//! SNS's operations by name.
//! <https://docs.aws.amazon.com/sns/latest/api/API_Operations.html>

use std::collections::BTreeMap;

use super::Sns;
use super::filter::FilterPolicy;
use super::members;
use super::message::Message;
use super::query::{Form, SnsError, Xml};
use super::store::{Protocol, Subscription, Topic};

const PAGE: usize = 100;
/// Topic attributes that are kept. The others change what a topic does, and are refused because nothing here does it.
const TOPIC_ATTRIBUTES: [&str; 4] = ["DisplayName", "Policy", "DeliveryPolicy", "TracingConfig"];

impl Sns {
    pub(super) fn call(&self, operation: &str, form: &Form) -> Result<Xml, SnsError> {
        members::check(operation, form)?;
        match operation {
            "CreateTopic" => self.create_topic(form),
            "DeleteTopic" => self.delete_topic(form),
            "ListTopics" => self.list_topics(form),
            "GetTopicAttributes" => self.topic_attributes(form),
            "SetTopicAttributes" => self.set_topic_attribute(form),
            "Subscribe" => self.subscribe(form),
            "ConfirmSubscription" => self.confirm(form),
            "Unsubscribe" => self.unsubscribe(form),
            "ListSubscriptions" => self.list_subscriptions(form, None),
            "ListSubscriptionsByTopic" => {
                let topic = form.require("TopicArn")?;
                self.known_topic(topic)?;
                self.list_subscriptions(form, Some(topic))
            }
            "GetSubscriptionAttributes" => self.subscription_attributes(form),
            "SetSubscriptionAttributes" => self.set_subscription_attribute(form),
            "Publish" => self.publish(form),
            "PublishBatch" => self.publish_batch(form),
            other => Err(SnsError::unsupported_operation(other)),
        }
    }

    pub(super) fn known_topic(&self, arn: &str) -> Result<Topic, SnsError> {
        self.store
            .read(|all| all.topics.get(arn).cloned())
            .ok_or_else(|| SnsError::not_found("Topic"))
    }

    fn create_topic(&self, form: &Form) -> Result<Xml, SnsError> {
        let name = form.require("Name")?;
        if name.is_empty()
            || name.len() > 256
            || !name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
        {
            return Err(SnsError::invalid(
                "Topic Name: 1 to 256 letters, digits, hyphens and underscores (no FIFO topics here)",
            ));
        }
        let attributes = form.map("Attributes");
        for name in attributes.keys() {
            known_topic_attribute(name)?;
        }
        let arn = format!(
            "arn:aws:sns:{}:{}:{name}",
            self.address.region, self.address.account
        );
        self.store.change(|all| {
            all.topics
                .entry(arn.clone())
                .or_default()
                .attributes
                .extend(attributes);
            Ok(())
        })?;
        Ok(Xml::Elements(vec![("TopicArn", Xml::text(arn))]))
    }

    fn delete_topic(&self, form: &Form) -> Result<Xml, SnsError> {
        let arn = form.require("TopicArn")?;
        self.store.change(|all| {
            all.topics.remove(arn);
            all.subscriptions
                .retain(|_, subscription| subscription.topic != arn);
            Ok(Xml::none())
        })
    }

    fn list_topics(&self, form: &Form) -> Result<Xml, SnsError> {
        let arns: Vec<String> = self.store.read(|all| all.topics.keys().cloned().collect());
        let (page, next) = page(&arns, |arn| arn, form)?;
        let topics = page
            .iter()
            .map(|arn| Xml::Elements(vec![("TopicArn", Xml::text(arn.clone()))]));
        Ok(list_answer("Topics", Xml::list(topics), next))
    }

    fn topic_attributes(&self, form: &Form) -> Result<Xml, SnsError> {
        let arn = form.require("TopicArn")?;
        let mut shown = self.known_topic(arn)?.attributes;
        let (confirmed, pending) = self.store.read(|all| {
            let of_topic = all
                .subscriptions
                .values()
                .filter(|subscription| subscription.topic == arn);
            of_topic.fold((0, 0), |(confirmed, pending), subscription| {
                match subscription.token {
                    None => (confirmed + 1, pending),
                    Some(_) => (confirmed, pending + 1),
                }
            })
        });
        shown.insert("TopicArn".into(), arn.into());
        shown.insert("Owner".into(), self.address.account.into());
        shown.insert("SubscriptionsConfirmed".into(), confirmed.to_string());
        shown.insert("SubscriptionsPending".into(), pending.to_string());
        shown.insert("SubscriptionsDeleted".into(), "0".into());
        Ok(Xml::Elements(vec![("Attributes", Xml::map(shown))]))
    }

    fn set_topic_attribute(&self, form: &Form) -> Result<Xml, SnsError> {
        let (arn, name) = (form.require("TopicArn")?, form.require("AttributeName")?);
        known_topic_attribute(name)?;
        let value = form.get("AttributeValue").unwrap_or_default().to_owned();
        self.store.change(|all| {
            let topic = all
                .topics
                .get_mut(arn)
                .ok_or_else(|| SnsError::not_found("Topic"))?;
            topic.attributes.insert(name.to_owned(), value);
            Ok(Xml::none())
        })
    }

    fn subscribe(&self, form: &Form) -> Result<Xml, SnsError> {
        let topic = form.require("TopicArn")?;
        self.known_topic(topic)?;
        let mut subscription = self.checked_endpoint(topic, form)?;
        for (name, value) in form.map("Attributes") {
            set_attribute(&mut subscription, &name, &value)?;
        }
        let (arn, subscription, new) = self.store.change(|all| {
            let same = all.subscriptions.iter().find(|(_, known)| {
                known.topic == subscription.topic
                    && known.protocol == subscription.protocol
                    && known.endpoint == subscription.endpoint
            });
            if let Some((arn, known)) = same {
                return Ok((arn.clone(), known.clone(), false));
            }
            let arn = format!("{topic}:{}", uuid::Uuid::new_v4());
            all.subscriptions.insert(arn.clone(), subscription.clone());
            Ok((arn, subscription, true))
        })?;
        if let (true, Some(token)) = (new, &subscription.token) {
            self.request_confirmation(&arn, &subscription, token);
        }
        let pending = subscription.token.is_some() && form.get("ReturnSubscriptionArn") != Some("true");
        let shown = if pending {
            "pending confirmation".to_owned()
        } else {
            arn
        };
        Ok(Xml::Elements(vec![("SubscriptionArn", Xml::text(shown))]))
    }

    /// Mail goes to the outbox and a queue belongs to the stack: both are confirmed at once. An HTTP endpoint has to confirm.
    fn checked_endpoint(&self, topic: &str, form: &Form) -> Result<Subscription, SnsError> {
        let name = form.require("Protocol")?;
        let endpoint = form.require("Endpoint")?;
        let protocol = Protocol::from_name(name).ok_or_else(|| {
            SnsError::invalid(format!(
                "Protocol {name} is not supported by the SNS of this stack: email, email-json, http, https and sqs are"
            ))
        })?;
        let fits = match protocol {
            Protocol::Email | Protocol::EmailJson => endpoint
                .split_once('@')
                .is_some_and(|(name, host)| !name.is_empty() && !host.is_empty()),
            Protocol::Http | Protocol::Https => endpoint
                .strip_prefix(name)
                .is_some_and(|rest| rest.starts_with("://")),
            Protocol::Sqs => self
                .queues
                .iter()
                .any(|queue| self.address.arn(&queue.config.name) == endpoint),
        };
        if !fits {
            return Err(SnsError::invalid(format!(
                "Endpoint does not match protocol {name}"
            )));
        }
        let token = matches!(protocol, Protocol::Http | Protocol::Https)
            .then(|| uuid::Uuid::new_v4().simple().to_string());
        Ok(Subscription {
            topic: topic.to_owned(),
            protocol,
            endpoint: endpoint.to_owned(),
            token,
            raw: false,
            filter: None,
            filter_text: None,
        })
    }

    fn confirm(&self, form: &Form) -> Result<Xml, SnsError> {
        let (topic, token) = (form.require("TopicArn")?, form.require("Token")?);
        self.store.change(|all| {
            let found = all.subscriptions.iter_mut().find(|(_, subscription)| {
                subscription.topic == topic && subscription.token.as_deref() == Some(token)
            });
            let (arn, subscription) = found.ok_or_else(|| SnsError::invalid("Token"))?;
            subscription.token = None;
            Ok(Xml::Elements(vec![("SubscriptionArn", Xml::text(arn.clone()))]))
        })
    }

    fn unsubscribe(&self, form: &Form) -> Result<Xml, SnsError> {
        let arn = form.require("SubscriptionArn")?;
        self.store.change(|all| {
            all.subscriptions.remove(arn);
            Ok(Xml::none())
        })
    }

    fn list_subscriptions(&self, form: &Form, topic: Option<&str>) -> Result<Xml, SnsError> {
        let all: Vec<(String, Subscription)> = self.store.read(|all| {
            let wanted = all
                .subscriptions
                .iter()
                .filter(|(_, one)| topic.is_none_or(|topic| one.topic == topic));
            wanted.map(|(arn, one)| (arn.clone(), one.clone())).collect()
        });
        let (page, next) = page(&all, |(arn, _)| arn, form)?;
        let shown = page.iter().map(|(arn, one)| {
            let arn = if one.token.is_some() {
                "PendingConfirmation".to_owned()
            } else {
                arn.clone()
            };
            Xml::Elements(vec![
                ("TopicArn", Xml::text(one.topic.clone())),
                ("Protocol", Xml::text(one.protocol.name())),
                ("SubscriptionArn", Xml::text(arn)),
                ("Owner", Xml::text(self.address.account)),
                ("Endpoint", Xml::text(one.endpoint.clone())),
            ])
        });
        Ok(list_answer("Subscriptions", Xml::list(shown), next))
    }

    fn subscription_attributes(&self, form: &Form) -> Result<Xml, SnsError> {
        let arn = form.require("SubscriptionArn")?;
        let one = self.store.read(|all| all.subscriptions.get(arn).cloned());
        let one = one.ok_or_else(|| SnsError::not_found("Subscription"))?;
        let mut shown = BTreeMap::from([
            ("SubscriptionArn", arn.to_owned()),
            ("TopicArn", one.topic),
            ("Protocol", one.protocol.name().to_owned()),
            ("Endpoint", one.endpoint),
            ("Owner", self.address.account.to_owned()),
            ("PendingConfirmation", one.token.is_some().to_string()),
            ("RawMessageDelivery", one.raw.to_string()),
        ]);
        if let Some(filter) = one.filter_text {
            shown.insert("FilterPolicy", filter);
            shown.insert("FilterPolicyScope", "MessageAttributes".to_owned());
        }
        let shown = shown.into_iter().map(|(name, value)| (name.to_owned(), value));
        Ok(Xml::Elements(vec![("Attributes", Xml::map(shown))]))
    }

    fn set_subscription_attribute(&self, form: &Form) -> Result<Xml, SnsError> {
        let (arn, name) = (form.require("SubscriptionArn")?, form.require("AttributeName")?);
        let value = form.get("AttributeValue").unwrap_or_default();
        self.store.change(|all| {
            let one = all
                .subscriptions
                .get_mut(arn)
                .ok_or_else(|| SnsError::not_found("Subscription"))?;
            set_attribute(one, name, value)?;
            Ok(Xml::none())
        })
    }

    fn publish(&self, form: &Form) -> Result<Xml, SnsError> {
        let target = form.get("TopicArn").or_else(|| form.get("TargetArn"));
        let topic = target.ok_or_else(|| {
            SnsError::invalid("TopicArn is missing (text messages to phones are not sent here)")
        })?;
        self.known_topic(topic)?;
        let id = self.send(&Message::read(topic, form)?)?;
        Ok(Xml::Elements(vec![("MessageId", Xml::text(id))]))
    }

    pub(super) fn send(&self, message: &Message) -> Result<String, SnsError> {
        let subscribed: Vec<(String, Subscription)> = self.store.read(|all| {
            let wanted = all.subscriptions.iter().filter(|(_, one)| {
                let filtered = one
                    .filter
                    .as_ref()
                    .is_none_or(|filter| filter.matches(&message.attributes));
                one.topic == message.topic && one.token.is_none() && filtered
            });
            wanted.map(|(arn, one)| (arn.clone(), one.clone())).collect()
        });
        for (arn, subscription) in &subscribed {
            self.deliver(arn, subscription, message)?;
        }
        Ok(message.id.clone())
    }
}

fn known_topic_attribute(name: &str) -> Result<(), SnsError> {
    if TOPIC_ATTRIBUTES.contains(&name) {
        return Ok(());
    }
    Err(SnsError::invalid(format!(
        "the topic attribute {name} is not supported by the SNS of this stack"
    )))
}

fn set_attribute(subscription: &mut Subscription, name: &str, value: &str) -> Result<(), SnsError> {
    match (name, value) {
        ("RawMessageDelivery", "true" | "false") => subscription.raw = value == "true",
        ("FilterPolicy", "" | "{}") => {
            subscription.filter = None;
            subscription.filter_text = None;
        }
        ("FilterPolicy", text) => {
            subscription.filter = Some(FilterPolicy::parse(text).map_err(SnsError::invalid)?);
            subscription.filter_text = Some(text.to_owned());
        }
        ("FilterPolicyScope", "MessageAttributes") => {}
        (name, value) => {
            return Err(SnsError::invalid(format!(
                "the subscription attribute {name}={value} is not supported by the SNS of this stack"
            )));
        }
    }
    Ok(())
}

/// A page of up to 100, sorted by ARN. The token is the last ARN of the page before, so that an entry made or deleted
/// between two pages neither hides nor repeats another.
fn page<'a, T>(
    all: &'a [T],
    arn: impl Fn(&T) -> &str,
    form: &Form,
) -> Result<(&'a [T], Option<String>), SnsError> {
    let start = match form.get("NextToken") {
        None => 0,
        Some(token) => {
            let last = hex::decode(token)
                .ok()
                .and_then(|bytes| String::from_utf8(bytes).ok());
            let last = last.ok_or_else(|| SnsError::invalid("NextToken"))?;
            all.partition_point(|one| arn(one) <= last.as_str())
        }
    };
    let page = &all[start..all.len().min(start + PAGE)];
    let more = start + page.len() < all.len();
    let next = page.last().filter(|_| more).map(|last| hex::encode(arn(last)));
    Ok((page, next))
}

fn list_answer(name: &'static str, list: Xml, next: Option<String>) -> Xml {
    let mut elements = vec![(name, list)];
    elements.extend(next.map(|next| ("NextToken", Xml::text(next))));
    Xml::Elements(elements)
}
