//! What a start reads, and what it believes.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::*;
use crate::state::keys;
use crate::testing::{Rig, World, worker};
use crate::work::tests::ready;

const OBJECTS: usize = 20;

fn settled() -> Vec<Settled> {
    let person = |id: &str| {
        Arc::new(Person {
            id: id.to_owned(),
            sub: format!("sub-{id}"),
            issuer: "https://issuer.example".to_owned(),
            provider: crate::work::IdentityProvider::Oidc,
        })
    };
    let answer = |id: &str, second, classes: &[u16]| Answer {
        person: person(id),
        accepted: Timestamp::from_second(second).unwrap(),
        submitted: "2026-11-22T05:06:07.123456789Z".parse().unwrap(),
        classes: classes.into(),
    };
    vec![
        Settled {
            index: 3,
            etag: "\"a\"".into(),
            failed: false,
            answers: [answer("a", 5, &[0]), answer("b", 6, &[0])].into(),
        },
        Settled {
            index: 99_999,
            etag: "\"b\"".into(),
            failed: true,
            answers: [answer("a", 7, &[1, 2])].into(),
        },
    ]
}

#[test]
fn it_is_read_as_it_was_written() {
    let bytes = write("job", &settled()).unwrap();
    assert_eq!(read("job", &bytes), Some(settled()));
    assert_eq!(read("job", &write("job", &[]).unwrap()), Some(Vec::new()));
}

#[test]
fn anything_else_is_not_believed() {
    let bytes = write("job", &settled()).unwrap();
    assert_eq!(read("another job", &bytes), None);
    for place in 0..bytes.len() {
        assert_eq!(read("job", &bytes[..place]), None, "cut at {place}");
        let mut broken = bytes.to_vec();
        broken[place] ^= 1;
        assert_eq!(read("job", &broken), None, "another byte at {place}");
    }
}

/// A job of which the first so many objects are done, each by one person.
async fn half_done(done: usize) -> (World, Rig) {
    let (world, rig) = ready(OBJECTS).await;
    rig.job("numbers", |r| {
        r["HumanTaskConfig"]["NumberOfHumanWorkersPerDataObject"] = json!(1);
    })
    .await;
    answer(&rig, done).await;
    (world, rig)
}

async fn answer(rig: &Rig, objects: usize) {
    for _ in 0..objects {
        rig.answer_next(&worker("a"), "numbers").await.unwrap().unwrap();
    }
}

const AT: &str = "s3://state/jobs/numbers/settled";

/// A next engine, how many item documents its start read, and the output of the job when it is labelled to its end.
async fn start_and_finish(world: &World, left: usize) -> (u64, Vec<Value>) {
    world.store.item_reads.store(0, Ordering::SeqCst);
    let next = world.engine().await;
    next.until("numbers", "InProgress").await;
    let read = world.store.item_reads.load(Ordering::SeqCst);
    answer(&next, left).await;
    let job = next.until("numbers", "Completed").await;
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
async fn a_start_after_a_stop_reads_no_document_of_what_is_done() {
    let (world, rig) = half_done(12).await;
    rig.stop().await;
    let (read, output) = start_and_finish(&world, 8).await;
    assert_eq!(read, 0);
    assert_true(&output);
}

#[tokio::test]
async fn after_a_kill_only_what_came_since_is_read() {
    let (world, rig) = half_done(8).await;
    rig.stop().await;
    let old = world.store.text(AT).unwrap();
    let rig = world.engine().await;
    rig.until("numbers", "InProgress").await;
    answer(&rig, 5).await;
    rig.stop().await;
    world.store.put_text(AT, &old);
    let (read, output) = start_and_finish(&world, 7).await;
    assert_eq!(read, 5);
    assert_true(&output);
}

#[tokio::test]
async fn without_it_or_with_a_broken_one_every_document_is_read() {
    for there in [None, Some(""), Some("garbage"), Some("0000\n{}")] {
        let (world, rig) = half_done(12).await;
        rig.stop().await;
        match there {
            Some(text) => world.store.put_text(AT, text),
            None => {
                let next = world.engine_at_its_start().await;
                next.core
                    .documents
                    .delete(&keys::settled("numbers"))
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
async fn a_document_that_changed_is_believed_and_not_what_was_known_of_it() {
    let (world, rig) = half_done(12).await;
    rig.stop().await;
    let at = |index: u32| format!("s3://state/{}", keys::item("numbers", index));
    let taken_back = json!({"leases": [], "answers": [], "declined": []});
    world.store.put_text(&at(3), &taken_back.to_string());
    let gone = world.engine_at_its_start().await;
    gone.core
        .documents
        .delete(&keys::item("numbers", 4))
        .await
        .unwrap();
    let (read, output) = start_and_finish(&world, 10).await;
    assert_eq!(read, 1);
    assert_true(&output);
}

#[tokio::test]
async fn it_is_written_while_the_job_runs() {
    let (world, _rig) = half_done(10).await;
    while world.store.text(AT).is_none() {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
}
