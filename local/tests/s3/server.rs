//! A store on a port of its own, and a client for it.

use std::{
    path::Path,
    sync::{Arc, Mutex},
};

use aws_sdk_s3::{
    Client,
    config::{BehaviorVersion, Credentials, Region},
    error::{ProvideErrorMetadata, SdkError},
    primitives::ByteStream,
};
use local::s3::{Notification, S3};
use tempfile::TempDir;
use tokio::task::JoinHandle;

pub(crate) const BUCKET: &str = "input";

pub(crate) struct Server {
    pub(crate) client: Client,
    pub(crate) url: String,
    pub(crate) notifications: Arc<Mutex<Vec<Notification>>>,
    pub(crate) folder: TempDir,
    serving: JoinHandle<()>,
}

pub(crate) fn keys() -> local::s3::Credentials {
    local::s3::Credentials {
        access_key_id: "AKIDGROUNDCREW".into(),
        secret_access_key: "not a real secret".into(),
    }
}

/// Waits for the connections of a store that was just abandoned to let go of the folder.
async fn open(folder: &Path) -> (S3, Arc<Mutex<Vec<Notification>>>) {
    let notifications: Arc<Mutex<Vec<Notification>>> = Arc::default();
    let sink = notifications.clone();
    let notify: local::s3::Notify = Arc::new(move |notification| sink.lock().unwrap().push(notification));
    let mut opened = None;
    eventually("the store to open", || match S3::open(folder, notify.clone()) {
        Ok(store) => {
            opened = Some(store);
            (true, String::new())
        }
        Err(error) => (false, error.to_string()),
    })
    .await;
    (opened.unwrap(), notifications)
}

pub(crate) async fn start() -> Server {
    start_in(tempfile::tempdir().unwrap()).await
}

pub(crate) async fn start_in(folder: TempDir) -> Server {
    let (store, notifications) = open(folder.path()).await;
    store.create_bucket(BUCKET).await.unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = store.service(keys());
    let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let client = client(&url, &keys().secret_access_key);
    Server {
        client,
        url,
        notifications,
        folder,
        serving,
    }
}

pub(crate) fn client(url: &str, secret: &str) -> Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new(keys().access_key_id, secret, None, None, "test"))
        .endpoint_url(url)
        .force_path_style(true)
        .build();
    Client::from_conf(config)
}

impl Server {
    pub(crate) async fn put(&self, key: &str, bytes: impl Into<Vec<u8>>) {
        let body = ByteStream::from(bytes.into());
        self.client
            .put_object()
            .bucket(BUCKET)
            .key(key)
            .body(body)
            .send()
            .await
            .unwrap();
    }

    pub(crate) async fn get(&self, key: &str) -> Vec<u8> {
        let got = self
            .client
            .get_object()
            .bucket(BUCKET)
            .key(key)
            .send()
            .await
            .unwrap();
        got.body.collect().await.unwrap().to_vec()
    }

    /// Ends it as a crash would: nothing finishes what it began.
    pub(crate) fn abandon(self) -> TempDir {
        self.serving.abort();
        self.folder
    }
}

/// Status and code of what S3 answered.
pub(crate) fn refusal<T: std::fmt::Debug, E: ProvideErrorMetadata + std::fmt::Debug>(
    result: Result<T, SdkError<E>>,
) -> (u16, String) {
    let error = result.expect_err("this should have been refused");
    let status = error
        .raw_response()
        .map(|response| response.status().as_u16())
        .unwrap_or_default();
    let code = error
        .as_service_error()
        .and_then(|error| error.meta().code())
        .unwrap_or_default()
        .to_owned();
    (status, code)
}

/// Waits until `look` returns true; fails with what it saw last when that takes too long.
pub(crate) async fn eventually(what: &str, mut look: impl FnMut() -> (bool, String)) {
    let mut last = String::new();
    for _ in 0..1000 {
        let (content, seen) = look();
        if content {
            return;
        }
        last = seen;
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("waited 10 s for {what}; last seen: {last}");
}
