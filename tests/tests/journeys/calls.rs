//! Every call the functions make while the line does all it can do, held against AWS's published API models, and
//! against the roles of `template.yaml`, both ways.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may fail where it stands"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use local::wiring::FUNCTIONS;
use serde_json::Value;
use tests::busy;
use tests::roles::{Call, grants_of};

/// Granted, and never seen here: why.
const UNSEEN: &[(&str, &str)] = &[
    (
        "s3:ListBucket",
        "lets a read of what is not there say so, instead of `denied`",
    ),
    (
        "kms:Decrypt",
        "labels are encrypted with a key of one's own only on AWS",
    ),
    ("iam:PassRole", "asked for within CreateLabelingJob"),
    (
        "sagemaker:AddTags",
        "asked for within CreateLabelingJob, for a job with tags",
    ),
    (
        "cognito-idp:UpdateUserPool",
        "SageMaker's, with the caller's permissions, when it makes a workforce",
    ),
    ("cognito-idp:ListGroups", "SageMaker's, likewise"),
    ("cognito-idp:DescribeUserPoolDomain", "SageMaker's, likewise"),
    ("sqs:ReceiveMessage", "Lambda's polling"),
    ("sqs:DeleteMessage", "Lambda's polling"),
    ("sqs:GetQueueAttributes", "Lambda's polling"),
    ("logs:CreateLogStream", "the runtime's log lines"),
    ("logs:PutLogEvents", "the runtime's log lines"),
];

fn python() -> Option<String> {
    let python = std::env::var("GROUNDCREW_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let has = Command::new(&python)
        .args(["-c", "import botocore, regex"])
        .output()
        .is_ok_and(|o| o.status.success());
    assert!(
        has || std::env::var_os("GROUNDCREW_PYTHON").is_none(),
        "{python} lacks botocore or regex"
    );
    has.then_some(python)
}

fn validate(python: &str, recording: &Path) -> Result<Value> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/clients/validate_calls.py");
    let output = Command::new(python).arg(script).arg(recording).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).with_context(|| said.into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_of_the_functions_is_one_aws_would_take_and_their_roles_allow() -> Result<()> {
    let Some(python) = python() else {
        eprintln!("skipped: no Python with botocore and regex (GROUNDCREW_PYTHON names one)");
        return Ok(());
    };
    let folder = tempfile::tempdir()?;
    let recording = folder.path().join("calls.jsonl");
    busy::drive_everything(&recording).await?;

    let report = validate(&python, &recording)?;
    assert!(report["checked"].as_u64() > Some(200), "{}", report["checked"]);
    let violations = report["violations"].as_array().context("violations")?;
    let mine: Vec<&Value> = violations.iter().filter(|v| !v["caller"].is_null()).collect();
    assert!(mine.is_empty(), "{mine:#?}");
    roles_hold(&report["operations"])?;

    let spoilt = folder.path().join("spoilt.jsonl");
    spoil(&recording, &spoilt)?;
    let report = validate(&python, &spoilt)?;
    let found: BTreeSet<&str> = report["violations"]
        .as_array()
        .context("violations")?
        .iter()
        .filter_map(|v| v["what"].as_str())
        .collect();
    for part in [
        "LabelingJobName: does not match",
        "RoleArn: missing",
        "no such member",
        "none of [",
    ] {
        assert!(
            found.iter().any(|what| what.contains(part)),
            "{part} in {found:#?}"
        );
    }
    Ok(())
}

/// Everything called is allowed, and everything allowed has been called.
fn roles_hold(operations: &Value) -> Result<()> {
    for function in FUNCTIONS {
        let calls: BTreeSet<Call> = operations[function.name]
            .as_array()
            .with_context(|| format!("{} made no call", function.name))?
            .iter()
            .map(|pair| {
                call(
                    pair[0].as_str().expect("a name"),
                    pair[1].as_str().expect("a resource"),
                )
            })
            .collect();
        let granted = grants_of(function.name);
        let denied: Vec<&Call> = calls
            .iter()
            .filter(|call| !granted.iter().any(|s| s.allows(call)))
            .collect();
        assert!(
            denied.is_empty(),
            "{} may not, and did: {denied:#?}",
            function.name
        );
        let unseen: BTreeMap<&str, &str> = UNSEEN.iter().copied().collect();
        let called: BTreeSet<&str> = calls.iter().map(|call| call.action.as_str()).collect();
        let unused: BTreeSet<&String> = granted
            .iter()
            .flat_map(|s| &s.actions)
            .filter(|action| !called.contains(action.as_str()) && !unseen.contains_key(action.as_str()))
            .collect();
        assert!(
            unused.is_empty(),
            "{} may, and never did: {unused:#?}",
            function.name
        );
    }
    Ok(())
}

/// An operation as IAM names it, on the resource as IAM writes it.
fn call(operation: &str, resource: &str) -> Call {
    let (service, name) = operation.split_once(':').expect("service:operation");
    let action = match operation {
        "s3:ListObjectsV2" => "s3:ListBucket".to_owned(),
        "s3:HeadObject" => "s3:GetObject".to_owned(),
        "s3:ListMultipartUploads" => "s3:ListBucketMultipartUploads".to_owned(),
        _ => operation.to_owned(),
    };
    let account = "us-east-1:000000000000";
    let resource = match service {
        "s3" => format!("arn:aws:s3:::{resource}"),
        "cognito-idp" => format!("arn:aws:cognito-idp:{account}:userpool/{resource}"),
        "sns" if !resource.starts_with("arn:") => format!("arn:aws:sns:{account}:{resource}"),
        _ if resource.starts_with("arn:") => resource.to_owned(),
        "sagemaker" if name.contains("LabelingJob") => {
            format!("arn:aws:sagemaker:{account}:labeling-job/{resource}")
        }
        "sagemaker" if name.contains("Workteam") => {
            format!("arn:aws:sagemaker:{account}:workteam/private-crowd/{resource}")
        }
        "sagemaker" => format!("arn:aws:sagemaker:{account}:workforce/private-crowd/{resource}"),
        _ => resource.to_owned(),
    };
    Call { action, resource }
}

/// The recording with a wrong name, a missing member, an unknown one and a wrong choice in its CreateLabelingJob.
fn spoil(recording: &Path, spoilt: &Path) -> Result<()> {
    let text = std::fs::read_to_string(recording)?;
    let mut made = 0;
    let mut out = String::new();
    for line in text.lines() {
        let mut call: Value = serde_json::from_str(line)?;
        if call["headers"]["x-amz-target"] == "SageMaker.CreateLabelingJob" {
            let mut body: Value = serde_json::from_slice(&base64(&call["body"])?)?;
            body["LabelingJobName"] = "under_score".into();
            body["Surprise"] = true.into();
            body["InputConfig"]["DataAttributes"] = serde_json::json!({"ContentClassifiers": ["Free"]});
            body.as_object_mut().context("an object")?.remove("RoleArn");
            use base64::Engine as _;
            call["body"] = base64::engine::general_purpose::STANDARD
                .encode(body.to_string())
                .into();
            made += 1;
        }
        out += &format!("{call}\n");
    }
    assert!(made > 0, "a job was started");
    std::fs::write(spoilt, out)?;
    Ok(())
}

fn base64(text: &Value) -> Result<Vec<u8>> {
    use base64::Engine as _;
    Ok(base64::engine::general_purpose::STANDARD.decode(text.as_str().context("a body")?)?)
}
