//! What notices say, how often they are published, and within which limits.

mod announcement;
mod limits;
mod text;

use std::collections::BTreeMap;
use std::slice;

use jiff::Timestamp;
use serde_json::Value;

use super::*;
use crate::mail_text::quote;
use crate::name::{BatchNumber, DatasetName};
use crate::port::{Bucket, JobState, NoticeMessage, PublishError, Store, StoreError, Topic};
use crate::spec::SpecError;
use crate::status::{Reject, WaitingReason};
use crate::summary::{JobSummary, LabelCount, Labels};
use limits::sendable;

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

fn sample_reject(key: &str, row: Option<u64>) -> Reject {
    Reject {
        key: key.into(),
        etag: "e".into(),
        row,
        reason: "the file is empty (0 bytes)".into(),
    }
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

    Nothing of the dataset "numbers" is labeled until its labeling.yaml is fixed.

    labeling.yaml:3:1: unknown key `lables`
      did you mean `labels`?
       3 | lables: [a]
         | ^

    Upload the fixed file to the same place; the rest goes by itself.
    "#);
    assert_eq!(notice.detail["line"], 3);
}

#[test]
fn rejected_files_are_told_once_per_set_of_them() {
    let (a, b) = (sample_reject("d/a.txt", None), sample_reject("d/b.csv", Some(7)));
    let id = |rejected: &[Reject]| Notice::files_rejected(&dataset("d"), rejected).id;
    assert_eq!(
        id(&[a.clone(), b.clone()]),
        id(&[b.clone(), a.clone(), a.clone()])
    );
    assert_ne!(id(slice::from_ref(&a)), id(&[a.clone(), b.clone()]));
    assert_ne!(
        id(slice::from_ref(&a)),
        id(&[Reject {
            etag: "f".into(),
            ..a.clone()
        }])
    );
    assert_ne!(
        id(slice::from_ref(&b)),
        id(&[Reject {
            row: Some(8),
            ..b.clone()
        }])
    );
    assert_ne!(
        id(slice::from_ref(&b)),
        id(&[Reject {
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

    Everything else goes on. All of them are listed in the output bucket:

        aws s3 cp 's3://<output bucket>/results/d/rejected.jsonl' -

    A file: fix it, and upload it to the same place.
    A row or line: put the fixed ones alone into a file of another name, with the
    header if there is one. A file that is partly in a batch is not read again;
    under another name the whole of it would be labeled twice.

    To take a file out, delete it from the bucket:

        aws s3 rm 's3://<input bucket>/d/a.txt'
        aws s3 rm 's3://<input bucket>/d/b.csv'

    Deleting it in a drop folder deletes nothing there.
    "#);
}

#[test]
fn of_many_rejected_files_twenty_are_named() {
    let many: Vec<_> = (0..100_000)
        .map(|i| sample_reject(&format!("d/{i}.txt"), None))
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
