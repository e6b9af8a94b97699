//! The portal over a few sample jobs in memory, without a sign-in: to look at its pages and tools, and to work on them.
//! Run it with `cargo test -p engine look_at_the_portal -- --ignored --nocapture`, and open the address it prints.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect};
use axum::routing::get;
use http::header::{CONTENT_TYPE, SET_COOKIE};
use serde_json::{Value, json};

use super::{KEY, config, session};
use crate::portal::{ICON, PortalState, router};
use crate::state::memory::MemoryStore;
use crate::testing::{TestEngine, TestWorld, one_answer_each, ready};

struct SampleJob {
    name: &'static str,
    title: &'static str,
    /// The suffix of the task's `PRE-` and `ACS-` ARNs.
    task: &'static str,
    element: &'static str,
    labels: &'static [&'static str],
    attributes: &'static str,
    content: &'static str,
    lines: Vec<Value>,
}

fn sample_jobs() -> Vec<SampleJob> {
    let text = |text: &str| json!({ "source": text });
    let image = |key: &str| json!({"source-ref": format!("s3://in/{key}")});
    let story = "The parcel came two days late, and the box was open at one side. The lamp inside was fine, and the person \
        on the phone was friendly. ";
    vec![
        SampleJob {
            name: "numbers-000001",
            title: "Even or odd?",
            task: "TextMultiClass",
            element: "crowd-classifier",
            labels: &["Even Number", "Odd Number"],
            attributes: "",
            content: "<classification-target>{{ task.input.taskObject }}</classification-target>",
            lines: ["7", "12", "40031", "twenty-eight", "0", "MCMXCIX"]
                .map(text)
                .to_vec(),
        },
        SampleJob {
            name: "messages-000003",
            title: "What is this message about?",
            task: "TextMultiClassMultiLabel",
            element: "crowd-classifier-multi-select",
            labels: &[
                "Praise",
                "Complaint",
                "Delivery",
                "Packaging",
                "Product quality",
                "Customer service",
            ],
            attributes: "exclusion-category=\"{ text: 'None of these' }\"",
            content: "<classification-target>{{ task.input.taskObject }}</classification-target>",
            lines: vec![
                text("<script>document.title = 'not escaped'</script> I love it, thank you!"),
                text(story),
                text(&story.repeat(14)),
            ],
        },
        SampleJob {
            name: "pictures-000002",
            title: "Which sign is it?",
            task: "ImageMultiClass",
            element: "crowd-image-classifier",
            labels: &["Label", "Arrow", "Not sure"],
            attributes: "src=\"{{ task.input.taskObject | grant_read_access }}\"",
            content: "",
            lines: vec![image("icon.svg"), image("missing.png")],
        },
    ]
}

impl SampleJob {
    fn template(&self) -> String {
        let SampleJob {
            title,
            element,
            attributes,
            content,
            ..
        } = self;
        format!(
            r#"<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form>
  <{element} name="{element}" {attributes} categories="{{{{ task.input.labels | to_json | escape }}}}" header="{title}">
    {content}
    <full-instructions header="How to decide"><p>Read the item as a whole before you choose.</p></full-instructions>
    <short-instructions><p>Choose what fits <strong>best</strong>.</p></short-instructions>
  </{element}>
</crowd-form>"#
        )
    }

    async fn create(&self, world: &TestWorld, engine: &TestEngine) {
        let at = |file: &str| format!("s3://in/{}/{file}", self.name);
        let lines: Vec<String> = self.lines.iter().map(Value::to_string).collect();
        let labels: Vec<Value> = self
            .labels
            .iter()
            .map(|label| json!({ "label": label }))
            .collect();
        world.store.put_text(&at("numbers.manifest"), &lines.join("\n"));
        world
            .store
            .put_text(&at("labels.json"), &json!({ "labels": labels }).to_string());
        world.store.put_text(&at("tool.html"), &self.template());
        let arn = |kind: &str| {
            format!(
                "arn:aws:lambda:us-east-1:432418664414:function:{kind}-{}",
                self.task
            )
        };
        engine
            .job(self.name, |request| {
                request["InputConfig"]["DataSource"]["S3DataSource"]["ManifestS3Uri"] =
                    json!(at("numbers.manifest"));
                request["LabelCategoryConfigS3Uri"] = json!(at("labels.json"));
                let human = &mut request["HumanTaskConfig"];
                human["UiConfig"]["UiTemplateS3Uri"] = json!(at("tool.html"));
                human["PreHumanTaskLambdaArn"] = json!(arn("PRE"));
                human["AnnotationConsolidationConfig"]["AnnotationConsolidationLambdaArn"] =
                    json!(arn("ACS"));
                human["TaskTitle"] = json!(self.title);
                human["TaskDescription"] = json!("A sample job.");
                one_answer_each(request);
            })
            .await;
    }
}

#[tokio::test]
#[ignore = "serves the portal until it is stopped"]
async fn look_at_the_portal() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8099").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (world, engine) = ready(0).await;
    world.store.sign_links_to(&format!("{url}/objects"));
    world.store.put_text("s3://in/icon.svg", ICON);
    for job in sample_jobs() {
        job.create(&world, &engine).await;
    }
    let mut config = config();
    config.portal_url = url.clone();
    config.s3_public_origin = url.clone();
    let state = PortalState::new(&config, &engine.core, Arc::new(engine.work.clone()), &KEY);
    let cookie = format!("{}; Path=/; HttpOnly", session(&state, "crew").await);
    let enter = get(async move || ([(SET_COOKIE, cookie)], Redirect::to("/")));
    let objects = get(object).with_state(world.store.clone());
    let router = router(state)
        .route("/enter", enter)
        .route("/objects/{bucket}/{*key}", objects);
    println!("{url}/enter");
    axum::serve(listener, router).await.unwrap();
}

/// The objects behind presigned links.
async fn object(
    State(store): State<Arc<MemoryStore>>,
    Path((bucket, key)): Path<(String, String)>,
) -> impl IntoResponse {
    let found = store.text(&format!("s3://{bucket}/{key}"));
    found
        .map(|text| ([(CONTENT_TYPE, "image/svg+xml")], text))
        .ok_or(http::StatusCode::NOT_FOUND)
}
