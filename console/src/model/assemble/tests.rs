//! What the model makes of the facts, case by case.

use std::sync::Arc;

use jiff::Timestamp;
use shared::crew::{Member, MemberState, Roster};
use shared::name::TeamName;
use shared::notice::{Notice, NoticeKind, NoticeMarker};
use shared::port::JobState;
use shared::status::{DatasetStatus, Reject, WaitingBatch, WaitingReason};

use super::*;
use crate::model::CrewFacts;
use crate::model::team_size::StaffingNeeds;

const BUCKET: &str = "out";

fn name(dataset: &str) -> DatasetName {
    DatasetName::new(dataset).unwrap()
}

fn number(n: u32) -> BatchNumber {
    BatchNumber::new(n).unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn status(dataset: &str, state: DatasetState) -> DatasetStatus {
    DatasetStatus {
        dataset: dataset.into(),
        state,
        message: format!("message of {dataset}"),
        at: at(100),
        check_at: Some(at(160)),
        task: None,
        title: None,
        team: None,
        spec_sha256: None,
        pending_files: if state == DatasetState::UpToDate { 0 } else { 2 },
        batches: 0,
        items: 0,
        rows_left_out: shared::status::RowsLeftOut::default(),
        rejected: 0,
        rejected_first: Vec::new(),
        changed_since_batch: 0,
        reuploaded_since_batch: 0,
        changed_first: Vec::new(),
    }
}

fn facts(statuses: Vec<DatasetStatus>) -> Facts {
    let statuses = statuses
        .into_iter()
        .map(|s| (s.dataset.clone(), Arc::new(s)))
        .collect();
    Facts {
        statuses,
        ..Facts::default()
    }
}

fn listed_job(dataset: &str, batch: u32, state: JobState, done: u64, open: u64) -> ListedJob {
    ListedJob {
        name: format!("gc00-{dataset}-{batch}"),
        batch: (name(dataset), number(batch)),
        state,
        failure_reason: None,
        output_manifest_uri: Some(format!(
            "s3://out/labels/{dataset}/manifests/output/output.manifest"
        )),
        created: at(i64::from(batch)),
        modified: at(i64::from(batch)),
        counters: JobCounters {
            total_labeled: done,
            unlabeled: open,
            ..JobCounters::default()
        },
    }
}

#[test]
fn a_folder_that_build_manifest_has_not_read_yet_is_shown() {
    let facts = Facts {
        folders: ["new".to_owned(), "teams".to_owned()].into(),
        ..Facts::default()
    };
    let model = assemble(&facts, BUCKET);
    assert_eq!(model.datasets.len(), 1, "{model:?}");
    assert_eq!(
        (model.datasets[0].state, model.datasets[0].tone),
        (None, Tone::Waiting)
    );
}

#[test]
fn only_a_dataset_that_settles_or_waits_for_the_next_day_counts_down() {
    let states = [
        (DatasetState::Settling, true, Tone::Waiting),
        (DatasetState::DailyBound, true, Tone::Waiting),
        (DatasetState::NoSpec, false, Tone::Attention),
        (DatasetState::BadSpec, false, Tone::Attention),
        (DatasetState::Halted, false, Tone::Attention),
        (DatasetState::UpToDate, false, Tone::Waiting),
    ];
    for (state, counts, tone) in states {
        let dataset = &assemble(&facts(vec![status("d", state)]), BUCKET).datasets[0];
        assert_eq!(
            (dataset.check_at.is_some(), dataset.tone),
            (counts, tone),
            "{state:?}"
        );
        assert_eq!(dataset.message, "message of d", "{state:?}");
    }
}

#[test]
fn the_headline_names_the_most_urgent_of_a_datasets_jobs() {
    let mut facts = facts(vec![status("d", DatasetState::UpToDate)]);
    for n in 1..=2 {
        facts.batches.insert(
            (name("d"), number(n)),
            Batch {
                items: Some(4),
                ..Batch::default()
            },
        );
    }
    let headline = |facts: &Facts| {
        let dataset = assemble(facts, BUCKET).datasets.remove(0);
        (dataset.tone, dataset.message)
    };
    facts.jobs = vec![listed_job("d", 1, JobState::Completed, 4, 0)];
    assert_eq!(
        headline(&facts),
        (Tone::Waiting, "Starting the labeling job of batch 2.".into())
    );
    facts.jobs.push(listed_job("d", 2, JobState::InProgress, 1, 3));
    assert_eq!(
        headline(&facts),
        (Tone::Working, "Workers are labeling: 1 of 4 items done.".into())
    );
    facts.jobs[1] = listed_job("d", 2, JobState::InProgress, 0, 4);
    assert_eq!(
        headline(&facts).1,
        "Ready for workers: 4 items wait in the portal."
    );
    facts.jobs[1] = listed_job("d", 2, JobState::Completed, 4, 0);
    assert_eq!(
        headline(&facts),
        (Tone::Done, "Done: all 8 items are labeled.".into())
    );
    facts.jobs[1] = listed_job("d", 2, JobState::Stopped, 1, 3);
    assert_eq!(
        headline(&facts).1,
        "Finished: 5 of 8 items are labeled, 3 got no label."
    );
    facts.jobs[0] = ListedJob {
        failure_reason: Some("no such team".into()),
        ..listed_job("d", 1, JobState::Failed, 0, 4)
    };
    assert_eq!(
        headline(&facts),
        (Tone::Attention, "The job of batch 1 failed: no such team".into())
    );
}

/// One running job of seven items, each of which needs three people of a team.
fn three_each(done: u64) -> Facts {
    let mut facts = facts(vec![status("d", DatasetState::UpToDate)]);
    let needs = StaffingNeeds {
        people: 3,
        team: Some("cats".into()),
    };
    let batch = Batch {
        items: Some(7),
        needs: Some(needs),
        ..Batch::default()
    };
    facts.batches.insert((name("d"), number(1)), batch);
    facts.jobs = vec![listed_job("d", 1, JobState::InProgress, done, 7 - done)];
    facts
}

fn team_of(facts: &mut Facts, states: &[MemberState]) {
    let member = |(n, state): (usize, &MemberState)| Member {
        person: n.to_string(),
        email: format!("p{n}@example.org"),
        state: *state,
        since: at(1),
        sub: None,
        invitations: 1,
        problem: None,
        account_deleted: false,
    };
    let roster = Roster {
        file_etag: "e".into(),
        workteam_arn: "arn".into(),
        members: states.iter().enumerate().map(member).collect(),
        settled: true,
        ..Roster::empty(&TeamName::new("cats").unwrap(), at(1))
    };
    facts.crew.rosters.insert("cats".into(), Arc::new(roster));
    facts.crew.work_teams.insert("cats".into(), true);
}

#[test]
fn a_job_whose_team_is_too_small_needs_the_admin() {
    use MemberState::{Expired, Invited, Joined, Left};
    let headline = |facts: &Facts| {
        let dataset = assemble(facts, BUCKET).datasets.remove(0);
        (dataset.tone, dataset.message)
    };
    let ready = "Ready for workers: 7 items wait in the portal; each is done after 3 answers.";
    let mut facts = three_each(0);
    assert_eq!(
        headline(&facts),
        (Tone::Working, ready.into()),
        "a team that is not known"
    );
    team_of(&mut facts, &[Joined, Expired, Left]);
    let (tone, message) = headline(&facts);
    assert_eq!(tone, Tone::Attention);
    assert_eq!(
        message,
        format!(
            "{ready}\nTeam `cats`: each item needs 3 people, the team has 1. Add people to `teams/cats.yaml`; a new \
             `workers_per_item` is for new batches only."
        )
    );
    team_of(&mut facts, &[Joined, Invited, Invited]);
    let (tone, message) = headline(&facts);
    assert_eq!(tone, Tone::Working);
    assert!(
        message.ends_with("Team `cats`: each item needs 3 people, 1 of the team's 3 has joined so far."),
        "{message}"
    );
    team_of(&mut facts, &[Joined, Joined, Joined]);
    assert_eq!(headline(&facts), (Tone::Working, ready.into()));
    // With groups of others in it, there may be more.
    team_of(&mut facts, &[Joined]);
    facts.crew.work_teams.insert("cats".into(), false);
    assert_eq!(headline(&facts), (Tone::Working, ready.into()));
}

#[test]
fn a_job_that_has_ended_needs_no_more_people() {
    let mut facts = three_each(2);
    team_of(&mut facts, &[MemberState::Joined]);
    facts.jobs[0] = listed_job("d", 1, JobState::Stopped, 2, 5);
    let dataset = assemble(&facts, BUCKET).datasets.remove(0);
    assert_eq!(
        (dataset.tone, dataset.jobs[0].needs.as_ref()),
        (Tone::Done, None),
        "{}",
        dataset.message
    );
    facts.jobs[0] = listed_job("d", 1, JobState::Stopping, 2, 5);
    assert_eq!(assemble(&facts, BUCKET).datasets[0].tone, Tone::Working);
}

#[test]
fn files_beyond_the_limit_do_not_wait_and_the_reason_is_shown() {
    let mut with = status("d", DatasetState::UpToDate);
    with.pending_files = 1;
    let mut facts = facts(vec![with]);
    facts.batches.insert((name("d"), number(1)), Batch::default());
    facts.jobs = vec![listed_job("d", 1, JobState::Completed, 3, 0)];
    let dataset = &assemble(&facts, BUCKET).datasets[0];
    assert_eq!(
        (dataset.tone, dataset.pending_files, dataset.left_out),
        (Tone::Done, 0, 1)
    );
    assert_eq!(dataset.message, "Done: all 3 items are labeled.\nmessage of d");
}

#[test]
fn files_that_changed_after_they_were_batched_are_named() {
    let mut with = status("d", DatasetState::UpToDate);
    (with.changed_since_batch, with.changed_first) = (1, vec!["d/1.txt".into()]);
    let message = assemble(&facts(vec![with]), BUCKET).datasets.remove(0).message;
    assert!(
        message.contains("\n\"d/1.txt\" changed after coming into a batch:"),
        "{message}"
    );
}

#[test]
fn datasets_that_need_the_admin_come_first() {
    let states = [
        ("a", DatasetState::Settling),
        ("b", DatasetState::BadSpec),
        ("c", DatasetState::UpToDate),
        ("d", DatasetState::NoSpec),
    ];
    let statuses = states.map(|(name, state)| status(name, state)).to_vec();
    let model = assemble(&facts(statuses), BUCKET);
    let names: Vec<&str> = model.datasets.iter().map(|d| d.name.as_str()).collect();
    assert_eq!(names, ["b", "d", "a", "c"]);
}

#[test]
fn a_batch_without_a_job_says_why_until_it_is_started() {
    let waiting = WaitingBatch {
        job: "gc00-d".into(),
        reason: WaitingReason::Quota,
        message: "20 jobs run already".into(),
        since: at(5),
    };
    let mut batch = Batch {
        items: Some(3),
        waiting: Some(Arc::new(waiting)),
        started: false,
        needs: None,
    };
    let mut facts = facts(vec![status("d", DatasetState::UpToDate)]);
    facts.batches.insert((name("d"), number(1)), batch.clone());
    let job = &assemble(&facts, BUCKET).datasets[0].jobs[0];
    assert_eq!(
        (job.state, job.reason.as_deref(), job.items),
        (Phase::WaitingForSlot, Some(NO_SLOT), 3)
    );
    batch.started = true;
    facts.batches.insert((name("d"), number(1)), batch);
    let job = &assemble(&facts, BUCKET).datasets[0].jobs[0];
    assert_eq!((job.state, job.reason.as_deref()), (Phase::Starting, None));
}

#[test]
fn a_dataset_that_waits_for_the_next_day_says_so_beside_its_jobs() {
    let mut facts = facts(vec![status("d", DatasetState::DailyBound)]);
    let batch = |waiting| Batch {
        items: Some(4),
        waiting,
        ..Batch::default()
    };
    facts.batches.insert((name("d"), number(1)), batch(None));
    for (state, labeled, tone, message) in [
        (
            JobState::InProgress,
            1,
            Tone::Working,
            "Workers are labeling: 1 of 4 items done.\nmessage of d",
        ),
        (
            JobState::Completed,
            4,
            Tone::Waiting,
            "Done: all 4 items are labeled.\nmessage of d",
        ),
    ] {
        facts.jobs = vec![listed_job("d", 1, state, labeled, 4 - labeled)];
        let dataset = assemble(&facts, BUCKET).datasets.remove(0);
        assert_eq!((dataset.tone, dataset.message.as_str()), (tone, message));
    }
    let waiting = WaitingBatch {
        job: "gc00-d".into(),
        reason: WaitingReason::DailyBound,
        message: "the 2 labeling jobs of a day are used up".into(),
        since: at(5),
    };
    facts
        .batches
        .insert((name("d"), number(2)), batch(Some(Arc::new(waiting))));
    let dataset = assemble(&facts, BUCKET).datasets.remove(0);
    assert_eq!(dataset.jobs[0].state, Phase::WaitingForNextDay);
    assert!(
        dataset
            .message
            .contains("Waits for the next day: the 2 labeling jobs"),
        "{}",
        dataset.message
    );
}

#[test]
fn results_and_the_output_manifest_are_linked_and_others_buckets_are_not() {
    let mut facts = facts(vec![status("d", DatasetState::UpToDate)]);
    facts.batches.insert((name("d"), number(1)), Batch::default());
    facts.jobs = vec![listed_job("d", 1, JobState::Completed, 2, 0)];
    facts.results = [
        "results/d/000001/labels.csv",
        "results/d/000001/report.md",
        "results/d/000010/report.md",
        "results/d2/000001/x",
    ]
    .map(str::to_owned)
    .into();
    let job = &assemble(&facts, BUCKET).datasets[0].jobs[0];
    let labels: Vec<&str> = job.results.iter().map(|link| link.label.as_str()).collect();
    assert_eq!(labels, ["report.md", "labels.csv", "output.manifest"]);
    let job = &assemble(&facts, "another").datasets[0].jobs[0];
    assert_eq!(job.results.len(), 2, "{:?}", job.results);
}

#[test]
fn the_newest_batch_comes_first_and_datasets_with_a_common_beginning_stay_apart() {
    let mut facts = Facts::default();
    for (dataset, n) in [("a", 1), ("a", 2), ("a-b", 1), ("ab", 1)] {
        facts.batches.insert((name(dataset), number(n)), Batch::default());
    }
    let model = assemble(&facts, BUCKET);
    let jobs: Vec<(&str, Vec<u32>)> = model
        .datasets
        .iter()
        .map(|d| (d.name.as_str(), d.jobs.iter().map(|job| job.batch).collect()))
        .collect();
    assert_eq!(jobs, [("a", vec![2, 1]), ("a-b", vec![1]), ("ab", vec![1])]);
}

#[test]
fn the_whole_list_of_rejects_is_offered_once_it_is_written() {
    let mut with = status("d", DatasetState::UpToDate);
    with.rejected = 1;
    with.rejected_first = vec![Reject {
        key: "d/x".into(),
        etag: "e".into(),
        row: None,
        reason: "is empty".into(),
    }];
    let mut facts = facts(vec![with]);
    assert_eq!(assemble(&facts, BUCKET).datasets[0].rejected_list, None);
    facts.results.insert("results/d/rejected.jsonl".into());
    let dataset = &assemble(&facts, BUCKET).datasets[0];
    assert_eq!(
        dataset.rejected_list.as_ref().unwrap().key,
        "results/d/rejected.jsonl"
    );
    assert_eq!((dataset.tone, dataset.rejected_first.len()), (Tone::Attention, 1));
}

#[test]
fn notices_come_newest_first_and_end_at_the_limit() {
    let notified = |second: i64| {
        let notice = Notice {
            id: format!("n{second}"),
            kind: NoticeKind::JobCompleted,
            dataset: "d".into(),
            team: None,
            subject: "s".into(),
            text: "t".into(),
            detail: serde_json::Value::Null,
        };
        Arc::new(NoticeMarker {
            at: at(second),
            notice,
        })
    };
    let facts = Facts {
        notices: (0..60).map(notified).collect(),
        ..Facts::default()
    };
    let notices = assemble(&facts, BUCKET).notices;
    assert_eq!((notices.len(), notices[0].id.as_str()), (NOTICES, "n59"));
}

#[test]
fn files_that_belong_to_no_dataset_are_named() {
    let facts = Facts {
        loose: vec!["stray.txt".into()],
        folders: ["teams".to_owned(), "a\nb".to_owned()].into(),
        crew: CrewFacts {
            misnamed: vec!["`my team` cannot be a team".into()],
            ..CrewFacts::default()
        },
        ..Facts::default()
    };
    let misplaced = assemble(&facts, BUCKET).misplaced;
    assert_eq!(misplaced.len(), 3, "{misplaced:?}");
    assert!(misplaced[0].contains("`stray.txt`") && misplaced[1].contains("control characters"));
}
