//! Lambda's side of a function: the Runtime API it polls, on loopback, and the process it runs in.
//! https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use serde_json::Value;
use tokio::sync::{Mutex, mpsc};

/// One function process and the Runtime API it is connected to.
pub(crate) struct Function {
    child: Child,
    events: mpsc::Sender<Value>,
    replies: mpsc::Receiver<Result<Value, String>>,
    started: Instant,
}

struct Api {
    events: Mutex<mpsc::Receiver<Value>>,
    replies: mpsc::Sender<Result<Value, String>>,
}

impl Function {
    /// Starts the binary as Lambda would, with only these variables.
    pub(crate) async fn start(binary: &Path, env: &[(String, String)]) -> Result<Self> {
        let (events, waiting) = mpsc::channel(1);
        let (answer, replies) = mpsc::channel(1);
        let api = Arc::new(Api {
            events: Mutex::new(waiting),
            replies: answer,
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        tokio::spawn(async move { axum::serve(listener, router(api)).await });

        let started = Instant::now();
        let child = Command::new(binary)
            .env_clear()
            .envs(env.iter().cloned())
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "bench")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "bench")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", "bench")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("starting {}", binary.display()))?;
        Ok(Self {
            child,
            events,
            replies,
            started,
        })
    }

    /// The answer to one event.
    pub(crate) async fn invoke(&mut self, event: Value) -> Result<Value> {
        self.events.send(event).await?;
        match self.replies.recv().await.context("the function has gone")? {
            Ok(reply) => Ok(reply),
            Err(error) => bail!("the function failed: {error}"),
        }
    }

    /// Since the process was started.
    pub(crate) fn age(&self) -> Duration {
        self.started.elapsed()
    }

    pub(crate) fn processor_seconds(&self) -> Result<f64> {
        processor_seconds(self.child.id())
    }

    /// Most memory the process ever held, in MB (10^6 bytes).
    pub(crate) fn peak_memory(&self) -> Result<f64> {
        peak_memory(self.child.id())
    }
}

/// Processor time a process has used, which others on the machine do not change much, in seconds.
pub(crate) fn processor_seconds(process: u32) -> Result<f64> {
    // https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: the name, in brackets, may hold anything.
    const TICKS_A_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    let (_, fields) = stat.rsplit_once(')').context("no name")?;
    let ticks: Vec<f64> = fields
        .split_ascii_whitespace()
        .skip(11)
        .take(2)
        .map(str::parse)
        .collect::<Result<_, _>>()?;
    Ok(ticks.iter().sum::<f64>() / TICKS_A_SECOND)
}

/// Most memory a process ever held, in MB (10^6 bytes).
pub(crate) fn peak_memory(process: u32) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status
        .lines()
        .find_map(|l| l.strip_prefix("VmHWM:"))
        .context("no VmHWM")?;
    let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kilobytes * 1024.0 / 1e6)
}

impl Drop for Function {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn router(api: Arc<Api>) -> Router {
    Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
        .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
        .with_state(api)
}

async fn next(State(api): State<Arc<Api>>) -> impl IntoResponse {
    let Some(event) = api.events.lock().await.recv().await else {
        return (StatusCode::GONE, HeaderMap::new(), String::new());
    };
    let headers = [
        (
            "lambda-runtime-aws-request-id",
            "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
        ),
        ("lambda-runtime-deadline-ms", "99999999999999"),
        (
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:us-east-1:000000000000:function:bench",
        ),
        (
            "lambda-runtime-trace-id",
            "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700",
        ),
    ];
    let headers = headers
        .into_iter()
        .filter_map(|(k, v)| Some((k.parse().ok()?, v.parse().ok()?)))
        .collect();
    (StatusCode::OK, headers, event.to_string())
}

async fn response(State(api): State<Arc<Api>>, body: String) -> StatusCode {
    let reply = serde_json::from_str(&body).map_err(|e| e.to_string());
    api.replies.send(reply).await.ok();
    StatusCode::ACCEPTED
}

async fn error(State(api): State<Arc<Api>>, body: String) -> StatusCode {
    api.replies.send(Err(body)).await.ok();
    StatusCode::ACCEPTED
}
