//! What a browser asks before a page of another origin may talk to the store.

use aws_sdk_s3::types::{CorsConfiguration, CorsRule};
use reqwest::Method;

use crate::server::{BUCKET, Server, refusal, start};

async fn allow(server: &Server) {
    let rule = CorsRule::builder()
        .allowed_origins("http://127.0.0.1:8080")
        .allowed_methods("GET")
        .allowed_methods("PUT")
        .allowed_headers("*")
        .expose_headers("ETag")
        .max_age_seconds(600)
        .build()
        .unwrap();
    let configuration = CorsConfiguration::builder().cors_rules(rule).build().unwrap();
    server
        .client
        .put_bucket_cors()
        .bucket(BUCKET)
        .cors_configuration(configuration)
        .send()
        .await
        .unwrap();
}

async fn preflight(server: &Server, origin: &str, method: &str) -> reqwest::Response {
    let request = reqwest::Client::new().request(Method::OPTIONS, format!("{}/{BUCKET}/k", server.url));
    let request = request
        .header("origin", origin)
        .header("access-control-request-method", method);
    request
        .header("access-control-request-headers", "content-type")
        .send()
        .await
        .unwrap()
}

#[tokio::test]
async fn a_preflight_is_answered_by_the_buckets_rules() {
    let server = start().await;
    assert_eq!(
        preflight(&server, "http://127.0.0.1:8080", "PUT").await.status(),
        403
    );
    allow(&server).await;
    let answer = preflight(&server, "http://127.0.0.1:8080", "PUT").await;
    assert_eq!(answer.status(), 200);
    assert_eq!(
        answer.headers()["access-control-allow-origin"],
        "http://127.0.0.1:8080"
    );
    assert_eq!(answer.headers()["access-control-allow-headers"], "content-type");
    assert_eq!(answer.headers()["access-control-max-age"], "600");
    assert_eq!(preflight(&server, "http://elsewhere", "PUT").await.status(), 403);
    assert_eq!(
        preflight(&server, "http://127.0.0.1:8080", "DELETE")
            .await
            .status(),
        403
    );
}

#[tokio::test]
async fn answers_and_refusals_alike_carry_the_rules_for_the_page() {
    let server = start().await;
    allow(&server).await;
    let request = reqwest::Client::new().get(format!("{}/{BUCKET}/k", server.url));
    let answer = request
        .header("origin", "http://127.0.0.1:8080")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 403);
    assert_eq!(
        answer.headers()["access-control-allow-origin"],
        "http://127.0.0.1:8080"
    );
    assert_eq!(answer.headers()["access-control-expose-headers"], "ETag");
}

#[tokio::test]
async fn rules_can_be_read_and_removed() {
    let server = start().await;
    let get = || server.client.get_bucket_cors().bucket(BUCKET).send();
    assert_eq!(refusal(get().await), (404, "NoSuchCORSConfiguration".into()));
    allow(&server).await;
    assert_eq!(get().await.unwrap().cors_rules()[0].max_age_seconds(), Some(600));
    server
        .client
        .delete_bucket_cors()
        .bucket(BUCKET)
        .send()
        .await
        .unwrap();
    assert_eq!(refusal(get().await), (404, "NoSuchCORSConfiguration".into()));
}
