//! No more jobs a day than the stack allows, and every batch gets its own in the end.

use super::*;
use crate::handle_at;

fn with_daily_bound(mut world: World, jobs: u64) -> World {
    world.deps.jobs_per_day = Some(jobs);
    world
}

fn claims_of_today(world: &World) -> Vec<String> {
    let ledger = world.store.output("daily/jobs/2026-11-21.json").unwrap();
    let ledger: Value = serde_json::from_str(&ledger).unwrap();
    ledger["claims"].as_object().unwrap().keys().cloned().collect()
}

async fn sweep(world: &World) -> Value {
    let event = json!({"sweep": "all"});
    handle_at(&world.deps, event, world.store.now()).await.unwrap()
}

#[tokio::test]
async fn a_day_ends_with_its_bound_and_the_next_goes_on_by_itself() {
    let world = with_daily_bound(World::with_batches(5), 2);
    assert_eq!(
        sweep(&world).await,
        json!({"without_job": 5, "started": 2, "waiting": 3})
    );
    let waiting = world.wait_document(3);
    assert_eq!(waiting.reason, WaitingReason::DailyBound);
    for part in ["2 labeling jobs", "JobsPerDay", "next day"] {
        assert!(waiting.message.contains(part), "{}", waiting.message);
    }
    // The next day.
    world.store.pass(14 * 3_600);
    assert_eq!(sweep(&world).await["started"], 2);
    assert_eq!(world.jobs(), [job(1), job(2), job(3), job(4)]);
    assert_eq!(
        world.wait_document(5).since,
        waiting.since,
        "it has waited since then"
    );
}

#[tokio::test]
async fn it_is_announced_once_a_day() {
    let world = with_daily_bound(World::with_batches(4), 1);
    sweep(&world).await;
    let writes = world.store.writes();
    sweep(&world).await;
    assert_eq!(world.store.writes(), writes);
    let said = world.topic.messages();
    assert_eq!(said.len(), 1);
    assert_eq!(said[0].attributes["kind"], "daily-bound");
    assert!(said[0].body.contains("JobsPerDay"), "{}", said[0].body);
}

#[tokio::test]
async fn two_invocations_do_not_both_take_the_last_of_a_day() {
    let world = with_daily_bound(World::with_batches(2), 1);
    let (other, now) = (
        Deps {
            store: world.store.clone(),
            labeling: world.labeling.clone(),
            topic: world.topic.clone(),
            stack: stack(),
            jobs_per_day: Some(1),
            metrics: world.metrics.metrics(),
        },
        world.store.now(),
    );
    world.store.meanwhile("daily/jobs/", move |_| {
        let first = futures::executor::block_on(reconcile(&other, &d(), number(2), now)).unwrap();
        assert_eq!(first, StartOutcome::Started);
    });
    assert_eq!(
        world.start(1).await,
        StartOutcome::Waiting(WaitingReason::DailyBound)
    );
    assert_eq!(world.jobs(), [job(2)]);
}

#[tokio::test]
async fn a_batch_that_claimed_is_not_counted_twice() {
    for answer in [Answer::ResponseLost, Answer::Throttled] {
        let world = with_daily_bound(World::with_batches(2), 1);
        world.labeling.answer_next(answer);
        reconcile(&world.deps, &d(), number(1), world.store.now())
            .await
            .unwrap_err();
        assert_eq!(
            world.start(2).await,
            StartOutcome::Waiting(WaitingReason::DailyBound)
        );
        // Not behind the one that waits: it is counted already.
        assert_eq!(sweep(&world).await["started"], 1);
        assert_eq!(world.jobs(), [job(1)]);
        assert_eq!(claims_of_today(&world), [job(1)]);
    }
}

#[tokio::test]
async fn a_lost_answer_to_the_claim_does_not_count_it_twice() {
    for fault in [Fault::ResponseLost, Fault::Throttled] {
        let world = with_daily_bound(World::with_batches(1), 1);
        world.store.fail_next("daily/jobs/", fault);
        reconcile(&world.deps, &d(), number(1), world.store.now())
            .await
            .unwrap_err();
        assert_eq!(world.start(1).await, StartOutcome::Started);
    }
    let world = with_daily_bound(World::with_batches(1), 1);
    world.store.fail_next("daily/jobs/", Fault::ConflictWithItself);
    assert_eq!(world.start(1).await, StartOutcome::Started);
}

#[tokio::test]
async fn what_is_refused_uses_up_no_day() {
    let world = with_daily_bound(World::with_batches(3), 1);
    world.labeling.answer_next(Answer::Invalid("no such role"));
    assert_eq!(
        world.start(1).await,
        StartOutcome::Waiting(WaitingReason::Refused)
    );
    assert_eq!(claims_of_today(&world), Vec::<String>::new());
    world.labeling.put(FakeLabeling::job(
        &job(2),
        "s3://elsewhere/x.manifest",
        JobState::Completed,
    ));
    assert_eq!(
        world.start(2).await,
        StartOutcome::Waiting(WaitingReason::NameTaken)
    );
    world.labeling.quota(0);
    assert_eq!(world.start(3).await, StartOutcome::Waiting(WaitingReason::Quota));
    world.labeling.quota(9);
    assert_eq!(world.start(3).await, StartOutcome::Started);
}

#[tokio::test]
async fn a_job_that_was_there_before_stays_counted() {
    let world = with_daily_bound(World::with_batches(2), 1);
    // Made by a call of which nothing else is known: by the SDK's own first try, perhaps.
    let manifest = format!("s3://out/{}", layout::manifest(&d(), number(1)));
    world
        .labeling
        .put(FakeLabeling::job(&job(1), &manifest, JobState::InProgress));
    assert_eq!(world.start(1).await, StartOutcome::Started);
    assert_eq!(
        world.start(2).await,
        StartOutcome::Waiting(WaitingReason::DailyBound)
    );
}
