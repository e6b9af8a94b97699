//! Reads a stack's outputs, or says why the stack is not a Groundcrew's.

use std::time::Duration;

use anyhow::{Context as _, bail};
use aws::sdk::Sdk;
use aws_config::{Region, SdkConfig};
use console::{ConsoleConfig, Hints, Queue};
use shared::name::JobPrefix;
use shared::shell;

use super::describe::Stack;
use crate::target::{Deployment, Target};

/// A stack with any of these outputs is meant to be a Groundcrew's.
const MARKS: [&str; 3] = ["InputBucketName", "OutputBucketName", "JobPrefixUsed"];
/// The function's name, and how the names of the outputs begin.
const QUEUES: [(&str, &str); 4] = [
    ("build-manifest", "BuildManifest"),
    ("start-job", "StartJob"),
    ("notify", "Notify"),
    ("sync-team", "SyncTeam"),
];
/// A read is a dozen requests, made only while a page is open.
const REFRESH: Duration = Duration::from_secs(10);

pub(super) fn target(stack: &Stack, region: &Region, sdk: SdkConfig) -> anyhow::Result<Target> {
    check_is_groundcrew(stack, region)?;
    let text = |key: &str| stack.outputs.get(key).filter(|value| !value.is_empty()).cloned();
    let needed = |key: &str| {
        text(key).with_context(|| {
            let name = &stack.name;
            format!(
                "the stack `{name}` was deployed from another version of template.yaml, without the output {key}: \
                 deploy it again from this one"
            )
        })
    };
    let queues = QUEUES.iter().map(|(name, output)| {
        Ok(Queue {
            name: (*name).to_owned(),
            dead_letter_url: needed(&format!("{output}DeadLettersUrl"))?,
        })
    });
    let urls = QUEUES
        .iter()
        .filter_map(|(name, output)| Some(((*name).to_owned(), text(&format!("{output}QueueUrl"))?)));
    let deployment = Deployment {
        status: Some(stack.status.clone()),
        parameters: stack.parameters.clone(),
        queue_urls: urls.collect(),
        notice_topic: text("NoticeTopicArn"),
        alarm_topic: text("AlarmTopicArn"),
        user_pool: text("UserPoolId"),
        client: text("UserPoolClientId"),
        assign_worker: text("AssignWorkerFunctionArn"),
        invite_message: text("InviteMessageFunctionArn"),
    };
    let (prefix, portal) = (needed("JobPrefixUsed")?, text("PortalUrlUsed"));
    let labeling_endpoint = text("LabelingEndpoint");
    let stand_in = sdk.endpoint_url().is_some() || std::env::var_os("AWS_ENDPOINT_URL_SAGEMAKER").is_some();
    Ok(Target {
        is_engine: labeling_endpoint.is_some() || stand_in,
        config: ConsoleConfig {
            input_bucket: needed("InputBucketName")?,
            output_bucket: needed("OutputBucketName")?,
            labeling_sdk: Sdk::from(&labeling_sdk(&sdk, labeling_endpoint.as_deref())),
            job_prefix: JobPrefix::new(&prefix).with_context(|| format!("`{prefix}` is no job prefix"))?,
            queues: queues.collect::<anyhow::Result<_>>()?,
            portal_url: portal.clone().or(text("WorkforceConsole")).unwrap_or_default(),
            outbox_url: None,
            // Set by the command that serves a console.
            public_url: String::new(),
            secret: String::new(),
            hints: Hints::default(),
            refresh: REFRESH,
            sdk: Sdk::from(&sdk),
        },
        sdk,
        portal,
        first_worker: None,
        deployment,
    })
}

fn labeling_sdk(sdk: &SdkConfig, endpoint: Option<&str>) -> SdkConfig {
    match endpoint {
        Some(endpoint) => sdk.to_builder().endpoint_url(endpoint).build(),
        None => sdk.clone(),
    }
}

