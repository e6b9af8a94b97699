//! Work as workers see it, with crashes and second engines.

mod crashes;

use std::collections::BTreeSet;

use futures::future::join_all;
use serde_json::json;

use crate::desk::{Desk, WorkError};
use crate::testing::{one_answer_each, parity, ready, worker};

#[tokio::test]
async fn a_job_is_done_when_every_object_has_its_answers() {
    let (world, engine) = ready(4).await;
    engine.job("numbers", |_| {}).await;
    for id in ["a", "b", "c"] {
        let mut seen = BTreeSet::new();
        while let Some(index) = engine.answer_next(&worker(id), "numbers").await.unwrap_or(None) {
            assert!(seen.insert(index), "{id} got {index} twice");
        }
        assert_eq!(seen.len(), 4, "{id}");
    }
    let job = engine.wait_for_status("numbers", "Completed").await;
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
    let (world, engine) = ready(1).await;
    engine.job("Numbers", one_answer_each).await;
    engine.answer_next(&worker("a"), "Numbers").await.unwrap();
    engine.wait_for_status("numbers", "Completed").await;
    while !world.store.keys("state", "unfinished/").is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    let events = world.events.state_changes.lock().unwrap().clone();
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
    let (world, engine) = ready(1).await;
    engine.job("numbers", one_answer_each).await;
    engine.answer_next(&worker("a"), "numbers").await.unwrap();
    engine.wait_for_status("numbers", "Completed").await;
    while !world.store.keys("state", "unfinished/").is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    drop(engine);
    // As if the first engine had been killed between the document and the event.
    let at = "s3://state/labeling-jobs/numbers.json";
    let text = world
        .store
        .text(at)
        .unwrap()
        .replace("\"announced\":true", "\"announced\":false");
    world.store.put_text(at, &text);
    world.store.put_text("s3://state/unfinished/numbers", "{}");
    world.events.state_changes.lock().unwrap().clear();
    let _next = world.engine().await;
    while !world.store.keys("state", "unfinished/").is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    assert_eq!(world.events.state_changes.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_worker_gets_the_open_task_back() {
    let (_, engine) = ready(3).await;
    engine.job("numbers", |_| {}).await;
    let first = engine.lease(&worker("a"), "numbers").await.unwrap();
    let again = engine.lease(&worker("a"), "numbers").await.unwrap();
    assert_eq!(first.token, again.token);
    let task = engine.work.held_task(&worker("a"), &first.token).await.unwrap();
    assert_eq!(task.task_input["taskObject"], "0");
    assert_eq!(task.task_input["labels"], json!(["Even", "Odd"]));
    assert_eq!(
        engine.work.held_task(&worker("b"), &first.token).await,
        Err(WorkError::NotHeld)
    );
}

#[tokio::test]
async fn a_double_click_takes_one_task() {
    let (_, engine) = ready(20).await;
    engine.job("numbers", |_| {}).await;
    let a = worker("a");
    let leases = join_all((0..10).map(|_| engine.lease(&a, "numbers"))).await;
    let tokens: BTreeSet<String> = leases.into_iter().map(|lease| lease.unwrap().token).collect();
    assert_eq!(tokens.len(), 1);
}

#[tokio::test]
async fn an_expired_task_goes_to_another_worker() {
    let (world, engine) = ready(1).await;
    engine.job("numbers", one_answer_each).await;
    let late = engine.lease(&worker("a"), "numbers").await.unwrap();
    assert_eq!(engine.lease(&worker("b"), "numbers").await, None);
    world.advance(301);
    let next = engine.lease(&worker("b"), "numbers").await.unwrap();
    assert_eq!(
        engine.work.submit(&worker("a"), &late.token, parity(0)).await,
        Err(WorkError::NotHeld)
    );
    assert_eq!(
        engine.work.submit(&worker("b"), &next.token, parity(0)).await,
        Ok(())
    );
}

#[tokio::test]
async fn an_answer_may_be_submitted_again_even_after_the_job_ended() {
    let (_, engine) = ready(1).await;
    engine.job("numbers", one_answer_each).await;
    let lease = engine.lease(&worker("a"), "numbers").await.unwrap();
    for _ in 0..2 {
        assert_eq!(
            engine.work.submit(&worker("a"), &lease.token, parity(0)).await,
            Ok(())
        );
    }
    engine.wait_for_status("numbers", "Completed").await;
    assert_eq!(
        engine.work.submit(&worker("a"), &lease.token, parity(0)).await,
        Ok(())
    );
    assert_eq!(
        engine.work.submit(&worker("b"), &lease.token, parity(0)).await,
        Err(WorkError::JobOver)
    );
}

#[tokio::test]
async fn an_item_declined_by_as_many_workers_as_it_needs_has_failed() {
    let (world, engine) = ready(2).await;
    engine
        .job("numbers", |r| {
            r["HumanTaskConfig"]["NumberOfHumanWorkersPerDataObject"] = json!(2);
        })
        .await;
    for id in ["a", "b"] {
        let lease = engine.lease(&worker(id), "numbers").await.unwrap();
        assert_eq!(lease.index, 0);
        engine.work.decline(&worker(id), &lease.token).await.unwrap();
        assert_eq!(engine.answer_next(&worker(id), "numbers").await.unwrap(), Some(1));
    }
    let job = engine.wait_for_status("numbers", "Completed").await;
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
async fn a_released_item_can_be_taken_again() {
    let (_, engine) = ready(1).await;
    engine.job("numbers", |_| {}).await;
    let lease = engine.lease(&worker("a"), "numbers").await.unwrap();
    engine.work.release(&worker("a"), &lease.token).await.unwrap();
    assert_eq!(
        engine.work.held_task(&worker("a"), &lease.token).await,
        Err(WorkError::NotHeld)
    );
    assert_eq!(engine.lease(&worker("a"), "numbers").await.unwrap().index, 0);
}

#[tokio::test]
async fn only_the_team_sees_the_job() {
    let (_, engine) = ready(1).await;
    engine.job("numbers", |_| {}).await;
    let stranger = crate::worker::Worker {
        groups: vec!["others".into()],
        ..worker("x")
    };
    assert_eq!(engine.work.jobs(&stranger).await, []);
    assert_eq!(
        engine.work.lease(&stranger, "numbers").await,
        Err(WorkError::NoSuchJob)
    );
    let jobs = engine.work.jobs(&worker("a")).await;
    assert_eq!((jobs.len(), jobs[0].total, jobs[0].available), (1, 1, 1));
}

#[tokio::test]
async fn jobs_with_work_for_the_worker_come_first_and_then_the_oldest() {
    let (_, engine) = ready(1).await;
    for name in ["a-first", "b-second", "c-third"] {
        engine.job(name, |_| {}).await;
    }
    engine.answer_next(&worker("a"), "a-first").await.unwrap();
    engine.lease(&worker("a"), "c-third").await.unwrap();
    let order = async |id| {
        let jobs = engine.work.jobs(&worker(id)).await;
        jobs.into_iter().map(|job| job.name).collect::<Vec<_>>()
    };
    assert_eq!(order("a").await, ["b-second", "c-third", "a-first"]);
    assert_eq!(order("b").await, ["a-first", "b-second", "c-third"]);
}

#[tokio::test]
async fn no_more_items_than_the_window_are_in_work() {
    let (_, engine) = ready(10).await;
    engine
        .job("numbers", |r| {
            r["HumanTaskConfig"]["MaxConcurrentTaskCount"] = json!(2);
            r["HumanTaskConfig"]["NumberOfHumanWorkersPerDataObject"] = json!(1);
        })
        .await;
    let a = engine.lease(&worker("a"), "numbers").await.unwrap();
    engine.lease(&worker("b"), "numbers").await.unwrap();
    assert_eq!(engine.lease(&worker("c"), "numbers").await, None);
    engine
        .work
        .submit(&worker("a"), &a.token, parity(a.index))
        .await
        .unwrap();
    assert_eq!(engine.lease(&worker("c"), "numbers").await.unwrap().index, 2);
}

#[tokio::test]
async fn a_limit_on_labeled_objects_ends_the_job_and_is_not_exceeded() {
    let (world, engine) = ready(10).await;
    engine
        .job("numbers", |r| {
            r["StoppingConditions"] = json!({"MaxHumanLabeledObjectCount": 2});
            r["HumanTaskConfig"]["NumberOfHumanWorkersPerDataObject"] = json!(1);
        })
        .await;
    let workers = ["a", "b", "c"].map(worker);
    let leases = join_all(workers.iter().map(|w| engine.lease(w, "numbers"))).await;
    assert_eq!(leases.iter().flatten().count(), 2);
    for (worker, lease) in workers.iter().zip(&leases) {
        if let Some(lease) = lease {
            engine
                .work
                .submit(worker, &lease.token, parity(lease.index))
                .await
                .unwrap();
        }
    }
    let job = engine.wait_for_status("numbers", "Completed").await;
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
    let (world, engine) = ready(3).await;
    engine.job("numbers", one_answer_each).await;
    engine.answer_next(&worker("a"), "numbers").await.unwrap();
    let open = engine.lease(&worker("a"), "numbers").await.unwrap();
    engine
        .call("StopLabelingJob", json!({"LabelingJobName": "numbers"}))
        .await
        .unwrap();
    let job = engine.wait_for_status("numbers", "Stopped").await;
    assert_eq!(
        (
            &job["LabelCounters"]["HumanLabeled"],
            &job["LabelCounters"]["Unlabeled"]
        ),
        (&json!(1), &json!(2))
    );
    assert_eq!(
        engine.work.submit(&worker("a"), &open.token, parity(1)).await,
        Err(WorkError::JobOver)
    );
    let output = world.output("numbers");
    assert_eq!(
        (output[0]["parity"].clone(), output[1].get("parity")),
        (json!(0), None)
    );
}

#[tokio::test]
async fn expired_tasks_are_consolidated_from_the_answers_there_are() {
    let (world, engine) = ready(2).await;
    engine
        .job("numbers", |r| {
            r["HumanTaskConfig"]["TaskAvailabilityLifetimeInSeconds"] = json!(600);
        })
        .await;
    engine.answer_next(&worker("a"), "numbers").await.unwrap();
    world.advance(601);
    let job = engine.wait_for_status("numbers", "Completed").await;
    assert_eq!(job["LabelCounters"]["HumanLabeled"], 1);
    assert_eq!(job["LabelCounters"]["FailedNonRetryableError"], 1);
    assert_eq!(world.output("numbers")[0]["parity-metadata"]["confidence"], 0.0);
}

#[tokio::test]
async fn a_job_without_answers_fails_when_its_time_is_over() {
    let (world, engine) = ready(2).await;
    engine
        .job("numbers", |r| {
            r["HumanTaskConfig"]["TaskAvailabilityLifetimeInSeconds"] = json!(60);
        })
        .await;
    world.advance(61);
    let job = engine.wait_for_status("numbers", "Failed").await;
    assert!(
        job["FailureReason"].as_str().unwrap().contains("expired"),
        "{job}"
    );
}

#[tokio::test]
async fn a_running_job_does_not_need_its_inputs_any_more() {
    let (world, engine) = ready(1).await;
    engine.job("numbers", one_answer_each).await;
    drop(engine);
    for input in ["numbers.manifest", "labels.json", "tool.html"] {
        world.store.put_text(&format!("s3://in/{input}"), "overwritten");
    }
    let next = world.engine().await;
    next.wait_for_status("numbers", "InProgress").await;
    next.answer_next(&worker("a"), "numbers").await.unwrap();
    next.wait_for_status("numbers", "Completed").await;
    assert_eq!(world.output("numbers")[0]["source"], "0");
}

#[tokio::test]
async fn a_bad_input_fails_the_job_and_says_where() {
    let (world, engine) = ready(1).await;
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
        engine
            .call("CreateLabelingJob", crate::testing::request(&name))
            .await
            .unwrap();
        let job = engine.wait_for_status(&name, "Failed").await;
        assert!(job["FailureReason"].as_str().unwrap().contains(reason), "{job}");
    }
}

#[tokio::test]
async fn a_starting_engine_does_not_say_that_the_job_is_over() {
    let (world, engine) = ready(2).await;
    engine.job("numbers", |_| {}).await;
    let a = worker("a");
    let lease = engine.lease(&a, "numbers").await.unwrap();
    drop(engine);
    let starting = world.starting_engine().await;
    let try_again = Err(WorkError::Unavailable);
    assert_eq!(starting.work.submit(&a, &lease.token, parity(0)).await, try_again);
    assert_eq!(
        starting.work.lease(&a, "numbers").await,
        Err(WorkError::Unavailable)
    );
    assert_eq!(
        starting.work.held_task(&a, &lease.token).await,
        Err(WorkError::Unavailable)
    );
    assert_eq!(starting.status("numbers").await["LabelCounters"]["Unlabeled"], 2);
    let stranger = crate::worker::Worker {
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
    let (_, engine) = ready(1).await;
    assert_eq!(
        engine.work.presign("s3://in/a.png").await.as_deref(),
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
        let refused = engine.work.presign(uri).await.unwrap_err();
        assert!(!refused.contains("session-key"), "{uri}: {refused}");
    }
}

#[tokio::test]
async fn a_link_goes_only_to_objects_that_the_operator_lets_tasks_show() {
    let (_, engine) = ready(1).await;
    for uri in [
        "s3://in/teams/crew.yaml",
        "https://s3.amazonaws.com/in/teams/crew.yaml",
        "s3://out/people/0123",
        "s3://out/labels/numbers/manifests/output/output.manifest",
        "s3://elsewhere/a.png",
        "s3://IN/a.png",
    ] {
        let refused = engine.work.presign(uri).await.unwrap_err();
        assert!(refused.contains("outside"), "{uri}: {refused}");
    }
}
