//! Queues as the stack uses them: dead letters, readers that wait, restarts, and SQS's own SDK in front.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_sdk_sqs::types::{
    MessageAttributeValue, MessageSystemAttributeName, MessageSystemAttributeNameForSends,
    MessageSystemAttributeValue, QueueAttributeName,
};
use tokio_util::sync::CancellationToken;

use super::{Address, Counts, Message, Queue, QueueConfig, Queues, Received, Redrive};
use crate::info::sdk;
use crate::serve::{listen, serve};

const AT_ONCE: Duration = Duration::ZERO;
const PATIENCE: Duration = Duration::from_secs(20);

fn config(name: &str, redrive: Option<Redrive>) -> QueueConfig {
    QueueConfig {
        name: name.to_owned(),
        delay: AT_ONCE,
        visibility: Duration::from_secs(30),
        retention: Duration::from_secs(14 * 24 * 3600),
        redrive,
    }
}

fn queues(folder: &Path) -> Queues {
    let redrive = Redrive {
        to: "work-dlq".to_owned(),
        max_receive: 2,
    };
    let configs = vec![config("work-dlq", None), config("work", Some(redrive))];
    Queues::open(&folder.join("queues.redb"), configs).unwrap()
}

fn get(queues: &Queues, name: &str) -> Arc<Queue> {
    queues.get(name).unwrap().clone()
}

async fn receive(queue: &Queue) -> Vec<Received> {
    queue.receive(10, queue.config.visibility, AT_ONCE).await
}

