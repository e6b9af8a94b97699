//! The job protocol against a store and a labeling service in memory, fault by fault.

mod daily_bound;
mod metrics;

use serde_json::{Value, json};
use shared::job::Stack;
use shared::layout;
use shared::name::{BatchNumber, DatasetName, JobName, JobPrefix};
use shared::port::JobState;
use shared::spec::Spec;
use shared::status::{WaitingBatch, WaitingReason};
use testkit::{Answer, FakeLabeling, FakeMetrics, FakeStore, FakeTopic, Fault};

use crate::{Deps, StartOutcome, handle, reconcile, start_backlog};

const SPEC: &str = "\
task: text-classification
labels: [Even, Odd]
team: numbers-team
title: Even or odd?
";

struct World {
    store: FakeStore,
    labeling: FakeLabeling,
    topic: FakeTopic,
    metrics: FakeMetrics,
    deps: Deps<FakeStore, FakeLabeling, FakeTopic>,
}

impl World {
    fn new() -> Self {
        let store = FakeStore::at("2026-11-21T10:00:00Z");
        let (labeling, topic) = (FakeLabeling::default(), FakeTopic::default());
        let metrics = FakeMetrics::default();
        let deps = Deps {
            store: store.clone(),
            labeling: labeling.clone(),
            topic: topic.clone(),
            stack: stack(),
            jobs_per_day: None,
            metrics: metrics.metrics(),
        };
        Self {
            store,
            labeling,
            topic,
            metrics,
            deps,
        }
    }

    fn with_batches(batches: u32) -> Self {
        let world = Self::new();
        world.store.put_output(&layout::pinned_spec(&sha256()), SPEC, &[]);
        (1..=batches).for_each(|n| {
            world.store.pass(1);
            world.batch("d", n);
        });
        world
    }

    fn batch(&self, dataset: &str, n: u32) {
        let key = layout::manifest(&DatasetName::new(dataset).unwrap(), number(n));
        self.store.put_output(&key, "{}\n", &[("spec-sha256", &sha256())]);
    }

    async fn start(&self, n: u32) -> StartOutcome {
        reconcile(&self.deps, &d(), number(n), self.store.now())
            .await
            .unwrap()
    }

    fn wait_document(&self, n: u32) -> WaitingBatch {
        serde_json::from_str(&self.store.output(&layout::job_waiting(&d(), number(n))).unwrap()).unwrap()
    }

    fn started_marker(&self, n: u32) -> Option<String> {
        self.store.output(&layout::job_started(&d(), number(n)))
    }

    fn jobs(&self) -> Vec<String> {
        self.labeling
            .requests()
            .into_iter()
            .map(|request| request.name)
            .collect()
    }
}

fn stack() -> Stack {
    Stack {
        region: "us-east-1".to_owned(),
        account: "000000000000".to_owned(),
        partition: "aws".to_owned(),
        prefix: JobPrefix::new("gc00").unwrap(),
        input_bucket: "in".to_owned(),
        output_bucket: "out".to_owned(),
        labeling_role_arn: "arn:aws:iam::000000000000:role/labeling".to_owned(),
        bounds: shared::bounds::Bounds::strictest("in", "out"),
    }
}

fn d() -> DatasetName {
    DatasetName::new("d").unwrap()
}

fn number(n: u32) -> BatchNumber {
    BatchNumber::new(n).unwrap()
}

fn job(n: u32) -> String {
    JobName::new(&stack().prefix, &d(), number(n)).to_string()
}

fn sha256() -> String {
    Spec::sha256(SPEC.as_bytes())
}

fn sqs(id: &str, body: &Value) -> Value {
    json!({"Records": [{"messageId": id, "body": body.to_string(), "eventSource": "aws:sqs", "attributes": {}}]})
}

fn manifest_event(bucket: &str, key: &str) -> Value {
    json!({"Records": [{
        "eventVersion": "2.1", "eventName": "ObjectCreated:Put", "eventTime": "2026-11-21T10:00:00.000Z",
        "s3": {"bucket": {"name": bucket}, "object": {"key": key}}
    }]})
}

fn end_event(name: &str) -> Value {
    json!({
        "source": "aws.sagemaker", "detail-type": "SageMaker Ground Truth Labeling Job State Change",
        "resources": [format!("arn:aws:sagemaker:us-east-1:000000000000:labeling-job/{name}")],
        "detail": {"LabelingJobStatus": "Completed"}
    })
}

#[tokio::test]
async fn a_batch_gets_its_job_once() {
    let world = World::with_batches(1);
    assert_eq!(world.start(1).await, StartOutcome::Started);
    assert_eq!(world.start(1).await, StartOutcome::StartedBefore);
    assert_eq!(world.jobs(), [job(1)]);
    assert_eq!(
        world.labeling.requests()[0].manifest_uri,
        "s3://out/manifests/d/000001.manifest"
    );
    for key in [
        layout::job_template(&d(), number(1)),
        layout::job_categories(&d(), number(1)),
    ] {
        assert!(world.store.output(&key).is_some(), "{key}");
    }
}

