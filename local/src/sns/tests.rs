//! Notices through the real SDK, to the outbox, to a queue and to an HTTP endpoint.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_sns::error::ProvideErrorMetadata;
use aws_sdk_sns::types::{MessageAttributeValue, Tag};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::{Retries, Sns};
use crate::info::sdk;
use crate::outbox::{Delivery, Outbox};
use crate::serve::{listen, serve};
use crate::sqs::{Address, QueueConfig, Queues, ReceivedMessage};

struct Notices {
    sns: aws_sdk_sns::Client,
    outbox: Outbox,
    queues: Queues,
    stop: CancellationToken,
    _folder: tempfile::TempDir,
}

impl Drop for Notices {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn notices() -> Notices {
    let folder = tempfile::tempdir().unwrap();
    let listening = listen(([127, 0, 0, 1], 0).into(), "SNS", "--aws").await.unwrap();
    let url = format!("http://{}", listening.address);
    let address = Address {
        aws_url: url.as_str().into(),
        region: "us-east-1",
        account: "000000000000",
    };
    let config = QueueConfig {
        name: "inbox".into(),
        delay: Duration::ZERO,
        visibility: Duration::from_secs(30),
        retention: Duration::from_secs(1_000_000),
        redrive: None,
    };
    let queues = Queues::open(&folder.path().join("dead-letters"), vec![config]).unwrap();
    let outbox = Outbox::open(&folder.path().join("outbox")).unwrap();
    let quick = Duration::from_millis(1);
    let retries = Retries {
        immediate: 2,
        later: 2,
        first_pause: quick,
        longest_pause: quick,
    };
    let sns = Sns::open(
        &folder.path().join("sns.json"),
        address,
        queues.clone(),
        outbox.clone(),
        retries,
    )
    .unwrap();
    let stop = CancellationToken::new();
    let router = sns.router().fallback(move |request: axum::extract::Request| {
        let (router, confirmation) = (sns.router(), sns.confirmation());
        let chosen = if request.method() == "GET" {
            confirmation
        } else {
            router
        };
        async move { tower::ServiceExt::oneshot(chosen, request).await }
    });
    serve(listening, router, stop.clone());
    let sns = aws_sdk_sns::Client::new(&sdk(&url, "key", "secret"));
    Notices {
        sns,
        outbox,
        queues,
        stop,
        _folder: folder,
    }
}

/// What an endpoint was sent, and the statuses it answers with; 200 once they are used up.
#[derive(Clone, Default)]
struct Endpoint {
    received: Arc<Mutex<Vec<(HeaderMap, Value)>>>,
    answers: Arc<Mutex<VecDeque<StatusCode>>>,
}

impl Endpoint {
    async fn start(&self, stop: &CancellationToken) -> String {
        let take = |State(endpoint): State<Endpoint>, headers: HeaderMap, body: String| async move {
            let body = serde_json::from_str(&body).unwrap_or(Value::String(body));
            endpoint.received.lock().unwrap().push((headers, body));
            endpoint
                .answers
                .lock()
                .unwrap()
                .pop_front()
                .unwrap_or(StatusCode::OK)
        };
        let listening = listen(([127, 0, 0, 1], 0).into(), "a receiver", "")
            .await
            .unwrap();
        let url = format!("http://{}/notices", listening.address);
        serve(
            listening,
            Router::new().fallback(take).with_state(self.clone()),
            stop.clone(),
        );
        url
    }

