//! Listing: order, folders, pages.

use std::{sync::Arc, time::Instant};

use futures::{StreamExt, stream};

use crate::server::{BUCKET, Server, refusal, start};

async fn fill(server: &Arc<Server>, keys: impl IntoIterator<Item = String>) {
    stream::iter(keys)
        .for_each_concurrent(64, |key| async move { server.put(&key, "x").await })
        .await;
}

async fn list_pages(
    server: &Server,
    prefix: &str,
    delimiter: Option<&str>,
    page: i32,
) -> (Vec<String>, Vec<String>, usize) {
    let (mut keys, mut folders, mut pages, mut token) = (Vec::new(), Vec::new(), 0, None);
    loop {
        let list = server
            .client
            .list_objects_v2()
            .bucket(BUCKET)
            .prefix(prefix)
            .max_keys(page);
        let listed = list
            .set_delimiter(delimiter.map(str::to_owned))
            .set_continuation_token(token)
            .send()
            .await
            .unwrap();
        pages += 1;
        keys.extend(
            listed
                .contents()
                .iter()
                .map(|object| object.key().unwrap().to_owned()),
        );
        folders.extend(
            listed
                .common_prefixes()
                .iter()
                .map(|folder| folder.prefix().unwrap().to_owned()),
        );
        token = listed.next_continuation_token().map(str::to_owned);
        assert_eq!(listed.is_truncated(), Some(token.is_some()));
        if token.is_none() {
            return (keys, folders, pages);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_keys_are_listed_whole_and_by_folder() {
    let server = Arc::new(start().await);
    let began = Instant::now();
    fill(
        &server,
        (0..2200).map(|at| format!("set-{:02}/{at:05}.txt", at % 11)),
    )
    .await;
    println!(
        "2,200 small PUTs, 64 at a time: {:.0} a second",
        2200.0 / began.elapsed().as_secs_f64()
    );
    let began = Instant::now();
    let (keys, _, pages) = list_pages(&server, "", None, 1000).await;
    println!(
        "listing them whole: {:.0} keys a second",
        2200.0 / began.elapsed().as_secs_f64()
    );
    assert_eq!((keys.len(), pages), (2200, 3));
    assert!(keys.is_sorted());
    let (keys, folders, _) = list_pages(&server, "", Some("/"), 1000).await;
    assert_eq!((keys.len(), folders.len()), (0, 11));
}

#[tokio::test]
async fn pages_of_any_size_together_are_the_whole() {
    let server = Arc::new(start().await);
    let keys = ["a", "a/1", "a/2", "a/b/3", "b/1", "c", "c/", "c/x", "d//y", "e"];
    fill(&server, keys.map(str::to_owned)).await;
    for page in [1, 2, 3, 1000] {
        let (listed, folders, _) = list_pages(&server, "", Some("/"), page).await;
        assert_eq!(listed, ["a", "c", "e"], "pages of {page}");
        assert_eq!(folders, ["a/", "b/", "c/", "d/"], "pages of {page}");
        let (listed, folders, _) = list_pages(&server, "c/", Some("/"), page).await;
        assert_eq!((listed.len(), folders.len()), (2, 0), "pages of {page}");
        let (listed, ..) = list_pages(&server, "", None, page).await;
        assert_eq!(listed, keys, "pages of {page}");
    }
}

#[tokio::test]
async fn start_after_and_version_one_go_on_behind_a_key_or_a_folder() {
    let server = Arc::new(start().await);
    fill(&server, ["a/1", "a/2", "b", "c/1"].map(str::to_owned)).await;
    let list = server
        .client
        .list_objects_v2()
        .bucket(BUCKET)
        .start_after("a/1")
        .send()
        .await
        .unwrap();
    assert_eq!(list.contents()[0].key(), Some("a/2"));
    let list = server
        .client
        .list_objects()
        .bucket(BUCKET)
        .delimiter("/")
        .max_keys(1)
        .send()
        .await
        .unwrap();
    assert_eq!(
        (list.common_prefixes().len(), list.next_marker()),
        (1, Some("a/"))
    );
    let list = server
        .client
        .list_objects()
        .bucket(BUCKET)
        .delimiter("/")
        .marker("a/")
        .send()
        .await
        .unwrap();
    assert_eq!(
        (list.contents()[0].key(), list.common_prefixes()[0].prefix()),
        (Some("b"), Some("c/"))
    );
    let none = server
        .client
        .list_objects_v2()
        .bucket(BUCKET)
        .max_keys(0)
        .send()
        .await
        .unwrap();
    assert_eq!((none.key_count(), none.is_truncated()), (Some(0), Some(false)));
    let made_up = server
        .client
        .list_objects_v2()
        .bucket(BUCKET)
        .continuation_token("made up")
        .send()
        .await;
    assert_eq!(refusal(made_up), (400, "InvalidArgument".into()));
}

#[tokio::test]
async fn every_answer_has_a_date_no_earlier_than_what_it_lists() {
    let server = start().await;
    server.put("k", "x").await;
    let response = reqwest::Client::new().get(&server.url).send().await.unwrap();
    assert!(response.headers().contains_key("date"));
    assert!(response.headers().contains_key("x-amz-request-id"));
}