#[tokio::test]
async fn a_lost_response_is_found_to_be_ours() {
    let world = World::with_batches(1);
    world.labeling.answer_next(Answer::ResponseLost);
    reconcile(&world.deps, &d(), number(1), world.store.now())
        .await
        .unwrap_err();
    assert_eq!(world.started_marker(1), None);
    assert_eq!(world.start(1).await, StartOutcome::Started);
    assert_eq!(world.jobs(), [job(1)]);
    assert!(world.started_marker(1).unwrap().contains(&job(1)));
}

#[tokio::test]
async fn a_marker_that_was_not_written_is_made_good() {
    let world = World::with_batches(1);
    world.store.fail_next("jobs/d/000001/started", Fault::Throttled);
    reconcile(&world.deps, &d(), number(1), world.store.now())
        .await
        .unwrap_err();
    assert_eq!(world.start(1).await, StartOutcome::Started);
    assert_eq!(world.jobs().len(), 1);
}

#[tokio::test]
async fn a_job_of_that_name_with_another_manifest_is_not_ours() {
    let world = World::with_batches(1);
    world.labeling.put(FakeLabeling::job(
        &job(1),
        "s3://elsewhere/x.manifest",
        JobState::Completed,
    ));
    for _ in 0..2 {
        assert_eq!(
            world.start(1).await,
            StartOutcome::Waiting(WaitingReason::NameTaken)
        );
    }
    assert_eq!(world.started_marker(1), None);
    assert!(
        world
            .wait_document(1)
            .message
            .contains("s3://elsewhere/x.manifest")
    );
    assert_eq!(world.topic.messages().len(), 1, "announced once");
}

#[tokio::test]
async fn a_full_quota_is_a_state_and_the_oldest_batch_goes_first_when_a_slot_is_free() {
    let world = World::with_batches(3);
    world.labeling.quota(1);
    let counts = start_backlog(&world.deps, None, world.store.now()).await.unwrap();
    assert_eq!((counts.started, counts.waiting), (1, 2));
    assert_eq!(world.wait_document(3).reason, WaitingReason::Quota);
    let since = world.wait_document(3).since;

    world.store.pass(20 * 24 * 3600);
    world.labeling.finish(&job(1), JobState::Completed);
    let reply = handle(&world.deps, sqs("m", &end_event("another-stacks")))
        .await
        .unwrap();
    assert_eq!(reply, json!({"batchItemFailures": []}));
    assert_eq!(world.jobs(), [job(1), job(2)]);
    assert_eq!(world.wait_document(3).since, since, "it has waited since then");
    assert_eq!(world.topic.messages().len(), 0);
}

#[tokio::test]
async fn a_refused_request_is_announced_once_and_tried_again_by_the_sweep() {
    let world = World::with_batches(1);
    for _ in 0..2 {
        world.labeling.answer_next(Answer::Invalid("no such role"));
        assert_eq!(
            world.start(1).await,
            StartOutcome::Waiting(WaitingReason::Refused)
        );
    }
    assert_eq!(world.wait_document(1).message, "no such role");
    assert_eq!(world.topic.messages().len(), 1);
    assert_eq!(
        handle(&world.deps, json!({"sweep": "all"})).await.unwrap(),
        json!({"without_job": 1, "started": 1, "waiting": 0})
    );
}

const NO_TEAM: &str = "The specified Workteam 'arn:aws:sagemaker:us-east-1:000000000000:workteam/private-crowd/numbers-team' \
     does not exist or you do not have access to it.";

#[tokio::test]
async fn for_a_team_that_is_missing_people_are_asked_for_its_file_and_not_for_a_call_of_aws() {
    let world = World::with_batches(1);
    world.labeling.answer_next(Answer::Invalid(NO_TEAM));
    assert_eq!(
        world.start(1).await,
        StartOutcome::Waiting(WaitingReason::Refused)
    );
    let message = world.wait_document(1).message;
    for part in ["`numbers-team`", "`teams/numbers-team.yaml`", "starts by itself"] {
        assert!(message.contains(part), "{message}");
    }
    assert!(
        !message.contains("did you mean") && !message.contains("arn:"),
        "{message}"
    );
    assert!(world.topic.messages()[0].body.contains("teams/numbers-team.yaml"));
    assert_eq!(world.start(1).await, StartOutcome::Started);
}

