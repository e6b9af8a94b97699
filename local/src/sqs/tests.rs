//! Queues under a clock the test turns.

use std::sync::Arc;
use std::time::Duration;

use super::{Message, Queue, QueueConfig, Queues, Redrive};

const SOON: Duration = Duration::from_secs(5);

fn config(name: &str, redrive: Option<Redrive>) -> QueueConfig {
    QueueConfig {
        name: name.to_owned(),
        delay: Duration::ZERO,
        visibility: Duration::from_secs(30),
        retention: Duration::from_secs(14 * 24 * 3600),
        redrive,
    }
}

fn queues(folder: &std::path::Path, delay: Duration) -> Queues {
    let redrive = Redrive {
        to: "work-dlq".to_owned(),
        max_receive: 2,
    };
    let work = QueueConfig {
        delay,
        ..config("work", Some(redrive))
    };
    Queues::open(&folder.join("queues.redb"), vec![config("work-dlq", None), work]).unwrap()
}

async fn receive(queue: &Queue) -> Vec<super::Received> {
    queue.receive(10, queue.config.visibility, Duration::ZERO).await
}

fn get(queues: &Queues, name: &str) -> Arc<Queue> {
    queues.get(name).unwrap().clone()
}

#[tokio::test(start_paused = true)]
async fn a_delayed_message_is_read_when_its_delay_is_over_and_no_sooner() {
    let folder = tempfile::tempdir().unwrap();
    let work = get(&queues(folder.path(), Duration::from_secs(60)), "work");
    work.send(Message::new("a"));
    assert_eq!(work.counts().delayed, 1);
    tokio::time::advance(Duration::from_secs(59)).await;
    assert!(receive(&work).await.is_empty());
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(receive(&work).await[0].message.body, "a");
}

#[tokio::test(start_paused = true)]
async fn a_waiting_reader_is_woken_by_a_message() {
    let folder = tempfile::tempdir().unwrap();
    let work = get(&queues(folder.path(), Duration::from_secs(3)), "work");
    let reader = tokio::spawn({
        let work = work.clone();
        async move { work.receive(10, SOON, Duration::from_secs(20)).await }
    });
    tokio::task::yield_now().await;
    work.send(Message::new("a"));
    assert_eq!(reader.await.unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_not_deleted_comes_again_and_then_becomes_a_dead_letter() {
    let folder = tempfile::tempdir().unwrap();
    let queues = queues(folder.path(), Duration::ZERO);
    let (work, dead) = (get(&queues, "work"), get(&queues, "work-dlq"));
    work.send(Message::new("a"));
    for receives in 1..=2 {
        let received = receive(&work).await;
        assert_eq!(received[0].message.receives, receives);
        assert!(receive(&work).await.is_empty(), "hidden while in flight");
        tokio::time::advance(work.config.visibility).await;
    }
    assert!(receive(&work).await.is_empty());
    assert_eq!(dead.counts().visible, 1);
    assert_eq!(queues.redrive(&dead), 1);
    assert_eq!(dead.counts().visible, 0);
    assert_eq!(
        receive(&work).await[0].message.receives,
        1,
        "counted from the start again"
    );
}

#[tokio::test(start_paused = true)]
async fn an_overtaken_receipt_deletes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let work = get(&queues(folder.path(), Duration::ZERO), "work");
    work.send(Message::new("a"));
    let old = receive(&work).await.remove(0).receipt;
    tokio::time::advance(work.config.visibility).await;
    let new = receive(&work).await.remove(0).receipt;
    work.delete(&old).unwrap();
    assert_eq!(work.counts().in_flight, 1);
    work.delete(&new).unwrap();
    assert_eq!(work.counts().in_flight, 0);
    assert!(work.delete("nonsense").is_err());
}

#[tokio::test]
async fn dead_letters_and_waiting_messages_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    {
        let queues = queues(folder.path(), Duration::ZERO);
        get(&queues, "work-dlq").send(Message::new("dead"));
        get(&queues, "work").send(Message::new("kept"));
        get(&queues, "work").send(Message::new("done"));
        let received = receive(&get(&queues, "work")).await;
        let done = received
            .iter()
            .find(|received| received.message.body == "done")
            .unwrap();
        get(&queues, "work").delete(&done.receipt).unwrap();
        queues.close();
    }
    let queues = queues(folder.path(), Duration::ZERO);
    assert_eq!(receive(&get(&queues, "work-dlq")).await[0].message.body, "dead");
    let work = receive(&get(&queues, "work")).await;
    assert_eq!(
        work.iter()
            .map(|received| received.message.body.as_str())
            .collect::<Vec<_>>(),
        ["kept"]
    );
}
