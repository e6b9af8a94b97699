//! The embedded S3 in a process of its own, so that its memory and its time are not the function's.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::routing::get;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// Named as the stack names them, so that it can be started on the same data.
pub(crate) const INPUT: &str = "groundcrew-input";
pub(crate) const OUTPUT: &str = "groundcrew-output";
pub(crate) const STATE: &str = "groundcrew-engine";
/// Where the store says how many requests there were.
const REQUESTS: &str = "/-/requests";
const KEY: &str = "AKIDEXAMPLE";
const SECRET: &str = "secret";

/// Serves until killed; prints its address first. `latency_ms` is added before every answer, as a network would.
pub(crate) async fn serve(data: &Path, latency_ms: u64) -> Result<()> {
    let store = local::s3::S3::open(data, Arc::new(|_| {}))?;
    for bucket in [INPUT, OUTPUT, STATE] {
        store.create_bucket(bucket).await?;
    }
    let keys = local::s3::Credentials {
        access_key_id: KEY.into(),
        secret_access_key: SECRET.into(),
    };
    let latency = Duration::from_millis(latency_ms);
    let requests = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&requests);
    let app = store
        .service(keys)
        .layer(middleware::from_fn(move |request: Request, next: Next| {
            requests.fetch_add(1, Ordering::Relaxed);
            async move {
                if !latency.is_zero() {
                    tokio::time::sleep(latency).await;
                }
                next.run(request).await
            }
        }));
    let count = move || async move { counted.swap(0, Ordering::Relaxed).to_string() };
    let app = Router::new().route(REQUESTS, get(count)).fallback_service(app);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}

/// A running store process; killed when dropped, though perhaps a moment later: see [`Store::stop`].
pub(crate) struct Store {
    process: Child,
    pub(crate) endpoint: String,
}

impl Store {
    pub(crate) async fn start(data: &Path, latency_ms: u64) -> Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(["store", "--latency-ms", &latency_ms.to_string(), "--data"])
            .arg(data)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let output = process.stdout.take().context("the store's output")?;
        let endpoint = BufReader::new(output)
            .lines()
            .next_line()
            .await?
            .context("the store said nothing")?;
        Ok(Self { process, endpoint })
    }

    /// Returns when the process is gone, and its folder free for another.
    pub(crate) async fn stop(mut self) -> Result<()> {
        Ok(self.process.kill().await?)
    }

    /// Requests since the last time this was asked.
    pub(crate) async fn requests(&self) -> Result<u64> {
        let count = reqwest::get(format!("{}{REQUESTS}", self.endpoint)).await?;
        Ok(count.error_for_status()?.text().await?.parse()?)
    }

    /// In MB.
    pub(crate) fn peak_memory(&self) -> Result<f64> {
        crate::lambda::peak_memory(self.process.id().context("the store has ended")?)
    }

    pub(crate) fn client(&self) -> Client {
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new(KEY, SECRET, None, None, "bench"))
            .endpoint_url(&self.endpoint)
            .force_path_style(true)
            .build();
        Client::from_conf(config)
    }

    /// What a function, or boto3, needs to find this store.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        [
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", KEY),
            ("AWS_SECRET_ACCESS_KEY", SECRET),
            ("AWS_ENDPOINT_URL", &self.endpoint),
            ("INPUT_BUCKET", INPUT),
            ("OUTPUT_BUCKET", OUTPUT),
            ("NOTICE_TOPIC_ARN", "arn:aws:sns:us-east-1:000000000000:notices"),
        ]
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .to_vec()
    }
}
