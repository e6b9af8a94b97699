//! Multipart uploads.

use aws_sdk_s3::{
    primitives::ByteStream,
    types::{ChecksumAlgorithm, ChecksumType, CompletedMultipartUpload, CompletedPart},
};

use crate::server::{BUCKET, Server, refusal, start};

const MIB: usize = 1 << 20;

async fn begin(server: &Server, key: &str) -> String {
    let created = server
        .client
        .create_multipart_upload()
        .bucket(BUCKET)
        .key(key)
        .metadata("a", "1")
        .send()
        .await;
    created.unwrap().upload_id.unwrap()
}

async fn part(server: &Server, key: &str, upload: &str, number: i32, bytes: Vec<u8>) -> CompletedPart {
    let sent = server
        .client
        .upload_part()
        .bucket(BUCKET)
        .key(key)
        .upload_id(upload)
        .part_number(number);
    let sent = sent.body(ByteStream::from(bytes)).send().await.unwrap();
    CompletedPart::builder()
        .part_number(number)
        .e_tag(sent.e_tag.unwrap())
        .build()
}

fn list(parts: Vec<CompletedPart>) -> CompletedMultipartUpload {
    CompletedMultipartUpload::builder().set_parts(Some(parts)).build()
}

#[expect(clippy::too_many_lines, reason = "one upload, from beginning to end")]
#[tokio::test]
async fn parts_become_one_object() {
    let server = start().await;
    let upload = begin(&server, "big").await;
    let (first, last) = (vec![1_u8; 5 * MIB], vec![2_u8; 1000]);
    let parts = vec![
        part(&server, "big", &upload, 1, first.clone()).await,
        part(&server, "big", &upload, 7, last.clone()).await,
    ];
    let listed = server
        .client
        .list_parts()
        .bucket(BUCKET)
        .key("big")
        .upload_id(&upload)
        .send()
        .await
        .unwrap();
    assert_eq!(
        listed
            .parts()
            .iter()
            .filter_map(|part| part.part_number())
            .collect::<Vec<_>>(),
        [1, 7]
    );
    let complete = server
        .client
        .complete_multipart_upload()
        .bucket(BUCKET)
        .key("big")
        .upload_id(&upload);
    let done = complete.multipart_upload(list(parts)).send().await.unwrap();
    assert!(done.e_tag().unwrap().ends_with("-2\""));
    assert_eq!(server.get("big").await, [first, last.clone()].concat());
    let got = server
        .client
        .get_object()
        .bucket(BUCKET)
        .key("big")
        .range("bytes=5242870-5242890")
        .send()
        .await
        .unwrap();
    assert_eq!(
        got.body.collect().await.unwrap().to_vec(),
        [[1_u8; 10].as_slice(), &[2; 11]].concat()
    );
    let got = server
        .client
        .get_object()
        .bucket(BUCKET)
        .key("big")
        .part_number(2)
        .send()
        .await
        .unwrap();
    assert_eq!((got.parts_count(), got.content_length()), (Some(2), Some(1000)));
    let head = server
        .client
        .head_object()
        .bucket(BUCKET)
        .key("big")
        .send()
        .await
        .unwrap();
    assert_eq!(head.metadata().unwrap()["a"], "1");
    let copy = server
        .client
        .copy_object()
        .bucket(BUCKET)
        .key("copy")
        .copy_source("input/big")
        .send()
        .await
        .unwrap();
    assert!(!copy.copy_object_result().unwrap().e_tag().unwrap().contains('-'));
    assert_eq!(server.get("copy").await.len(), 5 * MIB + 1000);
}

