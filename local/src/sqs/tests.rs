//! Queues as the stack uses them: dead letters, readers that wait, restarts, and SQS's own SDK in front.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_sdk_sqs::types::{
    MessageAttributeValue, MessageSystemAttributeName, MessageSystemAttributeNameForSends,
    MessageSystemAttributeValue, QueueAttributeName,
};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{Address, Message, Queue, QueueConfig, QueueCounts, Queues, ReceivedMessage, Redrive};
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
    Queues::open(folder, configs).unwrap()
}

fn get(queues: &Queues, name: &str) -> Arc<Queue> {
    queues.get(name).unwrap().clone()
}

async fn receive(queue: &Queue) -> Vec<ReceivedMessage> {
    queue.receive(10, queue.config.visibility, AT_ONCE).await
}

fn bodies(received: &[ReceivedMessage]) -> Vec<&str> {
    received.iter().map(|one| one.message.body.as_str()).collect()
}

/// Receives the message as often as it may be, and once more.
async fn fail_until_dead(queue: &Queue) {
    for receives in 1..=2 {
        let received = queue.receive(1, AT_ONCE, AT_ONCE).await;
        assert_eq!(received[0].message.receives, receives);
    }
    assert!(receive(queue).await.is_empty());
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
    fail_until_dead(&work).await;
    let one = QueueCounts {
        visible: 1,
        ..QueueCounts::default()
    };
    assert_eq!(dead.counts(), one);
    assert_eq!(queues.redrive(&dead), 1);
    assert_eq!(dead.counts(), QueueCounts::default());
    assert_eq!(
        receive(&work).await[0].message.receives,
        1,
        "counted from the start again"
    );
}

#[tokio::test]
async fn dead_letters_survive_a_restart_until_they_are_deleted_or_sent_back() {
    let folder = tempfile::tempdir().unwrap();
    let work = get(&queues(folder.path()), "work");
    for body in ["first", "second", "third"] {
        work.send(Message::new(body));
        fail_until_dead(&work).await;
    }
    let after_restart = queues(folder.path());
    let dead = get(&after_restart, "work-dlq");
    let letters = receive(&dead).await;
    assert_eq!(bodies(&letters), ["first", "second", "third"]);
    assert_eq!(letters[0].message.dead_from.as_deref(), Some("work"));
    assert_eq!(
        receive(&get(&after_restart, "work")).await.len(),
        0,
        "other queues begin empty"
    );
    dead.delete(&letters[1].receipt).unwrap();
    assert_eq!(
        bodies(&receive(&get(&queues(folder.path()), "work-dlq")).await),
        ["first", "third"]
    );
    assert_eq!(after_restart.redrive(&dead), 2);
    assert_eq!(
        bodies(&receive(&get(&after_restart, "work")).await),
        ["first", "third"]
    );
    assert!(receive(&get(&queues(folder.path()), "work-dlq")).await.is_empty());
}

#[tokio::test]
async fn an_unreadable_dead_letter_keeps_no_other_from_being_shown() {
    let folder = tempfile::tempdir().unwrap();
    get(&queues(folder.path()), "work-dlq").send(Message::new("a"));
    std::fs::write(folder.path().join("work-dlq/damaged.json"), "{").unwrap();
    assert_eq!(
        bodies(&receive(&get(&queues(folder.path()), "work-dlq")).await),
        ["a"]
    );
}

/// The queues with SQS's own SDK in front.
struct Service {
    queues: Queues,
    sqs: aws_sdk_sqs::Client,
    stop: CancellationToken,
    _folder: tempfile::TempDir,
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Service {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let queues = queues(folder.path());
        let listening = listen(([127, 0, 0, 1], 0).into(), "SQS", "--aws").await.unwrap();
        let url = format!("http://{}", listening.address);
        let stop = CancellationToken::new();
        let router = super::router(queues.clone(), address(&url));
        serve(listening, router, stop.clone());
        Self {
            queues,
            sqs: aws_sdk_sqs::Client::new(&sdk(&url, "key", "secret")),
            stop,
            _folder: folder,
        }
    }

    async fn url(&self, name: &str) -> String {
        let found = self.sqs.get_queue_url().queue_name(name).send().await;
        found.unwrap().queue_url.unwrap()
    }
}

fn address(url: &str) -> Address {
    Address {
        aws_url: url.into(),
        region: "us-east-1",
        account: "000000000000",
    }
}

