//! A function's clock that is minutes off: S3 says what time it is, and the call is made again with a signature of that time.

use std::sync::{Arc, Mutex};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::civil::DateTime;
use jiff::fmt::rfc2822;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use shared::port::{Bucket, Store as _};

use super::Buckets;
use crate::sdk::Sdk;

/// What AWS accepts: <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html> (RequestTimeTooSkewed).
const ACCEPTED_SKEW: SignedDuration = SignedDuration::from_mins(15);
const LISTING: &str = "<ListBucketResult><Name>in</Name><KeyCount>0</KeyCount><IsTruncated>false</IsTruncated></ListBucketResult>";
const SKEWED: &str = "<Error><Code>RequestTimeTooSkewed</Code><Message>The difference between the request time and the server's time is too large.</Message></Error>";

/// An S3 whose clock is so far ahead of ours, and how it answered.
async fn ahead(by: SignedDuration) -> (Buckets, Arc<Mutex<Vec<u16>>>) {
    let statuses = Arc::new(Mutex::new(Vec::new()));
    let written = statuses.clone();
    let answer = async move |headers: HeaderMap| -> Response {
        let now = Timestamp::now() + by;
        let signed = headers["x-amz-date"].to_str().unwrap();
        let signed = DateTime::strptime("%Y%m%dT%H%M%SZ", signed).unwrap();
        let signed = signed.to_zoned(TimeZone::UTC).unwrap().timestamp();
        let is_accepted = now.duration_since(signed).abs() <= ACCEPTED_SKEW;
        let (status, body) = if is_accepted {
            (StatusCode::OK, LISTING)
        } else {
            (StatusCode::FORBIDDEN, SKEWED)
        };
        written.lock().unwrap().push(status.as_u16());
        let date = rfc2822::DateTimePrinter::new()
            .timestamp_to_rfc9110_string(&now)
            .unwrap();
        (status, [("date", date)], body).into_response()
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().fallback(answer)).await });
    let keys = Credentials::new("AKIDEXAMPLE", "secret", None, None, "test");
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(keys))
        .endpoint_url(url)
        .build();
    let buckets = Buckets::new("in".to_owned(), "out".to_owned(), &|_| None, Sdk::from(&config));
    (buckets, statuses)
}

#[tokio::test]
async fn a_clock_that_is_far_off_is_corrected_by_the_services_date() {
    for minutes in [20, -20] {
        let (buckets, statuses) = ahead(SignedDuration::from_mins(minutes)).await;
        for _ in 0..2 {
            buckets.list(Bucket::Input, "", false, None).await.unwrap();
        }
        let statuses = statuses.lock().unwrap().clone();
        assert_eq!(
            statuses,
            [403, 200, 200],
            "once refused, and right from then on: {minutes}"
        );
    }
}

#[tokio::test]
async fn ten_minutes_are_accepted_and_times_are_the_services() {
    let by = SignedDuration::from_mins(10);
    let (buckets, statuses) = ahead(by).await;
    let page = buckets.list(Bucket::Input, "", false, None).await.unwrap();
    assert_eq!(*statuses.lock().unwrap(), [200]);
    let off = page.date.duration_since(Timestamp::now() + by).abs();
    assert!(off < SignedDuration::from_mins(5), "{off:?}");
}
