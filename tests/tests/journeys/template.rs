//! `template.yaml` in step with the functions: one function each, wired as on one machine, with the same environment,
//! allowed exactly what its code calls.

#![expect(clippy::expect_used, reason = "a test may fail where it stands")]

mod graph;
mod people;
mod time;
mod upkeep;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use local::wiring::{
    BucketRole, FUNCTIONS, FunctionWiring, JOB_STATE_CHANGE, OBJECT_CREATED, QueueSettings, Source,
};
use serde_json::{Value, json};
use tests::template::{Stack, logical, of_type, plain, statements, strings};

fn resource<'a>(template: &'a Value, function: &str, what: &str) -> &'a Value {
    let name = logical(function, what);
    let resource = &template["Resources"][&name];
    assert!(resource.is_object(), "the template has no {name}");
    &resource["Properties"]
}

/// What each function calls. Receiving is Lambda's polling for it, logging the runtime's.
fn actions_called(function: &FunctionWiring) -> BTreeSet<String> {
    let always = [
        "s3:ListBucket",
        "s3:GetObject",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
    ];
    let polled = [
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
    ];
    let own: &[&str] = match function.name {
        "build-manifest" => &["s3:PutObject", "sns:Publish", "s3:ListBucketMultipartUploads"],
        // AddTags: jobs are tagged when created; PassRole: a job runs with the labeling role.
        "start-job" => &[
            "s3:PutObject",
            "sns:Publish",
            "sagemaker:CreateLabelingJob",
            "sagemaker:DescribeLabelingJob",
            "sagemaker:AddTags",
            "iam:PassRole",
        ],
        "notify" => &[
            "s3:PutObject",
            "sns:Publish",
            "sagemaker:DescribeLabelingJob",
            "sagemaker:ListLabelingJobs",
            "kms:Decrypt",
        ],
        "sync-team" => SYNC_TEAM,
        "assign-worker" => &[
            "s3:PutObject",
            "cognito-idp:AdminAddUserToGroup",
            "cognito-idp:AdminGetUser",
            "cognito-idp:GetGroup",
        ],
        "invite-message" => &[],
        other => panic!("say here what `{other}` calls"),
    };
    let polled = polled.iter().filter(|_| function.queue.is_some());
    always
        .iter()
        .chain(polled)
        .chain(own)
        .map(|a| (*a).to_owned())
        .collect()
}

const SYNC_TEAM: &[&str] = &[
    "s3:PutObject",
    "sns:Publish",
    "cognito-idp:CreateGroup",
    "cognito-idp:GetGroup",
    "cognito-idp:AdminCreateUser",
    "cognito-idp:AdminGetUser",
    "cognito-idp:AdminAddUserToGroup",
    "cognito-idp:AdminRemoveUserFromGroup",
    "cognito-idp:AdminListGroupsForUser",
    "cognito-idp:ListUsers",
    "cognito-idp:ListUsersInGroup",
    "cognito-idp:DescribeUserPool",
    "cognito-idp:DescribeUserPoolClient",
    "cognito-idp:UpdateUserPoolClient",
    // SageMaker's, with the caller's rights, when a workforce or a work team is made.
    "cognito-idp:UpdateUserPool",
    "cognito-idp:DescribeUserPoolDomain",
    "cognito-idp:ListGroups",
    "sagemaker:ListWorkforces",
    "sagemaker:CreateWorkforce",
    "sagemaker:UpdateWorkforce",
    "sagemaker:DescribeWorkteam",
    "sagemaker:CreateWorkteam",
    "sagemaker:UpdateWorkteam",
    // Work teams are tagged when they are made, and known by the tag.
    "sagemaker:AddTags",
    "sagemaker:ListTags",
    "sns:CreateTopic",
    "sns:GetTopicAttributes",
    "sns:SetTopicAttributes",
    "sns:Subscribe",
    "sns:Unsubscribe",
    "sns:ListSubscriptionsByTopic",
];

/// Actions that have no resource to name.
const NOTHING_TO_NAME: [&str; 3] = [
    "cognito-idp:DescribeUserPoolDomain",
    "sagemaker:ListLabelingJobs",
    "sagemaker:ListWorkforces",
];

