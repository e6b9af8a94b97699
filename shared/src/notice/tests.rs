//! What is told, how often, and within which limits.

use std::collections::BTreeMap;
use std::ops::Range;
use std::slice;
use std::sync::Mutex;

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::name::{BatchNumber, DatasetName};
use crate::port::{Bucket, Fetched, JobState, OpenUpload, Page, Replaced};
use crate::spec::SpecError;
use crate::status::{JobSummary, Rejected, WaitingReason};
use crate::summary::{LabelCount, Labels};

/// The output bucket's markers, and a topic that can fail.
#[derive(Default)]
struct World {
    objects: Mutex<BTreeMap<String, Vec<u8>>>,
    published: Mutex<Vec<Message>>,
    topic_down: bool,
    store_down_for_writes: bool,
}

impl World {
    fn ids(&self) -> Vec<String> {
        self.published
            .lock()
            .unwrap()
            .iter()
            .map(|m| m.attributes["id"].clone())
            .collect()
    }

    fn markers(&self) -> Vec<String> {
        self.objects.lock().unwrap().keys().cloned().collect()
    }
}

fn refused<T>() -> Result<T, StoreError> {
    Err(StoreError::Transient {
        operation: "PutObject",
        what: "marker".into(),
        reason: "down".into(),
    })
}

impl Store for World {
    async fn open_uploads(&self, _: &str) -> Result<Vec<OpenUpload>, StoreError> {
        refused()
    }

    async fn list(&self, _: Bucket, _: &str, _: bool, _: Option<&str>) -> Result<Page, StoreError> {
        refused()
    }

    async fn get(&self, _: Bucket, key: &str, _: Option<Range<u64>>) -> Result<Option<Fetched>, StoreError> {
        let found = self.objects.lock().unwrap().get(key).cloned();
        Ok(found.map(|bytes| Fetched {
            size: bytes.len() as u64,
            bytes,
            etag: "e".into(),
            last_modified: Timestamp::UNIX_EPOCH,
            metadata: BTreeMap::new(),
        }))
    }

    async fn create(
        &self,
        key: &str,
        body: Vec<u8>,
        _: &BTreeMap<String, String>,
    ) -> Result<Created, StoreError> {
        if self.store_down_for_writes {
            return refused();
        }
        match self.objects.lock().unwrap().insert(key.to_owned(), body) {
            None => Ok(Created::New),
            Some(_) => Ok(Created::AlreadyThere),
        }
    }

    async fn replace(&self, _: &str, _: Vec<u8>, _: Option<&str>) -> Result<Replaced, StoreError> {
        refused()
    }
}

impl Topic for World {
    async fn publish(&self, message: &Message) -> Result<(), PublishError> {
        if self.topic_down {
            return Err(PublishError {
                reason: "down".into(),
            });
        }
        self.published.lock().unwrap().push(message.clone());
        Ok(())
    }
}

fn dataset(name: &str) -> DatasetName {
    DatasetName::new(name).unwrap()
}

fn summary(state: JobState) -> JobSummary {
    JobSummary {
        dataset: "numbers".into(),
        batch: 1,
        job: "gc00-numbers-3f2a-000001".into(),
        arn: "arn:aws:sagemaker:us-east-1:000000000000:labeling-job/gc00-numbers-3f2a-000001".into(),
        state,
        failure_reason: (state == JobState::Failed).then(|| "The role cannot be assumed.".to_owned()),
        label_attribute: "parity".into(),
        output_manifest: Some(
            "s3://out/labels/gc00-numbers-3f2a-000001/manifests/output/output.manifest".into(),
        ),
        labels: Labels {
            total: 10,
            labeled: 10,
            human: 10,
            per_label: vec![
                LabelCount {
                    label: "Even Number".into(),
                    count: 6,
                },
                LabelCount {
                    label: "Odd Number".into(),
                    count: 4,
                },
            ],
            mean_confidence: Some(0.934),
            ..Labels::default()
        },
    }
}

fn rejected(key: &str, row: Option<u64>) -> Rejected {
    Rejected {
        key: key.into(),
        etag: "e".into(),
        row,
        reason: "the file is empty (0 bytes)".into(),
    }
}

#[tokio::test]
async fn a_notice_goes_out_once() {
    let world = World::default();
    let notice = Notice::job_finished(&summary(JobState::Completed), &Links::default());
    let now = Timestamp::UNIX_EPOCH;
    assert_eq!(
        announce(&world, &world, &notice, now).await.unwrap(),
        Announced::Now
    );
    assert_eq!(
        announce(&world, &world, &notice, now).await.unwrap(),
        Announced::Before
    );
    assert_eq!(world.ids(), ["jobs/gc00-numbers-3f2a-000001/completed"]);
    let marker = world.objects.lock().unwrap().values().next().cloned().unwrap();
    assert_eq!(
        serde_json::from_slice::<Notified>(&marker).unwrap().notice,
        notice
    );
}

