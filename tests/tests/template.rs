//! `template.yaml` in step with the functions: one function each, wired as on one machine, told the same environment,
//! allowed exactly what its code calls.

#![expect(clippy::expect_used, reason = "a test may fail where it stands")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use local::wiring::{BucketRole, FUNCTIONS, FunctionWiring, JOB_STATE_CHANGE, Source};
use serde_json::{Value, json};

/// The template with CloudFormation's short functions taken off: `!GetAtt A.Arn` reads as `A.Arn`.
fn template() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace")
        .join("template.yaml");
    let mut text = std::fs::read_to_string(path).expect("template.yaml");
    for function in ["!Sub ", "!GetAtt ", "!Ref ", "!Not ", "!Equals "] {
        text = text.replace(function, "");
    }
    serde_saphyr::from_str(&text).expect("template.yaml is YAML without duplicate keys")
}

/// `build-manifest` is `BuildManifest…` in the template.
fn logical(function: &str, what: &str) -> String {
    let words = function.split('-').map(|w| w[..1].to_uppercase() + &w[1..]);
    words.collect::<String>() + what
}

fn resource<'a>(template: &'a Value, function: &str, what: &str) -> &'a Value {
    let name = logical(function, what);
    let resource = &template["Resources"][&name];
    assert!(resource.is_object(), "the template has no {name}");
    &resource["Properties"]
}

fn strings(value: &Value) -> BTreeSet<String> {
    match value {
        Value::Array(list) => list.iter().filter_map(|v| Some(v.as_str()?.to_owned())).collect(),
        other => other.as_str().map(str::to_owned).into_iter().collect(),
    }
}

/// Every action of the function's role.
fn actions(template: &Value, function: &str) -> BTreeSet<String> {
    let policies = resource(template, function, "Role")["Policies"]
        .as_array()
        .expect("policies");
    let statements = policies
        .iter()
        .flat_map(|p| p["PolicyDocument"]["Statement"].as_array().into_iter().flatten());
    statements.flat_map(|s| strings(&s["Action"])).collect()
}

/// What each function calls. Receiving is Lambda's polling for it, logging the runtime's.
fn called(function: &str) -> BTreeSet<String> {
    let always = ["s3:ListBucket", "s3:GetObject", "s3:PutObject", "sns:Publish"];
    let around = [
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
    ];
    let own: &[&str] = match function {
        "build-manifest" => &["s3:ListBucketMultipartUploads"],
        // AddTags: jobs are tagged when created; PassRole: a job runs with the labeling role.
        "start-job" => &[
            "sagemaker:CreateLabelingJob",
            "sagemaker:DescribeLabelingJob",
            "sagemaker:AddTags",
            "iam:PassRole",
        ],
        "notify" => &[
            "sagemaker:DescribeLabelingJob",
            "sagemaker:ListLabelingJobs",
            "kms:Decrypt",
        ],
        other => panic!("say here what `{other}` calls"),
    };
    always
        .iter()
        .chain(&around)
        .chain(own)
        .map(|a| (*a).to_owned())
        .collect()
}

#[test]
fn each_function_crate_is_one_function_of_the_template() {
    let template = template();
    let resources = template["Resources"].as_object().expect("resources");
    let deployed: BTreeSet<String> = resources
        .values()
        .filter(|r| r["Type"] == "AWS::Serverless::Function")
        .filter_map(|r| Some(r["Metadata"]["BuildProperties"]["Binary"].as_str()?.to_owned()))
        .collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace")
        .join("functions");
    let crates: BTreeSet<String> = std::fs::read_dir(folder)
        .expect("functions/")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    assert_eq!(deployed, crates);
    assert_eq!(deployed, FUNCTIONS.iter().map(|f| f.name.to_owned()).collect());
}

#[test]
fn each_function_is_told_the_same_environment_here_and_there() {
    let template = template();
    for function in FUNCTIONS {
        let variables = &resource(&template, function.name, "Function")["Environment"]["Variables"];
        let deployed: BTreeSet<&str> = variables
            .as_object()
            .expect("variables")
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(
            deployed,
            function.environment.iter().copied().collect(),
            "{}",
            function.name
        );
    }
}

#[test]
fn each_function_may_do_exactly_what_it_calls() {
    let template = template();
    for function in FUNCTIONS {
        let allowed = actions(&template, function.name);
        assert_eq!(allowed, called(function.name), "{}", function.name);
        assert!(
            allowed.iter().all(|a| !a.contains('*')),
            "{}: a wildcard",
            function.name
        );
    }
}

#[test]
fn queues_and_schedules_are_set_as_in_the_wiring() {
    let template = template();
    for function in FUNCTIONS {
        let queue = resource(&template, function.name, "Queue");
        let settings = function.queue;
        let delay = match &queue["DelaySeconds"] {
            Value::Null => json!(0),
            Value::String(parameter) => template["Parameters"][parameter]["Default"].clone(),
            number => number.clone(),
        };
        assert_eq!(delay, settings.delay_seconds, "{}: delay", function.name);
        assert_eq!(
            queue["VisibilityTimeout"], settings.visibility_seconds,
            "{}: visibility",
            function.name
        );
        assert_eq!(
            queue["MessageRetentionPeriod"],
            settings.retention_days * 86_400,
            "{}: retention",
            function.name
        );
        assert_eq!(
            queue["RedrivePolicy"]["maxReceiveCount"], settings.max_receive,
            "{}",
            function.name
        );
        let dead = logical(function.name, "Dlq.Arn");
        assert_eq!(
            queue["RedrivePolicy"]["deadLetterTargetArn"], dead,
            "{}",
            function.name
        );
        triggers_are_as_wired(&template, &function);
    }
}

