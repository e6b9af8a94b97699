//! Queues that put failed messages aside, and topics somebody listens to.

use std::collections::HashMap;

use aws_sdk_sqs::types::QueueAttributeName;

use crate::check::finding::{Finding, judged};
use crate::endpoint::Target;

const QUEUES: &str = "queues";
const NOTICES: &str = "notices";
const ALARMS: &str = "alarms";

/// That each queue puts aside what keeps failing: without that, one message holds a function up for two weeks.
pub(super) async fn redrives(target: &Target) -> Vec<Finding> {
    let sqs = aws_sdk_sqs::Client::new(&target.config.sdk);
    let mut loose = Vec::new();
    for (name, url) in &target.deployment.queue_urls {
        let asked = sqs
            .get_queue_attributes()
            .queue_url(url)
            .attribute_names(QueueAttributeName::RedrivePolicy);
        match asked.send().await {
            Ok(told) => {
                let policy = told
                    .attributes()
                    .and_then(|all| all.get(&QueueAttributeName::RedrivePolicy));
                loose.extend(policy.is_none().then_some(name.as_str()));
            }
            Err(error) => return vec![Finding::of_failure(QUEUES, "sqs:GetQueueAttributes", error)],
        }
    }
    let wrong = format!(
        "nothing puts aside what keeps failing in {}: deploy the stack again",
        loose.join(", ")
    );
    let count = target.deployment.queue_urls.len();
    vec![judged(
        QUEUES,
        (!loose.is_empty()).then_some(wrong),
        format!("{count}, each with dead letters of its own"),
    )]
}

pub(super) async fn topics(target: &Target) -> Vec<Finding> {
    let deployment = &target.deployment;
    let mut all = Vec::new();
    if let Some(topic) = &deployment.notice_topic {
        all.push(listened_to(target, NOTICES, topic).await);
    }
    match &deployment.alarm_topic {
        Some(topic) => all.push(listened_to(target, ALARMS, topic).await),
        None if deployment.is_here() => {}
        None => all.push(Finding::mend(
            ALARMS,
            "there are none (Alarms=off), so nobody hears of what fails: deploy with Alarms=on",
        )),
    }
    all
}

async fn listened_to(target: &Target, about: &str, topic: &str) -> Finding {
    if target.config.outbox_url.is_some() {
        return Finding::fine(about, "are in the outbox of this machine");
    }
    let sns = aws_sdk_sns::Client::new(&target.config.sdk);
    match sns.get_topic_attributes().topic_arn(topic).send().await {
        Ok(told) => {
            let (confirmed, pending) = subscriptions(told.attributes());
            judged(about, unheard(confirmed, pending), heard(confirmed))
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

fn heard(confirmed: u64) -> String {
    match confirmed {
        1 => "go to 1 subscription".to_owned(),
        count => format!("go to {count} subscriptions"),
    }
}

fn unheard(confirmed: u64, pending: u64) -> Option<String> {
    match (confirmed, pending) {
        (0, 0) => Some(
            "go to nobody: deploy with AdminEmail, or subscribe to the topic among the outputs with: aws sns subscribe"
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
    fn a_topic_is_well_when_somebody_listens_and_nobody_has_yet_to_confirm() {
        let attributes = |confirmed: &str, pending: &str| {
            HashMap::from([
                ("SubscriptionsConfirmed".to_owned(), confirmed.to_owned()),
                ("SubscriptionsPending".to_owned(), pending.to_owned()),
            ])
        };
        for (confirmed, pending, well) in [
            ("1", "0", true),
            ("1", "1", false),
            ("0", "1", false),
            ("0", "0", false),
        ] {
            let (c, p) = subscriptions(Some(&attributes(confirmed, pending)));
            assert_eq!(unheard(c, p).is_none(), well, "{confirmed} {pending}");
        }
    }
}