#[tokio::test]
async fn an_object_that_came_in_parts_is_dated_when_it_was_begun() {
    let server = start().await;
    let upload = begin(&server, "k").await;
    let uploads = server
        .client
        .list_multipart_uploads()
        .bucket(BUCKET)
        .send()
        .await
        .unwrap();
    let initiated = *uploads.uploads()[0].initiated().unwrap();
    let sent = part(&server, "k", &upload, 1, vec![0; 10]).await;
    crate::server::eventually("the second of its beginning to pass", || {
        let now = aws_sdk_s3::primitives::DateTime::from(std::time::SystemTime::now());
        (now.secs() > initiated.secs(), format!("{now:?}"))
    })
    .await;
    let complete = server
        .client
        .complete_multipart_upload()
        .bucket(BUCKET)
        .key("k")
        .upload_id(&upload);
    complete.multipart_upload(list(vec![sent])).send().await.unwrap();
    let head = server
        .client
        .head_object()
        .bucket(BUCKET)
        .key("k")
        .send()
        .await
        .unwrap();
    assert_eq!(head.last_modified().unwrap().secs(), initiated.secs());
}

#[tokio::test]
async fn what_cannot_be_completed_says_why() {
    let server = start().await;
    let upload = begin(&server, "k").await;
    let small = part(&server, "k", &upload, 1, vec![0; 10]).await;
    let second = part(&server, "k", &upload, 2, vec![1; 10]).await;
    let complete = |parts: Vec<CompletedPart>| {
        let complete = server
            .client
            .complete_multipart_upload()
            .bucket(BUCKET)
            .key("k")
            .upload_id(&upload);
        complete.multipart_upload(list(parts)).send()
    };
    assert_eq!(
        refusal(complete(vec![small.clone(), second.clone()]).await),
        (400, "EntityTooSmall".into())
    );
    assert_eq!(
        refusal(complete(vec![second.clone(), small.clone()]).await),
        (400, "InvalidPartOrder".into())
    );
    let wrong = CompletedPart::builder()
        .part_number(1)
        .e_tag("\"00000000000000000000000000000000\"")
        .build();
    assert_eq!(refusal(complete(vec![wrong]).await), (400, "InvalidPart".into()));
    assert_eq!(refusal(complete(Vec::new()).await).0, 400);
    complete(vec![small.clone()]).await.unwrap();
    assert_eq!(
        refusal(complete(vec![second]).await),
        (404, "NoSuchUpload".into())
    );
}

#[tokio::test]
async fn a_completion_asked_for_again_is_answered_again() {
    let server = start().await;
    let upload = begin(&server, "k").await;
    let sent = part(&server, "k", &upload, 1, vec![0; 10]).await;
    let complete = || {
        let complete = server.client.complete_multipart_upload();
        let complete = complete.bucket(BUCKET).key("k").upload_id(&upload);
        complete.multipart_upload(list(vec![sent.clone()])).send()
    };
    let first = complete().await.unwrap();
    assert_eq!(complete().await.unwrap().e_tag(), first.e_tag());
    server.put("k", "newer").await;
    assert_eq!(refusal(complete().await), (404, "NoSuchUpload".into()));
    assert_eq!(server.get("k").await, b"newer");
}

#[tokio::test]
async fn completing_under_a_condition_loses_to_who_was_first() {
    let server = start().await;
    let upload = begin(&server, "k").await;
    let sent = part(&server, "k", &upload, 1, vec![0; 10]).await;
    server.put("k", "first").await;
    let complete = server
        .client
        .complete_multipart_upload()
        .bucket(BUCKET)
        .key("k")
        .upload_id(&upload);
    let complete = complete.if_none_match("*").multipart_upload(list(vec![sent]));
    assert_eq!(refusal(complete.send().await), (412, "PreconditionFailed".into()));
    assert_eq!(server.get("k").await, b"first");
}

#[tokio::test]
async fn an_aborted_upload_leaves_nothing() {
    let server = start().await;
    let upload = begin(&server, "k").await;
    part(&server, "k", &upload, 1, vec![0; 100_000]).await;
    part(&server, "k", &upload, 1, vec![1; 100_000]).await;
    server
        .client
        .abort_multipart_upload()
        .bucket(BUCKET)
        .key("k")
        .upload_id(&upload)
        .send()
        .await
        .unwrap();
    crate::server::eventually("the parts to go", || {
        let files = std::fs::read_dir(server.folder.path().join("blobs"))
            .unwrap()
            .count();
        (files == 0, format!("{files} files"))
    })
    .await;
    let sent = server
        .client
        .upload_part()
        .bucket(BUCKET)
        .key("k")
        .upload_id(&upload)
        .part_number(1)
        .send()
        .await;
    assert_eq!(refusal(sent), (404, "NoSuchUpload".into()));
}

