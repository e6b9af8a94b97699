//! What AWS reads otherwise than the protocol library does, in signed requests.

use aws_sdk_s3::primitives::{ByteStream, SdkBody};

use crate::server::{BUCKET, start};

#[tokio::test]
async fn a_signed_range_that_is_none_gets_the_whole_object() {
    let server = start().await;
    server.put("k", "0123456789").await;
    let get = |range: &str| {
        server
            .client
            .get_object()
            .bucket(BUCKET)
            .key("k")
            .range(range)
            .send()
    };
    for (range, body, part) in [
        ("bytes=0-1,3-4", "0123456789", None),
        ("bytes=3-2", "0123456789", None),
        ("lines=1-2", "0123456789", None),
        ("bytes=2-3", "23", Some("bytes 2-3/10")),
    ] {
        let answer = get(range).await.unwrap();
        assert_eq!(answer.content_range(), part, "{range}");
        let bytes = answer.body.collect().await.unwrap().to_vec();
        assert_eq!(bytes, body.as_bytes(), "{range}");
    }
    let head = server
        .client
        .head_object()
        .bucket(BUCKET)
        .key("k")
        .range("bytes=0-1,3-4");
    assert_eq!(head.send().await.unwrap().content_length(), Some(10));
    let stranger = crate::server::client(&server.url, "another secret");
    let refused = stranger
        .get_object()
        .bucket(BUCKET)
        .key("k")
        .range("lines=1-2")
        .send()
        .await;
    assert!(refused.is_err(), "the signature is looked at first");
}

#[tokio::test]
async fn a_section_of_cdata_in_a_document_is_its_text() {
    let server = start().await;
    let client = &server.client;
    let upload = client
        .create_multipart_upload()
        .bucket(BUCKET)
        .key("k")
        .send()
        .await
        .unwrap();
    let id = upload.upload_id().unwrap();
    let part = client
        .upload_part()
        .bucket(BUCKET)
        .key("k")
        .upload_id(id)
        .part_number(1)
        .body(ByteStream::from_static(b"content"))
        .send()
        .await
        .unwrap();
    let document = format!(
        "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Part><PartNumber>1</PartNumber>\
         <ETag><![CDATA[{}]]></ETag></Part></CompleteMultipartUpload>",
        part.e_tag().unwrap()
    );
    client
        .complete_multipart_upload()
        .bucket(BUCKET)
        .key("k")
        .upload_id(id)
        .customize()
        .mutate_request(move |request| {
            let length = document.len().to_string();
            request.headers_mut().insert("content-length", length);
            *request.body_mut() = SdkBody::from(document.clone());
        })
        .send()
        .await
        .unwrap();
    assert_eq!(server.get("k").await, b"content");
}