#[tokio::test]
async fn a_standard_client_sees_dead_letters_and_sends_them_back() {
    let service = Service::start().await;
    let (work, dead) = (service.url("work").await, service.url("work-dlq").await);
    let receive = |url: &str| service.sqs.receive_message().queue_url(url);
    let send = service.sqs.send_message().queue_url(&work).message_body("a");
    let sent = send.send().await.unwrap();
    for _ in 0..2 {
        let received = receive(&work).visibility_timeout(0).send().await.unwrap();
        assert_eq!(received.messages()[0].message_id(), sent.message_id());
    }
    assert!(receive(&work).send().await.unwrap().messages().is_empty());
    let seen = receive(&dead)
        .message_system_attribute_names(MessageSystemAttributeName::All)
        .visibility_timeout(0);
    let seen = seen.send().await.unwrap();
    let attributes = seen.messages()[0].attributes().unwrap();
    let source = &attributes[&MessageSystemAttributeName::from("DeadLetterQueueSourceArn")];
    assert_eq!(source, "arn:aws:sqs:us-east-1:000000000000:work");

    let arn = "arn:aws:sqs:us-east-1:000000000000:work-dlq";
    let redrive = service.sqs.start_message_move_task().source_arn(arn);
    redrive.send().await.unwrap();
    let counted = service
        .sqs
        .get_queue_attributes()
        .queue_url(&work)
        .attribute_names(QueueAttributeName::All);
    let attributes = counted.send().await.unwrap().attributes.unwrap();
    assert_eq!(attributes[&QueueAttributeName::ApproximateNumberOfMessages], "1");
    let received = receive(&work).send().await.unwrap();
    let receipt = received.messages()[0].receipt_handle().unwrap();
    let delete = service.sqs.delete_message().queue_url(&work);
    delete.receipt_handle(receipt).send().await.unwrap();
    assert_eq!(get(&service.queues, "work").counts(), QueueCounts::default());
}

#[tokio::test]
async fn a_standard_client_gets_errors_it_can_branch_on() {
    let service = Service::start().await;
    let missing = service.sqs.get_queue_url().queue_name("none").send().await;
    let missing = missing.unwrap_err().into_service_error();
    assert!(missing.is_queue_does_not_exist(), "{missing:?}");
    let listed = service.sqs.list_queues().queue_name_prefix("work-").send().await;
    let url = listed.unwrap().queue_urls.unwrap().remove(0);
    let delete = service.sqs.delete_message().queue_url(&url);
    let bad = delete.receipt_handle("nonsense").send().await.unwrap_err();
    assert!(bad.into_service_error().is_receipt_handle_is_invalid());
    let made = service.sqs.create_queue().queue_name("new").send().await;
    let made = made.unwrap_err().into_service_error();
    assert!(
        made.message().unwrap().contains("CreateQueue is not supported"),
        "{made:?}"
    );
}

#[tokio::test]
async fn attributes_and_the_trace_arrive_with_the_sums_that_prove_it() {
    let service = Service::start().await;
    let url = service.url("work").await;
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
    let send = service
        .sqs
        .send_message()
        .queue_url(&url)
        .message_body("a")
        .message_attributes("timestamp", number)
        .message_system_attributes(MessageSystemAttributeNameForSends::AwsTraceHeader, trace);
    let sent = send.send().await.unwrap();
    let sum = Some("235c5c510d26fb653d073faed50ae77c");
    assert_eq!(sent.md5_of_message_attributes(), sum);
    assert!(sent.md5_of_message_system_attributes().is_some());
    let receive = service
        .sqs
        .receive_message()
        .queue_url(&url)
        .message_attribute_names("All")
        .message_system_attribute_names(MessageSystemAttributeName::AwsTraceHeader);
    let received = receive.send().await.unwrap();
    let message = &received.messages()[0];
    assert_eq!(message.md5_of_message_attributes(), sum);
    let system = message.attributes().unwrap();
    assert_eq!(
        system[&MessageSystemAttributeName::AwsTraceHeader],
        "Root=1-5759e988-bd862e3fe1be46a994272793"
    );
}