fn triggers_are_as_wired(template: &Value, function: &FunctionWiring) {
    let properties = resource(template, function.name, "Function");
    assert_eq!(
        properties["Timeout"], function.timeout_seconds,
        "{}: timeout",
        function.name
    );
    let events: BTreeMap<&str, &Value> = properties["Events"]
        .as_object()
        .expect("events")
        .values()
        .filter_map(|e| Some((e["Type"].as_str()?, &e["Properties"])))
        .collect();
    let (queue, schedule) = (events["SQS"], events["ScheduleV2"]);
    assert_eq!(
        queue["Queue"],
        logical(function.name, "Queue.Arn"),
        "{}",
        function.name
    );
    assert_eq!(
        queue["BatchSize"], function.queue.batch_size,
        "{}: batch size",
        function.name
    );
    let window = queue["MaximumBatchingWindowInSeconds"].as_u64().unwrap_or(0);
    assert_eq!(
        window,
        u64::from(function.queue.batch_window_seconds),
        "{}: window",
        function.name
    );
    assert_eq!(
        queue["ScalingConfig"]["MaximumConcurrency"], function.queue.maximum_concurrency,
        "{}",
        function.name
    );
    assert_eq!(
        queue["FunctionResponseTypes"],
        json!(["ReportBatchItemFailures"]),
        "{}",
        function.name
    );
    let rate = format!("rate({} minutes)", function.schedule_minutes);
    assert_eq!(schedule["ScheduleExpression"], rate, "{}", function.name);
    let input: Value = serde_json::from_str(schedule["Input"].as_str().expect("an input")).expect("JSON");
    assert_eq!(input, json!({"sweep": "all"}), "{}", function.name);
}

#[test]
fn buckets_and_job_states_reach_the_queues_they_reach_here() {
    let template = template();
    let rule = &template["Resources"]["JobStateRule"]["Properties"];
    assert_eq!(rule["EventPattern"]["detail-type"], json!([JOB_STATE_CHANGE]));
    let targets = rule["Targets"].as_array().expect("targets");
    for function in FUNCTIONS {
        let queue = logical(function.name, "Queue.Arn");
        let hears = targets.iter().any(|t| t["Arn"] == queue.as_str());
        assert_eq!(
            hears,
            function.hears_job_states(),
            "{}: job states",
            function.name
        );
        for role in [BucketRole::Input, BucketRole::Output] {
            let deployed = notification(&template, role, &queue);
            let wired = function.sources.iter().find_map(|source| match *source {
                Source::ObjectCreated {
                    bucket,
                    prefix,
                    suffix,
                } if bucket == role => Some((prefix, suffix)),
                _ => None,
            });
            let wired = wired.map(|(prefix, suffix)| (prefix.to_owned(), suffix.to_owned()));
            assert_eq!(deployed, wired, "{}: {role:?} bucket", function.name);
        }
    }
}

/// Prefix and suffix of the keys the bucket announces to this queue.
fn notification(template: &Value, role: BucketRole, queue: &str) -> Option<(String, String)> {
    let bucket = match role {
        BucketRole::Input => "InputBucket",
        BucketRole::Output => "OutputBucket",
    };
    let configurations =
        &template["Resources"][bucket]["Properties"]["NotificationConfiguration"]["QueueConfigurations"];
    let found = configurations.as_array()?.iter().find(|c| c["Queue"] == queue)?;
    assert_eq!(found["Event"], "s3:ObjectCreated:*");
    let rules = found["Filter"]["S3Key"]["Rules"].as_array();
    let part = |name: &str| {
        let rule = rules.into_iter().flatten().find(|r| r["Name"] == name);
        rule.and_then(|r| r["Value"].as_str())
            .unwrap_or_default()
            .to_owned()
    };
    Some((part("prefix"), part("suffix")))
}

#[test]
fn labels_can_never_start_a_job_and_batches_can_never_be_changed() {
    let template = template();
    let start =
        notification(&template, BucketRole::Output, "StartJobQueue.Arn").expect("start-job hears the bucket");
    assert_eq!(start, ("manifests/".to_owned(), ".manifest".to_owned()));
    assert!(!shared::layout::LABELS.starts_with(&start.0));

    let policy = &template["Resources"]["OutputBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"];
    let denied = |action: &str| {
        let statements = policy.as_array().expect("statements").iter();
        let mut matching =
            statements.filter(|s| s["Effect"] == "Deny" && strings(&s["Action"]).contains(action));
        matching
            .find(|s| s["Resource"] == "${OutputBucket.Arn}/manifests/*")
            .cloned()
    };
    assert!(denied("s3:DeleteObject").is_some() && denied("s3:DeleteObjectVersion").is_some());
    let overwrite = denied("s3:PutObject").expect("unconditional writes are denied");
    assert_eq!(overwrite["Condition"]["Null"]["s3:if-none-match"], "true");
}

#[test]
fn what_holds_data_outlives_the_stack_and_is_closed_to_the_world() {
    let template = template();
    for bucket in ["InputBucket", "OutputBucket"] {
        let resource = &template["Resources"][bucket];
        assert_eq!(resource["DeletionPolicy"], "Retain", "{bucket}");
        assert_eq!(resource["UpdateReplacePolicy"], "Retain", "{bucket}");
        let properties = &resource["Properties"];
        let block = properties["PublicAccessBlockConfiguration"]
            .as_object()
            .expect("a public access block");
        assert!(block.len() == 4 && block.values().all(|v| v == true), "{bucket}");
        assert_eq!(
            properties["VersioningConfiguration"]["Status"], "Enabled",
            "{bucket}"
        );
        assert!(properties["BucketEncryption"].is_object(), "{bucket}");
    }
}
