//! Bytes in, bytes out: small and large, whole and in ranges, with what was said of them.

use aws_sdk_s3::{
    primitives::ByteStream,
    types::{ChecksumAlgorithm, ChecksumMode, Delete, MetadataDirective, ObjectIdentifier, Tag, Tagging},
};

use crate::server::{BUCKET, refusal, start};

fn bytes(length: usize) -> Vec<u8> {
    (0..length)
        .map(|at| u8::try_from((at * 31 + at / 7) % 251).unwrap())
        .collect()
}

#[tokio::test]
async fn bodies_on_both_sides_of_every_limit_come_back() {
    let server = start().await;
    for length in [0, 1, 32 << 10, (32 << 10) + 1, 128 << 10, 3_000_000] {
        let key = format!("{length}");
        server.put(&key, bytes(length)).await;
        assert_eq!(server.get(&key).await, bytes(length), "{length} bytes");
        let head = server
            .client
            .head_object()
            .bucket(BUCKET)
            .key(&key)
            .send()
            .await
            .unwrap();
        assert_eq!(head.content_length(), i64::try_from(length).ok());
    }
}

#[tokio::test]
async fn ranges_are_cut_exactly() {
    let server = start().await;
    for length in [1000, 300_000] {
        let whole = bytes(length);
        server.put("k", whole.clone()).await;
        let get = |range: &str| {
            server
                .client
                .get_object()
                .bucket(BUCKET)
                .key("k")
                .range(range)
                .send()
        };
        for (range, expected) in [
            ("bytes=0-0", &whole[..1]),
            ("bytes=10-19", &whole[10..20]),
            ("bytes=990-", &whole[990..]),
            ("bytes=-7", &whole[length - 7..]),
            ("bytes=5-99999999", &whole[5..]),
        ] {
            let got = get(range).await.unwrap();
            assert!(
                got.content_range().unwrap().ends_with(&format!("/{length}")),
                "{range}"
            );
            assert_eq!(
                got.body.collect().await.unwrap().to_vec(),
                expected,
                "{range} of {length}"
            );
        }
        assert_eq!(
            refusal(get("bytes=99999999-").await),
            (416, "InvalidRange".into())
        );
    }
}

#[tokio::test]
async fn what_was_said_of_an_object_is_said_back() {
    let server = start().await;
    let put = server
        .client
        .put_object()
        .bucket(BUCKET)
        .key("k")
        .body(ByteStream::from_static(b"x"));
    put.content_type("text/plain; charset=utf-8")
        .cache_control("max-age=60")
        .content_disposition("attachment")
        .content_language("de")
        .content_encoding("gzip")
        .metadata("owner", "a-person")
        .metadata("spec-sha256", "abc")
        .tagging("project=parity")
        .send()
        .await
        .unwrap();
    let head = server
        .client
        .head_object()
        .bucket(BUCKET)
        .key("k")
        .send()
        .await
        .unwrap();
    assert_eq!(head.content_type(), Some("text/plain; charset=utf-8"));
    assert_eq!(head.cache_control(), Some("max-age=60"));
    assert_eq!(head.content_disposition(), Some("attachment"));
    assert_eq!(head.content_language(), Some("de"));
    assert_eq!(head.content_encoding(), Some("gzip"));
    assert_eq!(head.metadata().unwrap()["spec-sha256"], "abc");
    assert_eq!(head.e_tag(), Some("\"9dd4e461268c8034f5c8564e155c67a6\""));
    assert_eq!(head.last_modified().unwrap().subsec_nanos(), 0);
    let tags = server
        .client
        .get_object_tagging()
        .bucket(BUCKET)
        .key("k")
        .send()
        .await
        .unwrap();
    assert_eq!(tags.tag_set()[0].value(), "parity");
    let tag = Tag::builder().key("b").value("2").build().unwrap();
    let tagging = Tagging::builder().tag_set(tag).build().unwrap();
    server
        .client
        .put_object_tagging()
        .bucket(BUCKET)
        .key("k")
        .tagging(tagging)
        .send()
        .await
        .unwrap();
    let tags = server
        .client
        .get_object_tagging()
        .bucket(BUCKET)
        .key("k")
        .send()
        .await
        .unwrap();
    assert_eq!(tags.tag_set()[0].key(), "b");
}

