//! An engine for tests: on a store in memory, with a clock that the test moves.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::Request;
use futures::FutureExt;
use futures::future::BoxFuture;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio_util::sync::DropGuard;
use tower::ServiceExt;

use crate::api::Api;
use crate::config::{GroupDirectory, ReadablePrefix};
use crate::core::{Core, Location, OperatorRules, Timing};
use crate::desk::{Desk, Lease, WorkError};
use crate::event_sink::{EventSink, WorkNotice};
use crate::state::memory::MemoryStore;
use crate::work::Work;
use crate::worker::{IdentityProvider, Worker};

const SHORT_TIMING: Timing = Timing {
    tick: Duration::from_millis(5),
    refresh: Duration::from_millis(20),
    snapshot: Duration::from_millis(20),
    grace: Duration::from_millis(200),
    finished_items: 3,
};

/// An engine with a team, and the inputs for a job with this many numbers.
pub(crate) async fn ready(numbers: usize) -> (TestWorld, TestEngine) {
    let world = TestWorld::default();
    world.numbers(numbers);
    let engine = world.engine().await;
    engine.create_team().await;
    (world, engine)
}

/// Records what an engine publishes, and fails on request.
#[derive(Default)]
pub(crate) struct RecordedEvents {
    pub(crate) state_changes: Mutex<Vec<Value>>,
    pub(crate) notices: Mutex<Vec<WorkNotice>>,
    /// How many more state changes fail.
    pub(crate) fail_state_changes: AtomicI64,
    /// How many more notices fail.
    pub(crate) fail_notices: AtomicI64,
    pub(crate) failed_notices: AtomicI64,
}

impl EventSink for RecordedEvents {
    fn state_changed(&self, event: Value) -> BoxFuture<'_, Result<(), String>> {
        async move {
            if self.fail_state_changes.load(Ordering::SeqCst) > 0 {
                self.fail_state_changes.fetch_sub(1, Ordering::SeqCst);
                return Err("the bus is away".to_owned());
            }
            self.state_changes.lock().unwrap().push(event);
            Ok(())
        }
        .boxed()
    }

    fn work_notice(&self, notice: WorkNotice) -> BoxFuture<'_, Result<(), String>> {
        if self.fail_notices.load(Ordering::SeqCst) > 0 {
            self.fail_notices.fetch_sub(1, Ordering::SeqCst);
            self.failed_notices.fetch_add(1, Ordering::SeqCst);
            return async { Err("no such topic".to_owned()) }.boxed();
        }
        self.notices.lock().unwrap().push(notice);
        async { Ok(()) }.boxed()
    }
}

/// A user pool with every group but one.
#[derive(Debug)]
struct TestGroups;

impl GroupDirectory for TestGroups {
    fn check<'a>(&'a self, _: &'a str, group: &'a str, _: &'a str) -> BoxFuture<'a, Result<(), String>> {
        async move {
            match group {
                "no-such-group" => Err("there is no such group".to_owned()),
                _ => Ok(()),
            }
        }
        .boxed()
    }
}

/// What survives an engine: the store, the time, and what was published.
#[derive(Clone, Default)]
pub(crate) struct TestWorld {
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) events: Arc<RecordedEvents>,
    millis: Arc<AtomicI64>,
}

pub(crate) struct TestEngine {
    pub(crate) core: Arc<Core>,
    pub(crate) work: Work,
    alive: Arc<DropGuard>,
}

