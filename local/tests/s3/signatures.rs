//! Only signed requests are answered, presigned ones among them, until they expire.

use std::time::Duration;

use aws_sdk_s3::presigning::PresigningConfig;
use base64::{Engine, prelude::BASE64_STANDARD};

use crate::server::{BUCKET, client, refusal, start};

fn for_a_minute() -> PresigningConfig {
    PresigningConfig::expires_in(Duration::from_secs(60)).unwrap()
}

#[tokio::test]
async fn a_wrong_secret_and_no_signature_are_refused() {
    let server = start().await;
    let intruder = client(&server.url, "guessed");
    assert_eq!(
        refusal(intruder.list_buckets().send().await),
        (403, "SignatureDoesNotMatch".into())
    );
    let anonymous = reqwest::get(format!("{}/{BUCKET}/k", server.url)).await.unwrap();
    assert_eq!(anonymous.status(), 403);
}

#[tokio::test]
async fn a_presigned_url_uploads_and_downloads_without_a_key() {
    let server = start().await;
    let put = server
        .client
        .put_object()
        .bucket(BUCKET)
        .key("with space/ü.txt")
        .content_type("text/plain");
    let put = put.presigned(for_a_minute()).await.unwrap();
    let browser = reqwest::Client::new();
    let request = browser
        .put(put.uri())
        .header("content-type", "text/plain")
        .body("from a browser");
    assert_eq!(request.send().await.unwrap().status(), 200);
    let get = server
        .client
        .get_object()
        .bucket(BUCKET)
        .key("with space/ü.txt")
        .response_content_type("text/html");
    let get = get.presigned(for_a_minute()).await.unwrap();
    let got = browser.get(get.uri()).send().await.unwrap();
    assert_eq!(got.headers()["content-type"], "text/html");
    assert_eq!(got.text().await.unwrap(), "from a browser");
}

#[tokio::test]
async fn a_presigned_url_that_was_changed_or_is_too_old_is_refused() {
    let server = start().await;
    server.put("a", "x").await;
    server.put("b", "x").await;
    let good = server
        .client
        .get_object()
        .bucket(BUCKET)
        .key("a")
        .presigned(for_a_minute())
        .await
        .unwrap();
    let uri = good.uri().to_owned();
    assert_eq!(reqwest::get(&uri).await.unwrap().status(), 200);
    for (what, changed) in [
        ("another key", uri.replace("/input/a?", "/input/b?")),
        (
            "a longer life",
            uri.replace("X-Amz-Expires=60", "X-Amz-Expires=600"),
        ),
        (
            "one more parameter",
            format!("{uri}&response-content-type=text/html"),
        ),
    ] {
        assert_ne!(changed, uri, "{what}");
        assert_eq!(reqwest::get(&changed).await.unwrap().status(), 403, "{what}");
    }
    let put = reqwest::Client::new().put(&uri).body("x").send().await.unwrap();
    assert_eq!(put.status(), 403, "another method");
    let past = std::time::SystemTime::now() - Duration::from_secs(120);
    let old = PresigningConfig::builder()
        .start_time(past)
        .expires_in(Duration::from_secs(60))
        .build()
        .unwrap();
    let old = server
        .client
        .get_object()
        .bucket(BUCKET)
        .key("a")
        .presigned(old)
        .await
        .unwrap();
    assert_eq!(reqwest::get(old.uri()).await.unwrap().status(), 403, "expired");
    let week = uri.replace("X-Amz-Expires=60", "X-Amz-Expires=604801");
    assert_eq!(
        reqwest::get(week).await.unwrap().status(),
        400,
        "longer than a week"
    );
}

/// What `aws s3 presign` and boto3 make for us-east-1 unless configured otherwise: HMAC-SHA1 over method, expiry and path.
fn presigned_by_version_2(url: &str, key: &str, expires: u64) -> String {
    let to_sign = format!("GET\n\n\n{expires}\n/{BUCKET}/{key}");
    let hmac = aws_lc_rs::hmac::Key::new(
        aws_lc_rs::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        crate::server::keys().secret_access_key.as_bytes(),
    );
    let signature = BASE64_STANDARD.encode(aws_lc_rs::hmac::sign(&hmac, to_sign.as_bytes()));
    let query = [
        ("AWSAccessKeyId", crate::server::keys().access_key_id),
        ("Signature", signature),
        ("Expires", expires.to_string()),
    ];
    format!(
        "{url}/{BUCKET}/{key}?{}",
        serde_urlencoded::to_string(query).unwrap()
    )
}

#[tokio::test]
async fn a_presigned_url_of_version_2_holds_for_its_key_until_it_expires() {
    let server = start().await;
    server.put("a", "x").await;
    server.put("b", "x").await;
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let good = presigned_by_version_2(&server.url, "a", now + 60);
    assert_eq!(reqwest::get(&good).await.unwrap().status(), 200);
    let other = good.replace("/a?", "/b?");
    assert_eq!(reqwest::get(&other).await.unwrap().status(), 403);
    let longer = good.replace(
        &format!("Expires={}", now + 60),
        &format!("Expires={}", now + 600),
    );
    assert_eq!(reqwest::get(&longer).await.unwrap().status(), 403);
    let old = presigned_by_version_2(&server.url, "a", now - 1);
    assert_eq!(reqwest::get(&old).await.unwrap().status(), 403);
}
