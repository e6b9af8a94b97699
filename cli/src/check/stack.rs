//! Checks a deployment part by part. It needs only permissions to read, and changes nothing.

mod bucket;
mod people;
mod policy;
mod queues;
mod work;

use anyhow::anyhow;
use console::Reader;
use jiff::Timestamp;

use super::finding::{Finding, judge};
use crate::target::Target;

/// What no request of this program can check.
pub(super) const NOT_CHECKED: &str = "Not checked: schedules, alarms, roles and the functions' own settings. On AWS \
    they are compared with the template by\n  aws cloudformation detect-stack-drift";

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
        Ok(model) => all.extend(work::findings(&model, Timestamp::now())),
        Err(error) => all.push(Finding::unknown("datasets", format!("{:#}", anyhow!(error)))),
    }
    all.extend(topics);
    all
}

fn stack(target: &Target) -> Finding {
    let Some(status) = &target.deployment.status else {
        return Finding::fine("stack", "runs on this machine, and answers");
    };
    // After UPDATE_ROLLBACK_COMPLETE the stack is complete, too: as it was before the update.
    let is_complete =
        status.ends_with("_COMPLETE") && !status.starts_with("DELETE") && status != "ROLLBACK_COMPLETE";
    let wrong =
        format!("is {status}; to see why, and what it waits for: aws cloudformation describe-stack-events");
    judge("stack", (!is_complete).then_some(wrong), format!("is {status}"))
}

fn region(target: &Target) -> Finding {
    let region = target.region();
    if target.is_engine {
        return Finding::fine(
            "Region",
            format!("{region}; a Groundcrew engine labels in any Region"),
        );
    }
    let known = shared::task::regions().any(|known| known == region);
    let wrong = format!(
        "Ground Truth has no built-in tasks in {region}: deploy in one of {}",
        shared::task::regions().collect::<Vec<_>>().join(", ")
    );
    judge(
        "Region",
        (!known).then_some(wrong),
        format!("{region} has Ground Truth's built-in tasks"),
    )
}
