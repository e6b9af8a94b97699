//! Work as workers, crashes and second engines see it.

use std::collections::BTreeSet;

use futures::future::join_all;
use serde_json::json;

use super::WorkError;
use crate::testing::{Rig, World, parity, worker};

pub(super) async fn ready(numbers: usize) -> (World, Rig) {
    let world = World::default();
    world.numbers(numbers);
    let rig = world.engine().await;
    rig.crew().await;
    (world, rig)
}

#[tokio::test]
async fn a_job_is_done_when_every_object_has_its_answers() {
    let (world, rig) = ready(4).await;
    rig.job("numbers", |_| {}).await;
    for id in ["a", "b", "c"] {
        let mut seen = BTreeSet::new();
        while let Some(index) = rig.answer_next(&worker(id), "numbers").await.unwrap_or(None) {
            assert!(seen.insert(index), "{id} got {index} twice");
        }
        assert_eq!(seen.len(), 4, "{id}");
    }
    let job = rig.until("numbers", "Completed").await;
    assert_eq!(job["LabelCounters"]["HumanLabeled"], 4);
    assert_eq!(
        job["LabelingJobOutput"]["OutputDatasetS3Uri"],
        "s3://out/labels/numbers/manifests/output/output.manifest"
    );
    let output = world.output("numbers");
    assert_eq!(output.len(), 4);
    assert_eq!(output[1]["parity"], 1);
    assert_eq!(output[1]["parity-metadata"]["class-name"], "Odd");
    assert_eq!(
        world
            .store
            .keys("out", "labels/numbers/annotations/worker-response/")
            .len(),
        4
    );
    assert_eq!(
        world
            .store
            .keys("out", "labels/numbers/annotations/consolidated-annotation/")
            .len(),
        2
    );
}

#[tokio::test]
async fn the_end_is_announced_once_it_can_be_described() {
    let (world, rig) = ready(1).await;
    rig.job("Numbers", |r| {
        r["HumanTaskConfig"]["NumberOfHumanWorkersPerDataObject"] = json!(1);
    })
    .await;
    rig.answer_next(&worker("a"), "Numbers").await.unwrap();
    rig.until("numbers", "Completed").await;
    while !world.store.keys("state", "unfinished/").is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    let events = world.events.0.lock().unwrap().clone();
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0]["detail"], json!({"LabelingJobStatus": "Completed"}));
    assert_eq!(
        events[0]["resources"][0],
        "arn:aws:sagemaker:us-east-1:000000000000:labeling-job/numbers"
    );
    assert_eq!(
        events[0]["detail-type"],
        "SageMaker Ground Truth Labeling Job State Change"
    );
}

