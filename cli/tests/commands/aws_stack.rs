//! Commands against a stack they find through CloudFormation, and the smoke test: here CloudFormation is some lines of
//! this file, and everything behind it the stack of one machine, unchanged.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use local::{Stack, StackConfig, StackInfo};

use crate::command::{groundcrew, run};

const STACK: &str = "crew";

/// A running stack, and a CloudFormation that knows it.
struct TestStack {
    stack: Stack,
    cloudformation: String,
    data: tempfile::TempDir,
}

impl TestStack {
    async fn start() -> Self {
        let data = tempfile::tempdir().unwrap();
        let config = StackConfig::on_free_ports(data.path());
        let stack = Stack::start(config, |_, _| Router::new()).await.unwrap();
        let cloudformation = cloudformation(stack.info()).await;
        Self {
            stack,
            cloudformation,
            data,
        }
    }

    fn data(&self) -> &str {
        self.data.path().to_str().unwrap()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let info = self.stack.info();
        let mut command = groundcrew(arguments);
        command
            .env("AWS_ENDPOINT_URL", &info.aws_url)
            .env("AWS_ENDPOINT_URL_CLOUDFORMATION", &self.cloudformation)
            .env("AWS_ACCESS_KEY_ID", &info.access_key_id)
            .env("AWS_SECRET_ACCESS_KEY", &info.secret_access_key);
        command
    }

    async fn run(&self, arguments: &[&str]) -> (bool, String) {
        run(self.command(arguments)).await
    }

    async fn keys(&self, prefix: &str) -> Vec<String> {
        let info = self.stack.info();
        let mut keys = Vec::new();
        for bucket in [&info.input_bucket, &info.output_bucket] {
            let list = info.s3().list_objects_v2().bucket(bucket).prefix(prefix);
            let page = list.send().await.unwrap();
            keys.extend(
                page.contents()
                    .iter()
                    .map(|object| object.key().unwrap().to_owned()),
            );
        }
        keys
    }
}

fn outputs(info: &StackInfo) -> String {
    let mut outputs = vec![
        ("InputBucketName".to_owned(), info.input_bucket.clone()),
        ("OutputBucketName".to_owned(), info.output_bucket.clone()),
        ("JobPrefixUsed".to_owned(), info.job_prefix.clone()),
        ("PortalUrlUsed".to_owned(), info.web_url.clone()),
    ];
    for queue in &info.queues {
        let words = queue.name.split('-').map(|word| {
            let (first, rest) = word.split_at(1);
            first.to_uppercase() + rest
        });
        let name = words.collect::<String>();
        outputs.push((format!("{name}DeadLettersUrl"), queue.dead_letter_url.clone()));
    }
    let member = |(key, value): &(String, String)| {
        format!("<member><OutputKey>{key}</OutputKey><OutputValue>{value}</OutputValue></member>")
    };
    outputs.iter().map(member).collect()
}

