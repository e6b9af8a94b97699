//! What is kept and what is watched: data outlives the stack, logs and messages have an end, and no failure is silent.

use std::collections::BTreeSet;
use std::path::Path;

use local::wiring::FUNCTIONS;
use serde_json::{Value, json};

use tests::template::{Stack, logical, of_type, plain, strings, template};

#[test]
fn what_holds_data_outlives_the_stack_and_is_closed_to_the_world() {
    let stack = Stack::by_default();
    for name in [
        "InputBucket",
        "OutputBucket",
        "UserPool",
        "UserPoolClient",
        "UserPoolDomain",
    ] {
        let resource = &stack["Resources"][name];
        assert_eq!(resource["DeletionPolicy"], "Retain", "{name}");
        assert_eq!(resource["UpdateReplacePolicy"], "Retain", "{name}");
    }
    assert_eq!(
        stack["Resources"]["UserPool"]["Properties"]["DeletionProtection"],
        "ACTIVE"
    );
    for (name, properties) in of_type(&stack, "AWS::S3::Bucket") {
        let block = properties["PublicAccessBlockConfiguration"]
            .as_object()
            .expect("a public access block");
        assert!(block.len() == 4 && block.values().all(|v| v == true), "{name}");
        assert_eq!(
            properties["VersioningConfiguration"]["Status"], "Enabled",
            "{name}"
        );
        let aborted = &properties["LifecycleConfiguration"]["Rules"][0]["AbortIncompleteMultipartUpload"];
        assert_eq!(aborted["DaysAfterInitiation"], 7, "{name}");
        let expiry = &properties["LifecycleConfiguration"]["Rules"][1]["NoncurrentVersionExpiration"];
        assert_eq!(expiry["NoncurrentDays"], 90, "{name}: versions that end");
    }
}

#[test]
fn a_days_items_and_jobs_are_bounded_unless_an_operator_says_otherwise() {
    let bound = |stack: &Value, function: &str, name: &str| {
        let variables = &stack["Resources"][function]["Properties"]["Environment"]["Variables"];
        variables[name].clone()
    };
    for (parameter, function, name, default) in [
        ("ItemsPerDay", "BuildManifestFunction", "ITEMS_PER_DAY", "10000"),
        ("JobsPerDay", "StartJobFunction", "JOBS_PER_DAY", "100"),
    ] {
        assert_eq!(bound(&Stack::by_default(), function, name), default);
        for said in ["7", "unlimited"] {
            assert_eq!(bound(&Stack::with(&[(parameter, said)]), function, name), said);
        }
    }
}

#[test]
fn each_function_writes_its_own_days_alone() {
    let stack = Stack::by_default();
    for function in FUNCTIONS {
        let statements = tests::template::statements(&stack, function.name);
        let text: String = statements.iter().map(Value::to_string).collect();
        for (folder, writer) in [("daily/items/*", "build-manifest"), ("daily/jobs/*", "start-job")] {
            assert_eq!(
                text.contains(folder),
                function.name == writer,
                "{}: {folder}",
                function.name
            );
        }
    }
}

