//! How much each worker answered: counted after the notice, once, and never at the notice's cost.

use shared::summary::workers::Workers;

use super::*;
use crate::worker_counts::count;

const COUNT: &str = "results/d/000001/workers.json";

impl World {
    fn add_answers(&self, item: usize, people: &[(&str, &str)]) {
        let answers: Vec<Value> = people
            .iter()
            .map(|(person, at)| {
                json!({
                    "submissionTime": at, "timeSpentInSeconds": 1.5, "workerId": format!("private.{person}"),
                    "answerContent": {"crowd-classifier": {"label": "Odd"}},
                    "workerMetadata": {"identityData": {"identityProviderType": "Cognito", "issuer": "i", "sub": person}}
                })
            })
            .collect();
        self.store.put_output(
            &format!("labels/{JOB}/annotations/worker-response/iteration-1/{item}/2026-11-21_10:00:00.json"),
            json!({ "answers": answers }).to_string(),
            &[],
        );
    }

    fn workers(&self) -> Option<Workers> {
        serde_json::from_str(&self.store.output(COUNT)?).ok()
    }

    async fn handle_event(&self) -> Value {
        handle(&self.deps, json!({"Records": [event("m", JOB)]}))
            .await
            .unwrap()
    }
}

#[tokio::test]
async fn every_persons_answers_are_counted_after_the_notice() {
    let world = World::new(JobState::Completed);
    world.add_answers(
        0,
        &[("ana", "2026-11-21T09:00:00Z"), ("bo", "2026-11-21T09:30:00Z")],
    );
    world.add_answers(1, &[("ana", "2026-11-21T09:40:00Z")]);
    let topic = world.topic.clone();
    world
        .store
        .meanwhile(COUNT, move |_| assert_eq!(topic.messages().len(), 1));
    world.handle_event().await;
    let workers = world.workers().unwrap();
    assert_eq!(
        (workers.job.as_str(), workers.responses, workers.cut),
        (JOB, 2, false)
    );
    let counted: Vec<_> = workers
        .workers
        .iter()
        .map(|w| (w.sub.as_deref().unwrap(), w.answers, w.seconds))
        .collect();
    assert_eq!(counted, [("ana", 2, 3.0), ("bo", 1, 1.5)]);
}

#[tokio::test]
async fn a_count_that_fails_fails_no_message_and_is_made_good_by_the_sweep() {
    let world = World::new(JobState::Completed);
    world.add_answers(0, &[("ana", "2026-11-21T09:00:00Z")]);
    world.store.fail_next(COUNT, Fault::Throttled);
    assert_eq!(world.handle_event().await, json!({"batchItemFailures": []}));
    assert_eq!((world.topic.messages().len(), world.workers()), (1, None));
    handle(&world.deps, json!({"sweep": "all"})).await.unwrap();
    assert_eq!(world.workers().unwrap().workers.len(), 1);
    let writes = world.store.writes();
    handle(&world.deps, json!({"sweep": "all"})).await.unwrap();
    assert_eq!(
        (world.store.writes(), world.topic.messages().len()),
        (writes, 1),
        "once is enough"
    );
}

#[tokio::test]
async fn a_job_without_answers_is_counted_once_too() {
    let world = World::new(JobState::Stopped);
    world.handle_event().await;
    assert_eq!(world.workers().unwrap().workers.len(), 0);
}

#[tokio::test]
async fn more_responses_than_are_counted_are_said_to_be_more() {
    let world = World::new(JobState::Completed);
    world.store.page_size(2);
    for item in 0..5 {
        world.add_answers(item, &[("ana", "2026-11-21T09:00:00Z")]);
    }
    reconcile(&world.deps, JOB, world.store.now()).await.unwrap();
    let dataset = shared::name::DatasetName::new("d").unwrap();
    let first = shared::name::BatchNumber::FIRST;
    for (most, responses, cut) in [(3, 3, true), (4, 4, true), (5, 5, false), (6, 5, false)] {
        world.store.remove(Bucket::Output, COUNT);
        count(&world.store, &dataset, first, most).await.unwrap();
        let workers = world.workers().unwrap();
        assert_eq!(
            (workers.responses, workers.cut),
            (responses, cut),
            "at most {most}"
        );
    }
}

#[tokio::test]
async fn a_refused_response_does_not_stop_the_count() {
    let world = World::new(JobState::Completed);
    world.add_answers(0, &[("ana", "2026-11-21T09:00:00Z")]);
    world.add_answers(1, &[("ana", "2026-11-21T09:00:00Z")]);
    world.store.refuse_reads(&format!(
        "labels/{JOB}/annotations/worker-response/iteration-1/0/2026-11-21_10:00:00.json"
    ));
    world.handle_event().await;
    let workers = world.workers().unwrap();
    assert_eq!(
        (workers.unreadable, workers.workers[0].answers),
        (1, 1),
        "{workers:?}"
    );
}