#[tokio::test]
async fn a_waiting_reader_is_woken_by_a_message() {
    let folder = tempfile::tempdir().unwrap();
    let work = get(&queues(folder.path()), "work");
    let reader = tokio::spawn({
        let work = work.clone();
        async move { work.receive(10, PATIENCE, PATIENCE).await }
    });
    tokio::task::yield_now().await;
    work.send_after(Message::new("a"), Duration::from_millis(20));
    assert_eq!(reader.await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_message_received_too_often_becomes_a_dead_letter_and_can_be_sent_back() {
    let folder = tempfile::tempdir().unwrap();
    let queues = queues(folder.path());
    let (work, dead) = (get(&queues, "work"), get(&queues, "work-dlq"));
    work.send(Message::new("a"));
    for receives in 1..=2 {
        let received = work.receive(1, AT_ONCE, AT_ONCE).await;
        assert_eq!(received[0].message.receives, receives);
    }
    assert!(receive(&work).await.is_empty());
    assert_eq!(
        dead.counts(),
        Counts {
            visible: 1,
            ..Counts::default()
        }
    );
    assert_eq!(queues.redrive(&dead), 1);
    assert_eq!(dead.counts(), Counts::default());
    assert_eq!(
        receive(&work).await[0].message.receives,
        1,
        "counted from the start again"
    );
}

#[tokio::test]
async fn dead_letters_and_waiting_messages_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    {
        let queues = queues(folder.path());
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
    let queues = queues(folder.path());
    assert_eq!(receive(&get(&queues, "work-dlq")).await[0].message.body, "dead");
    let work = receive(&get(&queues, "work")).await;
    assert_eq!(
        work.iter()
            .map(|received| received.message.body.as_str())
            .collect::<Vec<_>>(),
        ["kept"]
    );
}

/// SQS's own SDK against the queues.
async fn client(queues: &Queues) -> (aws_sdk_sqs::Client, CancellationToken) {
    let listening = listen(([127, 0, 0, 1], 0).into(), "SQS", "--aws").await.unwrap();
    let url = format!("http://{}", listening.address);
    let address = Address {
        aws_url: url.as_str().into(),
        region: "us-east-1",
        account: "000000000000",
    };
    let stop = CancellationToken::new();
    serve(listening, super::router(queues.clone(), address), stop.clone());
    (aws_sdk_sqs::Client::new(&sdk(&url, "key", "secret")), stop)
}

#[tokio::test]
async fn a_standard_client_sees_dead_letters_and_sends_them_back() {
    let folder = tempfile::tempdir().unwrap();
    let queues = queues(folder.path());
    let (sqs, stop) = client(&queues).await;
    let work = sqs
        .get_queue_url()
        .queue_name("work")
        .send()
        .await
        .unwrap()
        .queue_url
        .unwrap();
    let dead = sqs
        .get_queue_url()
        .queue_name("work-dlq")
        .send()
        .await
        .unwrap()
        .queue_url
        .unwrap();
    let sent = sqs
        .send_message()
        .queue_url(&work)
        .message_body("a")
        .send()
        .await
        .unwrap();
    for _ in 0..2 {
        let received = sqs
            .receive_message()
            .queue_url(&work)
            .visibility_timeout(0)
            .send()
            .await
            .unwrap();
        assert_eq!(received.messages()[0].message_id(), sent.message_id());
    }
    let empty = sqs.receive_message().queue_url(&work).send().await.unwrap();
    assert!(empty.messages().is_empty());
    let name = MessageSystemAttributeName::All;
    let seen = sqs
        .receive_message()
        .queue_url(&dead)
        .message_system_attribute_names(name)
        .visibility_timeout(0);
    let seen = seen.send().await.unwrap();
    let attributes = seen.messages()[0].attributes().unwrap();
    let source = &attributes[&MessageSystemAttributeName::from("DeadLetterQueueSourceArn")];
    assert_eq!(source, "arn:aws:sqs:us-east-1:000000000000:work");

    let arn = "arn:aws:sqs:us-east-1:000000000000:work-dlq";
    sqs.start_message_move_task()
        .source_arn(arn)
        .send()
        .await
        .unwrap();
    let counted = sqs
        .get_queue_attributes()
        .queue_url(&work)
        .attribute_names(QueueAttributeName::All);
    let attributes = counted.send().await.unwrap().attributes.unwrap();
    assert_eq!(attributes[&QueueAttributeName::ApproximateNumberOfMessages], "1");
    let received = sqs.receive_message().queue_url(&work).send().await.unwrap();
    let receipt = received.messages()[0].receipt_handle().unwrap();
    sqs.delete_message()
        .queue_url(&work)
        .receipt_handle(receipt)
        .send()
        .await
        .unwrap();
    assert_eq!(get(&queues, "work").counts(), Counts::default());
    stop.cancel();
}

#[tokio::test]
async fn a_standard_client_gets_errors_it_can_branch_on() {
    let folder = tempfile::tempdir().unwrap();
    let queues = queues(folder.path());
    let (sqs, stop) = client(&queues).await;
    let missing = sqs
        .get_queue_url()
        .queue_name("none")
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    assert!(missing.is_queue_does_not_exist(), "{missing:?}");
    let url = sqs
        .list_queues()
        .queue_name_prefix("work-")
        .send()
        .await
        .unwrap()
        .queue_urls
        .unwrap()
        .remove(0);
    let bad = sqs
        .delete_message()
        .queue_url(&url)
        .receipt_handle("nonsense")
        .send()
        .await;
    assert!(
        bad.unwrap_err()
            .into_service_error()
            .is_receipt_handle_is_invalid()
    );
    let made = sqs
        .create_queue()
        .queue_name("new")
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    assert!(
        made.message().unwrap().contains("CreateQueue is not supported"),
        "{made:?}"
    );
    stop.cancel();
}

#[tokio::test]
async fn attributes_and_the_trace_arrive_with_the_sums_that_prove_it() {
    let folder = tempfile::tempdir().unwrap();
    let queues = queues(folder.path());
    let (sqs, stop) = client(&queues).await;
    let url = sqs
        .get_queue_url()
        .queue_name("work")
        .send()
        .await
        .unwrap()
        .queue_url
        .unwrap();
    let number = MessageAttributeValue::builder()
        .data_type("Number")
        .string_value("1493147359900")
        .build()
        .unwrap();
    let trace = MessageSystemAttributeValue::builder()
        .data_type("String")
        .string_value("Root=1-5759e988-bd862e3fe1be46a994272793")
        .build()
        .unwrap();
    let sent = sqs
        .send_message()
        .queue_url(&url)
        .message_body("a")
        .message_attributes("timestamp", number)
        .message_system_attributes(MessageSystemAttributeNameForSends::AwsTraceHeader, trace)
        .send()
        .await
        .unwrap();
    let sum = Some("235c5c510d26fb653d073faed50ae77c");
    assert_eq!(sent.md5_of_message_attributes(), sum);
    assert!(sent.md5_of_message_system_attributes().is_some());
    let received = sqs
        .receive_message()
        .queue_url(&url)
        .message_attribute_names("All")
        .message_system_attribute_names(MessageSystemAttributeName::AwsTraceHeader)
        .send()
        .await
        .unwrap();
    let message = &received.messages()[0];
    assert_eq!(message.md5_of_message_attributes(), sum);
    let system = message.attributes().unwrap();
    assert_eq!(
        system[&MessageSystemAttributeName::AwsTraceHeader],
        "Root=1-5759e988-bd862e3fe1be46a994272793"
    );
    stop.cancel();
}

#[tokio::test]
async fn a_message_has_up_to_a_mebibyte_and_no_characters_sqs_drops() {
    let folder = tempfile::tempdir().unwrap();
    let queues = queues(folder.path());
    let (sqs, stop) = client(&queues).await;
    let url = sqs
        .get_queue_url()
        .queue_name("work")
        .send()
        .await
        .unwrap()
        .queue_url
        .unwrap();
    let mebibyte = "x".repeat(1024 * 1024);
    let largest = sqs
        .send_message()
        .queue_url(&url)
        .message_body(&mebibyte)
        .send()
        .await;
    assert!(largest.is_ok(), "{largest:?}");
    for (body, code) in [
        (format!("{mebibyte}x"), "InvalidParameterValue"),
        ("a\u{1}".to_owned(), "InvalidMessageContents"),
    ] {
        let refused = sqs.send_message().queue_url(&url).message_body(body).send().await;
        // The SDK reads the older code, which the response carries for such clients.
        assert_eq!(refused.unwrap_err().into_service_error().code(), Some(code));
    }
    stop.cancel();
}
