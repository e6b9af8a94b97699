//! From a stack to what the console and the command need of it, and finding the stack that runs.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use console::{ConsoleConfig, Hints, Queue};
use local::{FirstWorker, StackInfo};
use shared::name::JobPrefix;
use shared::shell;

use crate::args::Place;
use crate::deployed;

/// The console reads memory and disk of this machine: a look a second costs next to nothing.
const REFRESH: Duration = Duration::from_secs(1);

/// A Groundcrew, on this machine or on AWS, as a command reaches it.
pub(crate) struct Target {
    pub(crate) config: ConsoleConfig,
    /// Origin of the worker portal, where it is known without asking the labeling service.
    pub(crate) portal: Option<String>,
    /// The labeling service is a Groundcrew engine: SageMaker otherwise.
    pub(crate) engine: bool,
    /// The sign-in made at the first start, in the team that the config's hints name.
    pub(crate) first_worker: Option<FirstWorker>,
    pub(crate) deployment: Deployment,
}

/// What it consists of besides what the console shows: what `check` looks at.
pub(crate) struct Deployment {
    /// In CloudFormation's words; `None` on one machine.
    pub(crate) status: Option<String>,
    /// Of the template, as deployed; none on one machine.
    pub(crate) parameters: BTreeMap<String, String>,
    /// By the function's name.
    pub(crate) queue_urls: BTreeMap<String, String>,
    pub(crate) notice_topic: Option<String>,
    pub(crate) alarm_topic: Option<String>,
    pub(crate) user_pool: Option<String>,
    pub(crate) client: Option<String>,
    /// ARNs of the functions that sign-in calls, where an output tells them.
    pub(crate) assign_worker: Option<String>,
    pub(crate) invite_message: Option<String>,
}

impl Deployment {
    /// Everything of it is in one process, wired by code.
    pub(crate) fn is_here(&self) -> bool {
        self.status.is_none()
    }

    /// Of a parameter, where it is not empty.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        let value = self.parameters.get(name)?;
        (!value.is_empty()).then_some(value.as_str())
    }

    fn here(stack: &StackInfo) -> Self {
        let queues = stack
            .queues
            .iter()
            .map(|queue| (queue.name.clone(), queue.url.clone()));
        Self {
            status: None,
            parameters: BTreeMap::new(),
            queue_urls: queues.collect(),
            notice_topic: Some(stack.topic_arn.clone()),
            alarm_topic: None,
            user_pool: Some(stack.user_pool_id.clone()),
            client: Some(stack.client_id.clone()),
            assign_worker: None,
            invite_message: None,
        }
    }
}

/// Fails where there is none, or nothing of it answers.
pub(crate) async fn target(place: &Place) -> anyhow::Result<Target> {
    if let Some(name) = &place.stack {
        return deployed::find(name, place.region.as_deref()).await;
    }
    let stack = running(&place.data.folder()).await?;
    Ok(Target {
        config: console_config(&stack)?,
        deployment: Deployment::here(&stack),
        portal: Some(stack.web_url),
        engine: true,
        first_worker: Some(stack.worker),
    })
}

/// What the console shows of this stack, and to whom.
pub(crate) fn console_config(stack: &StackInfo) -> anyhow::Result<ConsoleConfig> {
    let prefix = JobPrefix::new(&stack.job_prefix);
    let queues = stack.queues.iter().map(|queue| Queue {
        name: queue.name.clone(),
        dead_letter_url: queue.dead_letter_url.clone(),
    });
    Ok(ConsoleConfig {
        sdk: stack.sdk(),
        input_bucket: stack.input_bucket.clone(),
        output_bucket: stack.output_bucket.clone(),
        labeling_endpoint: None,
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

/// A browser does not know where the command was started.
pub(crate) fn absolute(path: &Path) -> String {
    std::path::absolute(path)
        .unwrap_or_else(|_| path.to_owned())
        .display()
        .to_string()
}

/// Fails where nothing was started with this data folder, or nothing of it answers any more.
pub(crate) async fn running(data: &Path) -> anyhow::Result<StackInfo> {
    let nothing = || {
        let folder = data.display();
        format!(
            "nothing runs with the data folder {folder}; name another with --data, or start it with\n  groundcrew up --data \
             {}",
            shell::path(&folder.to_string())
        )
    };
    let stack = StackInfo::read(data)?.with_context(nothing)?;
    let address = stack
        .aws_url
        .split_once("://")
        .map_or(stack.aws_url.as_str(), |(_, rest)| rest);
    tokio::net::TcpStream::connect(address)
        .await
        .with_context(nothing)?;
    Ok(stack)
}
