//! Whether queues have dead-letter queues, and topics have subscriptions.

use std::collections::HashMap;

use aws_sdk_sqs::types::QueueAttributeName;

use crate::check::finding::{Finding, judge};
use crate::target::Target;

const QUEUES: &str = "queues";
const NOTICES: &str = "notices";
const ALARMS: &str = "alarms";

/// Without a dead-letter queue, one message that keeps failing would hold a function up for two weeks.
pub(super) async fn redrives(target: &Target) -> Vec<Finding> {
    let sqs = aws_sdk_sqs::Client::new(&target.sdk);
    let mut without = Vec::new();
    for (name, url) in &target.deployment.queue_urls {
        let call = sqs
            .get_queue_attributes()
            .queue_url(url)
            .attribute_names(QueueAttributeName::RedrivePolicy);
        match call.send().await {
            Ok(set) => {
                let policy = set
                    .attributes()
                    .and_then(|all| all.get(&QueueAttributeName::RedrivePolicy));
                without.extend(policy.is_none().then_some(name.as_str()));
            }
            Err(error) => return vec![Finding::of_failure(QUEUES, "sqs:GetQueueAttributes", error)],
        }
    }
    let wrong = format!(
        "there is no dead-letter queue for {}: deploy the stack again",
        without.join(", ")
    );
    let count = target.deployment.queue_urls.len();
    vec![judge(
        QUEUES,
        (!without.is_empty()).then_some(wrong),
        format!("{count}, each with its own dead-letter queue"),
    )]
}

pub(super) async fn topics(target: &Target) -> Vec<Finding> {
    let deployment = &target.deployment;
    let mut all = Vec::new();
    if let Some(topic) = &deployment.notice_topic {
        all.push(check_subscriptions(target, NOTICES, topic).await);
    }
    match &deployment.alarm_topic {
        Some(topic) => all.push(check_subscriptions(target, ALARMS, topic).await),
        None if deployment.is_local() => {}
        None => all.push(Finding::fix(
            ALARMS,
            "there are none (Alarms=off), so failures are not announced: deploy with Alarms=on",
        )),
    }
    all
}

async fn check_subscriptions(target: &Target, about: &str, topic: &str) -> Finding {
    if target.config.outbox_url.is_some() {
        return Finding::fine(about, "are in the outbox of this machine");
    }
    let sns = aws_sdk_sns::Client::new(&target.sdk);
    match sns.get_topic_attributes().topic_arn(topic).send().await {
        Ok(topic) => {
            let (confirmed, pending) = subscriptions(topic.attributes());
            judge(about, problem(confirmed, pending), summary(confirmed))
        }
        Err(error) => Finding::of_failure(about, "sns:GetTopicAttributes", error),
    }
}

/// Confirmed and pending.
fn subscriptions(attributes: Option<&HashMap<String, String>>) -> (u64, u64) {
    let count = |name: &str| attributes?.get(name)?.parse().ok();
    (
        count("SubscriptionsConfirmed").unwrap_or(0),
        count("SubscriptionsPending").unwrap_or(0),
    )
}

fn summary(confirmed: u64) -> String {
    match confirmed {
        1 => "go to 1 subscription".to_owned(),
        count => format!("go to {count} subscriptions"),
    }
}

fn problem(confirmed: u64, pending: u64) -> Option<String> {
    match (confirmed, pending) {
        (0, 0) => Some(
            "have no subscription: deploy with AdminEmail, or subscribe to the topic in the stack's outputs with: aws sns subscribe"
                .to_owned(),
        ),
        (_, 0) => None,
        (_, 1) => Some(
            "1 subscription has not been confirmed: open SNS's mail (it may be in the spam folder) and confirm".to_owned(),
        ),
        (_, count) => Some(format!(
            "{count} subscriptions have not been confirmed: open SNS's mail (it may be in the spam folder) and confirm"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_needs_a_subscription_and_every_subscription_has_to_be_confirmed() {
        let attributes = |confirmed: &str, pending: &str| {
            HashMap::from([
                ("SubscriptionsConfirmed".to_owned(), confirmed.to_owned()),
                ("SubscriptionsPending".to_owned(), pending.to_owned()),
            ])
        };
        for (confirmed, pending, fine) in [
            ("1", "0", true),
            ("1", "1", false),
            ("0", "1", false),
            ("0", "0", false),
        ] {
            let (c, p) = subscriptions(Some(&attributes(confirmed, pending)));
            assert_eq!(problem(c, p).is_none(), fine, "{confirmed} {pending}");
        }
    }
}
