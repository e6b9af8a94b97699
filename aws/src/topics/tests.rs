//! The teams' topics, against scripted answers.

use serde_json::{Value, json};
use shared::port::crew::WorkTopics;

use super::{TeamTopics, with_statement};
use crate::scripted_service::{ScriptedService, form_value};

const TOPIC: &str = "arn:aws:sns:eu-west-1:111122223333:work-numbers";

async fn topics(answers: impl IntoIterator<Item = String>) -> (ScriptedService, TeamTopics) {
    let service = ScriptedService::with_answers(answers.into_iter().map(|answer| (200, answer))).await;
    let topics = TeamTopics::new(
        "work".to_owned(),
        "111122223333".to_owned(),
        "aws".to_owned(),
        service.sdk.clone(),
    );
    (service, topics)
}

fn answer(operation: &str, result: &str) -> String {
    format!("<{operation}Response><{operation}Result>{result}</{operation}Result></{operation}Response>")
}

fn attributes(policy: &Value) -> String {
    let policy = policy.to_string().replace('"', "&quot;");
    answer(
        "GetTopicAttributes",
        &format!("<Attributes><entry><key>Policy</key><value>{policy}</value></entry></Attributes>"),
    )
}

fn subscriptions(people: &[(&str, &str)]) -> String {
    let member = |(email, arn): &(&str, &str)| {
        format!(
            "<member><SubscriptionArn>{arn}</SubscriptionArn><Protocol>email</Protocol>\
             <Endpoint>{email}</Endpoint></member>"
        )
    };
    let members: String = people.iter().map(member).collect();
    answer(
        "ListSubscriptionsByTopic",
        &format!("<Subscriptions>{members}</Subscriptions>"),
    )
}

#[tokio::test]
async fn the_labeling_service_may_publish_for_work_teams_of_this_account_and_region() {
    let theirs = json!({"Sid": "__default_statement_ID", "Effect": "Allow"});
    let (service, topics) = topics([
        answer("CreateTopic", &format!("<TopicArn>{TOPIC}</TopicArn>")),
        attributes(&json!({"Version": "2012-10-17", "Statement": [theirs]})),
        answer("SetTopicAttributes", ""),
    ])
    .await;
    assert_eq!(topics.ensure_topic("numbers").await.unwrap(), TOPIC);
    let requests = service.requests();
    assert_eq!(form_value(&requests[0].body, "Name"), "work-numbers");
    let policy = form_value(&requests[2].body, "AttributeValue");
    let policy: Value = serde_json::from_str(&policy).unwrap();
    assert_eq!(policy["Statement"][0], theirs);
    assert_eq!(
        policy["Statement"][1],
        json!({
            "Sid": "AwsSagemaker_SnsAccessPolicy", "Effect": "Allow",
            "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sns:Publish", "Resource": TOPIC,
            "Condition": {
                "ArnLike": {"aws:SourceArn": "arn:aws:sagemaker:eu-west-1:111122223333:workteam/*"},
                "StringEquals": {"aws:SourceAccount": "111122223333"},
            },
        })
    );
}

#[tokio::test]
async fn a_topic_that_is_as_it_should_be_is_not_written() {
    let (service, topics) = topics([]).await;
    let policy = json!({"Statement": [topics.statement(TOPIC)]});
    drop((service, topics));
    let (service, topics) = self::topics([
        answer("CreateTopic", &format!("<TopicArn>{TOPIC}</TopicArn>")),
        attributes(&policy),
    ])
    .await;
    topics.ensure_topic("numbers").await.unwrap();
    assert_eq!(service.operations(), ["CreateTopic", "GetTopicAttributes"]);
}

#[test]
fn an_older_statement_of_ours_is_replaced_and_a_single_one_of_theirs_kept() {
    let ours = json!({"Sid": "AwsSagemaker_SnsAccessPolicy", "Resource": "new"});
    let old = r#"{"Statement": {"Sid": "AwsSagemaker_SnsAccessPolicy", "Resource": "old"}}"#;
    let policy = with_statement(Some(old), ours.clone()).unwrap();
    assert_eq!(policy["Statement"], json!([ours]));
    let single = r#"{"Statement": {"Sid": "theirs"}}"#;
    let policy = with_statement(Some(single), ours.clone()).unwrap();
    assert_eq!(policy["Statement"], json!([{"Sid": "theirs"}, ours]));
    let policy = with_statement(None, ours.clone()).unwrap();
    assert_eq!(policy["Statement"], json!([ours]));
}

#[tokio::test]
async fn an_unconfirmed_subscription_counts_and_cannot_be_removed() {
    let people = [
        (
            "Ana@example.org",
            "arn:aws:sns:eu-west-1:111122223333:work-numbers:1",
        ),
        ("bo@example.org", "PendingConfirmation"),
        ("cy@example.org", "Deleted"),
    ];
    let list = || subscriptions(&people);
    let (service, topics) = topics([list(), list(), answer("Unsubscribe", ""), list()]).await;
    assert_eq!(
        topics.subscribers(TOPIC).await.unwrap(),
        ["Ana@example.org", "bo@example.org"]
    );
    topics.unsubscribe(TOPIC, "ana@example.org").await.unwrap();
    topics.unsubscribe(TOPIC, "bo@example.org").await.unwrap();
    let list = "ListSubscriptionsByTopic";
    assert_eq!(service.operations(), [list, list, "Unsubscribe", list]);
}

#[tokio::test]
async fn a_person_is_subscribed_by_mail() {
    let (service, topics) = topics([answer("Subscribe", "<SubscriptionArn>pending</SubscriptionArn>")]).await;
    topics.subscribe(TOPIC, "ana@example.org").await.unwrap();
    let request = &service.requests()[0];
    let field = |name: &str| form_value(&request.body, name);
    assert_eq!(
        (field("Protocol"), field("Endpoint"), field("TopicArn")),
        ("email".to_owned(), "ana@example.org".to_owned(), TOPIC.to_owned())
    );
}