    async fn wait_for(&self, count: usize) -> Vec<(HeaderMap, Value)> {
        for _ in 0..500 {
            let received = self.received.lock().unwrap().clone();
            if received.len() >= count {
                return received;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!(
            "{} of {count} messages arrived: {:?}",
            self.received.lock().unwrap().len(),
            self.received.lock().unwrap()
        );
    }
}

impl Notices {
    /// Makes the topic, and returns its ARN.
    async fn topic(&self, name: &str) -> String {
        let made = self.sns.create_topic().name(name).send().await;
        made.unwrap().topic_arn.unwrap()
    }

    async fn subscribe(&self, topic: &str, protocol: &str, endpoint: &str) -> String {
        let subscribe = self.sns.subscribe().topic_arn(topic).protocol(protocol);
        let subscribed = subscribe.endpoint(endpoint).send().await;
        subscribed.unwrap().subscription_arn.unwrap()
    }

    async fn publish(&self, topic: &str, message: &str) {
        let publish = self.sns.publish().topic_arn(topic).message(message);
        publish.send().await.unwrap();
    }

    async fn inbox(&self) -> Vec<ReceivedMessage> {
        let inbox = self.queues.get("inbox").unwrap();
        inbox.receive(10, Duration::ZERO, Duration::ZERO).await
    }
}

fn text(value: &str) -> MessageAttributeValue {
    let text = MessageAttributeValue::builder().data_type("String");
    text.string_value(value).build().unwrap()
}

async fn wait_for_state(outbox: &Outbox, is: impl Fn(&Delivery) -> bool) {
    for _ in 0..500 {
        if outbox.entries().iter().any(|entry| is(&entry.state)) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the outbox holds {:?}", outbox.entries());
}

#[tokio::test]
async fn mail_is_in_the_outbox_when_publish_answers() {
    let notices = notices().await;
    let topic = notices.topic("news").await;
    notices.subscribe(&topic, "email", "a@example.com").await;
    let message = r#"{"default":"{\"n\":1}","email":"All <done>."}"#;
    let sent = notices
        .sns
        .publish()
        .topic_arn(&topic)
        .subject("Done")
        .message_structure("json")
        .message(message);
    sent.send().await.unwrap();
    let entries = notices.outbox.entries();
    assert_eq!(entries.len(), 1);
    assert_eq!(
        (entries[0].subject.as_deref(), entries[0].text.as_str()),
        (Some("Done"), "All <done>.")
    );
    assert_eq!(entries[0].to, "a@example.com");
}

#[tokio::test]
async fn a_filter_policy_lets_through_what_it_names() {
    let notices = notices().await;
    let topic = notices.topic("news").await;
    let subscribe = notices.sns.subscribe().topic_arn(&topic).protocol("sqs");
    let subscribe = subscribe
        .endpoint("arn:aws:sqs:us-east-1:000000000000:inbox")
        .return_subscription_arn(true);
    let policy = r#"{"kind":["job-completed"]}"#;
    let subscribed = subscribe
        .attributes("FilterPolicy", policy)
        .attributes("RawMessageDelivery", "true")
        .send();
    let arn = subscribed.await.unwrap().subscription_arn.unwrap();
    for kind in ["job-failed", "job-completed"] {
        let publish = notices.sns.publish().topic_arn(&topic).message(kind);
        let publish = publish.message_attributes("kind", text(kind));
        publish.send().await.unwrap();
    }
    let received = notices.inbox().await;
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].message.body, "job-completed");
    let attributes = notices.sns.get_subscription_attributes();
    let attributes = attributes.subscription_arn(&arn).send().await.unwrap();
    assert_eq!(attributes.attributes.unwrap()["FilterPolicy"], policy);
}

#[tokio::test]
async fn an_endpoint_confirms_first_and_then_gets_notices_until_it_accepts_them() {
    let notices = notices().await;
    let topic = notices.topic("news").await;
    let endpoint = Endpoint::default();
    let url = endpoint.start(&notices.stop).await;
    assert_eq!(
        notices.subscribe(&topic, "http", &url).await,
        "pending confirmation"
    );
    let confirmation = endpoint.wait_for(1).await;
    assert_eq!(
        confirmation[0].0["x-amz-sns-message-type"],
        "SubscriptionConfirmation"
    );
    notices.publish(&topic, "too early").await;
    reqwest::get(confirmation[0].1["SubscribeURL"].as_str().unwrap())
        .await
        .unwrap()
        .error_for_status()
        .unwrap();

    endpoint
        .answers
        .lock()
        .unwrap()
        .extend([StatusCode::SERVICE_UNAVAILABLE; 2]);
    notices.publish(&topic, "in time").await;
    let received = endpoint.wait_for(4).await;
    for (headers, envelope) in &received[1..] {
        assert_eq!(headers["x-amz-sns-message-type"], "Notification");
        assert_eq!(envelope["Message"], "in time");
        assert_eq!(envelope["SignatureVersion"], "1");
        assert_eq!(
            envelope["MessageId"], received[1].1["MessageId"],
            "the same message each time"
        );
    }
    wait_for_state(&notices.outbox, |state| *state == Delivery::Delivered).await;
}

#[tokio::test]
async fn what_an_endpoint_never_accepts_is_shown_as_failed() {
    let notices = notices().await;
    let topic = notices.topic("news").await;
    let endpoint = Endpoint::default();
    let url = endpoint.start(&notices.stop).await;
    notices.subscribe(&topic, "http", &url).await;
    let token = endpoint.wait_for(1).await[0].1["Token"]
        .as_str()
        .unwrap()
        .to_owned();
    let confirm = notices.sns.confirm_subscription().topic_arn(&topic);
    confirm.token(token).send().await.unwrap();
    endpoint
        .answers
        .lock()
        .unwrap()
        .extend([StatusCode::INTERNAL_SERVER_ERROR; 9]);
    notices.publish(&topic, "m").await;
    let failed =
        |state: &Delivery| matches!(state, Delivery::Failed(reason) if reason.contains("tried 4 times"));
    wait_for_state(&notices.outbox, failed).await;
}

#[tokio::test]
async fn what_is_not_supported_is_refused_by_name() {
    let notices = notices().await;
    let topic = notices.topic("news").await;
    let sms = notices.sns.subscribe().topic_arn(&topic).protocol("sms");
    let sms = sms.endpoint("+15550100").send().await;
    let sms = sms.unwrap_err().into_service_error();
    assert_eq!(sms.code(), Some("InvalidParameter"));
    assert!(sms.message().unwrap().contains("sms is not supported"), "{sms:?}");
    let tags = notices.sns.list_tags_for_resource().resource_arn(&topic);
    let tags = tags.send().await.unwrap_err().into_service_error();
    assert_eq!(tags.code(), Some("InvalidAction"));
    let tag = Tag::builder().key("k").value("v").build().unwrap();
    let tagged = notices.sns.create_topic().name("tagged").tags(tag);
    let tagged = tagged.send().await.unwrap_err().into_service_error();
    assert!(
        tagged.message().unwrap().contains("Tags.member.1.Key"),
        "{tagged:?}"
    );
    let missing = notices.sns.publish().message("m");
    let missing = missing.topic_arn("arn:aws:sns:us-east-1:000000000000:none");
    let missing = missing.send().await;
    assert!(missing.unwrap_err().into_service_error().is_not_found_exception());
}

#[tokio::test]
async fn a_raw_delivery_carries_the_attributes_a_queue_can() {
    let notices = notices().await;
    let topic = notices.topic("news").await;
    let subscribe = notices.sns.subscribe().topic_arn(&topic).protocol("sqs");
    let inbox = "arn:aws:sqs:us-east-1:000000000000:inbox";
    let subscribe = subscribe.endpoint(inbox).attributes("RawMessageDelivery", "true");
    subscribe.send().await.unwrap();
    let crowded = (0..11).fold(
        notices.sns.publish().topic_arn(&topic).message("crowded"),
        |publish, n| publish.message_attributes(format!("a{n}"), text("x")),
    );
    crowded.send().await.unwrap();
    let publish = notices.sns.publish().topic_arn(&topic).message("m");
    publish
        .message_attributes("kind", text("news"))
        .send()
        .await
        .unwrap();
    let received = notices.inbox().await;
    assert_eq!(
        received.len(),
        1,
        "SNS discards a raw message with more attributes than SQS carries"
    );
    let kind = &received[0].message.attributes["kind"];
    assert_eq!(
        (kind.data_type.as_str(), kind.string_value.as_deref()),
        ("String", Some("news"))
    );
}

#[tokio::test]
async fn pages_neither_hide_nor_repeat_a_topic_when_others_go() {
    let notices = notices().await;
    for n in 0..150 {
        notices.topic(&format!("t{n:03}")).await;
    }
    let first = notices.sns.list_topics().send().await.unwrap();
    let gone = first.topics()[0].topic_arn().unwrap();
    notices.sns.delete_topic().topic_arn(gone).send().await.unwrap();
    let second = notices.sns.list_topics();
    let second = second.next_token(first.next_token().unwrap());
    let second = second.send().await.unwrap();
    assert_eq!((first.topics().len(), second.topics().len()), (100, 50));
    assert!(second.topics()[0].topic_arn().unwrap().ends_with(":t100"));
    assert_eq!(second.next_token(), None);
    let nonsense = notices.sns.list_topics().next_token("100").send().await;
    assert!(
        nonsense
            .unwrap_err()
            .into_service_error()
            .is_invalid_parameter_exception()
    );
}