impl TestWorld {
    pub(crate) fn advance(&self, seconds: i64) {
        self.millis.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    pub(crate) async fn engine(&self) -> TestEngine {
        let core = self.core();
        let alive = Arc::new(crate::engine::start_background(&core).await.unwrap());
        TestEngine {
            work: Work::new(core.clone(), alive.clone()),
            core,
            alive,
        }
    }

    /// An engine that has read the work teams and no job yet.
    pub(crate) async fn starting_engine(&self) -> TestEngine {
        let core = self.core();
        let teams = core.documents.read_all(crate::state::keys::TEAMS).await;
        core.teams.set_all(teams.unwrap());
        let alive = Arc::new(core.stop.clone().drop_guard());
        TestEngine {
            work: Work::new(core.clone(), alive.clone()),
            core,
            alive,
        }
    }

    fn core(&self) -> Arc<Core> {
        let millis = self.millis.clone();
        let clock =
            move || Timestamp::from_millisecond(1_700_000_000_000 + millis.load(Ordering::SeqCst)).unwrap();
        let location = Location {
            region: "us-east-1".into(),
            account: "000000000000".into(),
            portal_url: "http://portal.example:8080".into(),
        };
        Arc::new(Core::new(
            self.store.clone(),
            "state".into(),
            location,
            OperatorRules {
                max_running_jobs: 3,
                readable: vec![ReadablePrefix {
                    bucket: "in".into(),
                    prefix: String::new(),
                    except: vec!["teams/".into()],
                }],
                groups: Some(Arc::new(TestGroups)),
            },
            self.events.clone(),
            (Arc::new(clock), SHORT_TIMING),
        ))
    }

    /// Writes the inputs of a job with this many numbers.
    pub(crate) fn numbers(&self, count: usize) {
        let lines: Vec<String> = (0..count)
            .map(|i| format!("{{\"source\":\"{i}\",\"id\":{i}.50}}"))
            .collect();
        self.store.put_text("s3://in/numbers.manifest", &lines.join("\n"));
        self.store.put_text(
            "s3://in/labels.json",
            r#"{"document-version":"2018-11-28","labels":[{"label":"Even"},{"label":"Odd"}]}"#,
        );
        self.store
            .put_text("s3://in/tool.html", "<crowd-classifier></crowd-classifier>");
    }

    pub(crate) fn output(&self, job: &str) -> Vec<Value> {
        let text = self
            .store
            .text(&format!("s3://out/labels/{job}/manifests/output/output.manifest"))
            .unwrap_or_default();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

impl TestEngine {
    /// Stops the engine and waits until it has stopped.
    pub(crate) async fn stop(self) {
        self.core.stop.cancel();
        self.core.tasks.close();
        self.core.tasks.wait().await;
    }

    pub(crate) async fn call(&self, operation: &str, request: Value) -> Result<Value, Value> {
        let router = Api::new(self.core.clone(), self.alive.clone()).router();
        let request = Request::post("/")
            .header("x-amz-target", format!("SageMaker.{operation}"))
            .body(Body::from(request.to_string()))
            .unwrap();
        let response = router.oneshot(request).await.unwrap();
        assert_eq!(response.headers()["content-type"], "application/x-amz-json-1.1");
        assert!(response.headers().contains_key("x-amzn-requestid"));
        let is_ok = response.status().is_success();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX)
            .await
            .unwrap();
        let body = serde_json::from_slice(&body).unwrap();
        if is_ok { Ok(body) } else { Err(body) }
    }

    pub(crate) async fn create_team(&self) {
        let member = json!({"UserPool": "us-east-1_abc", "UserGroup": "crew", "ClientId": "client"});
        let request = json!({
            "WorkteamName": "crew", "Description": "The crew", "MemberDefinitions": [{"CognitoMemberDefinition": member}]
        });
        self.call("CreateWorkteam", request).await.unwrap();
    }

    /// Creates a job of [`TestWorld::numbers`] and waits until workers can work on it.
    pub(crate) async fn job(&self, name: &str, change: impl FnOnce(&mut Value)) {
        let mut request = request(name);
        change(&mut request);
        self.call("CreateLabelingJob", request).await.unwrap();
        self.wait_for_status(name, "InProgress").await;
    }

    pub(crate) async fn status(&self, job: &str) -> Value {
        self.call("DescribeLabelingJob", json!({"LabelingJobName": job}))
            .await
            .unwrap()
    }

    pub(crate) async fn wait_for_status(&self, job: &str, status: &str) -> Value {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let found = self.status(job).await;
            let can_be_worked_on = status != "InProgress" || self.core.running_jobs.get(job).is_some();
            if found["LabelingJobStatus"] == status && can_be_worked_on {
                return found;
            }
            assert!(
                Instant::now() < deadline,
                "{job} never was {status}; it is {found}"
            );
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    pub(crate) async fn lease(&self, worker: &Worker, job: &str) -> Option<Lease> {
        self.work.lease(worker, job).await.unwrap()
    }

    /// Answers the next item correctly; its number, or `None` if there is none for this worker.
    pub(crate) async fn answer_next(&self, worker: &Worker, job: &str) -> Result<Option<u32>, WorkError> {
        let Some(lease) = self.work.lease(worker, job).await? else {
            return Ok(None);
        };
        self.work
            .submit(worker, &lease.token, parity(lease.index))
            .await?;
        Ok(Some(lease.index))
    }
}

/// Changes a request so that each item needs one answer.
pub(crate) fn one_answer_each(request: &mut Value) {
    request["HumanTaskConfig"]["NumberOfHumanWorkersPerDataObject"] = json!(1);
}

pub(crate) fn parity(number: u32) -> Value {
    json!({"crowd-classifier": {"label": if number.is_multiple_of(2) { "Even" } else { "Odd" }}})
}

pub(crate) fn worker(id: &str) -> Worker {
    Worker {
        id: id.to_owned(),
        sub: format!("sub-{id}"),
        issuer: "https://cognito.example".into(),
        provider: IdentityProvider::Cognito,
        name: id.to_owned(),
        groups: vec!["crew".into()],
    }
}

pub(crate) fn request(name: &str) -> Value {
    json!({
        "LabelingJobName": name, "LabelAttributeName": "parity", "RoleArn": "arn:aws:iam::000000000000:role/labeling",
        "InputConfig": {"DataSource": {"S3DataSource": {"ManifestS3Uri": "s3://in/numbers.manifest"}}},
        "OutputConfig": {"S3OutputPath": "s3://out/labels"},
        "LabelCategoryConfigS3Uri": "s3://in/labels.json",
        "HumanTaskConfig": {
            "WorkteamArn": "arn:aws:sagemaker:us-east-1:000000000000:workteam/private-crowd/crew",
            "UiConfig": {"UiTemplateS3Uri": "s3://in/tool.html"},
            "PreHumanTaskLambdaArn": "arn:aws:lambda:us-east-1:432418664414:function:PRE-TextMultiClass",
            "AnnotationConsolidationConfig": {
                "AnnotationConsolidationLambdaArn": "arn:aws:lambda:us-east-1:432418664414:function:ACS-TextMultiClass"
            },
            "TaskTitle": "Even or odd?", "TaskDescription": "Say so.",
            "NumberOfHumanWorkersPerDataObject": 3, "TaskTimeLimitInSeconds": 300
        }
    })
}