#[tokio::test]
async fn a_team_of_nearly_that_name_is_suggested_and_the_batch_is_said_to_keep_its_own() {
    let world = World::with_batches(1);
    for known in ["number-team", "cats", "numbers-team"] {
        world.store.put_output(&format!("crew/{known}.json"), "{}", &[]);
    }
    for _ in 0..2 {
        world.labeling.answer_next(Answer::Invalid(NO_TEAM));
        world.start(1).await;
    }
    let message = world.wait_document(1).message;
    for part in [
        "did you mean `number-team`?",
        "`teams/numbers-team.yaml`",
        "keeps the team",
    ] {
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(world.topic.messages().len(), 1, "announced once");
}

#[tokio::test]
async fn the_team_of_another_account_is_refused_in_the_services_own_words() {
    let mut world = World::new();
    world.deps.stack.bounds.teams = vec!["*".to_owned()];
    let spec = SPEC.replace(
        "numbers-team",
        "arn:aws:sagemaker:us-east-1:111122223333:workteam/private-crowd/crew",
    );
    let sha256 = Spec::sha256(spec.as_bytes());
    world
        .store
        .put_output(&layout::pinned_spec(&sha256), spec.as_str(), &[]);
    world.store.put_output(
        &layout::manifest(&d(), number(1)),
        "{}\n",
        &[("spec-sha256", &sha256)],
    );
    world.labeling.answer_next(Answer::Invalid(NO_TEAM));
    world.start(1).await;
    assert_eq!(world.wait_document(1).message, NO_TEAM);
}

#[tokio::test]
async fn a_job_is_made_with_the_spec_its_batch_was_cut_with() {
    let world = World::with_batches(1);
    world
        .store
        .drop_file("d/labeling.yaml", SPEC.replace("Even or odd?", "Another title"));
    world.start(1).await;
    assert_eq!(world.labeling.requests()[0].title, "Even or odd?");
}

#[tokio::test]
async fn a_spec_that_is_gone_is_said_and_started_when_it_is_back() {
    let world = World::new();
    world.batch("d", 1);
    assert_eq!(
        world.start(1).await,
        StartOutcome::Waiting(WaitingReason::Refused)
    );
    assert!(
        world.wait_document(1).message.contains("restore"),
        "{}",
        world.wait_document(1).message
    );
    world.store.put_output(&layout::pinned_spec(&sha256()), SPEC, &[]);
    assert_eq!(world.start(1).await, StartOutcome::Started);
}

#[tokio::test]
async fn throttling_fails_the_message_and_nothing_else() {
    let world = World::with_batches(2);
    world.labeling.answer_next(Answer::Throttled);
    let mut event = sqs("one", &manifest_event("out", "manifests/d/000001.manifest"));
    let second = sqs("two", &manifest_event("out", "manifests/d/000002.manifest"))["Records"][0].clone();
    event["Records"].as_array_mut().unwrap().push(second);
    let reply = handle(&world.deps, event).await.unwrap();
    assert_eq!(reply, json!({"batchItemFailures": [{"itemIdentifier": "one"}]}));
    assert_eq!(world.jobs(), [job(2)]);
}

#[tokio::test]
async fn only_a_batch_of_ours_starts_a_job() {
    let world = World::with_batches(1);
    for body in [
        manifest_event("elsewhere", "manifests/d/000001.manifest"),
        manifest_event("out", "labels/x/manifests/output/output.manifest"),
        manifest_event("out", "manifests/d/000009.manifest"),
        json!({"Event": "s3:TestEvent"}),
    ] {
        let reply = handle(&world.deps, sqs("m", &body)).await.unwrap();
        assert_eq!(reply, json!({"batchItemFailures": []}), "{body}");
    }
    assert_eq!(world.jobs(), Vec::<String>::new());
}

#[tokio::test]
async fn a_sweep_of_one_dataset_leaves_the_others() {
    let world = World::with_batches(1);
    world.batch("e", 1);
    handle(&world.deps, json!({"sweep": ["e"]})).await.unwrap();
    assert_eq!(world.jobs().len(), 1);
    assert_eq!(world.started_marker(1), None);
}

#[tokio::test]
async fn a_taken_name_that_cannot_be_described_yet_is_asked_for_again() {
    let world = World::with_batches(1);
    world.labeling.answer_next(Answer::NameTaken);
    reconcile(&world.deps, &d(), number(1), world.store.now())
        .await
        .unwrap_err();
    assert_eq!(world.topic.messages().len(), 0, "no false alarm");
    assert_eq!(world.start(1).await, StartOutcome::Started);
}

#[tokio::test]
async fn two_datasets_that_differ_in_case_get_a_job_each() {
    let world = World::with_batches(0);
    world.batch("Cats", 1);
    world.batch("cats", 1);
    let counts = start_backlog(&world.deps, None, world.store.now()).await.unwrap();
    assert_eq!((counts.started, counts.waiting), (2, 0));
    assert_eq!(world.jobs().len(), 2);
}

#[tokio::test]
async fn a_batch_that_points_elsewhere_gets_no_job() {
    for line in [
        r#"{"source-ref":"s3://in/other/1.jpg","groundcrew":{"key":"d/1.jpg","etag":"e"}}"#,
        r#"{"source":"a","page-ref":"s3://out/crew/x.json"}"#,
    ] {
        let world = World::new();
        let key = layout::manifest(&d(), number(1));
        world.store.put_output(&layout::pinned_spec(&sha256()), SPEC, &[]);
        world
            .store
            .put_output(&key, format!("{{}}\n{line}\n"), &[("spec-sha256", &sha256())]);
        assert_eq!(
            world.start(1).await,
            StartOutcome::Waiting(WaitingReason::Refused)
        );
        assert!(
            world.wait_document(1).message.contains("line 2"),
            "{}",
            world.wait_document(1).message
        );
        assert!(world.jobs().is_empty());
    }
}
