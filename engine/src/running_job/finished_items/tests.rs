//! What an engine reads when it starts, and what it ignores.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::*;
use crate::state::keys;
use crate::testing::{TestEngine, TestWorld, one_answer_each, ready, worker};

const OBJECTS: usize = 20;

fn items() -> Vec<FinishedItem> {
    let person = |id: &str| {
        Arc::new(Person {
            id: id.to_owned(),
            sub: format!("sub-{id}"),
            issuer: "https://issuer.example".to_owned(),
            provider: crate::worker::IdentityProvider::Oidc,
        })
    };
    let answer = |id: &str, second, classes: &[u16]| WorkerAnswer {
        person: person(id),
        accepted: Timestamp::from_second(second).unwrap(),
        submitted: "2026-11-22T05:06:07.123456789Z".parse().unwrap(),
        annotation: Annotation::Classes(classes.into()),
    };
    vec![
        FinishedItem {
            index: 3,
            etag: "\"a\"".into(),
            failed: false,
            answers: [answer("a", 5, &[0]), answer("b", 6, &[0])].into(),
        },
        FinishedItem {
            index: 99_999,
            etag: "\"b\"".into(),
            failed: true,
            answers: [answer("a", 7, &[1, 2])].into(),
        },
    ]
}

#[test]
fn the_list_is_read_as_it_was_written() {
    let bytes = write("job", &items()).unwrap();
    assert_eq!(read("job", &bytes), Some(items()));
    assert_eq!(read("job", &write("job", &[]).unwrap()), Some(Vec::new()));
}

#[test]
fn any_other_bytes_are_ignored() {
    let bytes = write("job", &items()).unwrap();
    assert_eq!(read("another job", &bytes), None);
    for place in 0..bytes.len() {
        assert_eq!(read("job", &bytes[..place]), None, "cut at {place}");
        let mut broken = bytes.to_vec();
        broken[place] ^= 1;
        assert_eq!(read("job", &broken), None, "another byte at {place}");
    }
}

/// A job whose first items are done, each by one person.
async fn half_done(done: usize) -> (TestWorld, TestEngine) {
    let (world, engine) = ready(OBJECTS).await;
    engine.job("numbers", one_answer_each).await;
    answer(&engine, done).await;
    (world, engine)
}

async fn answer(engine: &TestEngine, objects: usize) {
    for _ in 0..objects {
        engine
            .answer_next(&worker("a"), "numbers")
            .await
            .unwrap()
            .unwrap();
    }
}

const AT: &str = "s3://state/jobs/numbers/settled";

/// Starts the next engine and labels the rest; how many item documents the start read, and the output of the job.
async fn start_and_finish(world: &TestWorld, left: usize) -> (u64, Vec<Value>) {
    world.store.item_reads.store(0, Ordering::SeqCst);
    let next = world.engine().await;
    next.wait_for_status("numbers", "InProgress").await;
    let read = world.store.item_reads.load(Ordering::SeqCst);
    answer(&next, left).await;
    let job = next.wait_for_status("numbers", "Completed").await;
    assert_eq!(job["LabelCounters"]["HumanLabeled"], OBJECTS);
    let raw = "labels/numbers/annotations/worker-response/iteration-1/";
    assert_eq!(world.store.keys("out", raw).len(), OBJECTS);
    (read, world.output("numbers"))
}

fn assert_true(output: &[Value]) {
    assert_eq!(output.len(), OBJECTS);
    for (number, line) in output.iter().enumerate() {
        let parity = ["Even", "Odd"][number % 2];
        assert_eq!(line["parity-metadata"]["class-name"], parity, "{line}");
    }
}

#[tokio::test]
async fn a_start_after_a_stop_reads_no_document_of_a_finished_item() {
    let (world, engine) = half_done(12).await;
    engine.stop().await;
    let (read, output) = start_and_finish(&world, 8).await;
    assert_eq!(read, 0);
    assert_true(&output);
}

#[tokio::test]
async fn a_start_after_a_kill_reads_only_what_was_finished_since() {
    let (world, engine) = half_done(8).await;
    engine.stop().await;
    let old = world.store.text(AT).unwrap();
    let engine = world.engine().await;
    engine.wait_for_status("numbers", "InProgress").await;
    answer(&engine, 5).await;
    engine.stop().await;
    world.store.put_text(AT, &old);
    let (read, output) = start_and_finish(&world, 7).await;
    assert_eq!(read, 5);
    assert_true(&output);
}

#[tokio::test]
async fn without_a_valid_list_every_document_is_read() {
    for there in [None, Some(""), Some("garbage"), Some("0000\n{}")] {
        let (world, engine) = half_done(12).await;
        engine.stop().await;
        match there {
            Some(text) => world.store.put_text(AT, text),
            None => {
                let next = world.starting_engine().await;
                next.core
                    .documents
                    .delete(&keys::finished_items("numbers"))
                    .await
                    .unwrap();
            }
        }
        let (read, output) = start_and_finish(&world, 8).await;
        assert_eq!(read, 12, "{there:?}");
        assert_true(&output);
    }
}

#[tokio::test]
async fn a_changed_document_is_used_instead_of_its_row() {
    let (world, engine) = half_done(12).await;
    engine.stop().await;
    let at = |index: u32| format!("s3://state/{}", keys::item("numbers", index));
    let emptied = json!({"leases": [], "answers": [], "declined": []});
    world.store.put_text(&at(3), &emptied.to_string());
    let starting = world.starting_engine().await;
    starting
        .core
        .documents
        .delete(&keys::item("numbers", 4))
        .await
        .unwrap();
    let (read, output) = start_and_finish(&world, 10).await;
    assert_eq!(read, 1);
    assert_true(&output);
}

#[tokio::test]
async fn the_list_is_written_while_the_job_runs() {
    let (world, _rig) = half_done(10).await;
    while world.store.text(AT).is_none() {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
}