#[tokio::test]
async fn a_notice_that_did_not_leave_has_no_marker_and_leaves_later() {
    let mut world = World {
        topic_down: true,
        ..World::default()
    };
    let notice = Notice::dataset_halted(&dataset("d"), "batch 3 is missing");
    assert!(
        announce(&world, &world, &notice, Timestamp::UNIX_EPOCH)
            .await
            .is_err()
    );
    assert!(world.markers().is_empty(), "{:?}", world.markers());
    world.topic_down = false;
    assert_eq!(
        announce(&world, &world, &notice, Timestamp::UNIX_EPOCH)
            .await
            .unwrap(),
        Announced::Now
    );
}

#[tokio::test]
async fn a_crash_between_notice_and_marker_says_it_twice_with_the_same_id() {
    let mut world = World {
        store_down_for_writes: true,
        ..World::default()
    };
    let notice = Notice::dataset_halted(&dataset("d"), "batch 3 is missing");
    assert!(
        announce(&world, &world, &notice, Timestamp::UNIX_EPOCH)
            .await
            .is_err()
    );
    world.store_down_for_writes = false;
    assert_eq!(
        announce(&world, &world, &notice, Timestamp::UNIX_EPOCH)
            .await
            .unwrap(),
        Announced::Now
    );
    let ids = world.ids();
    assert_eq!((ids.len(), &ids[0]), (2, &ids[1]));
}

