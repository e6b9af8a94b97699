//! What the store tells of objects, once they are safe.

use crate::server::{BUCKET, start};

#[tokio::test]
async fn each_change_is_told_once_in_order_with_the_key_as_it_is() {
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
    let heard = server.heard.lock().unwrap().clone();
    let told: Vec<(&str, &str)> = heard.iter().map(|n| (n.event_name, n.key.as_str())).collect();
    assert_eq!(
        told,
        [
            ("ObjectCreated:Put", "red flower+ü.jpg"),
            ("ObjectCreated:Copy", "copy"),
            ("ObjectRemoved:Delete", "copy")
        ]
    );
    assert!(heard.is_sorted_by(|a, b| a.sequencer < b.sequencer));
    let document = heard[0].records_json();
    let record = &document["Records"][0]["s3"];
    assert_eq!(record["object"]["key"], "red+flower%2B%C3%BC.jpg");
    assert_eq!(record["object"]["size"], 3);
    assert_eq!(record["object"]["eTag"], "900150983cd24fb0d6963f7d28e17f72");
    assert_eq!(record["bucket"]["arn"], "arn:aws:s3:::input");
}

#[tokio::test]
async fn a_refused_write_is_not_told() {
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
    assert_eq!(server.heard.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn the_order_goes_on_after_a_restart() {
    let server = start().await;
    server.put("k", "1").await;
    let before = server.heard.lock().unwrap()[0].sequencer.clone();
    let folder = server.abandon();
    let again = crate::server::start_in(folder).await;
    again.put("k", "2").await;
    assert!(again.heard.lock().unwrap()[0].sequencer > before);
}