#[tokio::test]
async fn open_uploads_are_listed_by_key_with_folders_and_escapes() {
    let server = start().await;
    for key in ["d/new\nline", "d/plus+", "e"] {
        begin(&server, key).await;
    }
    let uploads = server
        .client
        .list_multipart_uploads()
        .bucket(BUCKET)
        .encoding_type("url".into());
    let listed = uploads.clone().prefix("d/").send().await.unwrap();
    assert_eq!(
        listed
            .uploads()
            .iter()
            .filter_map(|upload| upload.key())
            .collect::<Vec<_>>(),
        ["d/new%0Aline", "d/plus%2B"]
    );
    let listed = uploads.clone().delimiter("/").send().await.unwrap();
    assert_eq!(
        (listed.uploads().len(), listed.common_prefixes()[0].prefix()),
        (1, Some("d/"))
    );
    let first = uploads.clone().max_uploads(1).send().await.unwrap();
    let rest = server
        .client
        .list_multipart_uploads()
        .bucket(BUCKET)
        .key_marker("d/new\nline");
    let rest = rest
        .upload_id_marker(first.next_upload_id_marker().unwrap())
        .encoding_type("url".into())
        .send()
        .await
        .unwrap();
    assert_eq!(rest.uploads().len(), 2);
}

#[tokio::test]
async fn checksums_of_parts_make_the_checksum_of_the_whole() {
    let server = start().await;
    for (algorithm, kind) in [
        (ChecksumAlgorithm::Crc64Nvme, ChecksumType::FullObject),
        (ChecksumAlgorithm::Crc32, ChecksumType::FullObject),
        (ChecksumAlgorithm::Sha256, ChecksumType::Composite),
    ] {
        let create = server.client.create_multipart_upload().bucket(BUCKET).key("k");
        let create = create
            .checksum_algorithm(algorithm.clone())
            .checksum_type(kind.clone())
            .send()
            .await
            .unwrap();
        let upload = create.upload_id.unwrap();
        let mut parts = Vec::new();
        for number in [1, 2] {
            let sent = server
                .client
                .upload_part()
                .bucket(BUCKET)
                .key("k")
                .upload_id(&upload)
                .part_number(number);
            let sent = sent
                .checksum_algorithm(algorithm.clone())
                .body(ByteStream::from(vec![7; 5 * MIB]))
                .send()
                .await
                .unwrap();
            let done = CompletedPart::builder()
                .part_number(number)
                .e_tag(sent.e_tag.unwrap());
            parts.push(
                done.set_checksum_crc32(sent.checksum_crc32)
                    .set_checksum_sha256(sent.checksum_sha256)
                    .build(),
            );
        }
        let complete = server
            .client
            .complete_multipart_upload()
            .bucket(BUCKET)
            .key("k")
            .upload_id(&upload);
        let done = complete.multipart_upload(list(parts)).send().await.unwrap();
        assert_eq!(done.checksum_type(), Some(&kind), "{algorithm}");
        assert_eq!(server.get("k").await.len(), 10 * MIB, "{algorithm}");
    }
}

#[tokio::test]
async fn a_part_can_be_copied_from_a_range() {
    let server = start().await;
    server.put("from", (0..200_u8).collect::<Vec<_>>()).await;
    let upload = begin(&server, "k").await;
    let copy = server
        .client
        .upload_part_copy()
        .bucket(BUCKET)
        .key("k")
        .upload_id(&upload)
        .part_number(1);
    let copied = copy
        .copy_source("input/from")
        .copy_source_range("bytes=10-19")
        .send()
        .await
        .unwrap();
    let etag = copied.copy_part_result.unwrap().e_tag.unwrap();
    let complete = server
        .client
        .complete_multipart_upload()
        .bucket(BUCKET)
        .key("k")
        .upload_id(&upload);
    let part = CompletedPart::builder().part_number(1).e_tag(etag).build();
    complete.multipart_upload(list(vec![part])).send().await.unwrap();
    assert_eq!(server.get("k").await, (10..20_u8).collect::<Vec<_>>());
}