#[test]
fn each_function_crate_is_one_function_of_the_template() {
    let stack = Stack::by_default();
    let resources = stack["Resources"].as_object().expect("resources");
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
    let engine = ("AWS_ENDPOINT_URL_SAGEMAKER", "https://engine.example.org");
    for elsewhere in [false, true] {
        let stack = match elsewhere {
            false => Stack::by_default(),
            true => Stack::with(&[("LabelingEndpointUrl", engine.1)]),
        };
        for function in FUNCTIONS {
            let variables = &resource(&stack, function.name, "Function")["Environment"]["Variables"];
            let deployed = variables.as_object().expect("variables");
            let mut wired: BTreeSet<&str> = function.environment.iter().copied().collect();
            // The one variable the SDK reads by itself, for what talks to the labeling service.
            let labels = actions_called(&function)
                .iter()
                .any(|a| a.starts_with("sagemaker:"));
            if elsewhere && labels {
                wired.insert(engine.0);
                assert_eq!(deployed[engine.0], engine.1, "{}", function.name);
            }
            let deployed: BTreeSet<&str> = deployed.keys().map(String::as_str).collect();
            assert_eq!(deployed, wired, "{}", function.name);
        }
    }
}

#[test]
fn each_function_may_do_exactly_what_it_calls() {
    let stack = Stack::by_default();
    for function in FUNCTIONS {
        let statements = statements(&stack, function.name);
        let allowed: BTreeSet<String> = statements.iter().flat_map(|s| strings(&s["Action"])).collect();
        assert_eq!(allowed, actions_called(&function), "{}", function.name);
        assert!(
            allowed.iter().all(|a| !a.contains('*')),
            "{}: a wildcard",
            function.name
        );
    }
}

#[test]
fn what_the_operator_lists_for_links_is_read_and_nothing_else() {
    let policies = |stack: &Value| of_type(stack, "AWS::IAM::Policy").len();
    let (closed, open) = (
        Stack::by_default(),
        Stack::with(&[("LinkSources", "s3://a/,s3://b/c/")]),
    );
    assert_eq!(policies(&open), policies(&closed) + 1);
    let policy = &open["Resources"]["LinkSourcesPolicy"]["Properties"];
    assert_eq!(strings(&policy["Roles"]), ["LabelingRole", "BuildManifestRole"]);
    let statement = &policy["PolicyDocument"]["Statement"][0];
    assert_eq!(statement["Action"], "s3:GetObject");
    assert!(
        statement["Resource"].to_string().contains("s3://a/,s3://b/c/"),
        "{statement}"
    );
}

#[test]
fn each_function_may_do_it_to_resources_of_this_stack_alone() {
    let stack = Stack::by_default();
    for function in FUNCTIONS {
        for statement in statements(&stack, function.name) {
            assert_eq!(statement["Effect"], "Allow", "{}", function.name);
            for resource in strings(&statement["Resource"]) {
                let nameless = strings(&statement["Action"])
                    .iter()
                    .all(|a| NOTHING_TO_NAME.contains(&a.as_str()));
                assert_eq!(resource == "*", nameless, "{}: {statement}", function.name);
                let account = !resource.starts_with("arn:")
                    || resource.contains("${AWS::AccountId}")
                    || resource.contains("${InputName.Value}")
                    || resource.contains("${OutputName.Value}");
                assert!(account || nameless, "{}: {resource}", function.name);
            }
        }
    }
}

#[test]
fn queues_and_schedules_are_set_as_in_the_wiring() {
    let stack = Stack::by_default();
    for function in FUNCTIONS {
        let name = function.name;
        if let Some(settings) = function.queue {
            queue_is_as_wired(&stack, name, &settings);
        }
        let properties = resource(&stack, name, "Function");
        assert_eq!(properties["Timeout"], function.timeout_seconds, "{name}: timeout");
        let events: BTreeMap<&str, &Value> = properties["Events"]
            .as_object()
            .into_iter()
            .flatten()
            .filter_map(|(_, e)| Some((e["Type"].as_str()?, &e["Properties"])))
            .collect();
        assert_eq!(
            events.contains_key("SQS"),
            function.queue.is_some(),
            "{name}: queue"
        );
        if let (Some(settings), Some(queue)) = (function.queue, events.get("SQS")) {
            reading_is_as_wired(queue, name, &settings);
        }
        let schedule = events.get("ScheduleV2");
        let rate = schedule.map(|s| plain(&s["ScheduleExpression"]));
        let wired = function.schedule_minutes.map(|m| format!("rate({m} minutes)"));
        assert_eq!(rate, wired, "{name}: schedule");
        if let Some(schedule) = schedule {
            let input: Value =
                serde_json::from_str(schedule["Input"].as_str().expect("an input")).expect("JSON");
            assert_eq!(input, json!({"sweep": "all"}), "{name}");
        }
    }
}

