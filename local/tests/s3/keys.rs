//! Any key is a key: what a file system would mix up, refuse or follow stays apart and stays here.

use crate::server::{BUCKET, refusal, start};

fn odd_keys() -> Vec<String> {
    let odd = [
        "a",
        "a/",
        "a/b",
        "a//b",
        "/a",
        "//",
        "a/b/",
        "../up",
        "../../etc/passwd",
        ".",
        "..",
        "a/../b",
        "a/./b",
        "with space.txt",
        "plus+plus",
        "100%.txt",
        "%2B",
        "%2e%2e/x",
        "q?x=1&y=2",
        "hash#1",
        "semi;colon",
        "back\\slash",
        "\"quoted\"",
        "'single'",
        "<tag>&amp;",
        "new\nline",
        "tab\tbed",
        "\u{1}control",
        "\u{7f}",
        "trailing.",
        "CON",
        "ünïcödé",
        "e\u{301}",
        "\u{e9}",
        "日本語/鍵",
        "🦀/🛬.png",
        "a:b*c|d",
        "~tilde~",
        "(paren)[bracket]{brace}",
        "=,@!$^`",
    ];
    let mut keys: Vec<String> = odd.into_iter().map(str::to_owned).collect();
    keys.push("x".repeat(1024));
    keys.push(format!("{}/{}", "d".repeat(500), "f".repeat(523)));
    keys.push("é".repeat(512));
    keys
}

#[tokio::test]
async fn every_key_comes_back_as_it_went() {
    let server = start().await;
    let keys = odd_keys();
    for (at, key) in keys.iter().enumerate() {
        server.put(key, format!("object {at}")).await;
    }
    for (at, key) in keys.iter().enumerate() {
        assert_eq!(
            server.get(key).await,
            format!("object {at}").into_bytes(),
            "{key:?}"
        );
    }
    let listed = server
        .client
        .list_objects_v2()
        .bucket(BUCKET)
        .encoding_type("url".into())
        .send()
        .await
        .unwrap();
    let listed: Vec<String> = listed
        .contents()
        .iter()
        .map(|object| decode_name(object.key().unwrap()))
        .collect();
    let mut expected = keys.clone();
    expected.sort_by(|a, b| a.as_bytes().cmp(b.as_bytes()));
    assert_eq!(listed, expected);
    for key in &keys {
        server
            .client
            .delete_object()
            .bucket(BUCKET)
            .key(key)
            .send()
            .await
            .unwrap();
    }
    let left = server
        .client
        .list_objects_v2()
        .bucket(BUCKET)
        .send()
        .await
        .unwrap();
    assert_eq!(left.key_count(), Some(0));
}

fn decode_name(name: &str) -> String {
    percent_encoding::percent_decode_str(&name.replace('+', " "))
        .decode_utf8()
        .unwrap()
        .into_owned()
}

#[tokio::test]
async fn no_key_leaves_the_folder_of_the_store() {
    let server = start().await;
    server.put("../../../../escaped", vec![b'x'; 100_000]).await;
    let mut names: Vec<String> = std::fs::read_dir(server.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["blobs", "index.made", "index.redb"]);
    assert_eq!(
        std::fs::read_dir(server.folder.path().join("blobs"))
            .unwrap()
            .count(),
        1
    );
}

#[tokio::test]
async fn a_key_of_1025_bytes_is_refused() {
    let server = start().await;
    let put = server.client.put_object().bucket(BUCKET).key("x".repeat(1025));
    assert_eq!(refusal(put.send().await), (400, "KeyTooLongError".into()));
}
