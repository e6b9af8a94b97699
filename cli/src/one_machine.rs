//! The Groundcrew that runs on this machine, found by its data folder.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use aws::sdk::Sdk;
use console::{ConsoleConfig, Hints, Queue};
use local::StackInfo;
use shared::name::JobPrefix;
use shared::shell;

use crate::target::{Deployment, Target};

/// The console reads memory and disk of this machine: a read each second costs next to nothing.
const REFRESH: Duration = Duration::from_secs(1);

pub(crate) async fn find(data: &Path) -> anyhow::Result<Target> {
    let stack = running_stack(data).await?;
    Ok(Target {
        config: console_config(&stack)?,
        sdk: stack.sdk(),
        deployment: deployment(&stack),
        portal: Some(stack.web_url),
        is_engine: true,
        first_worker: Some(stack.worker),
    })
}

fn deployment(stack: &StackInfo) -> Deployment {
    let queues = stack.queues.iter();
    Deployment {
        status: None,
        parameters: BTreeMap::new(),
        queue_urls: queues
            .map(|queue| (queue.name.clone(), queue.url.clone()))
            .collect(),
        notice_topic: Some(stack.topic_arn.clone()),
        alarm_topic: None,
        user_pool: Some(stack.user_pool_id.clone()),
        client: Some(stack.client_id.clone()),
        assign_worker: None,
        invite_message: None,
    }
}

pub(crate) fn console_config(stack: &StackInfo) -> anyhow::Result<ConsoleConfig> {
    let prefix = JobPrefix::new(&stack.job_prefix);
    let queues = stack.queues.iter().map(|queue| Queue {
        name: queue.name.clone(),
        dead_letter_url: queue.dead_letter_url.clone(),
    });
    Ok(ConsoleConfig {
        sdk: Sdk::from(&stack.sdk()),
        input_bucket: stack.input_bucket.clone(),
        output_bucket: stack.output_bucket.clone(),
        labeling_sdk: Sdk::from(&stack.sdk()),
        job_prefix: prefix.with_context(|| format!("`{}` is no job prefix", stack.job_prefix))?,
        queues: queues.collect(),
        portal_url: stack.web_url.clone(),
        outbox_url: Some(stack.outbox_url.clone()),
        public_url: stack.web_url.clone(),
        secret: stack.console_secret.clone(),
        hints: Hints {
            drop_folder: Some(absolute(&stack.drop_folder)),
            aws_endpoint: Some(stack.aws_url.clone()),
            team: Some(stack.team.clone()),
        },
        refresh: REFRESH,
    })
}

/// A browser does not know in which folder the command was started.
fn absolute(path: &Path) -> String {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    absolute.display().to_string()
}

/// Fails where nothing was started with this data folder, or where it does not answer any more.
pub(crate) async fn running_stack(data: &Path) -> anyhow::Result<StackInfo> {
    let not_running = || {
        let folder = data.display();
        format!(
            "nothing runs with the data folder {folder}; name another with --data, or start it with\n  groundcrew up --data \
             {}",
            shell::path(&folder.to_string())
        )
    };
    let stack = StackInfo::read(data)?.with_context(not_running)?;
    let address = stack
        .aws_url
        .split_once("://")
        .map_or(stack.aws_url.as_str(), |(_, rest)| rest);
    tokio::net::TcpStream::connect(address)
        .await
        .with_context(not_running)?;
    Ok(stack)
}
