//! The whole line on one machine: files dropped through S3, labelled through the portal by a person who signed in, the
//! output manifest written, the notice in the outbox.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::time::Duration;

use axum::Router;
use local::{OutboxEntry, Stack, StackConfig};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

const SPEC: &str = "\
task: text-classification
labels: [Even Number, Odd Number]
team: numbers-team
title: Even or odd?
description: Say whether the number is odd or even.
workers_per_item: 1
batch: {quiet: 1s}
";
const NUMBERS: [u32; 4] = [1, 2, 3, 4];
const PATIENCE: Duration = Duration::from_secs(90);

/// Looks until there is something, and says what was seen last if there never is.
async fn wait_for<T>(what: &str, mut look: impl AsyncFnMut() -> Result<T, String>) -> T {
    let began = std::time::Instant::now();
    loop {
        match look().await {
            Ok(found) => return found,
            Err(seen) if began.elapsed() > PATIENCE => {
                panic!("no {what} after {PATIENCE:?}; last seen: {seen}")
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn drop_numbers(stack: &Stack) {
    let s3 = stack.info().s3();
    let mut files = vec![("numbers/labeling.yaml".to_owned(), SPEC.to_owned())];
    files.extend(
        NUMBERS
            .iter()
            .map(|n| (format!("numbers/{n}.txt"), n.to_string())),
    );
    for (key, text) in files {
        let put = s3
            .put_object()
            .bucket(&stack.info().input_bucket)
            .key(key)
            .body(text.into_bytes().into());
        put.send().await.unwrap();
    }
}

/// A worker's browser, signed in at the portal.
async fn signed_in(stack: &Stack) -> Client {
    let info = stack.info();
    let browser = Client::builder().cookie_store(true).build().unwrap();
    let page = browser
        .get(format!("{}/login", info.web_url))
        .send()
        .await
        .unwrap()
        .error_for_status()
        .unwrap();
    let form = [
        ("username", &info.worker.email),
        ("password", &info.worker.password),
    ];
    let home = browser.post(page.url().clone()).form(&form).send().await.unwrap();
    assert_eq!(home.status(), StatusCode::OK, "{}", home.url());
    assert!(home.url().as_str().starts_with(&info.web_url), "{}", home.url());
    browser
}

struct Portal {
    browser: Client,
    url: String,
}

impl Portal {
    async fn get(&self, path: &str) -> Result<Value, String> {
        let response = self
            .browser
            .get(format!("{}{path}", self.url))
            .send()
            .await
            .map_err(|e| e.to_string())?;
        let (status, text) = (
            response.status(),
            response.text().await.map_err(|e| e.to_string())?,
        );
        if !status.is_success() {
            return Err(format!("{path}: {status} {text}"));
        }
        serde_json::from_str(&text).map_err(|error| format!("{error}: {text}"))
    }

    async fn post(&self, path: &str, body: &Value) -> Value {
        let request = self
            .browser
            .post(format!("{}{path}", self.url))
            .header("x-groundcrew", "1")
            .json(body);
        let response = request.send().await.unwrap();
        let (status, text) = (response.status(), response.text().await.unwrap());
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Answers every task of the job that there is for this worker; how many.
    async fn label_all(&self, job: &str) -> usize {
        for answered in 0.. {
            let next = self.post(&format!("/api/jobs/{job}/next"), &json!({})).await;
            let Some(token) = next["task"]["token"].as_str() else {
                return answered;
            };
            let task = self.get(&format!("/api/tasks/{token}")).await.unwrap();
            let number: u32 = task["input"]["taskObject"]
                .as_str()
                .unwrap()
                .trim()
                .parse()
                .unwrap();
            let label = if number.is_multiple_of(2) {
                "Even Number"
            } else {
                "Odd Number"
            };
            let answer = json!({"answer": {"crowd-classifier": {"label": label}}});
            self.post(&format!("/api/tasks/{token}/answer"), &answer).await;
        }
        unreachable!()
    }
}

async fn portal(stack: &Stack) -> Portal {
    Portal {
        browser: signed_in(stack).await,
        url: stack.info().web_url.clone(),
    }
}

async fn first_job(portal: &Portal) -> String {
    let job = async || {
        let jobs = portal.get("/api/jobs").await?;
        jobs["jobs"][0]["name"]
            .as_str()
            .map(str::to_owned)
            .ok_or(jobs.to_string())
    };
    wait_for("job in the portal", job).await
}

async fn notice(stack: &Stack) -> OutboxEntry {
    let notice = async || {
        let entries = stack.outbox().entries();
        entries
            .first()
            .cloned()
            .ok_or(format!("{:?}", stack.drop_status()))
    };
    wait_for("notice in the outbox", notice).await
}

#[tokio::test(flavor = "multi_thread")]
async fn dropped_numbers_become_announced_labels() {
    let folder = tempfile::tempdir().unwrap();
    let stack = Stack::start(StackConfig::on_free_ports(folder.path()), |_, _| Router::new())
        .await
        .unwrap();
    drop_numbers(&stack).await;
    let portal = portal(&stack).await;
    let job = first_job(&portal).await;
    assert_eq!(portal.label_all(&job).await, NUMBERS.len());

    let notice = notice(&stack).await;
    assert_eq!(notice.to, "admin@example.com");
    assert!(
        notice.subject.as_deref().unwrap_or_default().contains("numbers"),
        "{notice:?}"
    );

    let key = format!("labels/{job}/manifests/output/output.manifest");
    let output = stack
        .info()
        .s3()
        .get_object()
        .bucket(&stack.info().output_bucket)
        .key(&key)
        .send()
        .await
        .unwrap();
    let text = String::from_utf8(output.body.collect().await.unwrap().to_vec()).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), NUMBERS.len());
    for line in &lines {
        let number: u32 = line["source"].as_str().unwrap().trim().parse().unwrap();
        let expected = if number.is_multiple_of(2) {
            "Even Number"
        } else {
            "Odd Number"
        };
        assert!(
            line.to_string()
                .contains(&format!("\"class-name\":\"{expected}\"")),
            "{line}"
        );
    }
    for queue in stack
        .queues()
        .iter()
        .filter(|queue| queue.config.name.ends_with("-dlq"))
    {
        assert_eq!(
            queue.counts(),
            local::sqs::QueueCounts::default(),
            "{}",
            queue.config.name
        );
    }
    stack.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_takes_up_where_the_line_stood() {
    let folder = tempfile::tempdir().unwrap();
    let stack = Stack::start(StackConfig::on_free_ports(folder.path()), |_, _| Router::new())
        .await
        .unwrap();
    drop_numbers(&stack).await;
    let first = portal(&stack).await;
    let job = first_job(&first).await;
    let task = first.post(&format!("/api/jobs/{job}/next"), &json!({})).await;
    let token = task["task"]["token"].as_str().unwrap();
    let answer = json!({"answer": {"crowd-classifier": {"label": "Odd Number"}}});
    first.post(&format!("/api/tasks/{token}/answer"), &answer).await;
    let worker = stack.info().worker.password.clone();
    stack.shutdown().await;

    let began = std::time::Instant::now();
    let stack = Stack::start(StackConfig::on_free_ports(folder.path()), |_, _| Router::new())
        .await
        .unwrap();
    let took = began.elapsed();
    assert!(took < Duration::from_secs(10), "a second start took {took:?}");
    assert_eq!(stack.info().worker.password, worker);
    let second = portal(&stack).await;
    assert_eq!(first_job(&second).await, job);
    assert_eq!(second.label_all(&job).await, NUMBERS.len() - 1);
    notice(&stack).await;
    stack.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_stack_on_the_same_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let stack = Stack::start(StackConfig::on_free_ports(folder.path()), |_, _| Router::new())
        .await
        .unwrap();
    let second = Stack::start(StackConfig::on_free_ports(folder.path()), |_, _| Router::new()).await;
    let refused = second.err().expect("refused").to_string();
    assert!(refused.contains("--data"), "{refused}");
    stack.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_is_named_with_the_flag_that_changes_it() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    for (web, flag) in [(true, "--web"), (false, "--aws")] {
        let folder = tempfile::tempdir().unwrap();
        let mut config = StackConfig::on_free_ports(folder.path());
        *(if web { &mut config.web } else { &mut config.aws }) = address;
        let error = Stack::start(config, |_, _| Router::new())
            .await
            .err()
            .expect("refused")
            .to_string();
        assert!(
            error.contains(&address.to_string()) && error.contains(flag),
            "{error}"
        );
    }
    let folder = tempfile::tempdir().unwrap();
    let config = StackConfig {
        aws: ([0, 0, 0, 0], 0).into(),
        ..StackConfig::on_free_ports(folder.path())
    };
    let error = Stack::start(config, |_, _| Router::new())
        .await
        .err()
        .expect("refused")
        .to_string();
    assert!(error.contains("loopback"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_host_name_reads_nothing_from_the_web_port() {
    let folder = tempfile::tempdir().unwrap();
    // Only a test hands the outbox back without a sign-in around it.
    let stack = Stack::start(StackConfig::on_free_ports(folder.path()), |_, outbox| outbox)
        .await
        .unwrap();
    let client = Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let ask = async |path: &str, host: &str| {
        let request = client
            .get(format!("{}{path}", stack.info().web_url))
            .header("host", host);
        request.send().await.unwrap().status()
    };
    let own = stack.info().web_url.replace("http://", "");
    assert_eq!(ask("/outbox/api", &own).await, StatusCode::OK);
    assert_eq!(
        ask("/outbox/api", "evil.example").await,
        StatusCode::MISDIRECTED_REQUEST
    );
    assert_eq!(ask("/", "evil.example:80").await, StatusCode::MISDIRECTED_REQUEST);
    assert_eq!(
        ask("/outbox", &own.replace("127.0.0.1", "localhost")).await,
        StatusCode::TEMPORARY_REDIRECT
    );
    stack.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_aws_port_does_nothing_without_a_signature() {
    let folder = tempfile::tempdir().unwrap();
    let stack = Stack::start(StackConfig::on_free_ports(folder.path()), |_, _| Router::new())
        .await
        .unwrap();
    let client = Client::new();
    let url = &stack.info().aws_url;
    for target in [
        "SageMaker.ListLabelingJobs",
        "AmazonSQS.ListQueues",
        "AWSCognitoIdentityProviderService.ListUsers",
    ] {
        let answer = client
            .post(url)
            .header("x-amz-target", target)
            .body("{}")
            .send()
            .await
            .unwrap();
        assert!(answer.status().is_client_error(), "{target}: {}", answer.status());
        let text = answer.text().await.unwrap();
        assert!(
            text.contains("Auth") || text.contains("Signature"),
            "{target}: {text}"
        );
    }
    let form = client
        .post(url)
        .form(&[("Action", "ListTopics")])
        .send()
        .await
        .unwrap();
    assert_eq!(form.status(), StatusCode::FORBIDDEN);
    let object = client
        .get(format!("{url}/{}/x", stack.info().input_bucket))
        .send()
        .await
        .unwrap();
    assert_eq!(object.status(), StatusCode::FORBIDDEN);
    let stranger = client
        .post(url)
        .header("x-amz-target", "DynamoDB_20120810.ListTables")
        .body("{}")
        .send()
        .await
        .unwrap();
    assert!(
        stranger
            .text()
            .await
            .unwrap()
            .contains("UnknownOperationException")
    );
    stack.shutdown().await;
}
