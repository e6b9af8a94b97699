//! The end of jobs, announced against ports in memory, fault by fault.

use serde_json::{Value, json};
use shared::name::JobPrefix;
use shared::port::{Bucket, JobCounters, JobState};
use shared::spec::Spec;
use shared::summary::JobSummary;
use testkit::{FakeLabeling, FakeMetrics, FakeStore, FakeTopic, Fault};

use crate::{Deps, EndOutcome, handle, reconcile};

mod overdue_jobs;
mod worker_counts;

const SPEC: &str = "\
task: text-classification
labels: [Even, Odd]
team: numbers-team
title: Even or odd?
export: [csv]
";
const JOB: &str = "gc00-d-000001";
const OUTPUT: &str = "labels/gc00-d-000001/manifests/output/output.manifest";

struct World {
    store: FakeStore,
    labeling: FakeLabeling,
    topic: FakeTopic,
    metrics: FakeMetrics,
    deps: Deps<FakeStore, FakeLabeling, FakeTopic>,
}

impl World {
    /// One batch of two files, its job ended so, both labelled.
    fn new(state: JobState) -> Self {
        let store = FakeStore::at("2026-11-21T10:00:00Z");
        let (labeling, topic) = (FakeLabeling::default(), FakeTopic::default());
        let metrics = FakeMetrics::default();
        let deps = Deps {
            store: store.clone(),
            labeling: labeling.clone(),
            topic: topic.clone(),
            prefix: JobPrefix::new("gc00").unwrap(),
            output_bucket: "out".to_owned(),
            console_url: None,
            portal_url: Some("https://portal".to_owned()),
            metrics: metrics.metrics(),
        };
        store.drop_file("d/1.txt", "1");
        store.drop_file("d/2.txt", "2");
        let sha256 = Spec::sha256(SPEC.as_bytes());
        store.put_output(&format!("specs/{sha256}"), SPEC, &[]);
        store.put_output("manifests/d/000001.manifest", "", &[("spec-sha256", &sha256)]);
        let world = Self {
            store,
            labeling,
            topic,
            metrics,
            deps,
        };
        world.job(JOB, state);
        world.store.put_output(
            OUTPUT,
            format!("{}\n{}\n", world.line("1", "Odd"), world.line("2", "Even")),
            &[],
        );
        world
    }

    fn job(&self, name: &str, state: JobState) {
        let mut job = FakeLabeling::job(name, "s3://out/manifests/d/000001.manifest", state);
        job.label_attribute = "parity".to_owned();
        job.output_manifest_uri = Some(format!("s3://out/{OUTPUT}"));
        self.labeling.put(job);
    }

    /// A line as the labeling service writes it; the two files are the store's first and second object.
    fn line(&self, file: &str, label: &str) -> Value {
        json!({
            "source": file, "groundcrew": {"key": format!("d/{file}.txt"), "etag": &Spec::sha256(file.as_bytes())[..32]},
            "parity": u8::from(label == "Odd"),
            "parity-metadata": {
                "confidence": 0.9, "class-name": label, "human-annotated": "yes", "job-name": JOB,
                "creation-date": "2026-11-21T10:00:00.000000", "type": "groundtruth/text-classification"
            }
        })
    }

    async fn reconcile(&self) -> EndOutcome {
        reconcile(&self.deps, JOB, self.store.now()).await.unwrap()
    }

    fn summary(&self) -> JobSummary {
        serde_json::from_str(&self.store.output("results/d/000001/summary.json").unwrap()).unwrap()
    }
}

fn event(id: &str, job: &str) -> Value {
    let body = json!({
        "source": "aws.sagemaker", "detail-type": "SageMaker Ground Truth Labeling Job State Change",
        "resources": [format!("arn:aws:sagemaker:us-east-1:000000000000:labeling-job/{job}")],
        "detail": {"LabelingJobStatus": "Completed"}
    });
    json!({"messageId": id, "body": body.to_string(), "eventSource": "aws:sqs"})
}