#[tokio::test]
async fn every_checksum_is_kept_and_a_wrong_one_is_refused() {
    let server = start().await;
    for algorithm in [
        ChecksumAlgorithm::Crc32,
        ChecksumAlgorithm::Crc32C,
        ChecksumAlgorithm::Crc64Nvme,
        ChecksumAlgorithm::Sha1,
        ChecksumAlgorithm::Sha256,
    ] {
        let put = server
            .client
            .put_object()
            .bucket(BUCKET)
            .key("k")
            .body(ByteStream::from(bytes(70_000)));
        put.checksum_algorithm(algorithm.clone()).send().await.unwrap();
        let got = server
            .client
            .get_object()
            .bucket(BUCKET)
            .key("k")
            .checksum_mode(ChecksumMode::Enabled)
            .send();
        let got = got.await.unwrap();
        let said = [
            got.checksum_crc32(),
            got.checksum_crc32_c(),
            got.checksum_crc64_nvme(),
            got.checksum_sha1(),
            got.checksum_sha256(),
        ];
        assert_eq!(said.iter().flatten().count(), 1, "{algorithm}");
        // The client compares while it reads.
        assert_eq!(
            got.body.collect().await.unwrap().to_vec(),
            bytes(70_000),
            "{algorithm}"
        );
    }
    let wrong = server
        .client
        .put_object()
        .bucket(BUCKET)
        .key("k")
        .checksum_crc32("AAAAAA==");
    assert_eq!(
        refusal(wrong.body(ByteStream::from_static(b"x")).send().await),
        (400, "BadDigest".into())
    );
    let wrong = server
        .client
        .put_object()
        .bucket(BUCKET)
        .key("k")
        .content_md5("1B2M2Y8AsgTpgAmY7PhCfg==");
    assert_eq!(
        refusal(wrong.body(ByteStream::from_static(b"x")).send().await),
        (400, "BadDigest".into())
    );
}

#[tokio::test]
async fn a_streamed_body_is_stored_and_nothing_is_left_of_a_refused_one() {
    let server = start().await;
    server.put("k", bytes(100_000)).await;
    let again = server
        .client
        .put_object()
        .bucket(BUCKET)
        .key("k")
        .if_none_match("*");
    assert_eq!(
        refusal(again.body(ByteStream::from(bytes(200_000))).send().await).0,
        412
    );
    assert_eq!(
        std::fs::read_dir(server.folder.path().join("blobs"))
            .unwrap()
            .count(),
        1
    );
    server.put("k", bytes(150_000)).await;
    server.put("k", "small now").await;
    assert_eq!(server.get("k").await, b"small now");
    crate::server::eventually("the old file to go", || {
        let files = std::fs::read_dir(server.folder.path().join("blobs"))
            .unwrap()
            .count();
        (files == 0, format!("{files} files"))
    })
    .await;
}