/// Answers for three stacks: one of ours, one of something else, and any other, which is not there.
async fn cloudformation(info: &StackInfo) -> String {
    let ours = Arc::new((outputs(info), format!("Credential={}/", info.access_key_id)));
    let answer = post(async move |headers: HeaderMap, body: String| {
        let (outputs, credential) = &*ours;
        let authorization = headers["authorization"].to_str().unwrap();
        let signed = authorization.contains(credential.as_str())
            && authorization.contains("/us-east-1/cloudformation/aws4_request");
        assert!(
            signed && body.contains("Action=DescribeStacks"),
            "{authorization}\n{body}"
        );
        let outputs = match body.split("StackName=").nth(1).unwrap() {
            STACK => outputs.clone(),
            "other" => "<member><OutputKey>Url</OutputKey><OutputValue>x</OutputValue></member>".to_owned(),
            absent => {
                let message = format!("Stack with id {absent} does not exist");
                let text = format!(
                    "<ErrorResponse><Error><Code>ValidationError</Code><Message>{message}</Message></Error></ErrorResponse>"
                );
                return (StatusCode::BAD_REQUEST, text);
            }
        };
        let text = format!(
            "<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>{STACK}</StackName>\
             <StackStatus>CREATE_COMPLETE</StackStatus><Outputs>{outputs}</Outputs></member></Stacks>\
             </DescribeStacksResult></DescribeStacksResponse>"
        );
        (StatusCode::OK, text)
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/", answer)).await });
    address
}

#[tokio::test]
async fn status_shows_a_stack_by_its_name_or_says_why_it_cannot() {
    let aws = TestStack::start().await;
    let (fine, text) = aws
        .run(&["status", "--stack", STACK, "--region", "us-east-1", "--json"])
        .await;
    assert!(fine, "{text}");
    let model: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(model["problems"], serde_json::json!([]), "{model:#}");
    assert_eq!(
        model["dead_letters"].as_array().unwrap().len(),
        aws.stack.info().queues.len()
    );

    for (arguments, part) in [
        (
            vec!["--stack", "no", "--region", "us-east-1"],
            "there is no stack `no` in us-east-1",
        ),
        (
            vec!["--stack", "other", "--region", "us-east-1"],
            "is not a Groundcrew's",
        ),
        (vec!["--stack", STACK], "no AWS Region is set"),
    ] {
        let (fine, text) = aws.run(&[vec!["status"], arguments].concat()).await;
        assert!(!fine && text.contains(part), "{text}");
    }
    let keyless = groundcrew(&["status", "--stack", STACK, "--region", "us-east-1"]);
    let (fine, text) = run(keyless).await;
    assert!(
        !fine && text.contains("aws configure export-credentials"),
        "{text}"
    );
    aws.stack.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_console_of_a_deployed_stack_is_served_to_a_browser_with_its_link() {
    let aws = TestStack::start().await;
    let arguments = ["console", "--stack", STACK, "--region", "us-east-1", "--web"];
    let (fine, text) = aws.run(&[&arguments[..], &["0.0.0.0:0"]].concat()).await;
    assert!(!fine && text.contains("lend your AWS credentials"), "{text}");

    let mut command = aws.command(&[&arguments[..], &["127.0.0.1:0"]].concat());
    let mut console = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(console.stdout.take().unwrap()).lines();
    let link = said.find_map(|line| Some(format!("http://{}", line.unwrap().split_once("http://")?.1)));
    let link = link.unwrap();
    let client = reqwest::Client::builder().cookie_store(true).build().unwrap();
    let (page, _) = link.split_once('?').unwrap();
    let locked = client.get(page).send().await.unwrap();
    assert_eq!(locked.status(), 401);
    assert!(client.get(&link).send().await.unwrap().status().is_success());
    let model = client.get(format!("{page}/api/model")).send().await.unwrap();
    let model: serde_json::Value = model.json().await.unwrap();
    console.kill().unwrap();
    console.wait().unwrap();
    let info = aws.stack.info();
    assert_eq!(
        model["about"]["input_bucket"],
        info.input_bucket.as_str(),
        "{model:#}"
    );
    assert_eq!(model["about"]["portal_url"], info.web_url.as_str());
    aws.stack.shutdown().await;
}

#[tokio::test]
async fn the_smoke_test_labels_and_leaves_nothing_in_the_input_bucket() {
    let aws = TestStack::start().await;
    let (fine, text) = aws.run(&["smoke", "--data", aws.data()]).await;
    assert!(fine && text.contains("Passed"), "{text}");
    for step in [
        "stack answers",
        "files dropped",
        "batch cut",
        "job created",
        "job runs",
        "labeled",
        "notice sent",
        "3 of 3 labeled",
        "no new dead letters in 4 queues",
        "4 files deleted",
        "Stays on purpose: manifests/smoke-",
    ] {
        assert!(text.contains(step), "no `{step}` in: {text}");
    }
    assert_eq!(aws.keys("smoke-").await, Vec::<String>::new());
    assert_eq!(aws.keys("manifests/").await.len(), 1);
    aws.stack.shutdown().await;
}

#[tokio::test]
async fn the_smoke_test_labels_as_the_given_worker_and_stops_the_job_without_one() {
    let aws = TestStack::start().await;
    let (email, password) = ("bo@example.com", "bo-labels-numbers-7");
    aws.stack
        .add_worker(email, password, &["proof-team"])
        .await
        .unwrap();
    aws.stack.ensure_team("proof-team").await.unwrap();
    let arguments = [
        "smoke",
        "--stack",
        STACK,
        "--region",
        "us-east-1",
        "--team",
        "proof-team",
    ];

    let (fine, text) = aws.run(&arguments).await;
    assert!(fine && text.contains("without a worker's sign-in"), "{text}");
    assert!(
        text.contains("was stopped") && !text.contains("labels.csv"),
        "{text}"
    );

    let as_worker = [&arguments[..], &["--worker", email]].concat();
    let (fine, text) = aws.run(&as_worker).await;
    assert!(!fine && text.contains("$GROUNDCREW_WORKER_PASSWORD"), "{text}");
    let mut command = aws.command(&as_worker);
    command.env("GROUNDCREW_WORKER_PASSWORD", password);
    let (fine, text) = run(command).await;
    assert!(fine && text.contains("3 answers given"), "{text}");
    assert_eq!(aws.keys("smoke-").await, Vec::<String>::new());
    aws.stack.shutdown().await;
}

#[tokio::test]
async fn a_failed_smoke_test_says_where_and_cleans_up() {
    let aws = TestStack::start().await;
    let arguments = ["smoke", "--data", aws.data(), "--team"];
    let (fine, text) = aws.run(&[&arguments[..], &["no-such-team"]].concat()).await;
    assert!(
        !fine && text.contains("Failed") && text.contains("no work team `no-such-team`"),
        "{text}"
    );

    aws.stack.ensure_team("proof-team").await.unwrap();
    // A worker outside of the team: there is nothing to label for them.
    let (email, password) = ("eve@example.com", "eve-labels-nothing-7");
    aws.stack.add_worker(email, password, &[]).await.unwrap();
    let mut command = aws.command(&[&arguments[..], &["proof-team", "--worker", email]].concat());
    command.env("GROUNDCREW_WORKER_PASSWORD", password);
    let (fine, text) = run(command).await;
    assert!(!fine && text.contains("✗ labeled"), "{text}");
    assert!(
        text.contains("is being stopped") && text.contains("groundcrew status --data"),
        "{text}"
    );
    assert_eq!(aws.keys("smoke-").await, Vec::<String>::new());
    aws.stack.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_smoke_test_cleans_up() {
    let aws = TestStack::start().await;
    let mut command = groundcrew(&["smoke", "--data", aws.data()]);
    let mut smoke = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(smoke.stdout.take().unwrap()).lines();
    let dropped = said.find(|line| line.as_ref().unwrap().contains("files dropped"));
    assert!(dropped.is_some());
    let id = smoke.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &id])
            .status()
            .unwrap()
            .success()
    );
    let rest: Vec<String> = said.map(Result::unwrap).collect();
    let rest = rest.join("\n");
    assert!(!smoke.wait().unwrap().success(), "{rest}");
    assert!(
        rest.contains("4 files deleted") && rest.contains("interrupted"),
        "{rest}"
    );
    assert_eq!(aws.keys("smoke-").await, Vec::<String>::new());
    aws.stack.shutdown().await;
}
