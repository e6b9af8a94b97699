//! The Groundcrew that a command works with: one on this machine, or a stack on AWS.

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use console::ConsoleConfig;
use local::FirstWorker;

pub(crate) struct Target {
    pub(crate) config: ConsoleConfig,
    /// Region, credentials and, on one machine, the endpoint.
    pub(crate) sdk: SdkConfig,
    /// Origin of the worker portal, where it is known without asking the labeling service.
    pub(crate) portal: Option<String>,
    /// The labeling service is a Groundcrew engine: SageMaker otherwise.
    pub(crate) is_engine: bool,
    /// The worker that was made at the first start, in the team that the config's hints name.
    pub(crate) first_worker: Option<FirstWorker>,
    pub(crate) deployment: Deployment,
}

impl Target {
    /// Empty where none is set.
    pub(crate) fn region(&self) -> String {
        let region = self.sdk.region();
        region.map(ToString::to_string).unwrap_or_default()
    }
}

/// The parts of a stack that only `check` reads.
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
    /// ARNs of the functions that sign-in calls, where the stack has such an output.
    pub(crate) assign_worker: Option<String>,
    pub(crate) invite_message: Option<String>,
}

impl Deployment {
    /// Everything is in one process on this machine, wired by code.
    pub(crate) fn is_local(&self) -> bool {
        self.status.is_none()
    }

    /// A parameter's value, where it is not empty.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        let value = self.parameters.get(name)?;
        (!value.is_empty()).then_some(value.as_str())
    }
}
