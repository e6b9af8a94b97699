//! `groundcrew check` against a deployment: the stack of one machine by its data folder, and by its name through a CloudFormation
//! and an S3 in front of it that answer as AWS would.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::{Arc, Mutex};

use aws_sdk_cognitoidentityprovider::types::PreventUserExistenceErrorTypes;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use local::{Stack, StackConfig, StackInfo};

use crate::command::{groundcrew, run};

const POOL_FUNCTIONS: [&str; 2] = ["assign-worker", "invite-message"];

async fn start_stack() -> (Stack, tempfile::TempDir) {
    let data = tempfile::tempdir().unwrap();
    let config = StackConfig::on_free_ports(data.path());
    (Stack::start(config, |_, _| Router::new()).await.unwrap(), data)
}

fn check_of_stack(info: &StackInfo, front: &str, more: &[&str]) -> Command {
    let arguments = [&["check"], more, &["--stack", "crew", "--region", "us-east-1"]].concat();
    let mut command = groundcrew(&arguments);
    command
        .env("AWS_ENDPOINT_URL", &info.aws_url)
        .env("AWS_ENDPOINT_URL_S3", front)
        .env(
            "AWS_ENDPOINT_URL_CLOUDFORMATION",
            format!("{front}/cloudformation"),
        )
        .env("AWS_ACCESS_KEY_ID", &info.access_key_id)
        .env("AWS_SECRET_ACCESS_KEY", &info.secret_access_key);
    command
}

/// Answers of a bucket about its settings, by the bucket and the query: `in?versioning`.
type Settings = BTreeMap<String, (u16, String)>;

#[derive(Clone)]
struct Proxy {
    aws: String,
    cloudformation: String,
    settings: Arc<Mutex<Settings>>,
}

/// Answers about settings, and passes everything else on; the signature covers the host as the client named it.
async fn answer(
    State(front): State<Proxy>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if uri.path() == "/cloudformation" {
        return front.cloudformation.clone().into_response();
    }
    let question = uri.query().unwrap_or_default().trim_end_matches('=');
    let question = format!("{}?{question}", uri.path().trim_matches('/'));
    if let Some((status, text)) = front.settings.lock().unwrap().get(&question) {
        return (StatusCode::from_u16(*status).unwrap(), text.clone()).into_response();
    }
    let url = format!("{}{}", front.aws, uri.path_and_query().unwrap());
    let passed = reqwest::Client::new()
        .request(method, url)
        .headers(headers)
        .body(body);
    let answer = passed.send().await.unwrap();
    let (status, headers) = (answer.status(), answer.headers().clone());
    (status, headers, answer.bytes().await.unwrap()).into_response()
}

async fn front(info: &StackInfo, settings: &Arc<Mutex<Settings>>, parameters: &[(&str, &str)]) -> String {
    let front = Proxy {
        aws: info.aws_url.clone(),
        cloudformation: stack_description(info, parameters),
        settings: settings.clone(),
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(answer).with_state(front);
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

fn stack_description(info: &StackInfo, parameters: &[(&str, &str)]) -> String {
    let mut outputs = vec![
        ("InputBucketName".to_owned(), info.input_bucket.clone()),
        ("OutputBucketName".to_owned(), info.output_bucket.clone()),
        ("JobPrefixUsed".to_owned(), info.job_prefix.clone()),
        ("NoticeTopicArn".to_owned(), info.topic_arn.clone()),
        ("AlarmTopicArn".to_owned(), info.topic_arn.clone()),
        ("UserPoolId".to_owned(), info.user_pool_id.clone()),
        ("UserPoolClientId".to_owned(), info.client_id.clone()),
    ];
    for function in POOL_FUNCTIONS {
        let arn = format!(
            "arn:aws:lambda:{}:{}:function:{function}",
            info.region, info.account
        );
        outputs.push((format!("{}FunctionArn", camel(function)), arn));
    }
    for queue in &info.queues {
        outputs.push((format!("{}QueueUrl", camel(&queue.name)), queue.url.clone()));
        outputs.push((
            format!("{}DeadLettersUrl", camel(&queue.name)),
            queue.dead_letter_url.clone(),
        ));
    }
    let outputs = outputs.iter().map(|(key, value)| {
        format!("<member><OutputKey>{key}</OutputKey><OutputValue>{value}</OutputValue></member>")
    });
    let parameters = parameters.iter().map(|(key, value)| {
        format!("<member><ParameterKey>{key}</ParameterKey><ParameterValue>{value}</ParameterValue></member>")
    });
    format!(
        "<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>crew</StackName>\
         <StackStatus>UPDATE_COMPLETE</StackStatus><Outputs>{}</Outputs><Parameters>{}</Parameters></member></Stacks>\
         </DescribeStacksResult></DescribeStacksResponse>",
        outputs.collect::<String>(),
        parameters.collect::<String>()
    )
}

fn camel(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let (first, rest) = word.split_at(1);
        first.to_uppercase() + rest
    });
    words.collect()
}

