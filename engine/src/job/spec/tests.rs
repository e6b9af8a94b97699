//! Which requests become a job, and which are refused.

use serde_json::{Value, json};

use super::*;

fn request() -> Value {
    crate::testing::request("Numbers-000001")
}

fn refusal(change: impl FnOnce(&mut Value)) -> String {
    let mut request = request();
    change(&mut request);
    JobSpec::from_request(&request).unwrap_err().0
}

#[test]
fn a_request_becomes_a_spec_with_the_documented_defaults() {
    let spec = JobSpec::from_request(&request()).unwrap();
    assert_eq!(spec.task, TaskType::TextMultiClass);
    assert_eq!(
        (spec.window, spec.availability, spec.team.as_str()),
        (1000, 2_592_000, "crew")
    );
    assert_eq!(spec.output, Address::new("out", "labels/"));
    assert_eq!(spec.job_name_in_output(), "labeling-job/numbers-000001");
}

#[test]
fn the_output_path_may_be_a_bucket_or_lack_its_slash() {
    assert_eq!(folder("s3://b"), Ok(Address::new("b", "")));
    assert_eq!(folder("s3://b/"), Ok(Address::new("b", "")));
    assert_eq!(folder("s3://b/p/q"), Ok(Address::new("b", "p/q/")));
}

#[test]
fn unsupported_members_are_refused_by_name() {
    let is_unsupported = |message: String, what: &str| {
        assert!(
            message.contains("is not supported by this labeling engine") && message.contains(what),
            "{message}"
        );
    };
    is_unsupported(
        refusal(|r| r["LabelingJobAlgorithmsConfig"] = json!({})),
        "LabelingJobAlgorithmsConfig",
    );
    is_unsupported(
        refusal(|r| r["OutputConfig"]["KmsKeyId"] = json!("alias/labels")),
        "OutputConfig.KmsKeyId",
    );
    is_unsupported(
        refusal(|r| r["InputConfig"]["DataSource"]["SnsDataSource"] = json!({})),
        "streaming",
    );
    is_unsupported(
        refusal(|r| r["HumanTaskConfig"]["PublicWorkforceTaskPrice"] = json!({})),
        "private work teams",
    );
    is_unsupported(
        refusal(|r| {
            r["HumanTaskConfig"]["WorkteamArn"] =
                json!("arn:aws:sagemaker:us-east-1:394669845002:workteam/public-crowd/default");
        }),
        "private work teams",
    );
    is_unsupported(
        refusal(|r| {
            r["HumanTaskConfig"]["PreHumanTaskLambdaArn"] =
                json!("arn:aws:lambda:us-east-1:432418664414:function:PRE-BoundingBox");
            r["HumanTaskConfig"]["AnnotationConsolidationConfig"]["AnnotationConsolidationLambdaArn"] =
                json!("arn:aws:lambda:us-east-1:432418664414:function:ACS-BoundingBox");
        }),
        "BoundingBox",
    );
    is_unsupported(
        refusal(|r| {
            r["HumanTaskConfig"]["PreHumanTaskLambdaArn"] =
                json!("arn:aws:lambda:us-east-1:000000000000:function:mine");
        }),
        "custom Lambda function",
    );
}

#[test]
fn rules_between_members_are_checked() {
    assert!(refusal(|r| r["LabelAttributeName"] = json!("parity-ref")).contains("-ref"));
    assert!(refusal(|r| r["LabelAttributeName"] = json!("parity-metadata")).contains("-metadata"));
    assert!(refusal(|r| r["HumanTaskConfig"]["TaskTimeLimitInSeconds"] = json!(28_801)).contains("28800"));
    assert!(
        refusal(|r| r["HumanTaskConfig"]["UiConfig"]["HumanTaskUiArn"] = json!("arn:x")).contains("not both")
    );
    assert!(refusal(|r| r["LabelCategoryConfigS3Uri"] = Value::Null).contains("LabelCategoryConfigS3Uri"));
    assert!(
        refusal(|r| {
            r["HumanTaskConfig"]["PreHumanTaskLambdaArn"] =
                json!("arn:aws:lambda:us-east-1:432418664414:function:PRE-ImageMultiClass");
        })
        .contains("give a pair")
    );
}

#[test]
fn stopping_conditions_limit_the_items() {
    let mut spec = JobSpec::from_request(&request()).unwrap();
    assert_eq!(spec.limit(10), 10);
    spec.max_percent = Some(25);
    assert_eq!(spec.limit(10), 3);
    spec.max_objects = Some(2);
    assert_eq!(spec.limit(10), 2);
}
