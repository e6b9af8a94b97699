//! A labeling job of one's own, made through the labeling API with whatever worker template one likes.

use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};

use crate::app::App;
use crate::aws::Aws;
use crate::wait;
use crate::worker::{Worker, WorkerReply};

/// A page that does nothing unusual.
pub const TEMPLATE: &str = r#"<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form><crowd-classifier name="crowd-classifier" categories="{{ task.input.labels | to_json | escape }}" header="Even or odd?">
<classification-target>{{ task.input.taskObject }}</classification-target></crowd-classifier></crowd-form>"#;

/// A page with an image.
pub const IMAGE_TEMPLATE: &str = r#"<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form><crowd-image-classifier name="crowd-image-classifier" src="{{ task.input.taskObject | grant_read_access }}" categories="{{ task.input.labels | to_json | escape }}" header="Which?"></crowd-image-classifier></crowd-form>"#;

/// What it is made of.
pub struct OwnJob<'a> {
    pub name: &'a str,
    pub team: &'a str,
    pub template: &'a str,
    /// Or addresses of images, where the template is [`IMAGE_TEMPLATE`].
    pub texts: &'a [&'a str],
    /// Seconds a worker has for a task: at least 30.
    pub seconds: u32,
}

impl OwnJob<'_> {
    pub fn new<'a>(app: &'a App, name: &'a str, texts: &'a [&'a str]) -> OwnJob<'a> {
        OwnJob {
            name,
            team: app.text("team"),
            template: TEMPLATE,
            texts,
            seconds: 600,
        }
    }

    pub async fn create(&self, app: &App) -> Result<()> {
        let source = if self.shows_images() {
            "source-ref"
        } else {
            "source"
        };
        let lines: Vec<String> = self
            .texts
            .iter()
            .map(|text| json!({source: text}).to_string())
            .collect();
        let labels =
            json!({"document-version": "2018-11-28", "labels": [{"label": "Even"}, {"label": "Odd"}]});
        self.put(app, "in.manifest", lines.join("\n")).await?;
        self.put(app, "worker.html", self.template.to_owned()).await?;
        self.put(app, "labels.json", labels.to_string()).await?;
        let (aws, request) = (Aws::of(app), self.request(app));
        aws.json("sagemaker", "SageMaker.CreateLabelingJob", &request)
            .await
            .map(drop)
    }

    /// Waits until this worker is offered the job, and takes its first task.
    pub async fn take(&self, worker: &Worker, portal: &str) -> Result<Value> {
        let what = format!("{} offers a task to {}", self.name, worker.email);
        let task = wait::until(&what, Duration::from_secs(40), || async {
            match worker.next(portal, self.name).await {
                Ok(WorkerReply::Done(next)) if next["task"].is_object() => Ok(next["task"].clone()),
                other => Err(format!("{other:?}")),
            }
        });
        Ok(task.await)
    }

    fn shows_images(&self) -> bool {
        self.template == IMAGE_TEMPLATE
    }

    async fn put(&self, app: &App, file: &str, text: String) -> Result<()> {
        let put = app.s3()?.put_object().bucket(app.text("output_bucket"));
        put.key(format!("own/{}/{file}", self.name))
            .body(text.into_bytes().into())
            .send()
            .await?;
        Ok(())
    }

    fn request(&self, app: &App) -> Value {
        let (region, account) = (app.text("region"), app.text("account"));
        let at = |file: &str| format!("s3://{}/own/{}/{file}", app.text("output_bucket"), self.name);
        let task = if self.shows_images() { "Image" } else { "Text" };
        let lambda =
            |name: &str| format!("arn:aws:lambda:{region}:432418664414:function:{name}-{task}MultiClass");
        json!({
            "LabelingJobName": self.name, "LabelAttributeName": "parity",
            "RoleArn": app.text("labeling_role_arn"),
            "InputConfig": {"DataSource": {"S3DataSource": {"ManifestS3Uri": at("in.manifest")}}},
            "OutputConfig": {"S3OutputPath": at("labels/")},
            "LabelCategoryConfigS3Uri": at("labels.json"),
            "HumanTaskConfig": {
                "WorkteamArn": format!("arn:aws:sagemaker:{region}:{account}:workteam/private-crowd/{}", self.team),
                "UiConfig": {"UiTemplateS3Uri": at("worker.html")},
                "PreHumanTaskLambdaArn": lambda("PRE"),
                "AnnotationConsolidationConfig": {"AnnotationConsolidationLambdaArn": lambda("ACS")},
                "TaskTitle": "Even or odd?", "TaskDescription": "Say so.",
                "NumberOfHumanWorkersPerDataObject": 1, "TaskTimeLimitInSeconds": self.seconds,
            },
        })
    }
}
