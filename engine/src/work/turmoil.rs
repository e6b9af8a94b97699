//! Engines that are killed, a store that fails, and many workers: no acknowledged answer may be missing from the output.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures::future::join_all;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::WorkError;
use super::item::ItemRecord;
use super::tests::ready;
use crate::testing::{Rig, World, worker};

fn items(world: &World, job: &str) -> BTreeMap<String, ItemRecord> {
    let keys = world.store.keys("state", &format!("jobs/{job}/items/"));
    let read = |key: String| {
        let item = serde_json::from_str(&world.store.text(&format!("s3://state/{key}")).unwrap()).unwrap();
        (key, item)
    };
    keys.into_iter().map(read).collect()
}

/// Answers that were acknowledged: object and worker.
type Acknowledged = Arc<Mutex<BTreeSet<(u32, String)>>>;

/// Works until the job is over, at whichever engine is there.
async fn work(rigs: Arc<Mutex<Vec<Arc<Rig>>>>, nth: usize, acknowledged: Acknowledged) {
    let me = worker(&format!("w{nth:02}"));
    loop {
        let rig = {
            let rigs = rigs.lock().await;
            rigs[nth % rigs.len()].clone()
        };
        match rig.answer_next(&me, "numbers").await {
            Ok(Some(index)) => drop(acknowledged.lock().await.insert((index, me.id.clone()))),
            Ok(None) | Err(WorkError::Unavailable | WorkError::NotHeld) => {}
            Err(WorkError::NoSuchJob | WorkError::JobOver) if is_over(&rig).await => return,
            Err(WorkError::NoSuchJob | WorkError::JobOver) => {}
            Err(other) => panic!("{other}"),
        }
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
}

async fn is_over(rig: &Rig) -> bool {
    let status = rig.status("numbers").await["LabelingJobStatus"].clone();
    ["Completed", "Stopped", "Failed"]
        .iter()
        .any(|end| status == *end)
}

fn raw_answers(world: &World) -> BTreeSet<(u32, String)> {
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
async fn turmoil(stop_early: bool) {
    let (world, rig) = ready(60).await;
    rig.job("numbers", |r| {
        r["HumanTaskConfig"]["MaxConcurrentTaskCount"] = json!(25);
    })
    .await;
    world.store.fail_write_every.store(23, Ordering::SeqCst);
    world.store.lose_answer_every.store(17, Ordering::SeqCst);
    let second = world.engine().await;
    let rigs = Arc::new(Mutex::new(vec![Arc::new(rig), Arc::new(second)]));
    let acknowledged = Acknowledged::default();
    let workers: Vec<_> = (0..20)
        .map(|nth| tokio::spawn(work(rigs.clone(), nth, acknowledged.clone())))
        .collect();
    for (nth, enough) in [(0, 20), (1, 50), (0, 80)] {
        while acknowledged.lock().await.len() < enough {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        let next = Arc::new(world.engine().await);
        let killed = std::mem::replace(&mut rigs.lock().await[nth], next);
        killed.core.stop.cancel();
    }
    if stop_early {
        let rig = rigs.lock().await[1].clone();
        while rig
            .call("StopLabelingJob", json!({"LabelingJobName": "numbers"}))
            .await
            .is_err()
            && !is_over(&rig).await
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
    turmoil(false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_in_the_middle_of_turmoil_loses_no_acknowledged_answer() {
    turmoil(true).await;
}
