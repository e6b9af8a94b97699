//! Engines that are killed, a store that fails, and many workers: every acknowledged answer is in the output.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures::future::join_all;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::desk::WorkError;
use crate::running_job::ItemRecord;
use crate::testing::{TestEngine, TestWorld, ready, worker};

fn items(world: &TestWorld, job: &str) -> BTreeMap<String, ItemRecord> {
    let keys = world.store.keys("state", &format!("jobs/{job}/items/"));
    let read = |key: String| {
        let item = serde_json::from_str(&world.store.text(&format!("s3://state/{key}")).unwrap()).unwrap();
        (key, item)
    };
    keys.into_iter().map(read).collect()
}

/// Answers that were acknowledged: item and worker.
type AcknowledgedAnswers = Arc<Mutex<BTreeSet<(u32, String)>>>;

/// Works until the job is over, at the engines there are.
async fn work(engines: Arc<Mutex<Vec<Arc<TestEngine>>>>, nth: usize, acknowledged: AcknowledgedAnswers) {
    let me = worker(&format!("w{nth:02}"));
    loop {
        let engine = {
            let engines = engines.lock().await;
            engines[nth % engines.len()].clone()
        };
        match engine.answer_next(&me, "numbers").await {
            Ok(Some(index)) => drop(acknowledged.lock().await.insert((index, me.id.clone()))),
            Ok(None) | Err(WorkError::Unavailable | WorkError::NotHeld) => {}
            Err(WorkError::NoSuchJob | WorkError::JobOver) if is_over(&engine).await => return,
            Err(WorkError::NoSuchJob | WorkError::JobOver) => {}
            Err(other) => panic!("{other}"),
        }
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
}

async fn is_over(engine: &TestEngine) -> bool {
    let status = engine.status("numbers").await["LabelingJobStatus"].clone();
    ["Completed", "Stopped", "Failed"]
        .iter()
        .any(|end| status == *end)
}

fn raw_answers(world: &TestWorld) -> BTreeSet<(u32, String)> {
    let prefix = "labels/numbers/annotations/worker-response/iteration-1/";
    let mut found = BTreeSet::new();
    for key in world.store.keys("out", prefix) {
        let index: u32 = key[prefix.len()..].split('/').next().unwrap().parse().unwrap();
        let file: Value =
            serde_json::from_str(&world.store.text(&format!("s3://out/{key}")).unwrap()).unwrap();
        for answer in file["answers"].as_array().unwrap() {
            found.insert((index, answer["workerId"].as_str().unwrap().to_owned()));
        }
    }
    found
}

/// Two engines on one store that fails now and then, twenty workers, and engines that are killed and replaced.
async fn run_with_crashes(stop_early: bool) {
    let (world, engine) = ready(60).await;
    engine
        .job("numbers", |r| {
            r["HumanTaskConfig"]["MaxConcurrentTaskCount"] = json!(25);
        })
        .await;
    world.store.fail_write_every.store(23, Ordering::SeqCst);
    world.store.lose_reply_every.store(17, Ordering::SeqCst);
    let second = world.engine().await;
    let engines = Arc::new(Mutex::new(vec![Arc::new(engine), Arc::new(second)]));
    let acknowledged = AcknowledgedAnswers::default();
    let workers: Vec<_> = (0..20)
        .map(|nth| tokio::spawn(work(engines.clone(), nth, acknowledged.clone())))
        .collect();
    for (nth, enough) in [(0, 20), (1, 50), (0, 80)] {
        while acknowledged.lock().await.len() < enough {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        let next = Arc::new(world.engine().await);
        let killed = std::mem::replace(&mut engines.lock().await[nth], next);
        killed.core.stop.cancel();
    }
    if stop_early {
        let engine = engines.lock().await[1].clone();
        while engine
            .call("StopLabelingJob", json!({"LabelingJobName": "numbers"}))
            .await
            .is_err()
            && !is_over(&engine).await
        {}
    }
    tokio::time::timeout(std::time::Duration::from_secs(60), join_all(workers))
        .await
        .expect("the job never ended");
    let acknowledged = acknowledged.lock().await.clone();
    for (key, item) in items(&world, "numbers") {
        let people: BTreeSet<&str> = item.answers.iter().map(|answer| answer.worker.as_str()).collect();
        assert_eq!(people.len(), item.answers.len(), "{key}: one person twice");
        assert!(
            item.answers.len() <= 3 && (stop_early || item.answers.len() == 3),
            "{key}: {item:?}"
        );
    }
    let raw = raw_answers(&world);
    let lost: Vec<_> = acknowledged.difference(&raw).collect();
    assert!(lost.is_empty(), "acknowledged, and not in the output: {lost:?}");
    let labeled = world
        .output("numbers")
        .iter()
        .filter(|line| line.get("parity").is_some())
        .count();
    assert!(stop_early || labeled == 60, "{labeled} labeled");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_engines_crashes_and_lost_writes_lose_no_acknowledged_answer() {
    run_with_crashes(false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_among_crashes_loses_no_acknowledged_answer() {
    run_with_crashes(true).await;
}