#[tokio::test]
async fn an_end_that_was_not_announced_is_announced_by_the_next_engine() {
    let (world, rig) = ready(1).await;
    rig.job("numbers", |r| {
        r["HumanTaskConfig"]["NumberOfHumanWorkersPerDataObject"] = json!(1);
    })
    .await;
    rig.answer_next(&worker("a"), "numbers").await.unwrap();
    rig.until("numbers", "Completed").await;
    while !world.store.keys("state", "unfinished/").is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    drop(rig);
    // As if the first engine had died between the document and the event.
    let at = "s3://state/labeling-jobs/numbers.json";
    let text = world
        .store
        .text(at)
        .unwrap()
        .replace("\"announced\":true", "\"announced\":false");
    world.store.put_text(at, &text);
    world.store.put_text("s3://state/unfinished/numbers", "{}");
    world.events.0.lock().unwrap().clear();
    let _next = world.engine().await;
    while !world.store.keys("state", "unfinished/").is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    assert_eq!(world.events.0.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_worker_gets_the_open_task_back() {
    let (_, rig) = ready(3).await;
    rig.job("numbers", |_| {}).await;
    let first = rig.lease(&worker("a"), "numbers").await.unwrap();
    let again = rig.lease(&worker("a"), "numbers").await.unwrap();
    assert_eq!(first.token, again.token);
    let task = rig.work.held(&worker("a"), &first.token).await.unwrap();
    assert_eq!(task.task_input["taskObject"], "0");
    assert_eq!(task.task_input["labels"], json!(["Even", "Odd"]));
    assert_eq!(
        rig.work.held(&worker("b"), &first.token).await,
        Err(WorkError::NotHeld)
    );
}

#[tokio::test]
async fn a_double_click_takes_one_task() {
    let (_, rig) = ready(20).await;
    rig.job("numbers", |_| {}).await;
    let a = worker("a");
    let leases = join_all((0..10).map(|_| rig.lease(&a, "numbers"))).await;
    let tokens: BTreeSet<String> = leases.into_iter().map(|lease| lease.unwrap().token).collect();
    assert_eq!(tokens.len(), 1);
}

#[tokio::test]
async fn an_expired_task_goes_to_somebody_else() {
    let (world, rig) = ready(1).await;
    rig.job("numbers", |r| {
        r["HumanTaskConfig"]["NumberOfHumanWorkersPerDataObject"] = json!(1);
    })
    .await;
    let late = rig.lease(&worker("a"), "numbers").await.unwrap();
    assert_eq!(rig.lease(&worker("b"), "numbers").await, None);
    world.advance(301);
    let next = rig.lease(&worker("b"), "numbers").await.unwrap();
    assert_eq!(
        rig.work.submit(&worker("a"), &late.token, parity(0)).await,
        Err(WorkError::NotHeld)
    );
    assert_eq!(
        rig.work.submit(&worker("b"), &next.token, parity(0)).await,
        Ok(())
    );
}

#[tokio::test]
async fn an_answer_handed_in_again_is_fine_even_after_the_job_ended() {
    let (_, rig) = ready(1).await;
    rig.job("numbers", |r| {
        r["HumanTaskConfig"]["NumberOfHumanWorkersPerDataObject"] = json!(1);
    })
    .await;
    let lease = rig.lease(&worker("a"), "numbers").await.unwrap();
    for _ in 0..2 {
        assert_eq!(
            rig.work.submit(&worker("a"), &lease.token, parity(0)).await,
            Ok(())
        );
    }
    rig.until("numbers", "Completed").await;
    assert_eq!(
        rig.work.submit(&worker("a"), &lease.token, parity(0)).await,
        Ok(())
    );
    assert_eq!(
        rig.work.submit(&worker("b"), &lease.token, parity(0)).await,
        Err(WorkError::JobOver)
    );
}

#[tokio::test]
async fn an_object_declined_by_all_it_could_go_to_has_failed() {
    let (world, rig) = ready(2).await;
    rig.job("numbers", |r| {
        r["HumanTaskConfig"]["NumberOfHumanWorkersPerDataObject"] = json!(2);
    })
    .await;
    for id in ["a", "b"] {
        let lease = rig.lease(&worker(id), "numbers").await.unwrap();
        assert_eq!(lease.index, 0);
        rig.work.decline(&worker(id), &lease.token).await.unwrap();
        assert_eq!(rig.answer_next(&worker(id), "numbers").await.unwrap(), Some(1));
    }
    let job = rig.until("numbers", "Completed").await;
    assert_eq!(job["LabelCounters"]["FailedNonRetryableError"], 1);
    let output = world.output("numbers");
    assert_eq!(output[0].get("parity"), None);
    assert!(
        output[0]["parity-metadata"]["failure-reason"]
            .as_str()
            .unwrap()
            .contains("declined")
    );
    assert_eq!(output[1]["parity"], 1);
}

#[tokio::test]
async fn what_is_given_back_can_be_taken_again() {
    let (_, rig) = ready(1).await;
    rig.job("numbers", |_| {}).await;
    let lease = rig.lease(&worker("a"), "numbers").await.unwrap();
    rig.work.release(&worker("a"), &lease.token).await.unwrap();
    assert_eq!(
        rig.work.held(&worker("a"), &lease.token).await,
        Err(WorkError::NotHeld)
    );
    assert_eq!(rig.lease(&worker("a"), "numbers").await.unwrap().index, 0);
}

#[tokio::test]
async fn only_the_team_sees_the_job() {
    let (_, rig) = ready(1).await;
    rig.job("numbers", |_| {}).await;
    let stranger = super::Worker {
        groups: vec!["others".into()],
        ..worker("x")
    };
    assert_eq!(rig.work.jobs_for(&stranger).await, []);
    assert_eq!(
        rig.work.lease(&stranger, "numbers").await,
        Err(WorkError::NoSuchJob)
    );
    let jobs = rig.work.jobs_for(&worker("a")).await;
    assert_eq!((jobs.len(), jobs[0].total, jobs[0].available), (1, 1, 1));
}

#[tokio::test]
async fn jobs_with_something_for_a_worker_come_first_and_then_the_oldest() {
    let (_, rig) = ready(1).await;
    for name in ["a-first", "b-second", "c-third"] {
        rig.job(name, |_| {}).await;
    }
    rig.answer_next(&worker("a"), "a-first").await.unwrap();
    rig.lease(&worker("a"), "c-third").await.unwrap();
    let order = async |id| {
        let jobs = rig.work.jobs_for(&worker(id)).await;
        jobs.into_iter().map(|job| job.name).collect::<Vec<_>>()
    };
    assert_eq!(order("a").await, ["b-second", "c-third", "a-first"]);
    assert_eq!(order("b").await, ["a-first", "b-second", "c-third"]);
}

#[tokio::test]
async fn no_more_objects_than_the_window_are_in_work() {
    let (_, rig) = ready(10).await;
    rig.job("numbers", |r| {
        r["HumanTaskConfig"]["MaxConcurrentTaskCount"] = json!(2);
        r["HumanTaskConfig"]["NumberOfHumanWorkersPerDataObject"] = json!(1);
    })
    .await;
    let a = rig.lease(&worker("a"), "numbers").await.unwrap();
    rig.lease(&worker("b"), "numbers").await.unwrap();
    assert_eq!(rig.lease(&worker("c"), "numbers").await, None);
    rig.work
        .submit(&worker("a"), &a.token, parity(a.index))
        .await
        .unwrap();
    assert_eq!(rig.lease(&worker("c"), "numbers").await.unwrap().index, 2);
}

#[tokio::test]
async fn a_limit_on_labeled_objects_ends_the_job_and_is_not_passed() {
    let (world, rig) = ready(10).await;
    rig.job("numbers", |r| {
        r["StoppingConditions"] = json!({"MaxHumanLabeledObjectCount": 2});
        r["HumanTaskConfig"]["NumberOfHumanWorkersPerDataObject"] = json!(1);
    })
    .await;
    let workers = ["a", "b", "c"].map(worker);
    let leases = join_all(workers.iter().map(|w| rig.lease(w, "numbers"))).await;
    assert_eq!(leases.iter().flatten().count(), 2);
    for (worker, lease) in workers.iter().zip(&leases) {
        if let Some(lease) = lease {
            rig.work
                .submit(worker, &lease.token, parity(lease.index))
                .await
                .unwrap();
        }
    }
    let job = rig.until("numbers", "Completed").await;
    assert_eq!(
        (
            &job["LabelCounters"]["HumanLabeled"],
            &job["LabelCounters"]["Unlabeled"]
        ),
        (&json!(2), &json!(8))
    );
    assert_eq!(world.output("numbers").len(), 10);
}

#[tokio::test]
async fn a_stopped_job_keeps_what_it_has() {
    let (world, rig) = ready(3).await;
    rig.job("numbers", |r| {
        r["HumanTaskConfig"]["NumberOfHumanWorkersPerDataObject"] = json!(1);
    })
    .await;
    rig.answer_next(&worker("a"), "numbers").await.unwrap();
    let open = rig.lease(&worker("a"), "numbers").await.unwrap();
    rig.call("StopLabelingJob", json!({"LabelingJobName": "numbers"}))
        .await
        .unwrap();
    let job = rig.until("numbers", "Stopped").await;
    assert_eq!(
        (
            &job["LabelCounters"]["HumanLabeled"],
            &job["LabelCounters"]["Unlabeled"]
        ),
        (&json!(1), &json!(2))
    );
    assert_eq!(
        rig.work.submit(&worker("a"), &open.token, parity(1)).await,
        Err(WorkError::JobOver)
    );
    let output = world.output("numbers");
    assert_eq!(
        (output[0]["parity"].clone(), output[1].get("parity")),
        (json!(0), None)
    );
}

#[tokio::test]
async fn tasks_whose_time_is_over_are_consolidated_from_what_there_is() {
    let (world, rig) = ready(2).await;
    rig.job("numbers", |r| {
        r["HumanTaskConfig"]["TaskAvailabilityLifetimeInSeconds"] = json!(600);
    })
    .await;
    rig.answer_next(&worker("a"), "numbers").await.unwrap();
    world.advance(601);
    let job = rig.until("numbers", "Completed").await;
    assert_eq!(job["LabelCounters"]["HumanLabeled"], 1);
    assert_eq!(job["LabelCounters"]["FailedNonRetryableError"], 1);
    assert_eq!(world.output("numbers")[0]["parity-metadata"]["confidence"], 0.0);
}

#[tokio::test]
async fn a_job_nobody_worked_on_fails_when_its_time_is_over() {
    let (world, rig) = ready(2).await;
    rig.job("numbers", |r| {
        r["HumanTaskConfig"]["TaskAvailabilityLifetimeInSeconds"] = json!(60);
    })
    .await;
    world.advance(61);
    let job = rig.until("numbers", "Failed").await;
    assert!(
        job["FailureReason"].as_str().unwrap().contains("expired"),
        "{job}"
    );
}

#[tokio::test]
async fn inputs_may_go_away_under_a_running_job() {
    let (world, rig) = ready(1).await;
    rig.job("numbers", |r| {
        r["HumanTaskConfig"]["NumberOfHumanWorkersPerDataObject"] = json!(1);
    })
    .await;
    drop(rig);
    for input in ["numbers.manifest", "labels.json", "tool.html"] {
        world.store.put_text(&format!("s3://in/{input}"), "overwritten");
    }
    let next = world.engine().await;
    next.until("numbers", "InProgress").await;
    next.answer_next(&worker("a"), "numbers").await.unwrap();
    next.until("numbers", "Completed").await;
    assert_eq!(world.output("numbers")[0]["source"], "0");
}

#[tokio::test]
async fn a_bad_input_fails_the_job_and_says_where() {
    let (world, rig) = ready(1).await;
    for (input, text, reason) in [
        (
            "numbers.manifest",
            "{\"source\":\"1\"}\n{\"sauce\":\"2\"}",
            "line 2",
        ),
        ("labels.json", "{\"labels\":[]}", "at least 2"),
    ] {
        world.numbers(1);
        world.store.put_text(&format!("s3://in/{input}"), text);
        let name = format!("bad-{}", input.len());
        rig.call("CreateLabelingJob", crate::testing::request(&name))
            .await
            .unwrap();
        let job = rig.until(&name, "Failed").await;
        assert!(job["FailureReason"].as_str().unwrap().contains(reason), "{job}");
    }
}

#[tokio::test]
async fn while_an_engine_starts_nobody_is_told_that_the_job_is_over() {
    let (world, rig) = ready(2).await;
    rig.job("numbers", |_| {}).await;
    let a = worker("a");
    let lease = rig.lease(&a, "numbers").await.unwrap();
    drop(rig);
    let starting = world.engine_at_its_start().await;
    let again_later = Err(WorkError::Unavailable);
    assert_eq!(
        starting.work.submit(&a, &lease.token, parity(0)).await,
        again_later
    );
    assert_eq!(
        starting.work.lease(&a, "numbers").await,
        Err(WorkError::Unavailable)
    );
    assert_eq!(
        starting.work.held(&a, &lease.token).await,
        Err(WorkError::Unavailable)
    );
    assert_eq!(starting.status("numbers").await["LabelCounters"]["Unlabeled"], 2);
    let stranger = super::Worker {
        groups: vec!["others".into()],
        ..worker("x")
    };
    assert_eq!(
        starting.work.lease(&stranger, "numbers").await,
        Err(WorkError::NoSuchJob)
    );
    assert_eq!(starting.work.lease(&a, "other").await, Err(WorkError::NoSuchJob));
}

#[tokio::test]
async fn no_worker_gets_a_link_to_the_engines_own_state() {
    let (_, rig) = ready(1).await;
    assert_eq!(
        rig.work.presign("s3://in/a.png").await.as_deref(),
        Ok("https://signed.example/in/a.png")
    );
    for uri in [
        "s3://state/portal/session-key.json",
        "https://s3.amazonaws.com/state/portal/session-key.json",
        "https://state.s3.us-east-1.amazonaws.com/portal/session-key.json",
        "s3://in/../state/portal/session-key.json",
        "s3://in/./a.png",
        "s3://arn:aws:s3:us-east-1:000000000000:accesspoint:state/portal/session-key.json",
    ] {
        let refused = rig.work.presign(uri).await.unwrap_err();
        assert!(!refused.contains("session-key"), "{uri}: {refused}");
    }
}

#[tokio::test]
async fn a_link_goes_only_where_the_operator_lets_tasks_look() {
    let (_, rig) = ready(1).await;
    for uri in [
        "s3://in/teams/crew.yaml",
        "https://s3.amazonaws.com/in/teams/crew.yaml",
        "s3://out/people/0123",
        "s3://out/labels/numbers/manifests/output/output.manifest",
        "s3://elsewhere/a.png",
        "s3://IN/a.png",
    ] {
        let refused = rig.work.presign(uri).await.unwrap_err();
        assert!(refused.contains("outside"), "{uri}: {refused}");
    }
}
