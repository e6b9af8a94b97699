//! A deployment, part by part, with no more than ordinary rights to read: nothing is changed by looking.

mod bucket;
mod people;
mod policy;
mod queues;
mod work;

use anyhow::anyhow;
use console::Reader;
use jiff::Timestamp;

use super::finding::{Finding, judged};
use crate::endpoint::Target;

/// What no request of this program tells of.
pub(super) const LEFT_OUT: &str = "Not looked at: schedules, alarms, roles and the functions' own settings. On AWS, \
    what compares them with the template is\n  aws cloudformation detect-stack-drift";

pub(super) async fn findings(target: &Target) -> Vec<Finding> {
    let reader = Reader::new(&target.config);
    let (input, output, model, pool, client, workforce, redrives, topics) = tokio::join!(
        bucket::input(target),
        bucket::output(target),
        reader.load(),
        people::pool(target),
        people::client(target),
        people::workforce(target),
        queues::redrives(target),
        queues::topics(target),
    );
    let mut all = vec![stack(target), region(target)];
    all.extend(input);
    all.extend(output);
    all.extend([pool, client, workforce].into_iter().flatten());
    all.extend(redrives);
    match model {
        Ok(model) => all.extend(work::of(&model, Timestamp::now())),
        Err(error) => all.push(Finding::unseen("datasets", format!("{:#}", anyhow!(error)))),
    }
    all.extend(topics);
    all
}

fn stack(target: &Target) -> Finding {
    let Some(status) = &target.deployment.status else {
        return Finding::fine("stack", "runs on this machine, and answers");
    };
    // UPDATE_ROLLBACK_COMPLETE is whole as well, as it was before.
    let whole =
        status.ends_with("_COMPLETE") && !status.starts_with("DELETE") && status != "ROLLBACK_COMPLETE";
    let wrong = format!(
        "is {status}; why, and what it waits for, is said by: aws cloudformation describe-stack-events"
    );
    judged("stack", (!whole).then_some(wrong), format!("is {status}"))
}

fn region(target: &Target) -> Finding {
    let region = target
        .config
        .sdk
        .region()
        .map(ToString::to_string)
        .unwrap_or_default();
    if target.engine {
        return Finding::fine(
            "Region",
            format!("{region}; a Groundcrew engine labels, wherever it is"),
        );
    }
    let known = shared::task::regions().any(|known| known == region);
    let wrong = format!(
        "Ground Truth has no built-in tasks in {region}: deploy in one of {}",
        shared::task::regions().collect::<Vec<_>>().join(", ")
    );
    judged(
        "Region",
        (!known).then_some(wrong),
        format!("{region} has Ground Truth's built-in tasks"),
    )
}
