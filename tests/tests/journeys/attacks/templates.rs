//! A job's own worker template: a program by a person who may make jobs, run by the portal.

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::json;
use tests::app::App;
use tests::aws::Aws;
use tests::job::OwnJob;
use tests::worker::{Worker, WorkerReply};

/// All of them together, in MiB.
const MOST: u64 = 500;
const PROMPTLY: Duration = Duration::from_secs(30);

fn bombs() -> Vec<(&'static str, String)> {
    let seed = "{% assign x = 'abcdefghijklmnop' %}";
    let turn = |body: &str| format!("{seed}{{% for i in (1..100) %}}{body}{{% endfor %}}{{{{ x }}}}");
    vec![
        ("append", turn("{% assign x = x | append: x %}")),
        ("capture", turn("{% capture x %}{{ x }}{{ x }}{% endcapture %}")),
        (
            "raw capture",
            turn("{% capture x %}{{ x | skip_autoescape }}{{ x | skip_autoescape }}{% endcapture %}"),
        ),
        (
            "replace",
            turn("{% assign x = x | append: 'a' | replace: 'a', x %}"),
        ),
        (
            "join",
            turn("{% assign l = x | split: '' %}{% assign x = l | join: x %}"),
        ),
        (
            "concat",
            "{% assign l = 'a,b' | split: ',' %}{% for i in (1..100) %}{% assign l = l | concat: l %}{% endfor %}{{ l | size }}"
                .to_owned(),
        ),
        (
            "without a loop",
            format!("{seed}{}", "{% assign x = x | append: x %}".repeat(100)),
        ),
        (
            "loops in loops",
            "{% for a in (1..9999) %}{% for b in (1..9999) %}{% endfor %}{% endfor %}".to_owned(),
        ),
        (
            "a long range",
            "{% for a in (1..9999999999) %}{% endfor %}".to_owned(),
        ),
        (
            "a long page",
            format!("{{% for a in (1..9999) %}}{}{{% endfor %}}", "x".repeat(100_000)),
        ),
        (
            "a long capture",
            format!(
                "{{% capture x %}}{{% for a in (1..9999) %}}{}{{% endfor %}}{{% endcapture %}}",
                "x".repeat(100_000)
            ),
        ),
        ("itself", "{% include 'worker' %}{% render 'worker' %}".to_owned()),
        (
            "blocks in blocks",
            format!("{}{}", "{% if true %}".repeat(4_000), "{% endif %}".repeat(4_000)),
        ),
        (
            "indexes in indexes",
            format!("{{{{ {}a{} }}}}", "a[".repeat(30_000), "]".repeat(30_000)),
        ),
        (
            "filters on filters",
            format!("{{{{ 'ab'{} }}}}", " | append: 'abcdef'".repeat(6_000)),
        ),
    ]
}

fn assert_spared(app: &mut App, before: Option<u64>) -> Result<()> {
    assert_eq!(app.exit_status()?, None, "the process has ended");
    if let Some((before, after)) = before.zip(app.peak_memory()) {
        assert!(after < before + MOST, "memory went from {before} to {after} MiB");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_that_loops_grows_or_recurses_is_refused_and_spares_the_process() -> Result<()> {
    let mut app = App::start_bare().await?;
    let before = app.peak_memory();
    let aws = Aws::of(&app);
    for (what, template) in bombs() {
        let request = json!({
            "UiTemplate": {"Content": template}, "Task": {"Input": "{}"}, "RoleArn": app.text("labeling_role_arn"),
        });
        let rendered = aws.json("sagemaker", "SageMaker.RenderUiTemplate", &request);
        let rendered = tokio::time::timeout(PROMPTLY, rendered)
            .await
            .with_context(|| what.to_owned())?;
        match rendered {
            Ok(rendered) => {
                let small = rendered["RenderedContent"]
                    .as_str()
                    .is_some_and(|page| page.len() < 200_000);
                let refused = rendered["Errors"]
                    .as_array()
                    .is_some_and(|errors| !errors.is_empty());
                assert!(
                    refused || (what == "filters on filters" && small),
                    "{what}: {:.300}",
                    rendered.to_string()
                );
            }
            Err(error) => assert!(error.to_string().contains(" 400 "), "{what}: {error:#}"),
        }
    }
    assert_spared(&mut app, before)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jobs_own_bomb_is_shown_as_a_problem_and_the_task_can_be_declined() -> Result<()> {
    let mut app = App::start_bare().await?;
    let before = app.peak_memory();
    let portal = app.text("web_url").to_owned();
    let (email, password) = app.worker();
    let worker = Worker::new(email, password)?;
    worker.sign_in(&portal).await?;
    let (_, template) = bombs().swap_remove(0);
    let template = format!("<crowd-form></crowd-form>{template}");
    let mut job = OwnJob::new(&app, "bomb", &["2"]);
    job.template = &template;
    job.create(&app).await?;
    let task = job.take(&worker, &portal).await?;
    let frame = task["frame"].as_str().context("a frame")?;
    let mut pages = tokio::task::JoinSet::new();
    for _ in 0..24 {
        let page = worker
            .http()
            .get(format!("{portal}{frame}"))
            .timeout(PROMPTLY * 4)
            .send();
        pages.spawn(page);
    }
    while let Some(page) = pages.join_next().await {
        let text = page??.text().await?;
        assert!(text.contains("crowd-task-problem"), "{text:.300}");
    }
    assert!(matches!(worker.jobs(&portal).await?, WorkerReply::Done(_)));
    let token = task["token"].as_str().context("a token")?;
    let declined = worker.http().post(format!("{portal}/api/tasks/{token}/decline"));
    let declined = declined
        .header("x-groundcrew", "1")
        .json(&json!({}))
        .send()
        .await?;
    assert_eq!(declined.status(), 200);
    assert_spared(&mut app, before)
}
