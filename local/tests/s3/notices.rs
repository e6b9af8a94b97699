//! Notifications of objects, sent once the change is on disk.

use crate::server::{BUCKET, start};

#[tokio::test]
async fn each_change_is_notified_once_in_order_with_the_key_as_it_is() {
    let server = start().await;
    server.put("red flower+ü.jpg", "abc").await;
    server
        .client
        .copy_object()
        .bucket(BUCKET)
        .key("copy")
        .copy_source("input/red%20flower%2B%C3%BC.jpg")
        .send()
        .await
        .unwrap();
    server
        .client
        .delete_object()
        .bucket(BUCKET)
        .key("copy")
        .send()
        .await
        .unwrap();
    server
        .client
        .delete_object()
        .bucket(BUCKET)
        .key("never was")
        .send()
        .await
        .unwrap();
    let notifications = server.notifications.lock().unwrap().clone();
    let events: Vec<(&str, &str)> = notifications
        .iter()
        .map(|n| (n.event.name(), n.key.as_str()))
        .collect();
    assert_eq!(
        events,
        [
            ("ObjectCreated:Put", "red flower+ü.jpg"),
            ("ObjectCreated:Copy", "copy"),
            ("ObjectRemoved:Delete", "copy")
        ]
    );
    assert!(notifications.is_sorted_by(|a, b| a.sequencer < b.sequencer));
    let document = notifications[0].records_json();
    let record = &document["Records"][0]["s3"];
    assert_eq!(record["object"]["key"], "red+flower%2B%C3%BC.jpg");
    assert_eq!(record["object"]["size"], 3);
    assert_eq!(record["object"]["eTag"], "900150983cd24fb0d6963f7d28e17f72");
    assert_eq!(record["bucket"]["arn"], "arn:aws:s3:::input");
}

#[tokio::test]
async fn a_refused_write_is_not_notified() {
    let server = start().await;
    server.put("k", "x").await;
    let put = server
        .client
        .put_object()
        .bucket(BUCKET)
        .key("k")
        .if_none_match("*")
        .send()
        .await;
    assert!(put.is_err());
    assert_eq!(server.notifications.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn the_order_goes_on_after_a_restart() {
    let server = start().await;
    server.put("k", "1").await;
    let before = server.notifications.lock().unwrap()[0].sequencer.clone();
    let folder = server.abandon();
    let again = crate::server::start_in(folder).await;
    again.put("k", "2").await;
    assert!(again.notifications.lock().unwrap()[0].sequencer > before);
}