#[tokio::test]
async fn rows_that_are_no_items_are_in_the_summary_and_the_report() {
    let world = World::new(JobState::Completed);
    let key = "manifests/d/000001.manifest";
    let before = world.store.metadata(key);
    let mut metadata: Vec<(&str, &str)> = before.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    metadata.extend([("rejected-rows", "2"), ("blank-rows", "3")]);
    world.store.put_output(key, "{}\n", &metadata);
    world.reconcile().await;
    let left_out = world.summary().labels.rows_left_out;
    assert_eq!((left_out.rejected, left_out.blank), (2, 3));
    let report = world.store.output("results/d/000001/report.md").unwrap();
    assert!(
        report.contains("| Rows rejected, not in the batch | 2 |"),
        "{report}"
    );
    assert!(
        report.contains("| Blank rows, not in the batch | 3 |"),
        "{report}"
    );
}

#[tokio::test]
async fn a_finished_job_is_summarised_exported_and_announced_once() {
    let world = World::new(JobState::Completed);
    assert_eq!(world.reconcile().await, EndOutcome::Announced);
    assert_eq!(world.reconcile().await, EndOutcome::AnnouncedBefore);
    assert_eq!(world.topic.messages().len(), 1);
    let labels = world.summary().labels;
    assert_eq!(
        (labels.total, labels.labeled, labels.changed_since_batch),
        (2, 2, 0)
    );
    assert_eq!(
        labels.per_label.iter().map(|l| l.count).collect::<Vec<_>>(),
        [1, 1]
    );
    assert!(
        world
            .store
            .output("results/d/000001/report.md")
            .unwrap()
            .contains("Even or odd?")
    );
    let csv = world.store.output("results/d/000001/labels.csv").unwrap();
    assert_eq!(csv.lines().count(), 3, "{csv}");
    assert!(world.topic.messages()[0].body.contains("https://portal"));
}

#[tokio::test]
async fn the_same_event_five_times_is_one_notice() {
    let world = World::new(JobState::Completed);
    let events: Vec<_> = (0..5).map(|n| event(&n.to_string(), JOB)).collect();
    let reply = handle(&world.deps, json!({"Records": events})).await.unwrap();
    assert_eq!(reply, json!({"batchItemFailures": []}));
    assert_eq!(world.topic.messages().len(), 1);
}

#[tokio::test]
async fn failed_and_stopped_jobs_are_announced_too() {
    for (state, kind) in [
        (JobState::Failed, "job-failed"),
        (JobState::Stopped, "job-stopped"),
    ] {
        let world = World::new(state);
        world.store.remove(Bucket::Output, OUTPUT);
        assert_eq!(world.reconcile().await, EndOutcome::Announced);
        assert_eq!(world.topic.messages()[0].attributes["kind"], kind);
        assert_eq!(world.summary().labels.total, 0);
    }
}

#[tokio::test]
async fn jobs_of_others_are_dropped() {
    let world = World::new(JobState::Completed);
    world.labeling.put(FakeLabeling::job(
        "gc00-x",
        "s3://elsewhere/manifests/d/000001.manifest",
        JobState::Completed,
    ));
    world.labeling.put(FakeLabeling::job(
        "gc00x-d",
        "s3://out/manifests/d/000001.manifest",
        JobState::Completed,
    ));
    let events: Vec<_> = ["gc00-x", "gc00x-d", "gc00-none", "other-job"]
        .map(|job| event(job, job))
        .to_vec();
    let reply = handle(&world.deps, json!({"Records": events})).await.unwrap();
    assert_eq!(reply, json!({"batchItemFailures": []}));
    assert_eq!(world.topic.messages().len(), 0);
}

#[tokio::test]
async fn an_event_that_comes_too_early_is_made_good_by_the_sweep() {
    let world = World::new(JobState::InProgress);
    handle(&world.deps, json!({"Records": [event("m", JOB)]}))
        .await
        .unwrap();
    assert_eq!(world.topic.messages().len(), 0);
    world.job(JOB, JobState::Completed);
    // The jobs in memory were made in 1970; a sweep looks back over the last weeks.
    let mut recent = FakeLabeling::job(JOB, "s3://out/manifests/d/000001.manifest", JobState::Completed);
    recent.created = jiff::Timestamp::now();
    world.labeling.put(recent);
    assert_eq!(
        handle(&world.deps, json!({"sweep": "all"})).await.unwrap(),
        json!({"ended": 1, "announced": 1})
    );
    assert_eq!(
        handle(&world.deps, json!({"sweep": "all"})).await.unwrap(),
        json!({"ended": 0, "announced": 0})
    );
    assert_eq!(world.topic.messages().len(), 1);
}

