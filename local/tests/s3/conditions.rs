//! Conditional requests: exactly one winner, and AWS's answers to the others.

use std::sync::Arc;

use aws_sdk_s3::primitives::ByteStream;
use futures::future::join_all;

use crate::server::{BUCKET, refusal, start};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_sixteen_who_create_a_key_exactly_one_wins_every_time() {
    let server = Arc::new(start().await);
    for round in 0..200 {
        let attempts = (0..16).map(|writer| {
            let server = server.clone();
            tokio::spawn(async move {
                let put = server
                    .client
                    .put_object()
                    .bucket(BUCKET)
                    .key(format!("race/{round}"))
                    .if_none_match("*");
                put.body(ByteStream::from(format!("writer {writer}").into_bytes()))
                    .send()
                    .await
            })
        });
        let outcomes = join_all(attempts)
            .await
            .into_iter()
            .map(Result::unwrap)
            .collect::<Vec<_>>();
        let winners: Vec<usize> = outcomes
            .iter()
            .enumerate()
            .filter(|(_, o)| o.is_ok())
            .map(|(at, _)| at)
            .collect();
        assert_eq!(winners.len(), 1, "round {round}: {winners:?} won");
        assert_eq!(
            server.get(&format!("race/{round}")).await,
            format!("writer {}", winners[0]).into_bytes()
        );
        for outcome in outcomes.into_iter().filter(Result::is_err) {
            assert_eq!(refusal(outcome), (412, "PreconditionFailed".into()));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_those_who_replace_what_they_read_exactly_one_wins() {
    let server = Arc::new(start().await);
    server.put("counter", "0").await;
    for round in 0..20 {
        let etag = server
            .client
            .head_object()
            .bucket(BUCKET)
            .key("counter")
            .send()
            .await
            .unwrap()
            .e_tag
            .unwrap();
        let attempts = (0..16).map(|writer| {
            let body = ByteStream::from(format!("{round} by {writer}").into_bytes());
            server
                .client
                .put_object()
                .bucket(BUCKET)
                .key("counter")
                .if_match(&etag)
                .body(body)
                .send()
        });
        assert_eq!(
            join_all(attempts)
                .await
                .iter()
                .filter(|outcome| outcome.is_ok())
                .count(),
            1
        );
    }
}

#[tokio::test]
async fn a_condition_on_a_missing_key_is_not_found() {
    let server = start().await;
    let put = server
        .client
        .put_object()
        .bucket(BUCKET)
        .key("none")
        .if_match("\"abc\"");
    assert_eq!(refusal(put.send().await), (404, "NoSuchKey".into()));
    let delete = server
        .client
        .delete_object()
        .bucket(BUCKET)
        .key("none")
        .if_match("\"abc\"");
    assert_eq!(refusal(delete.send().await).0, 412);
}

#[tokio::test]
async fn reading_under_a_condition_gives_304_and_412() {
    let server = start().await;
    server.put("k", "bytes").await;
    let etag = server
        .client
        .head_object()
        .bucket(BUCKET)
        .key("k")
        .send()
        .await
        .unwrap()
        .e_tag
        .unwrap();
    let get = || server.client.get_object().bucket(BUCKET).key("k");
    assert_eq!(refusal(get().if_none_match(&etag).send().await).0, 304);
    assert_eq!(
        refusal(get().if_match("\"other\"").send().await),
        (412, "PreconditionFailed".into())
    );
    assert!(get().if_match(&etag).send().await.is_ok());
}

#[tokio::test]
async fn a_delete_under_a_condition_removes_only_what_it_names() {
    let server = start().await;
    server.put("k", "one").await;
    let stale = server
        .client
        .head_object()
        .bucket(BUCKET)
        .key("k")
        .send()
        .await
        .unwrap()
        .e_tag
        .unwrap();
    server.put("k", "two").await;
    let delete = server
        .client
        .delete_object()
        .bucket(BUCKET)
        .key("k")
        .if_match(stale);
    assert_eq!(refusal(delete.send().await), (412, "PreconditionFailed".into()));
    assert_eq!(server.get("k").await, b"two");
}