#[tokio::test]
async fn a_message_has_up_to_a_mebibyte_and_no_characters_sqs_drops() {
    let service = Service::start().await;
    let url = service.url("work").await;
    let send = |body: &str| {
        let send = service.sqs.send_message().queue_url(&url);
        send.message_body(body).send()
    };
    let mebibyte = "x".repeat(1024 * 1024);
    let largest = send(&mebibyte).await;
    assert!(largest.is_ok(), "{largest:?}");
    for (body, code) in [
        (format!("{mebibyte}x"), "InvalidParameterValue"),
        ("a\u{1}".to_owned(), "InvalidMessageContents"),
    ] {
        let refused = send(&body).await.unwrap_err().into_service_error();
        // The SDK reads the older code, which the response carries for such clients.
        assert_eq!(refused.code(), Some(code));
    }
}

/// The answer to a request as it is, whatever its members.
async fn call(queues: &Queues, operation: &str, request: &Value) -> Value {
    let request = http::Request::post("/")
        .header("x-amz-target", format!("AmazonSQS.{operation}"))
        .body(axum::body::Body::from(request.to_string()))
        .unwrap();
    let router = super::router(queues.clone(), address("http://sqs"));
    let response = tower::ServiceExt::oneshot(router, request).await.unwrap();
    let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    serde_json::from_slice(&body).unwrap()
}

/// Each operation: a request with every member that is read, and the members of the API's model that are not.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Operations.html>
fn operations() -> [(&'static str, Value, &'static [&'static str]); 10] {
    let url = "http://sqs/000000000000/work";
    let attribute = json!({"DataType": "String", "StringValue": "x"});
    [
        (
            "ListQueues",
            json!({"QueueNamePrefix": "work", "MaxResults": 10}),
            &["NextToken"],
        ),
        (
            "GetQueueUrl",
            json!({"QueueName": "work", "QueueOwnerAWSAccountId": "000000000000"}),
            &[],
        ),
        (
            "GetQueueAttributes",
            json!({"QueueUrl": url, "AttributeNames": ["All"]}),
            &[],
        ),
        (
            "SendMessage",
            json!({"QueueUrl": url, "MessageBody": "a", "DelaySeconds": 0, "MessageAttributes": {"a": attribute},
                "MessageSystemAttributes": {"AWSTraceHeader": attribute}}),
            &["MessageDeduplicationId", "MessageGroupId"],
        ),
        (
            "ReceiveMessage",
            json!({"QueueUrl": url, "AttributeNames": ["All"], "MessageSystemAttributeNames": ["All"],
                "MessageAttributeNames": ["All"], "MaxNumberOfMessages": 1, "VisibilityTimeout": 0, "WaitTimeSeconds": 0}),
            &["ReceiveRequestAttemptId"],
        ),
        (
            "DeleteMessage",
            json!({"QueueUrl": url, "ReceiptHandle": "0.x"}),
            &[],
        ),
        (
            "ChangeMessageVisibility",
            json!({"QueueUrl": url, "ReceiptHandle": "0.x", "VisibilityTimeout": 0}),
            &[],
        ),
        ("PurgeQueue", json!({"QueueUrl": url}), &[]),
        (
            "ListDeadLetterSourceQueues",
            json!({"QueueUrl": url}),
            &["NextToken", "MaxResults"],
        ),
        (
            "StartMessageMoveTask",
            json!({"SourceArn": "arn:aws:sqs:us-east-1:000000000000:work-dlq"}),
            &["MaxNumberOfMessagesPerSecond", "DestinationArn"],
        ),
    ]
}

#[tokio::test]
async fn members_that_are_not_read_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let queues = queues(folder.path());
    for (operation, request, unread) in operations() {
        let answer = call(&queues, operation, &request).await;
        assert_ne!(
            answer["__type"], "com.amazonaws.sqs#UnsupportedOperation",
            "{operation}: {answer}"
        );
        for member in unread.iter().chain(&["Unheard"]) {
            let mut more = request.clone();
            more[*member] = json!("x");
            let refused = call(&queues, operation, &more).await;
            let message = refused["message"].as_str().unwrap_or_default();
            assert_eq!(
                refused["__type"], "com.amazonaws.sqs#UnsupportedOperation",
                "{operation} {member}: {refused}"
            );
            assert!(message.contains(member), "{operation} {member}: {message}");
        }
    }
    let nested = json!({"QueueUrl": "http://sqs/000000000000/work", "MessageBody": "a",
        "MessageAttributes": {"a": {"DataType": "String", "StringListValues": ["x"]}}});
    let refused = call(&queues, "SendMessage", &nested).await;
    assert!(
        refused
            .to_string()
            .contains("MessageAttributes.a.StringListValues"),
        "{refused}"
    );
}