#[test]
fn a_finished_job_reads_well_in_a_mail() {
    let links = Links {
        console: Some("http://127.0.0.1:8080/console".into()),
        ..Links::default()
    };
    let notice = Notice::job_finished(&summary(JobState::Completed), &links);
    insta::assert_snapshot!(format!("{}\n\n{}", notice.subject, notice.text), @r#"
    Groundcrew: numbers batch 1 is labeled (10 of 10 items)

    Batch 1 of the dataset "numbers" is labeled.

      Labeled           10 of 10
        Even Number     6
        Odd Number      4
      Mean confidence   0.93
      Labeling job      gc00-numbers-3f2a-000001
      Output manifest   s3://out/labels/gc00-numbers-3f2a-000001/manifests/output/output.manifest
      Console           http://127.0.0.1:8080/console
    "#);
    let failed = Notice::job_finished(&summary(JobState::Failed), &links);
    assert_eq!(failed.kind, NoticeKind::JobFailed);
    assert_eq!(failed.id, "jobs/gc00-numbers-3f2a-000001/failed");
    assert!(failed.text.contains("The role cannot be assumed."));
    assert_eq!(
        Notice::job_finished(&summary(JobState::Stopped), &links).kind,
        NoticeKind::JobStopped
    );
}

#[test]
fn a_rejected_spec_is_told_with_line_column_and_hint() {
    let error = SpecError {
        file: "labeling.yaml".into(),
        line: Some(3),
        column: Some(1),
        message: "unknown key `lables`".into(),
        hint: Some("did you mean `labels`?".into()),
        excerpt: Some("   3 | lables: [a]\n     | ^".into()),
    };
    let notice = Notice::spec_rejected(&dataset("numbers"), &error, "ab12");
    insta::assert_snapshot!(format!("{}\n{}\n\n{}", notice.id, notice.subject, notice.text), @r#"
    specs/f3c7807d475073ba009b/ab12
    Groundcrew: labeling.yaml of numbers cannot be used

    Nothing of the dataset "numbers" is labeled until its labeling.yaml is mended.

    labeling.yaml:3:1: unknown key `lables`
      did you mean `labels`?
       3 | lables: [a]
         | ^

    Upload the mended file to the same place; the rest goes by itself.
    "#);
    assert_eq!(notice.detail["line"], 3);
}

#[test]
fn rejected_files_are_told_once_per_set_of_them() {
    let (a, b) = (rejected("d/a.txt", None), rejected("d/b.csv", Some(7)));
    let id = |rejected: &[Rejected]| Notice::files_rejected(&dataset("d"), rejected).id;
    assert_eq!(
        id(&[a.clone(), b.clone()]),
        id(&[b.clone(), a.clone(), a.clone()])
    );
    assert_ne!(id(slice::from_ref(&a)), id(&[a.clone(), b.clone()]));
    assert_ne!(
        id(slice::from_ref(&a)),
        id(&[Rejected {
            etag: "f".into(),
            ..a.clone()
        }])
    );
    assert_ne!(
        id(slice::from_ref(&b)),
        id(&[Rejected {
            row: Some(8),
            ..b.clone()
        }])
    );
    assert_ne!(
        id(slice::from_ref(&b)),
        id(&[Rejected {
            reason: "another".into(),
            ..b.clone()
        }])
    );
    insta::assert_snapshot!(Notice::files_rejected(&dataset("d"), &[a, b]).text, @r#"
    2 files or rows of the dataset "d" cannot be labeled as they are:

      "d/a.txt"
        the file is empty (0 bytes)
      "d/b.csv", row 7
        the file is empty (0 bytes)

    All of them: results/d/rejected.jsonl in the output bucket.
    Everything else goes on. Upload mended files to the same place.
    "#);
}

#[test]
fn of_many_rejected_files_twenty_are_named() {
    let many: Vec<_> = (0..100_000)
        .map(|i| rejected(&format!("d/{i}.txt"), None))
        .collect();
    let notice = Notice::files_rejected(&dataset("d"), &many);
    assert_eq!(notice.detail["first"].as_array().map(Vec::len), Some(20));
    assert_eq!(notice.detail["count"], 100_000);
    assert!(notice.text.contains("and 99980 more."), "{}", notice.text);
    assert!(
        notice.text.contains("results/d/rejected.jsonl"),
        "{}",
        notice.text
    );
}

#[test]
fn a_refused_job_is_told_once_per_cause_not_per_request_id() {
    let dataset = dataset("d");
    let id = |message: &str| {
        let refusal = JobRefusal {
            dataset: &dataset,
            batch: BatchNumber::FIRST,
            job: "gc00-d-000001",
            reason: WaitingReason::Refused,
            message,
        };
        Notice::job_refused(refusal).id
    };
    assert_eq!(
        id("No such role (request 1f-2e)"),
        id("No such role (request 9a-77)")
    );
    assert_ne!(id("No such role"), id("No such work team"));
}

#[test]
fn subscribers_get_the_form_they_asked_for_and_can_filter() {
    let message = Notice::job_finished(&summary(JobState::Completed), &Links::default()).message();
    let forms: BTreeMap<String, String> = serde_json::from_str(&message.body).unwrap();
    assert!(
        forms["email"].starts_with("Batch 1 of the dataset \"numbers\" is labeled."),
        "{}",
        forms["email"]
    );
    let json: Value = serde_json::from_str(&forms["default"]).unwrap();
    assert_eq!(json["kind"], "job-completed");
    assert_eq!(json["detail"]["summary"]["labeled"], 10);
    assert_eq!(json["id"], message.attributes["id"]);
    assert_eq!(message.attributes["kind"], "job-completed");
    assert_eq!(message.attributes["dataset"], "numbers");
}

#[test]
fn a_notice_of_no_dataset_has_no_empty_attribute() {
    let notice = Notice {
        dataset: String::new(),
        team: None,
        ..Notice::dataset_halted(&dataset("d"), "x")
    };
    sendable(&notice);
    assert_eq!(
        notice.message().attributes.keys().copied().collect::<Vec<_>>(),
        ["id", "kind"]
    );
}

#[test]
fn kinds_have_one_spelling() {
    use NoticeKind::{
        DatasetHalted, FilesRejected, JobCompleted, JobFailed, JobRefused, JobStopped, SpecRejected,
    };
    for kind in [
        JobCompleted,
        JobFailed,
        JobStopped,
        JobRefused,
        SpecRejected,
        FilesRejected,
        DatasetHalted,
    ] {
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
    }
}

#[test]
fn the_worst_keys_and_reasons_fit_into_a_message() {
    let key = format!("d/{}", "\u{1}\u{fffe}\"\\".repeat(146));
    let worst: Vec<_> = (0..30)
        .map(|row| Rejected {
            reason: key.repeat(50),
            ..rejected(&key, Some(row))
        })
        .collect();
    sendable(&Notice::files_rejected(&dataset("d"), &worst));
    let mut labels = summary(JobState::Completed);
    labels.labels.changed_first = vec![key; 20];
    labels.labels.per_label = vec![
        LabelCount {
            label: "\"".repeat(256),
            count: 1
        };
        2000
    ];
    sendable(&Notice::job_finished(&labels, &Links::default()));
}

/// SNS's limits, as its API reference gives them.
#[track_caller]
fn sendable(notice: &Notice) {
    let message = notice.message();
    let attributes: usize = message
        .attributes
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    assert!(
        message.body.len() + attributes + message.subject.len() < 256 * 1024,
        "{}",
        message.body.len()
    );
    assert!((1..=100).contains(&message.subject.len()), "{}", message.subject);
    assert!(
        message.subject.bytes().all(|b| (b' '..=b'~').contains(&b)),
        "{}",
        message.subject
    );
    assert!(message.attributes.values().all(|value| !value.is_empty()));
    let forms: BTreeMap<String, String> = serde_json::from_str(&message.body).unwrap();
    serde_json::from_str::<Value>(&forms["default"]).unwrap();
    let refused = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{fffe}' | '\u{ffff}');
    for text in forms
        .values()
        .chain([&message.body])
        .chain(message.attributes.values())
    {
        assert!(!text.contains(refused), "{text:?}");
    }
    assert!(notice.id.len() <= 512, "{}", notice.id);
    let ok = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"./-".contains(&b);
    assert!(notice.id.bytes().all(ok), "{}", notice.id);
}

proptest! {
    #[test]
    fn any_dataset_key_and_reason_make_a_notice_sns_takes(
        name in "[^\u{0}-\u{1f}\u{7f}-\u{9f}/]{1,60}",
        key in any::<String>(),
        reason in any::<String>(),
        row in any::<Option<u64>>(),
    ) {
        let Ok(name) = DatasetName::new(&name) else { return Ok(()) };
        let reject = Rejected { key: key.clone(), etag: "e".into(), row, reason: reason.clone() };
        sendable(&Notice::files_rejected(&name, &[reject]));
        sendable(&Notice::dataset_halted(&name, &reason));
        let (batch, job) = (BatchNumber::FIRST, key.as_str());
        for why in [WaitingReason::Quota, WaitingReason::Refused, WaitingReason::NameTaken] {
            sendable(&Notice::job_refused(JobRefusal { dataset: &name, batch, job, reason: why, message: &reason }));
        }
        let error = SpecError { file: "labeling.yaml".into(), line: None, column: None, message: reason, hint: Some(key), excerpt: None };
        sendable(&Notice::spec_rejected(&name, &error, "ab"));
    }
}

#[test]
fn what_is_told_of_teams_fits_whatever_people_wrote() {
    let team = crate::name::TeamName::new(&"t".repeat(63)).unwrap();
    let ugly = "x\u{0}\u{fffe}\n\u{1f600}".repeat(20_000);
    let problem = |n: usize| crate::crew::TeamProblem {
        message: format!("{n} {ugly}"),
        line: Some(1),
    };
    let problems: Vec<_> = (0..100).map(problem).collect();
    let joined = crate::crew::Joined {
        at: Timestamp::UNIX_EPOCH,
        username: ugly.clone(),
        sub: ugly.clone(),
    };
    let error = SpecError {
        file: "teams/t.yaml".into(),
        line: None,
        column: None,
        message: ugly.clone(),
        hint: None,
        excerpt: None,
    };
    let named = crate::name::TeamFileNameError::Extension { file: ugly.clone() };
    for notice in [
        Notice::team_rejected(&team, &error, "sha"),
        Notice::team_misnamed(&ugly, &named),
        Notice::team_problems(&team, TeamCause::Addresses, &problems),
        Notice::team_refused(&team, &ugly),
        Notice::worker_joined(&team, "person", &ugly),
        Notice::worker_unlisted("hash", &joined, None),
        Notice::workers_unlisted(&vec![ugly.as_str(); 30]),
    ] {
        let id_ok = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "./-".contains(c);
        assert!(
            notice.id.len() <= 512 && notice.id.chars().all(id_ok),
            "{}",
            notice.id
        );
        let message = notice.message();
        assert!(
            message.body.len() <= 256_000 && message.subject.len() <= 100,
            "{}",
            notice.id
        );
        assert!(!message.body.contains(['\u{0}', '\u{fffe}']), "{}", notice.id);
        assert_eq!(message.attributes.get("team").is_some(), notice.team.is_some());
    }
}

#[test]
fn the_same_problems_on_other_lines_are_the_same_cause() {
    let team = crate::name::TeamName::new("cats").unwrap();
    let problem = |message: &str, line| crate::crew::TeamProblem {
        message: message.to_owned(),
        line: Some(line),
    };
    let id = |problems: &[_]| Notice::team_problems(&team, TeamCause::Addresses, problems).id;
    assert_eq!(
        id(&[problem("a", 1), problem("b", 2)]),
        id(&[problem("b", 7), problem("a", 9)])
    );
    assert_ne!(id(&[problem("a", 1)]), id(&[problem("b", 1)]));
}