#[test]
fn a_budget_is_watched_where_one_is_given() {
    let budgets = |parameters: &[(&str, &str)]| {
        let stack = Stack::with(parameters);
        let found = of_type(&stack, "AWS::Budgets::Budget");
        found
            .into_iter()
            .map(|(_, properties)| properties.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(budgets(&[("AdminEmail", "ops@example.org")]), Vec::<Value>::new());
    let given = budgets(&[("AdminEmail", "ops@example.org"), ("MonthlyBudget", "500")]);
    assert_eq!(
        given[0]["Budget"]["BudgetLimit"],
        json!({"Amount": "500", "Unit": "USD"})
    );
    let notifications = given[0]["NotificationsWithSubscribers"]
        .as_array()
        .expect("notifications");
    let mailed = notifications
        .iter()
        .all(|n| n["Subscribers"][0]["Address"] == "ops@example.org");
    assert!(mailed && notifications.len() == 2, "{notifications:?}");
}

#[test]
fn buckets_are_encrypted_with_the_key_that_is_given() {
    let key = "arn:aws:kms:us-east-1:123456789012:key/1";
    let rule = |stack: &Value, bucket: &str| {
        let encryption = &stack["Resources"][bucket]["Properties"]["BucketEncryption"];
        encryption["ServerSideEncryptionConfiguration"][0]["ServerSideEncryptionByDefault"].clone()
    };
    let (without, with) = (Stack::by_default(), Stack::with(&[("KmsKeyArn", key)]));
    for bucket in ["InputBucket", "OutputBucket"] {
        assert_eq!(
            rule(&without, bucket),
            json!({"SSEAlgorithm": "AES256"}),
            "{bucket}"
        );
        assert_eq!(
            rule(&with, bucket),
            json!({"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}),
            "{bucket}"
        );
    }
    let managed = of_type(&with, "AWS::IAM::ManagedPolicy");
    let holders: BTreeSet<String> = managed.iter().flat_map(|(_, p)| strings(&p["Roles"])).collect();
    let roles: BTreeSet<String> = of_type(&with, "AWS::IAM::Role")
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .collect();
    assert_eq!(holders, roles, "who uses the buckets needs their key");
}

#[test]
fn every_function_writes_to_a_log_that_ends() {
    let stack = Stack::by_default();
    for function in FUNCTIONS {
        let group = logical(function.name, "Logs");
        let properties = &stack["Resources"][logical(function.name, "Function")]["Properties"];
        assert_eq!(plain(&properties["LoggingConfig"]["LogGroup"]), group);
        assert_eq!(properties["LoggingConfig"]["LogFormat"], "JSON");
        assert_eq!(
            stack["Resources"][&group]["Properties"]["RetentionInDays"], 30,
            "{group}"
        );
    }
}

fn alarms(stack: &Value) -> Vec<(&str, &Value)> {
    of_type(stack, "AWS::CloudWatch::Alarm")
}

/// What an alarm looks at: metric and the value of its dimension.
fn watched_metrics(alarm: &Value) -> Vec<(String, String)> {
    let metric = |m: &Value| (plain(&m["MetricName"]), plain(&m["Dimensions"][0]["Value"]));
    let several = alarm["Metrics"].as_array().into_iter().flatten();
    let several = several
        .map(|m| &m["MetricStat"]["Metric"])
        .filter(|m| m.is_object());
    several
        .chain(Some(alarm).filter(|a| a["MetricName"].is_string()))
        .map(metric)
        .collect()
}

#[test]
fn every_dead_letter_queue_has_an_alarm() {
    let stack = Stack::by_default();
    let dead: BTreeSet<String> = of_type(&stack, "AWS::SQS::Queue")
        .iter()
        .filter(|(name, _)| name.ends_with("Dlq"))
        .map(|(name, _)| format!("{name}.QueueName"))
        .collect();
    let with_alarm: BTreeSet<String> = alarms(&stack)
        .iter()
        .filter(|(_, a)| a["MetricName"] == "ApproximateNumberOfMessagesVisible")
        .inspect(|(name, a)| assert_eq!(a["Threshold"], 0, "{name}"))
        .flat_map(|(_, a)| watched_metrics(a))
        .map(|(_, queue)| queue)
        .collect();
    assert_eq!(dead.len(), FUNCTIONS.iter().filter(|f| f.queue.is_some()).count());
    assert_eq!(with_alarm, dead);
}

#[test]
fn every_function_and_queue_is_watched() {
    let stack = Stack::by_default();
    let all: BTreeSet<(String, String)> = alarms(&stack)
        .iter()
        .flat_map(|(_, a)| watched_metrics(a))
        .collect();
    for function in FUNCTIONS {
        for metric in ["Errors", "Throttles"] {
            let wanted = (metric.to_owned(), logical(function.name, "Function"));
            assert!(all.contains(&wanted), "{wanted:?}");
        }
        if function.queue.is_some() {
            let queue = logical(function.name, "Queue.QueueName");
            assert!(
                all.contains(&("ApproximateAgeOfOldestMessage".to_owned(), queue)),
                "{}",
                function.name
            );
        }
    }
}

#[test]
fn every_alarm_reaches_somebody_and_silence_is_no_alarm() {
    let stack = Stack::with(&[("AdminEmail", "a@example.org")]);
    assert!(alarms(&stack).len() > 8);
    for (name, alarm) in alarms(&stack) {
        assert_eq!(strings(&alarm["AlarmActions"]), ["AlarmTopic"], "{name}");
        assert_eq!(alarm["TreatMissingData"], "notBreaching", "{name}");
        assert!(
            alarm["AlarmDescription"].as_str().is_some_and(|d| d.len() > 30),
            "{name}"
        );
    }
    let subscribed = of_type(&stack, "AWS::SNS::Subscription");
    let topics: Vec<String> = subscribed.iter().map(|(_, s)| plain(&s["TopicArn"])).collect();
    assert_eq!(topics, ["NoticeTopic", "AlarmTopic"]);
    let off = Stack::with(&[("Alarms", "off"), ("AdminEmail", "a@example.org")]);
    assert!(alarms(&off).is_empty() && of_type(&off, "AWS::CloudWatch::Dashboard").is_empty());
}

/// CloudWatch looks back a day at most, and seven days where a period is an hour or more.
#[test]
fn a_lost_event_is_no_alarm_and_missing_ones_are() {
    let stack = Stack::by_default();
    let alarm = &stack["Resources"]["MissingEventsAlarm"]["Properties"];
    assert_eq!(alarm["MetricName"], "FoundWithoutEvent");
    assert_eq!(
        (&alarm["DatapointsToAlarm"], &alarm["Threshold"]),
        (&json!(2), &json!(0))
    );
    let number = |name: &str| alarm[name].as_u64().expect("a number");
    assert!(number("Period") >= 3_600 && number("Period") * number("EvaluationPeriods") <= 7 * 86_400);
    let delay = &template()["Parameters"]["EventDelaySeconds"]["MaxValue"];
    // build-manifest counts what is older than ten minutes: the longest delay, the window and a minute.
    let function = &stack["Resources"]["BuildManifestFunction"]["Properties"];
    let window = &function["Events"]["Dropped"]["Properties"]["MaximumBatchingWindowInSeconds"];
    let seconds = delay
        .as_u64()
        .zip(window.as_u64())
        .map(|(delay, window)| delay + window);
    assert!(seconds.is_some_and(|seconds| seconds + 60 <= 600), "{seconds:?}");
}

#[test]
fn the_dashboard_is_json_and_shows_every_metric_of_our_own_that_has_an_alarm() {
    let stack = Stack::by_default();
    let body = plain(&stack["Resources"]["Dashboard"]["Properties"]["DashboardBody"]);
    let dashboard: Value = serde_json::from_str(&body).expect("JSON");
    let metrics: Vec<&Value> = dashboard["widgets"]
        .as_array()
        .expect("widgets")
        .iter()
        .flat_map(|w| w["properties"]["metrics"].as_array().into_iter().flatten())
        .collect();
    for (name, alarm) in alarms(&stack)
        .into_iter()
        .filter(|(_, a)| a["Namespace"] == "Groundcrew")
    {
        assert!(metrics.iter().any(|m| m[1] == alarm["MetricName"]), "{name}");
    }
}

#[test]
fn each_parameter_says_what_it_is_and_stands_in_a_group() {
    let template = template();
    let groups = &template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"];
    let grouped: BTreeSet<String> = groups
        .as_array()
        .expect("groups")
        .iter()
        .flat_map(|g| strings(&g["Parameters"]))
        .collect();
    let parameters = template["Parameters"].as_object().expect("parameters");
    assert_eq!(grouped, parameters.keys().cloned().collect());
    for (name, parameter) in parameters {
        assert!(parameter["Description"].is_string(), "{name}");
        assert_eq!(
            parameter.get("Default").is_none(),
            name == "Organization",
            "{name}"
        );
    }
}

/// Names in the page that are AWS's, not the template's.
const AWS_NAMES: [&str; 2] = ["InvalidLambdaResponse", "WriteAttributes"];

#[test]
fn what_the_page_about_deploying_names_is_in_the_template() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace");
    let page = std::fs::read_to_string(root.join("docs/DEPLOY.md")).expect("docs/DEPLOY.md");
    let template = template();
    let sections = ["Parameters", "Outputs", "Resources"];
    let there = |name: &str| sections.iter().any(|s| template[s].get(name).is_some());
    let quoted = page.split('`').skip(1).step_by(2);
    let names = quoted.filter_map(|q| q.split(['=', ' ']).next()).filter(|name| {
        let letters = name.chars().all(|c| c.is_ascii_alphabetic());
        letters && name.len() > 3 && name.starts_with(|c: char| c.is_ascii_uppercase())
    });
    let mixed = names.filter(|name| name.chars().any(|c| c.is_ascii_lowercase()));
    let unknown: BTreeSet<&str> = mixed.filter(|n| !there(n) && !AWS_NAMES.contains(n)).collect();
    assert_eq!(unknown, BTreeSet::new());

    let regions = &template["Rules"]["LabelingRegion"]["Assertions"][0]["Assert"]["Fn::Contains"][0];
    for region in strings(regions) {
        assert!(page.contains(&region), "{region}");
    }
    let stack = Stack::by_default();
    for (name, alarm) in alarms(&stack) {
        let kind = plain(&alarm["AlarmName"]).replace("${NamePrefix}-", "");
        let documented = page.contains(&format!("*{kind}*")) || kind.ends_with("dead-letters");
        assert!(documented, "{name}: what to do about *{kind}*");
    }
    let looked_at: usize = alarms(&stack).iter().map(|(_, a)| watched_metrics(a).len()).sum();
    let sum = format!("{looked_at} metrics in {} alarms", alarms(&stack).len());
    assert!(page.contains(&sum), "the page reckons with {sum}");
}