fn check_is_groundcrew(stack: &Stack, region: &Region) -> anyhow::Result<()> {
    let Stack {
        name,
        status,
        outputs,
        ..
    } = stack;
    if MARKS.iter().any(|mark| outputs.contains_key(*mark)) {
        return Ok(());
    }
    // A stack has no outputs before it is complete, and after it was rolled back.
    if outputs.is_empty() && !matches!(status.as_str(), "CREATE_COMPLETE" | "UPDATE_COMPLETE") {
        bail!(
            "the stack `{name}` in {region} is {status} and has no outputs: wait until it is complete, or see its \
             events with\n  aws cloudformation describe-stack-events --region {} --stack-name {}",
            shell::word(region.as_ref()),
            shell::word(name)
        );
    }
    bail!(
        "the stack `{name}` in {region} is not a Groundcrew's: it has no outputs {}",
        MARKS.join(", ")
    );
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn stack(status: &str, outputs: &[(&str, &str)]) -> Stack {
        Stack {
            name: "crew".into(),
            status: status.into(),
            outputs: outputs
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect::<BTreeMap<_, _>>(),
            parameters: BTreeMap::new(),
        }
    }

    fn target_sdk() -> SdkConfig {
        let sdk = SdkConfig::builder().behavior_version(aws_config::BehaviorVersion::latest());
        sdk.build()
    }

    fn read(stack: &Stack) -> anyhow::Result<Target> {
        target(stack, &Region::from_static("eu-west-1"), target_sdk())
    }

    /// Every output the template has, by its own text.
    fn outputs_of_the_template() -> Vec<(String, String)> {
        let template = include_str!("../../../template.yaml");
        let outputs = template.split("\nOutputs:\n").nth(1).unwrap();
        let keys = outputs
            .lines()
            .filter_map(|line| line.strip_prefix("  ")?.strip_suffix(':'))
            .filter(|key| !key.starts_with(' '));
        keys.map(|key| {
            let value = if key == "JobPrefixUsed" { "gc01" } else { key };
            (key.to_owned(), value.to_owned())
        })
        .collect()
    }

    #[test]
    fn the_templates_outputs_are_enough() {
        let outputs = outputs_of_the_template();
        let outputs: Vec<(&str, &str)> = outputs.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        let Target {
            config,
            is_engine,
            deployment,
            ..
        } = read(&stack("CREATE_COMPLETE", &outputs)).unwrap();
        let parts = [
            &deployment.notice_topic,
            &deployment.alarm_topic,
            &deployment.user_pool,
            &deployment.client,
            &deployment.assign_worker,
            &deployment.invite_message,
        ];
        assert!(parts.iter().all(|part| part.is_some()) && deployment.queue_urls.len() == QUEUES.len());
        assert_eq!(config.input_bucket, "InputBucketName");
        assert_eq!(config.queues[3].dead_letter_url, "SyncTeamDeadLettersUrl");
        assert!(is_engine);
        let engine = labeling_sdk(&target_sdk(), Some("https://labeling.example"));
        assert_eq!(engine.endpoint_url(), Some("https://labeling.example"));
        let without: Vec<_> = outputs
            .into_iter()
            .filter(|(key, _)| !["LabelingEndpoint", "PortalUrlUsed"].contains(key))
            .collect();
        let target = read(&stack("CREATE_COMPLETE", &without)).unwrap();
        assert_eq!((target.is_engine, target.portal), (false, None));
        assert_eq!(target.config.portal_url, "WorkforceConsole");
    }

    #[test]
    fn a_stack_that_cannot_be_used_says_why() {
        for (stack, part) in [
            (stack("CREATE_COMPLETE", &[("Url", "x")]), "is not a Groundcrew's"),
            (stack("UPDATE_COMPLETE", &[]), "is not a Groundcrew's"),
            (
                stack("CREATE_IN_PROGRESS", &[]),
                "is CREATE_IN_PROGRESS and has no outputs",
            ),
            (
                stack("CREATE_COMPLETE", &[("InputBucketName", "x")]),
                "without the output",
            ),
        ] {
            let error = read(&stack).err().unwrap().to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