fn queue_is_as_wired(stack: &Value, name: &str, settings: &QueueSettings) {
    let queue = resource(stack, name, "Queue");
    let delay = queue.get("DelaySeconds").cloned().unwrap_or(json!(0));
    assert_eq!(delay, settings.delay_seconds, "{name}: delay");
    assert_eq!(
        queue["VisibilityTimeout"], settings.visibility_seconds,
        "{name}: visibility"
    );
    let redrive = &queue["RedrivePolicy"];
    assert_eq!(redrive["maxReceiveCount"], settings.max_receive, "{name}");
    assert_eq!(
        plain(&redrive["deadLetterTargetArn"]),
        logical(name, "Dlq.Arn"),
        "{name}"
    );
    // A dead letter keeps its first time stamp.
    for what in ["Queue", "Dlq"] {
        let kept = &resource(stack, name, what)["MessageRetentionPeriod"];
        assert_eq!(
            *kept,
            settings.retention_days * 86_400,
            "{name}: retention of its {what}"
        );
    }
}

fn reading_is_as_wired(queue: &Value, name: &str, settings: &QueueSettings) {
    assert_eq!(plain(&queue["Queue"]), logical(name, "Queue.Arn"), "{name}");
    assert_eq!(queue["BatchSize"], settings.batch_size, "{name}: batch size");
    let window = queue["MaximumBatchingWindowInSeconds"].as_u64().unwrap_or(0);
    assert_eq!(window, u64::from(settings.batch_window_seconds), "{name}: window");
    let concurrency = &queue["ScalingConfig"]["MaximumConcurrency"];
    assert_eq!(*concurrency, settings.maximum_concurrency, "{name}");
    assert_eq!(
        queue["FunctionResponseTypes"],
        json!(["ReportBatchItemFailures"]),
        "{name}"
    );
}

#[test]
fn buckets_and_job_states_reach_the_queues_they_reach_here() {
    let stack = Stack::by_default();
    let rule = &stack["Resources"]["JobStateRule"]["Properties"];
    assert_eq!(rule["EventPattern"]["detail-type"], json!([JOB_STATE_CHANGE]));
    let targets = rule["Targets"].as_array().expect("targets");
    for function in FUNCTIONS {
        let queue = logical(function.name, "Queue.Arn");
        let hears = targets.iter().any(|t| plain(&t["Arn"]) == queue);
        assert_eq!(
            hears,
            function.listens_for_job_states(),
            "{}: job states",
            function.name
        );
        for role in [BucketRole::Input, BucketRole::Output] {
            let deployed = notification(&stack, role, &queue);
            assert_eq!(
                deployed,
                wired_notification(&function, role),
                "{}: {role:?} bucket",
                function.name
            );
        }
        let prefixes: Vec<&str> = function
            .sources
            .iter()
            .filter_map(|s| match s {
                Source::InputObjectOnBus { prefix } => Some(*prefix),
                _ => None,
            })
            .collect();
        let deployed = bus_keys(&stack, BucketRole::Input, &queue);
        let wired: Vec<Value> = prefixes.iter().map(|p| json!([{"prefix": p}])).collect();
        assert_eq!(deployed, wired, "{}: on the bus", function.name);
    }
    let bus = &stack["Resources"]["InputBucket"]["Properties"]["NotificationConfiguration"];
    assert_eq!(bus["EventBridgeConfiguration"]["EventBridgeEnabled"], true);
}

#[test]
fn a_bucket_that_was_there_before_sends_the_same_over_the_bus() {
    let stack = Stack::with(&[("ExistingInputBucket", "in"), ("ExistingOutputBucket", "out")]);
    assert!(
        of_type(&stack, "AWS::S3::Bucket").is_empty() && of_type(&stack, "AWS::S3::BucketPolicy").is_empty()
    );
    for function in FUNCTIONS {
        let queue = logical(function.name, "Queue.Arn");
        for role in [BucketRole::Input, BucketRole::Output] {
            let Some((prefix, suffix)) = wired_notification(&function, role) else {
                continue;
            };
            let wanted = match (prefix.as_str(), suffix.as_str()) {
                ("", "") => Value::Null,
                (prefix, "") => json!([{"prefix": prefix}]),
                (prefix, suffix) => json!([{"wildcard": format!("{prefix}*{suffix}")}]),
            };
            let keys = bus_keys(&stack, role, &queue);
            assert!(keys.contains(&wanted), "{} {role:?}: {keys:?}", function.name);
        }
    }
}