#[tokio::test]
async fn a_closed_topic_loses_nothing() {
    let world = World::new(JobState::Completed);
    world.topic.close(true);
    let reply = handle(&world.deps, json!({"Records": [event("m", JOB)]}))
        .await
        .unwrap();
    assert_eq!(reply, json!({"batchItemFailures": [{"itemIdentifier": "m"}]}));
    world.topic.close(false);
    assert_eq!(world.reconcile().await, EndOutcome::Announced);
}

#[tokio::test]
async fn a_crash_between_notice_and_marker_repeats_the_notice_with_the_same_id() {
    let world = World::new(JobState::Completed);
    world.store.fail_next("notified/", Fault::Throttled);
    reconcile(&world.deps, JOB, world.store.now()).await.unwrap_err();
    world.reconcile().await;
    let said = world.topic.messages();
    assert_eq!(said.len(), 2);
    assert_eq!(said[0].attributes["id"], said[1].attributes["id"]);
}

#[tokio::test]
async fn a_file_changed_since_its_batch_is_flagged() {
    let world = World::new(JobState::Completed);
    world.store.drop_file("d/1.txt", "3");
    world.store.remove(Bucket::Input, "d/2.txt");
    world.reconcile().await;
    let labels = world.summary().labels;
    assert_eq!(labels.changed_first, ["d/1.txt"]);
    assert_eq!((labels.changed_since_batch, labels.deleted_since_batch), (1, 1));
}

#[tokio::test]
async fn an_unreadable_line_does_not_stop_the_rest() {
    let world = World::new(JobState::Completed);
    world.store.put_output(
        OUTPUT,
        format!(
            "{}\n{{broken\n\n{}\n",
            world.line("1", "Odd"),
            world.line("2", "Even")
        ),
        &[],
    );
    assert_eq!(world.reconcile().await, EndOutcome::Announced);
    assert_eq!(world.summary().labels.labeled, 2);
    assert_eq!(world.summary().labels.unreadable, 1);
}

#[tokio::test]
async fn a_refused_output_does_not_stop_the_announcement() {
    let world = World::new(JobState::Completed);
    world.store.refuse_reads(OUTPUT);
    assert_eq!(world.reconcile().await, EndOutcome::Announced);
    let report = world.store.output("results/d/000001/report.md").unwrap();
    assert!(report.contains("kms:Decrypt"), "{report}");
    assert!(
        world.topic.messages()[0].body.contains("kms:Decrypt"),
        "the notice says why"
    );
}

#[tokio::test]
async fn a_job_without_output_counts_what_the_service_counted() {
    let world = World::new(JobState::Failed);
    let mut job = FakeLabeling::job(JOB, "s3://out/manifests/d/000001.manifest", JobState::Failed);
    job.counters = JobCounters {
        unlabeled: 5,
        failed: 2,
        ..JobCounters::default()
    };
    world.labeling.put(job);
    world.reconcile().await;
    assert_eq!(
        (world.summary().labels.total, world.summary().labels.unlabeled),
        (7, 7)
    );
    let subject = &world.topic.messages()[0].subject;
    assert!(subject.contains("0 of 7 items"), "{subject}");
}

#[tokio::test]
async fn changed_files_are_flagged_in_a_large_batch_too() {
    const FILES: usize = 1_100;
    let world = World::new(JobState::Completed);
    let mut output = String::new();
    for n in 0..FILES {
        let key = format!("d/many/{n}.txt");
        world.store.drop_file(&key, "1");
        let mut line = world.line("1", "Odd");
        line["groundcrew"] = json!({"key": key, "etag": world.store.etag(Bucket::Input, &key)});
        output.push_str(&format!("{line}\n"));
    }
    world.store.put_output(OUTPUT, output, &[]);
    world.store.drop_file("d/many/7.txt", "another");
    world.store.remove(Bucket::Input, "d/many/8.txt");
    world.reconcile().await;
    let labels = world.summary().labels;
    assert_eq!(
        (
            labels.total,
            labels.changed_since_batch,
            labels.deleted_since_batch
        ),
        (FILES as u64, 1, 1)
    );
    assert_eq!(labels.changed_first, ["d/many/7.txt"]);
    let reads = world.store.reads();
    let reads = reads.iter().filter(|key| key.starts_with("d/"));
    assert_eq!(reads.count(), 0, "no request a file");
}