#[tokio::test]
async fn copies_keep_or_replace_what_is_said() {
    let server = start().await;
    for length in [10, 100_000] {
        let put = server
            .client
            .put_object()
            .bucket(BUCKET)
            .key("from ü")
            .body(ByteStream::from(bytes(length)));
        put.metadata("a", "1").send().await.unwrap();
        let copy = server
            .client
            .copy_object()
            .bucket(BUCKET)
            .key("kept")
            .copy_source("input/from%20%C3%BC");
        copy.send().await.unwrap();
        let copy = server
            .client
            .copy_object()
            .bucket(BUCKET)
            .key("replaced")
            .copy_source("input/from%20%C3%BC");
        copy.metadata_directive(MetadataDirective::Replace)
            .metadata("b", "2")
            .send()
            .await
            .unwrap();
        server
            .client
            .delete_object()
            .bucket(BUCKET)
            .key("from ü")
            .send()
            .await
            .unwrap();
        assert_eq!(server.get("kept").await, bytes(length));
        assert_eq!(server.get("replaced").await, bytes(length));
        let head = server
            .client
            .head_object()
            .bucket(BUCKET)
            .key("replaced")
            .send()
            .await
            .unwrap();
        assert_eq!(head.metadata().unwrap().get("b").map(String::as_str), Some("2"));
        assert_eq!(head.metadata().unwrap().get("a"), None);
    }
    let itself = server
        .client
        .copy_object()
        .bucket(BUCKET)
        .key("kept")
        .copy_source("input/kept")
        .send()
        .await;
    assert_eq!(refusal(itself), (400, "InvalidRequest".into()));
}

#[tokio::test]
async fn many_are_deleted_at_once_and_each_is_reported() {
    let server = start().await;
    server.put("a", "1").await;
    server.put("b/c", "1").await;
    let objects = ["a", "b/c", "never was"].map(|key| ObjectIdentifier::builder().key(key).build().unwrap());
    let delete = Delete::builder()
        .set_objects(Some(objects.to_vec()))
        .build()
        .unwrap();
    let done = server
        .client
        .delete_objects()
        .bucket(BUCKET)
        .delete(delete)
        .send()
        .await
        .unwrap();
    assert_eq!((done.deleted().len(), done.errors().len()), (3, 0));
    assert_eq!(
        refusal(server.client.get_object().bucket(BUCKET).key("a").send().await),
        (404, "NoSuchKey".into())
    );
}

#[tokio::test]
async fn buckets_are_made_listed_and_removed_when_empty() {
    let server = start().await;
    let client = &server.client;
    client.create_bucket().bucket("second").send().await.unwrap();
    client.create_bucket().bucket("second").send().await.unwrap();
    let names: Vec<String> = client
        .list_buckets()
        .send()
        .await
        .unwrap()
        .buckets()
        .iter()
        .filter_map(|b| b.name().map(str::to_owned))
        .collect();
    assert_eq!(names, ["input", "second"]);
    client.head_bucket().bucket("second").send().await.unwrap();
    client
        .get_bucket_location()
        .bucket("second")
        .send()
        .await
        .unwrap();
    server.put("k", "x").await;
    assert_eq!(
        refusal(client.delete_bucket().bucket(BUCKET).send().await),
        (409, "BucketNotEmpty".into())
    );
    client.delete_bucket().bucket("second").send().await.unwrap();
    assert_eq!(refusal(client.head_bucket().bucket("second").send().await).0, 404);
    let put = client.put_object().bucket("second").key("k").send().await;
    assert_eq!(refusal(put), (404, "NoSuchBucket".into()));
    assert_eq!(
        refusal(client.list_objects_v2().bucket("second").send().await),
        (404, "NoSuchBucket".into())
    );
    assert_eq!(
        refusal(client.create_bucket().bucket("Not_A_Name").send().await).0,
        400
    );
}

#[tokio::test]
async fn what_is_not_there_is_refused_by_name() {
    let server = start().await;
    let acl = server
        .client
        .get_bucket_acl()
        .bucket(BUCKET)
        .send()
        .await
        .expect_err("not implemented");
    let text = format!("{acl:?}");
    assert!(
        text.contains("NotImplemented") && text.contains("GetBucketAcl"),
        "{text}"
    );
    let kms = server
        .client
        .put_object()
        .bucket(BUCKET)
        .key("k")
        .server_side_encryption("aws:kms".into());
    assert_eq!(refusal(kms.send().await), (501, "NotImplemented".into()));
}
