//! A worker that is a program: signs in as people do, takes tasks from the portal's API, answers them.

use anyhow::{Context, Result, ensure};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

/// A person who can sign in; the cookies are those of one browser.
pub struct Worker {
    pub email: String,
    password: String,
    client: Client,
}

/// What the portal made of a request.
#[derive(Debug)]
pub enum WorkerReply {
    Done(Value),
    /// Not signed in, or not any more.
    SignedOut,
    /// The task or the job is not this worker's any more.
    Gone,
    /// No answer, or not now.
    Unavailable,
}

impl Worker {
    pub fn new(email: &str, password: &str) -> Result<Self> {
        let client = Client::builder().cookie_store(true).build()?;
        Ok(Self {
            email: email.to_owned(),
            password: password.to_owned(),
            client,
        })
    }

    /// The browser itself, to ask what no page would.
    pub fn http(&self) -> &Client {
        &self.client
    }

    /// The same person with another browser.
    pub fn with_new_session(&self) -> Result<Self> {
        Self::new(&self.email, &self.password)
    }

    /// To the portal, on to the hosted sign-in, through its form, and back.
    pub async fn sign_in(&self, portal: &str) -> Result<()> {
        let form = self
            .client
            .get(format!("{portal}/login"))
            .send()
            .await?
            .error_for_status()?;
        if form.url().as_str().starts_with(portal) && form.url().path() == "/" {
            return Ok(());
        }
        let address = form.url().clone();
        let fields = [
            ("username", self.email.as_str()),
            ("password", self.password.as_str()),
        ];
        let answer = self.client.post(address).form(&fields).send().await?;
        ensure!(
            answer.status().is_success(),
            "the sign-in answered {}",
            answer.status()
        );
        Ok(())
    }

    /// A page, with this person's cookies.
    pub async fn open(&self, url: &str) -> Result<reqwest::Response> {
        Ok(self.client.get(url).send().await?)
    }

    /// A form, with this person's cookies.
    pub async fn submit(&self, url: reqwest::Url, fields: &[(&str, &str)]) -> Result<reqwest::Response> {
        Ok(self.client.post(url).form(fields).send().await?)
    }

    pub async fn jobs(&self, portal: &str) -> Result<WorkerReply> {
        send(self.client.get(format!("{portal}/api/jobs"))).await
    }

    pub async fn next(&self, portal: &str, job: &str) -> Result<WorkerReply> {
        self.post(&format!("{portal}/api/jobs/{job}/next"), &json!({}))
            .await
    }

    pub async fn task(&self, portal: &str, token: &str) -> Result<WorkerReply> {
        send(self.client.get(format!("{portal}/api/tasks/{token}"))).await
    }

    /// One class, as a `crowd-classifier` hands it in.
    pub async fn answer(&self, portal: &str, token: &str, label: &str) -> Result<WorkerReply> {
        let answer = json!({"answer": {"crowd-classifier": {"label": label}}});
        self.post(&format!("{portal}/api/tasks/{token}/answer"), &answer)
            .await
    }

    async fn post(&self, url: &str, body: &Value) -> Result<WorkerReply> {
        send(self.client.post(url).header("x-groundcrew", "1").json(body)).await
    }
}

/// Anything a worker's page could not go on from is an error.
async fn send(request: reqwest::RequestBuilder) -> Result<WorkerReply> {
    let Ok(answer) = request.send().await else {
        return Ok(WorkerReply::Unavailable);
    };
    let status = answer.status();
    let Ok(text) = answer.text().await else {
        return Ok(WorkerReply::Unavailable);
    };
    Ok(match status {
        StatusCode::UNAUTHORIZED => WorkerReply::SignedOut,
        StatusCode::NOT_FOUND | StatusCode::CONFLICT | StatusCode::GONE => WorkerReply::Gone,
        status if status.is_server_error() => WorkerReply::Unavailable,
        status => {
            ensure!(status.is_success(), "the portal answered {status}: {text}");
            WorkerReply::Done(
                serde_json::from_str(&text).with_context(|| format!("the portal answered {text}"))?,
            )
        }
    })
}
