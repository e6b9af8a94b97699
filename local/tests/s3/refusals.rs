//! What is asked and not done is refused by name, and changes nothing: requests that no SDK makes.

use std::time::Duration;

use aws_sdk_s3::presigning::PresigningConfig;
use reqwest::{Method, Response};

use crate::server::{BUCKET, Server, start};

/// A request whose address is signed as the SDK would sign PutObject, with `extra` parameters that the signature covers.
async fn presign(server: &Server, method: &Method, extra: &[(&'static str, &'static str)]) -> String {
    let config = PresigningConfig::expires_in(Duration::from_secs(60)).unwrap();
    let added = extra
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect::<Vec<_>>()
        .join("&");
    let add = move |request: &mut aws_sdk_s3::config::http::HttpRequest| {
        let joint = if request.uri().contains('?') { "&" } else { "?" };
        let uri = format!("{}{joint}{added}", request.uri());
        request.set_uri(uri).unwrap();
    };
    let client = &server.client;
    let (bucket, key) = (BUCKET, "k");
    let signed = match *method {
        Method::PUT => client
            .put_object()
            .bucket(bucket)
            .key(key)
            .customize()
            .mutate_request(add)
            .presigned(config)
            .await
            .unwrap(),
        Method::DELETE => client
            .delete_object()
            .bucket(bucket)
            .key(key)
            .customize()
            .mutate_request(add)
            .presigned(config)
            .await
            .unwrap(),
        _ => client
            .get_object()
            .bucket(bucket)
            .key(key)
            .customize()
            .mutate_request(add)
            .presigned(config)
            .await
            .unwrap(),
    };
    signed.uri().to_owned()
}

async fn send(method: &Method, uri: String, headers: &[(&'static str, &'static str)]) -> Response {
    let mut request = reqwest::Client::new().request(method.clone(), uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if *method == Method::PUT {
        request = request.body("replaced");
    }
    request.send().await.unwrap()
}

#[tokio::test]
async fn a_parameter_that_is_not_understood_changes_nothing() {
    let server = start().await;
    server.put("k", "kept").await;
    for (method, name) in [
        (Method::PUT, "renameObject"),
        (Method::PUT, "encryption"),
        (Method::PUT, "notYetInvented"),
        (Method::PUT, "x-amz-acl=public-read"),
        (Method::PUT, "x-amz-storage-class=GLACIER"),
        (Method::DELETE, "annotation"),
        (Method::DELETE, "x-amz-mfa=1"),
        (Method::GET, "attributes"),
    ] {
        let (name, value) = name.split_once('=').unwrap_or((name, ""));
        let uri = presign(&server, &method, &[(name, value)]).await;
        let answer = send(&method, uri, &[]).await;
        assert_eq!(answer.status(), 501, "{method} {name}");
        let text = answer.text().await.unwrap();
        assert!(
            text.contains("<Code>NotImplemented</Code>") && text.contains("<RequestId>"),
            "{text}"
        );
        assert_eq!(server.get("k").await, b"kept", "{method} {name}");
    }
}

#[tokio::test]
async fn a_digest_that_cannot_hold_is_refused_before_anything_is_stored() {
    let server = start().await;
    server.put("k", "kept").await;
    let uri = presign(&server, &Method::PUT, &[]).await;
    for (name, value, code) in [
        ("content-md5", "", "InvalidDigest"),
        ("content-md5", "AAAA", "InvalidDigest"),
        ("content-range", "bytes 0-1/4", "NotImplemented"),
        (
            "if-modified-since",
            "Thu, 01 Jan 2026 00:00:00 GMT",
            "NotImplemented",
        ),
    ] {
        let answer = send(&Method::PUT, uri.clone(), &[(name, value)]).await;
        let text = answer.text().await.unwrap();
        assert!(
            text.contains(&format!("<Code>{code}</Code>")),
            "{name}: {value}: {text}"
        );
    }
    for (name, value, code) in [
        ("x-amz-checksum-crc32", "AAAAAA%3D%3D", "BadDigest"),
        ("x-amz-checksum-crc32", "A", "InvalidRequest"),
        ("x-amz-checksum-sha512", "AAAA", "NotImplemented"),
        ("x-amz-checksum-xxhash3", "AAAA", "NotImplemented"),
        ("x-amz-sdk-checksum-algorithm", "CRC32", "InvalidRequest"),
        ("x-amz-sdk-checksum-algorithm", "MD5", "NotImplemented"),
        ("x-amz-trailer", "x-amz-checksum-crc32", "MalformedTrailerError"),
    ] {
        let uri = presign(&server, &Method::PUT, &[(name, value)]).await;
        let text = send(&Method::PUT, uri, &[]).await.text().await.unwrap();
        assert!(
            text.contains(&format!("<Code>{code}</Code>")),
            "{name}: {value}: {text}"
        );
    }
    assert_eq!(server.get("k").await, b"kept");
}

#[tokio::test]
async fn a_link_to_an_active_object_gives_a_browser_a_file() {
    let server = start().await;
    for (kind, attached) in [("text/html", true), ("image/svg+xml", true), ("image/png", false)] {
        let put = server
            .client
            .put_object()
            .bucket(BUCKET)
            .key("k")
            .content_type(kind);
        put.send().await.unwrap();
        let answer = send(&Method::GET, presign(&server, &Method::GET, &[]).await, &[]).await;
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
        assert!(
            answer.headers()["content-security-policy"]
                .to_str()
                .unwrap()
                .contains("sandbox")
        );
        assert_eq!(
            answer.headers().contains_key("content-disposition"),
            attached,
            "{kind}"
        );
        let overridden = [
            ("response-content-type", "text/html"),
            ("response-content-disposition", "inline"),
        ];
        let answer = send(
            &Method::GET,
            presign(&server, &Method::GET, &overridden).await,
            &[],
        )
        .await;
        assert_eq!(answer.headers()["content-disposition"], "attachment", "{kind}");
    }
}

#[tokio::test]
async fn ranges_are_answered_as_aws_answers_them() {
    let server = start().await;
    server.put("k", "0123456789").await;
    let uri = presign(&server, &Method::GET, &[]).await;
    for (range, status, body) in [
        ("bytes=2-3", 206, "23"),
        ("bytes=-3", 206, "789"),
        ("bytes=-30", 206, "0123456789"),
        ("bytes=8-99", 206, "89"),
        ("bytes=0-1,3-4", 200, "0123456789"),
        ("bytes=3-2", 200, "0123456789"),
        ("lines=1-2", 200, "0123456789"),
        ("bytes=10-", 416, "<Code>InvalidRange</Code>"),
        ("bytes=-0", 416, "<Code>InvalidRange</Code>"),
    ] {
        let answer = send(&Method::GET, uri.clone(), &[("range", range)]).await;
        assert_eq!(answer.status(), status, "{range}");
        let text = answer.text().await.unwrap();
        assert!(
            text == body || status == 416 && text.contains(body),
            "{range}: {text}"
        );
    }
    server.put("k", "").await;
    for range in ["bytes=0-", "bytes=-1"] {
        let answer = send(&Method::GET, uri.clone(), &[("range", range)]).await;
        assert_eq!(answer.status(), 416, "{range} of nothing");
    }
}
