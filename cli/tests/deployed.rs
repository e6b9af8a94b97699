//! Commands against a stack they find through CloudFormation, and the smoke test: here CloudFormation is some lines of
//! this file, and everything behind it the stack of one machine, unchanged.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use local::{Stack, StackConfig, StackInfo};

const STACK: &str = "crew";

/// A running stack, and a CloudFormation that knows it.
struct Deployed {
    stack: Stack,
    cloudformation: String,
    data: tempfile::TempDir,
}

impl Deployed {
    async fn start() -> Self {
        let data = tempfile::tempdir().unwrap();
        let config = StackConfig::anywhere(data.path());
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
        finished(self.command(arguments)).await
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

/// Nothing of whoever runs the tests: no keys, no profile, no Region, no instance's role.
fn groundcrew(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_groundcrew"));
    for (name, _) in std::env::vars_os() {
        let own = name.to_string_lossy();
        if own.starts_with("AWS_") || own.starts_with("GROUNDCREW_") || own == "RUST_LOG" {
            command.env_remove(&name);
        }
    }
    command
        .args(arguments)
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

/// Ran to its end: whether it was content, and all it said.
async fn finished(mut command: Command) -> (bool, String) {
    let run = tokio::task::spawn_blocking(move || command.output().unwrap());
    let Output {
        status,
        stdout,
        stderr,
    } = run.await.unwrap();
    let text = format!(
        "{}{}",
        String::from_utf8(stdout).unwrap(),
        String::from_utf8(stderr).unwrap()
    );
    (status.success(), text)
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
async fn status_shows_a_stack_found_by_its_name_and_says_why_another_cannot_be_shown() {
    let deployed = Deployed::start().await;
    let (fine, text) = deployed
        .run(&["status", "--stack", STACK, "--region", "us-east-1", "--json"])
        .await;
    assert!(fine, "{text}");
    let model: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(model["problems"], serde_json::json!([]), "{model:#}");
    assert_eq!(
        model["dead_letters"].as_array().unwrap().len(),
        deployed.stack.info().queues.len()
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
        let (fine, text) = deployed.run(&[vec!["status"], arguments].concat()).await;
        assert!(!fine && text.contains(part), "{text}");
    }
    let keyless = groundcrew(&["status", "--stack", STACK, "--region", "us-east-1"]);
    let (fine, text) = finished(keyless).await;
    assert!(
        !fine && text.contains("aws configure export-credentials"),
        "{text}"
    );
    deployed.stack.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_console_of_a_deployed_stack_is_served_here_for_whoever_has_its_link() {
    let deployed = Deployed::start().await;
    let arguments = ["console", "--stack", STACK, "--region", "us-east-1", "--web"];
    let (fine, text) = deployed.run(&[&arguments[..], &["0.0.0.0:0"]].concat()).await;
    assert!(!fine && text.contains("lend your AWS credentials"), "{text}");

    let mut command = deployed.command(&[&arguments[..], &["127.0.0.1:0"]].concat());
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
    let info = deployed.stack.info();
    assert_eq!(
        model["about"]["input_bucket"],
        info.input_bucket.as_str(),
        "{model:#}"
    );
    assert_eq!(model["about"]["portal_url"], info.web_url.as_str());
    deployed.stack.shutdown().await;
}

#[tokio::test]
async fn the_smoke_test_labels_and_leaves_nothing_in_the_input_bucket() {
    let deployed = Deployed::start().await;
    let (fine, text) = deployed.run(&["smoke", "--data", deployed.data()]).await;
    assert!(fine && text.contains("Passed"), "{text}");
    for step in [
        "stack answers",
        "files dropped",
        "batch cut",
        "job asked for",
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
    assert_eq!(deployed.keys("smoke-").await, Vec::<String>::new());
    assert_eq!(deployed.keys("manifests/").await.len(), 1);
    deployed.stack.shutdown().await;
}

#[tokio::test]
async fn the_smoke_test_labels_as_the_worker_it_is_told_and_stops_the_job_without_one() {
    let deployed = Deployed::start().await;
    let (email, password) = ("bo@example.com", "bo-labels-numbers-7");
    deployed
        .stack
        .add_worker(email, password, &["proof-team"])
        .await
        .unwrap();
    deployed.stack.ensure_team("proof-team").await.unwrap();
    let arguments = [
        "smoke",
        "--stack",
        STACK,
        "--region",
        "us-east-1",
        "--team",
        "proof-team",
    ];

    let (fine, text) = deployed.run(&arguments).await;
    assert!(fine && text.contains("nobody's sign-in was given"), "{text}");
    assert!(
        text.contains("was stopped") && !text.contains("labels.csv"),
        "{text}"
    );

    let told = [&arguments[..], &["--worker", email]].concat();
    let (fine, text) = deployed.run(&told).await;
    assert!(!fine && text.contains("$GROUNDCREW_WORKER_PASSWORD"), "{text}");
    let mut command = deployed.command(&told);
    command.env("GROUNDCREW_WORKER_PASSWORD", password);
    let (fine, text) = finished(command).await;
    assert!(fine && text.contains("3 answers given"), "{text}");
    assert_eq!(deployed.keys("smoke-").await, Vec::<String>::new());
    deployed.stack.shutdown().await;
}

#[tokio::test]
async fn a_smoke_test_that_fails_says_where_and_cleans_up_all_the_same() {
    let deployed = Deployed::start().await;
    let arguments = ["smoke", "--data", deployed.data(), "--team"];
    let (fine, text) = deployed.run(&[&arguments[..], &["nobody"]].concat()).await;
    assert!(
        !fine
            && text.contains("Failed")
            && text.contains("work team `nobody`: The work team nobody does not exist"),
        "{text}"
    );

    deployed.stack.ensure_team("proof-team").await.unwrap();
    // Somebody, but not of the team: there is nothing to label for them.
    let (email, password) = ("eve@example.com", "eve-labels-nothing-7");
    deployed.stack.add_worker(email, password, &[]).await.unwrap();
    let mut command = deployed.command(&[&arguments[..], &["proof-team", "--worker", email]].concat());
    command.env("GROUNDCREW_WORKER_PASSWORD", password);
    let (fine, text) = finished(command).await;
    assert!(!fine && text.contains("✗ labeled"), "{text}");
    assert!(
        text.contains("is being stopped") && text.contains("groundcrew status --data"),
        "{text}"
    );
    assert_eq!(deployed.keys("smoke-").await, Vec::<String>::new());
    deployed.stack.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_smoke_test_cleans_up() {
    let deployed = Deployed::start().await;
    let mut command = groundcrew(&["smoke", "--data", deployed.data()]);
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
    assert_eq!(deployed.keys("smoke-").await, Vec::<String>::new());
    deployed.stack.shutdown().await;
}
