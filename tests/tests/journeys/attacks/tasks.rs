//! Tasks of other people and of other teams, tasks that are over, and sessions that were never given out.

use std::time::Duration;

use anyhow::{Context, Result};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tests::app::App;
use tests::aws::Aws;
use tests::job::OwnJob;
use tests::worker::{Worker, WorkerReply};
use tests::{sign_in, wait};

const COLLEAGUE: (&str, &str) = ("grace@example.com", "Grace-labels-numbers-7");
const STRANGER: (&str, &str) = ("mallory@example.com", "Mallory-reads-others-7");
const TEXT: &str = "the text of another person's task";

async fn signed_in(app: &App, (email, password): (&str, &str)) -> Result<Worker> {
    let worker = Worker::new(email, password)?;
    worker.sign_in(app.text("web_url")).await?;
    Ok(worker)
}

/// What each thing one can do with a task is answered, with its status.
async fn all_requests_with(worker: &Worker, portal: &str, token: &str) -> Result<Vec<(StatusCode, String)>> {
    let mut answers = Vec::new();
    for path in [format!("/api/tasks/{token}"), format!("/tasks/{token}/frame")] {
        let answer = worker.http().get(format!("{portal}{path}")).send().await?;
        answers.push((answer.status(), answer.text().await?));
    }
    for what in ["answer", "decline", "release"] {
        let body = json!({"answer": {"crowd-classifier": {"label": "Odd"}}});
        let post = worker.http().post(format!("{portal}/api/tasks/{token}/{what}"));
        let answer = post.header("x-groundcrew", "1").json(&body).send().await?;
        answers.push((answer.status(), answer.text().await?));
    }
    Ok(answers)
}