/// As the template makes them.
fn as_deployed(info: &StackInfo) -> Settings {
    let (input, output) = (&info.input_bucket, &info.output_bucket);
    let arn = |function: &str| {
        let queue = info.queues.iter().find(|queue| queue.name == function).unwrap();
        let name = queue.url.rsplit('/').next().unwrap();
        format!("arn:aws:sqs:{}:{}:{name}", info.region, info.account)
    };
    let queue = |function: &str, rules: &[(&str, &str)]| {
        let rules: String = rules
            .iter()
            .map(|(name, value)| {
                format!("<FilterRule><Name>{name}</Name><Value>{value}</Value></FilterRule>")
            })
            .collect();
        format!(
            "<QueueConfiguration><Queue>{}</Queue><Event>s3:ObjectCreated:*</Event>\
             <Filter><S3Key>{rules}</S3Key></Filter></QueueConfiguration>",
            arn(function)
        )
    };
    let notifications = |inner: String| {
        (
            200,
            format!("<NotificationConfiguration>{inner}</NotificationConfiguration>"),
        )
    };
    let batches = queue("start-job", &[("prefix", "manifests/"), ("suffix", ".manifest")]);
    let mut settings = Settings::from([
        (
            format!("{input}?notification"),
            notifications(queue("build-manifest", &[]) + "<EventBridgeConfiguration/>"),
        ),
        (
            format!("{output}?notification"),
            notifications(batches + &queue("sync-team", &[("prefix", "joined/")])),
        ),
        (format!("{output}?policy"), (200, policy(output))),
    ]);
    for bucket in [input, output] {
        for (question, answer) in [
            (
                "versioning",
                "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>",
            ),
            (
                "encryption",
                "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm>\
                 </ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>",
            ),
            (
                "publicAccessBlock",
                "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls>\
                 <BlockPublicPolicy>true</BlockPublicPolicy><RestrictPublicBuckets>true</RestrictPublicBuckets>\
                 </PublicAccessBlockConfiguration>",
            ),
        ] {
            settings.insert(format!("{bucket}?{question}"), (200, answer.to_owned()));
        }
    }
    settings
}

fn policy(bucket: &str) -> String {
    let batches = format!("arn:aws:s3:::{bucket}/manifests/*");
    serde_json::json!({"Statement": [
        {"Effect": "Deny", "Principal": "*", "Action": ["s3:DeleteObject", "s3:DeleteObjectVersion"], "Resource": batches},
        {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": batches,
         "Condition": {"Null": {"s3:if-none-match": "true"}}},
    ]})
    .to_string()
}

/// Without WriteAttributes, as on one machine, a client of AWS's may write every attribute.
async fn as_the_template_makes_the_client(info: &StackInfo) {
    let cognito = aws_sdk_cognitoidentityprovider::Client::new(&info.sdk());
    let update = cognito
        .update_user_pool_client()
        .user_pool_id(&info.user_pool_id)
        .client_id(&info.client_id)
        .client_name("portal")
        .write_attributes("name")
        .prevent_user_existence_errors(PreventUserExistenceErrorTypes::Enabled);
    update.send().await.unwrap();
}

fn error_answer(status: u16, code: &str) -> (u16, String) {
    (
        status,
        format!("<Error><Code>{code}</Code><Message>{code}</Message></Error>"),
    )
}

#[tokio::test]
async fn a_stack_on_one_machine_has_nothing_to_fix() {
    let (stack, data) = start_stack().await;
    let (fine, text) = run(groundcrew(&["check", "--data", data.path().to_str().unwrap()])).await;
    assert!(fine && !text.contains('!') && !text.contains('?'), "{text}");
    for part in [
        "runs on this machine",
        "groundcrew-input answers",
        "sign-in calls assign-worker",
        "of this user pool",
        "4, each with its own dead-letter queue",
        "outbox of this machine",
        "Nothing has to be fixed.",
    ] {
        assert!(text.contains(part), "no `{part}` in: {text}");
    }
    stack.shutdown().await;
}

/// Changes to a bucket: its new answer, and a part of the finding about it.
fn changes(info: &StackInfo) -> Vec<(String, (u16, String), &'static str)> {
    let question = |bucket: &str, what: &str| format!("{bucket}?{what}");
    let (input, output) = (info.input_bucket.as_str(), info.output_bucket.as_str());
    vec![
        (
            question(input, "notification"),
            (200, "<NotificationConfiguration/>".to_owned()),
            "sends nothing to EventBridge, and no events for dropped files: the bucket's notifications were replaced",
        ),
        (
            question(output, "notification"),
            (200, "<NotificationConfiguration/>".to_owned()),
            "sends no events for batches and people who joined",
        ),
        (
            question(output, "versioning"),
            (200, "<VersioningConfiguration/>".to_owned()),
            "versioning is off",
        ),
        (
            question(output, "policy"),
            error_answer(404, "NoSuchBucketPolicy"),
            "does not deny deletes and writes without If-None-Match",
        ),
        (
            question(input, "publicAccessBlock"),
            error_answer(404, "NoSuchPublicAccessBlockConfiguration"),
            "does not block public access",
        ),
        (
            question(input, "cors"),
            error_answer(404, "NoSuchCORSConfiguration"),
            "has no CORS rule for GET",
        ),
    ]
}

