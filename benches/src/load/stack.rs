//! The whole stack, with the console, in a process of its own: its memory is its own, and it can be killed.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use axum::Router;
use console::{ConsoleConfig, Hints, Queue};
use local::{StackConfig, StackInfo};
use shared::name::JobPrefix;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::lambda::peak_memory;
use crate::measure::Memory;

pub(super) const PASSWORD: &str = "A long enough secret 1!";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[arg(long)]
    data: PathBuf,
    #[arg(long, default_value = "127.0.0.1:0")]
    aws: SocketAddr,
    #[arg(long, default_value = "127.0.0.1:0")]
    web: SocketAddr,
    /// Adds people who can sign in: worker-0@example.com and so on
    #[arg(long, default_value_t = 0)]
    workers: usize,
    /// Where requests are written down
    #[arg(long)]
    record: Option<PathBuf>,
}

/// Serves until it is asked to stop; says a line when it is ready.
pub(crate) async fn serve(arguments: Arguments) -> Result<()> {
    let config = StackConfig {
        data: arguments.data,
        aws: arguments.aws,
        web: arguments.web,
        public_url: None,
        record: arguments.record,
        // Requests of many clients are made up.
        trusted_proxies: "127.0.0.1/32".parse().map_err(anyhow::Error::msg)?,
        links: Vec::new(),
    };
    let router = |info: &StackInfo, outbox: Router| match console_config(info) {
        Ok(config) => console::router_with_pages(config, outbox),
        Err(_) => Router::new(),
    };
    let stack = local::Stack::start(config, router).await?;
    for n in 0..arguments.workers {
        let team = &stack.info().team;
        stack
            .add_worker(&format!("worker-{n}@example.com"), PASSWORD, &[team])
            .await?;
    }
    println!("ready");
    tokio::signal::ctrl_c().await?;
    stack.shutdown().await;
    Ok(())
}

/// As the command has it.
pub(super) fn console_config(stack: &StackInfo) -> Result<ConsoleConfig> {
    let queues = stack.queues.iter().map(|queue| Queue {
        name: queue.name.clone(),
        dead_letter_url: queue.dead_letter_url.clone(),
    });
    Ok(ConsoleConfig {
        sdk: aws::sdk::Sdk::from(&stack.sdk()),
        input_bucket: stack.input_bucket.clone(),
        output_bucket: stack.output_bucket.clone(),
        labeling_sdk: aws::sdk::Sdk::from(&stack.sdk()),
        job_prefix: JobPrefix::new(&stack.job_prefix).context("a job prefix")?,
        queues: queues.collect(),
        portal_url: stack.web_url.clone(),
        outbox_url: Some(stack.outbox_url.clone()),
        public_url: stack.web_url.clone(),
        secret: stack.console_secret.clone(),
        hints: Hints {
            drop_folder: None,
            aws_endpoint: None,
            team: None,
        },
        refresh: Duration::from_secs(1),
    })
}

/// The process, and how to reach it.
pub(super) struct Stack {
    process: Child,
    pub(super) info: StackInfo,
    /// From starting the process to its first word.
    pub(super) started_in: Duration,
    pub(super) began: Instant,
}

/// How a stack is started.
#[derive(Default)]
pub(super) struct How<'a> {
    pub(super) workers: usize,
    pub(super) record: Option<&'a Path>,
    /// At the addresses it had before.
    pub(super) like: Option<&'a StackInfo>,
}

impl Stack {
    pub(super) async fn start(data: &Path, how: How<'_>) -> Result<Self> {
        let began = Instant::now();
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(["stack", "--workers", &how.workers.to_string(), "--data"])
            .arg(data);
        if let Some(record) = how.record {
            command.arg("--record").arg(record);
        }
        if let Some(info) = how.like {
            let address = |url: &str| url.trim_start_matches("http://").to_owned();
            command.args(["--aws", &address(&info.aws_url), "--web", &address(&info.web_url)]);
        }
        let mut process = command.stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let output = process.stdout.take().context("the stack's output")?;
        let line = BufReader::new(output).lines().next_line().await?;
        line.context("the stack did not start")?;
        Ok(Self {
            process,
            info: StackInfo::read(data)?.context("no stack.json")?,
            started_in: began.elapsed(),
            began,
        })
    }

    pub(super) fn memory(&self) -> Result<Memory> {
        Ok(Memory(peak_memory(self.process.id().context("it has ended")?)?))
    }

    pub(super) fn resident(&self) -> Result<Memory> {
        Memory::resident(self.process.id().context("it has ended")?)
    }

    /// Stops it in order, as Ctrl-C does; seconds it took.
    pub(super) async fn stop(mut self) -> Result<f64> {
        let began = Instant::now();
        let id = self.process.id().context("it has ended")?.to_string();
        Command::new("kill").args(["-INT", &id]).status().await?;
        self.process.wait().await?;
        Ok(began.elapsed().as_secs_f64())
    }

    pub(super) async fn kill(mut self) -> Result<()> {
        Ok(self.process.kill().await?)
    }
}
