//! Another job's image: through the link to one's own, through the portal, past both.

use anyhow::{Context, Result};
use reqwest::{StatusCode, Url};
use tests::app::App;
use tests::aws::Aws;
use tests::job::{IMAGE_TEMPLATE, OwnJob};
use tests::sign_in;
use tests::worker::{Worker, WorkerReply};

const STRANGER: (&str, &str) = ("mallory@example.com", "Mallory-reads-others-7");
const OWN: &str = "the bytes of one's own image";
const SECRET: &str = "the bytes of another person's image";

/// A team's job with one image, at `<name>/1.png` of the input bucket.
async fn image_job(app: &App, name: &str, team: &str, bytes: &str) -> Result<()> {
    let bucket = app.text("input_bucket");
    let put = app.s3()?.put_object().bucket(bucket).key(format!("{name}/1.png"));
    put.body(bytes.as_bytes().to_vec().into()).send().await?;
    let address = format!("s3://{bucket}/{name}/1.png");
    let images = [address.as_str()];
    let mut job = OwnJob::new(app, name, &images);
    job.template = IMAGE_TEMPLATE;
    job.team = team;
    job.create(app).await
}

/// Where the page of a task has its image from.
async fn link(app: &App, worker: &Worker, token: &str) -> Result<Url> {
    let frame = format!("{}/tasks/{token}/frame", app.text("web_url"));
    let page = worker.open(&frame).await?.error_for_status()?.text().await?;
    let start = page
        .find(app.text("aws_url"))
        .with_context(|| format!("no link in {page}"))?;
    let link = page[start..].split(['"', '\'', '<']).next().unwrap_or_default();
    Ok(link.replace("&amp;", "&").parse()?)
}

async fn fetch(url: &str) -> Result<(StatusCode, String)> {
    let answer = sign_in::client()?.get(url).send().await?;
    Ok((answer.status(), answer.text().await?))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_to_ones_own_image_leads_to_no_other() -> Result<()> {
    let app = App::start_bare().await?;
    let aws = Aws::of(&app);
    aws.found_team(&app, "strangers").await?;
    aws.hire_into(&app, "strangers", STRANGER).await?;
    image_job(&app, "closed", app.text("team"), SECRET).await?;
    image_job(&app, "own", "strangers", OWN).await?;
    let portal = app.text("web_url");
    let stranger = Worker::new(STRANGER.0, STRANGER.1)?;
    stranger.sign_in(portal).await?;
    let task = OwnJob::new(&app, "own", &[]).take(&stranger, portal).await?;
    let token = task["token"].as_str().context("a token")?;
    let link = link(&app, &stranger, token).await?;
    assert_eq!(fetch(link.as_str()).await?, (StatusCode::OK, OWN.to_owned()));

    let (url, query) = (app.text("aws_url"), link.query().unwrap_or_default());
    let bucket = app.text("input_bucket");
    let attempts = [
        link.as_str().replace("/own/", "/closed/"),
        link.as_str().replace("/own/1.png", "/own/..%2Fclosed%2F1.png"),
        link.as_str().replace("/own/1.png", "/own/%2e%2e/closed/1.png"),
        link.as_str().replace("/own/1.png", ""),
        link.as_str().replace("/own/1.png", "?list-type=2&"),
        format!("{url}/{bucket}/closed/1.png"),
        format!("{url}/{bucket}?list-type=2"),
        format!("{url}/{bucket}?{query}&list-type=2"),
        format!("{url}/{bucket}/closed/1.png?{query}&key=own%2F1.png"),
        format!(
            "{url}/{}/own/closed/in.manifest?{query}",
            app.text("output_bucket")
        ),
        format!(
            "{url}/{}/portal/session-key.json?{query}",
            app.text("state_bucket")
        ),
        format!("{link}&versionId=1"),
        format!("{portal}/tasks/closed.0/frame"),
        format!("{portal}/{bucket}/closed/1.png?{query}"),
    ];
    for attempt in attempts {
        let (status, text) = fetch(&attempt).await?;
        assert!(
            !status.is_success() && !text.contains(SECRET),
            "{attempt}: {status} {text}"
        );
    }
    // Signed for reading, and for that alone.
    for method in [
        reqwest::Method::PUT,
        reqwest::Method::DELETE,
        reqwest::Method::POST,
    ] {
        let answer = sign_in::client()?
            .request(method.clone(), link.clone())
            .body("mine")
            .send()
            .await?;
        assert!(answer.status().is_client_error(), "{method}: {answer:?}");
    }
    assert_eq!(fetch(link.as_str()).await?.1, OWN);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_portal_shows_nobody_the_image_of_a_job_of_another_team() -> Result<()> {
    let app = App::start_bare().await?;
    let aws = Aws::of(&app);
    aws.found_team(&app, "strangers").await?;
    aws.hire_into(&app, "strangers", STRANGER).await?;
    image_job(&app, "closed", app.text("team"), SECRET).await?;
    let portal = app.text("web_url");
    let (email, password) = app.worker();
    let holder = Worker::new(email, password)?;
    holder.sign_in(portal).await?;
    let task = OwnJob::new(&app, "closed", &[]).take(&holder, portal).await?;
    let token = task["token"].as_str().context("a token")?;
    let stranger = Worker::new(STRANGER.0, STRANGER.1)?;
    stranger.sign_in(portal).await?;
    assert!(matches!(
        stranger.next(portal, "closed").await?,
        WorkerReply::Gone
    ));
    for path in [format!("/tasks/{token}/frame"), format!("/api/tasks/{token}")] {
        let answer = stranger.open(&format!("{portal}{path}")).await?;
        assert!(answer.status().is_client_error(), "{path}: {answer:?}");
        let text = answer.text().await?;
        assert!(
            !text.contains("X-Amz-Signature") && !text.contains("closed/1.png"),
            "{path}: {text}"
        );
    }
    assert_eq!(
        fetch(link(&app, &holder, token).await?.as_str()).await?.1,
        SECRET,
        "the holder sees it"
    );
    Ok(())
}