#[tokio::test]
async fn a_changed_setting_of_a_deployed_stack_is_found_and_an_unreadable_one_is_reported() {
    let (stack, _data) = start_stack().await;
    let info = stack.info();
    let sns = aws_sdk_sns::Client::new(&info.sdk());
    let subscribe = sns.subscribe().topic_arn(&info.topic_arn).protocol("email");
    subscribe.endpoint("admin@example.org").send().await.unwrap();
    as_the_template_makes_the_client(info).await;
    let settings = Arc::new(Mutex::new(as_deployed(info)));
    let front = front(info, &settings, &[]).await;

    let (fine, text) = run(check_of_stack(info, &front, &[])).await;
    assert!(fine && !text.contains("! ") && !text.contains("? "), "{text}");
    assert!(
        text.contains("is UPDATE_COMPLETE") && text.contains("go to 2 subscriptions"),
        "{text}"
    );

    for (key, (status, answer), part) in changes(info) {
        *settings.lock().unwrap() = as_deployed(info);
        settings.lock().unwrap().insert(key, (status, answer));
        let (fine, text) = run(check_of_stack(info, &front, &[])).await;
        let marked = text
            .lines()
            .filter(|line| line.starts_with("! "))
            .collect::<Vec<_>>();
        assert!(
            !fine && marked.len() == 1 && marked[0].contains(part),
            "no `{part}` in: {text}"
        );
    }

    *settings.lock().unwrap() = as_deployed(info);
    let denied = error_answer(403, "AccessDenied");
    let policy = format!("{}?policy", info.output_bucket);
    settings.lock().unwrap().insert(policy, denied);
    let (fine, text) = run(check_of_stack(info, &front, &["--json"])).await;
    assert!(fine, "an unreadable setting is no failure: {text}");
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let unknown = json["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["verdict"] == "unknown");
    let unknown: Vec<&str> = unknown.map(|one| one["text"].as_str().unwrap()).collect();
    assert_eq!(unknown.len(), 1, "{unknown:?}");
    assert!(
        unknown[0].contains("lack the permission `s3:GetBucketPolicy`"),
        "{unknown:?}"
    );
    stack.shutdown().await;
}

const SPEC: &str = "task: text-classification\nlabels: [Even, Odd]\nteam: unknown-team\ntitle: T\ndescription: D\n\
                    batch: {quiet: 1s}\n";

#[tokio::test]
async fn a_folder_is_checked_against_what_is_in_the_stack() {
    let (stack, data) = start_stack().await;
    let info = stack.info();
    let folder = tempfile::tempdir().unwrap();
    let dataset = folder.path().join("parity");
    std::fs::create_dir(&dataset).unwrap();
    let write = |name: &str, text: &str| std::fs::write(dataset.join(name), text).unwrap();
    let spec = SPEC.replace("unknown-team", &info.team);
    let data = data.path().to_str().unwrap().to_owned();
    let check = async || run(groundcrew(&["check", dataset.to_str().unwrap(), "--data", &data])).await;
    write("a.txt", "1");

    write("labeling.yaml", SPEC);
    let (fine, text) = check().await;
    assert!(
        !fine && text.contains("there is no work team `unknown-team`"),
        "{text}"
    );

    write("labeling.yaml", &spec);
    let (fine, text) = check().await;
    assert!(fine && text.contains("none is in a batch"), "{text}");
    assert!(text.contains("nothing of it is in a batch"), "{text}");

    let put = async |name: &str, text: &str| {
        let put = info.s3().put_object().bucket(&info.input_bucket);
        let body = text.as_bytes().to_vec().into();
        put.key(format!("parity/{name}")).body(body).send().await.unwrap();
    };
    put("a.txt", "1").await;
    put("labeling.yaml", &spec).await;
    await_batch(info).await;
    let (fine, text) = check().await;
    assert!(
        fine && text.contains("1 file of the folder is in a batch already"),
        "{text}"
    );
    assert!(text.contains("with this labeling.yaml"), "{text}");

    write("a.txt", "1 more");
    write("labeling.yaml", &format!("{spec}workers_per_item: 2\n"));
    let (fine, text) = check().await;
    assert!(
        !fine
            && text.contains("another labeling.yaml")
            && text.contains("\"parity/a.txt\" changed after coming into a batch"),
        "{text}"
    );
    stack.shutdown().await;
}

async fn await_batch(info: &StackInfo) {
    let end = std::time::Instant::now() + std::time::Duration::from_secs(60);
    loop {
        let list = info.s3().list_objects_v2().bucket(&info.output_bucket);
        let page = list.prefix("manifests/parity/").send().await.unwrap();
        if !page.contents().is_empty() {
            return;
        }
        assert!(std::time::Instant::now() < end, "no batch was cut");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}