async fn counters(app: &App, job: &str) -> Result<Value> {
    let request = json!({"LabelingJobName": job});
    let aws = Aws::of(app);
    let described = aws.json("sagemaker", "SageMaker.DescribeLabelingJob", &request);
    Ok(described.await?["LabelCounters"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_is_its_holders_alone() -> Result<()> {
    let app = App::start_bare().await?;
    let portal = app.text("web_url");
    let aws = Aws::of(&app);
    aws.hire(&app, COLLEAGUE).await?;
    aws.found_team(&app, "strangers").await?;
    aws.hire_into(&app, "strangers", STRANGER).await?;
    let job = OwnJob::new(&app, "attacked", &[TEXT]);
    job.create(&app).await?;

    let holder = signed_in(&app, app.worker()).await?;
    let task = job.take(&holder, portal).await?;
    let token = task["token"].as_str().context("a token")?;
    let outsiders = [
        ("a colleague", signed_in(&app, COLLEAGUE).await?),
        ("another team", signed_in(&app, STRANGER).await?),
        ("unknown", Worker::new("unknown@example.com", "x")?),
    ];
    let guesses = [
        token,
        "attacked.0",
        "attacked.00",
        "Attacked.0",
        "attacked.0%00",
        "..%2Fattacked.0",
    ];
    for (who, outsider) in &outsiders {
        for guess in guesses {
            for (status, text) in all_requests_with(outsider, portal, guess).await? {
                assert!(status.is_client_error(), "{who} with {guess}: {status} {text}");
                assert!(!text.contains(TEXT), "{who} with {guess}: {text}");
            }
        }
    }
    let (_, stranger) = &outsiders[1];
    let listed = stranger.jobs(portal).await?;
    assert!(
        matches!(&listed, WorkerReply::Done(jobs) if jobs["jobs"] == json!([])),
        "{listed:?}"
    );
    assert!(matches!(
        stranger.next(portal, "attacked").await?,
        WorkerReply::Gone
    ));

    let input = holder.task(portal, token).await?;
    assert!(
        matches!(&input, WorkerReply::Done(task) if task.to_string().contains(TEXT)),
        "{input:?}"
    );
    assert!(matches!(
        holder.answer(portal, token, "Even").await?,
        WorkerReply::Done(_)
    ));
    // Handing the same task in again is answered "stored", for the first answer may have been lost on the way; it changes nothing.
    all_requests_with(&holder, portal, token).await?;
    let said = finish_job(&app, "attacked").await?;
    assert!(
        said.contains("\"class-name\":\"Even\"") && !said.contains("Odd"),
        "{said}"
    );
    let counters = counters(&app, "attacked").await?;
    assert_eq!(counters["HumanLabeled"], 1, "{counters}");
    Ok(())
}

/// The job's output, once there is one.
async fn finish_job(app: &App, job: &str) -> Result<String> {
    let prefix = format!("own/{job}/labels/");
    let key = wait::until("the job has its output", Duration::from_secs(40), || async {
        let list = app.s3().map_err(|error| error.to_string())?.list_objects_v2();
        let listed = list
            .bucket(app.text("output_bucket"))
            .prefix(&prefix)
            .send()
            .await;
        let listed = listed.map_err(|error| error.to_string())?;
        let mut keys = listed.contents().iter().filter_map(|object| object.key());
        let output = keys.find(|key| key.ends_with("output.manifest"));
        output
            .map(str::to_owned)
            .ok_or_else(|| "no output yet".to_owned())
    })
    .await;
    let object = app.s3()?.get_object().bucket(app.text("output_bucket")).key(key);
    let bytes = object.send().await?.body.collect().await?.to_vec();
    Ok(String::from_utf8(bytes)?)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_after_its_time_is_refused() -> Result<()> {
    let app = App::start_bare().await?;
    let portal = app.text("web_url");
    let mut job = OwnJob::new(&app, "hurried", &[TEXT]);
    job.seconds = 30;
    job.create(&app).await?;
    let worker = signed_in(&app, app.worker()).await?;
    let task = job.take(&worker, portal).await?;
    let token = task["token"].as_str().context("a token")?;
    wait::until("the task's time is over", Duration::from_secs(60), || async {
        match worker.task(portal, token).await {
            Ok(WorkerReply::Gone) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    for (status, text) in all_requests_with(&worker, portal, token).await? {
        assert!(status.is_client_error(), "{status} {text}");
    }
    let counters = counters(&app, "hurried").await?;
    assert_eq!(counters["HumanLabeled"], 0, "{counters}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_and_job_names_that_nobody_was_given_lead_nowhere() -> Result<()> {
    let app = App::start_bare().await?;
    let portal = app.text("web_url");
    let worker = signed_in(&app, app.worker()).await?;
    for token in [
        "x",
        ".",
        ".0",
        "x.",
        "x.-1",
        "x.99999999999999999999",
        "x.0x0",
        "%2e%2e.0",
        "..%2f..%2fjobs%2fx.0",
        "%00.0",
        "x%0d%0aset-cookie:a=b.0",
        "a.b.c.0",
        "%F0%9F%98%80.0",
        "%ff.0",
    ] {
        for (status, text) in all_requests_with(&worker, portal, token).await? {
            assert!(status.is_client_error(), "{token}: {status} {text}");
        }
        let next = worker.http().post(format!("{portal}/api/jobs/{token}/next"));
        let next = next.header("x-groundcrew", "1").json(&json!({})).send().await?;
        assert!(next.status().is_client_error(), "{token}: {next:?}");
        assert!(next.headers().get("set-cookie").is_none(), "{token}: {next:?}");
    }
    let long = "x".repeat(20_000);
    let next = worker.next(portal, &long).await?;
    assert!(
        matches!(next, WorkerReply::Gone),
        "a name of {} letters: {next:?}",
        long.len()
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_was_not_given_is_none() -> Result<()> {
    let app = App::start_bare().await?;
    let portal = app.text("web_url");
    let bare = reqwest::Client::new();
    let session = sign_in::session(portal, app.worker()).await?;
    let with = async |cookie: String| -> Result<StatusCode> {
        let ask = bare.get(format!("{portal}/api/me")).header("cookie", cookie);
        Ok(ask.send().await?.status())
    };
    assert_eq!(with(format!("groundcrew-session={session}")).await?, 200);
    let flipped = |at: usize| {
        let mut bytes = session.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).unwrap_or_default()
    };
    let forged = [
        String::new(),
        "x".repeat(200),
        session[..session.len() - 4].to_owned(),
        flipped(0),
        flipped(session.len() / 2),
        format!("{session}{session}"),
        "{\"id\":\"private.us-east-1.0000000000000000\",\"groups\":[\"numbers-team\"]}".to_owned(),
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.".to_owned(),
    ];
    for value in forged {
        let status = with(format!("groundcrew-session={value}")).await?;
        assert_eq!(status, 401, "{value}");
    }
    // Sealed by the same key, but for another purpose.
    assert_eq!(with(format!("groundcrew-sign-in={session}")).await?, 401);
    Ok(())
}
