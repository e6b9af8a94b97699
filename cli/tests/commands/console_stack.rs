//! The whole stack on this machine, with the console, and a browser's session there.

use std::time::Duration;

use aws::sdk::Sdk;
use console::{ConsoleConfig, Hints, link_token, router};
use local::{Stack, StackConfig, StackInfo};
use reqwest::Client;
use shared::name::JobPrefix;

pub(crate) struct ConsoleStack {
    pub(crate) stack: Stack,
    /// Signed in to the console.
    pub(crate) client: Client,
    pub(crate) data: tempfile::TempDir,
}

impl ConsoleStack {
    pub(crate) async fn start() -> Self {
        let data = tempfile::tempdir().unwrap();
        let console = |info: &StackInfo, _| router(config(info));
        let stack = Stack::start(StackConfig::on_free_ports(data.path()), console)
            .await
            .unwrap();
        let client = Client::builder().cookie_store(true).build().unwrap();
        let info = stack.info();
        let link = format!("{}?token={}", info.console_url, link_token(&info.console_secret));
        let page = client.get(link).send().await.unwrap();
        assert!(page.status().is_success());
        Self { stack, client, data }
    }
}

fn config(info: &StackInfo) -> ConsoleConfig {
    ConsoleConfig {
        sdk: Sdk::from(&info.sdk()),
        labeling_sdk: Sdk::from(&info.sdk()),
        input_bucket: info.input_bucket.clone(),
        output_bucket: info.output_bucket.clone(),
        job_prefix: JobPrefix::new(&info.job_prefix).unwrap(),
        queues: Vec::new(),
        portal_url: info.web_url.clone(),
        outbox_url: None,
        public_url: info.web_url.clone(),
        secret: info.console_secret.clone(),
        hints: Hints::default(),
        refresh: Duration::from_millis(50),
    }
}