/// The key patterns of the rules that send this bucket's objects to this queue.
fn bus_keys(stack: &Value, role: BucketRole, queue: &str) -> Vec<Value> {
    let bucket = match role {
        BucketRole::Input => "InputName.Value",
        BucketRole::Output => "OutputName.Value",
    };
    let rules = of_type(stack, "AWS::Events::Rule")
        .into_iter()
        .map(|(_, rule)| rule);
    let rules = rules.filter(|r| r["EventPattern"]["source"] == json!(["aws.s3"]));
    let to_queue = rules.filter(|r| {
        let targets = r["Targets"].as_array().expect("targets");
        targets.iter().any(|t| plain(&t["Arn"]) == queue)
            && strings(&r["EventPattern"]["detail"]["bucket"]["name"]) == [bucket]
    });
    to_queue
        .inspect(|r| assert_eq!(r["EventPattern"]["detail-type"], json!([OBJECT_CREATED])))
        .map(|r| r["EventPattern"]["detail"]["object"]["key"].clone())
        .collect()
}

fn wired_notification(function: &FunctionWiring, role: BucketRole) -> Option<(String, String)> {
    function.sources.iter().find_map(|source| match *source {
        Source::ObjectCreated {
            bucket,
            prefix,
            suffix,
        } if bucket == role => Some((prefix.to_owned(), suffix.to_owned())),
        _ => None,
    })
}

/// Every queue's policy lets in exactly whom the stack has send to it.
#[test]
fn a_queue_takes_messages_from_its_own_buckets_and_rules_alone() {
    let both = Stack::with(&[("ExistingInputBucket", "in"), ("ExistingOutputBucket", "out")]);
    for stack in [Stack::by_default(), both] {
        for (name, rule) in of_type(&stack, "AWS::Events::Rule") {
            let slug = plain(&rule["Name"]).replace("${NamePrefix}", "");
            for target in rule["Targets"].as_array().expect("targets") {
                let policy = plain(&target["Arn"]).replace(".Arn", "Policy");
                let statements =
                    stack["Resources"][&policy]["Properties"]["PolicyDocument"]["Statement"].clone();
                let allowed = statements.as_array().into_iter().flatten().any(|s| {
                    plain(&s["Condition"]["ArnEquals"]["aws:SourceArn"])
                        .ends_with(&format!(":rule/${{NamePrefix}}{slug}"))
                });
                assert!(allowed, "{policy} lets {name} send");
            }
        }
        for (name, policy) in of_type(&stack, "AWS::SQS::QueuePolicy") {
            for statement in policy["PolicyDocument"]["Statement"]
                .as_array()
                .expect("statements")
            {
                let account = &statement["Condition"]["StringEquals"]["aws:SourceAccount"];
                assert!(
                    statement["Effect"] == "Deny" || plain(account) == "AWS::AccountId",
                    "{name}"
                );
            }
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
    let found = configurations
        .as_array()?
        .iter()
        .find(|c| plain(&c["Queue"]) == queue)?;
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
    let template = Stack::by_default();
    let start =
        notification(&template, BucketRole::Output, "StartJobQueue.Arn").expect("start-job hears the bucket");
    assert_eq!(start, ("manifests/".to_owned(), ".manifest".to_owned()));
    assert!(!shared::layout::LABELS.starts_with(&start.0));

    let policy = &template["Resources"]["OutputBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"];
    let denied = |action: &str| {
        let statements = policy.as_array().expect("statements").iter();
        let mut matching =
            statements.filter(|s| s["Effect"] == "Deny" && strings(&s["Action"]).iter().any(|a| a == action));
        matching
            .find(|s| plain(&s["Resource"]) == "${OutputBucket.Arn}/manifests/*")
            .cloned()
    };
    assert!(denied("s3:DeleteObject").is_some() && denied("s3:DeleteObjectVersion").is_some());
    let overwrite = denied("s3:PutObject").expect("unconditional writes are denied");
    assert_eq!(overwrite["Condition"]["Null"]["s3:if-none-match"], "true");
}
