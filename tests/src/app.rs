//! The product itself, as a user starts it: `groundcrew up` in a process of its own, on free ports, in a folder that
//! goes when the test does.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::wait;

/// A running `groundcrew up`; killed when dropped.
pub struct App {
    process: Child,
    folder: tempfile::TempDir,
    /// Given at every start after the first.
    again: Vec<String>,
    /// What it wrote about itself: `StackInfo`.
    pub info: Value,
}

impl App {
    /// With the example dataset already dropped, as at a user's first start.
    pub async fn start() -> Result<Self> {
        Self::start_in(tempfile::tempdir()?, &[]).await
    }

    /// Empty.
    pub async fn start_bare() -> Result<Self> {
        Self::start_in(tempfile::tempdir()?, &["--bare"]).await
    }

    /// Empty, and allowed so many open files and connections in all, as on a machine with little to give.
    pub async fn start_with_few_files(most: u32) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let own = command()?;
        let mut limited = Command::new("sh");
        limited
            .args(["-c", "ulimit -n \"$0\" && exec \"$@\"", &most.to_string()])
            .arg(own.get_program());
        let process = start(limited, folder.path(), &["--bare"])?;
        let info = ready(folder.path()).await;
        Ok(Self {
            process,
            folder,
            again: vec!["--bare".to_owned()],
            info,
        })
    }

    /// Empty, in a folder of one's own, on a disk that [`App::limit_files`] can fill. Its log is a file, and fails with it.
    pub async fn start_on(folder: tempfile::TempDir) -> Result<Self> {
        let mut command = command_without_signal()?;
        command.stderr(tempfile::tempfile()?);
        let process = start(command, folder.path(), &["--bare"])?;
        let info = ready(folder.path()).await;
        Ok(Self {
            process,
            folder,
            again: vec!["--bare".to_owned()],
            info,
        })
    }

    /// Whatever the process writes to a file beyond this many bytes fails from now on, as on a disk that is full; `None`:
    /// there is room again.
    pub fn limit_files(&self, most: Option<u64>) -> Result<()> {
        let limit = most.map_or("unlimited".to_owned(), |most| most.to_string());
        let set = Command::new("prlimit")
            .args([
                format!("--pid={}", self.process.id()),
                format!("--fsize={limit}:"),
            ])
            .status();
        ensure!(set.context("running prlimit")?.success(), "prlimit failed");
        Ok(())
    }

    /// The most memory it has held so far, in MiB; `None` where the system does not say.
    pub fn peak_memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kibibytes / 1024)
    }

    /// Whether the process has ended, and how.
    pub fn exit_status(&mut self) -> Result<Option<std::process::ExitStatus>> {
        Ok(self.process.try_wait()?)
    }

    /// As its own AWS clients see it.
    pub fn s3(&self) -> Result<aws_sdk_s3::Client> {
        Ok(local::StackInfo::read(self.data())?
            .context("no stack.json")?
            .s3())
    }

    /// Empty, with every request to the AWS port written to this file.
    pub async fn start_recorded(recording: &Path) -> Result<Self> {
        let file = recording.to_str().context("a path of plain characters")?;
        Self::start_in(tempfile::tempdir()?, &["--bare", "--record", file]).await
    }

    async fn start_in(folder: tempfile::TempDir, more: &[&str]) -> Result<Self> {
        let process = spawn(folder.path(), more)?;
        let info = ready(folder.path()).await;
        let plain = more.iter().filter(|argument| **argument != "--bare");
        let again = ["--bare"].iter().chain(plain);
        Ok(Self {
            process,
            folder,
            again: again.map(|argument| (*argument).to_owned()).collect(),
            info,
        })
    }

    /// Killed without a word, and started again on the same data.
    pub async fn crash_and_restart(&mut self) -> Result<()> {
        self.crash()?;
        self.restart().await
    }

    /// SIGKILL: nothing is finished, nothing is written.
    pub fn crash(&mut self) -> Result<()> {
        self.process.kill()?;
        self.process.wait()?;
        Ok(())
    }

    /// On the same data, at other ports.
    pub async fn restart(&mut self) -> Result<()> {
        std::fs::remove_file(self.folder.path().join("stack.json"))?;
        let again: Vec<&str> = self.again.iter().map(String::as_str).collect();
        self.process = spawn(self.folder.path(), &again)?;
        self.info = ready(self.folder.path()).await;
        Ok(())
    }

    pub fn text(&self, field: &str) -> &str {
        self.info[field].as_str().unwrap_or_default()
    }

    /// Where files are dropped on disk.
    pub fn drop_folder(&self) -> PathBuf {
        PathBuf::from(self.text("drop_folder"))
    }

    pub fn data(&self) -> &Path {
        self.folder.path()
    }

    /// A link to the console, as `groundcrew link` prints it: each works once.
    pub fn console_url(&self) -> String {
        self.link_to("console_url")
    }

    /// A link to the outbox.
    pub fn outbox_url(&self) -> String {
        self.link_to("outbox_url")
    }

    fn link_to(&self, page: &str) -> String {
        let token = console::link_token(self.text("console_secret"));
        format!("{}?token={token}", self.text(page))
    }

    /// Everything that was mailed, as a program of the owner's reads it; `to` is part of an address.
    pub async fn outbox(&self, to: &str) -> Result<Value> {
        let mut url = reqwest::Url::parse(&format!("{}/api", self.text("outbox_url")))?;
        url.query_pairs_mut().append_pair("to", to);
        let asked = reqwest::Client::new()
            .get(url)
            .bearer_auth(self.text("console_secret"));
        Ok(asked.send().await?.error_for_status()?.json().await?)
    }

    /// First sign-in: e-mail and password.
    pub fn worker(&self) -> (&str, &str) {
        let field = |name: &str| self.info["worker"][name].as_str().unwrap_or_default();
        (field("email"), field("password"))
    }

    /// What an AWS client finds its way by.
    pub fn aws_environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ENDPOINT_URL", self.text("aws_url").to_owned()),
            ("AWS_REGION", self.text("region").to_owned()),
            ("AWS_DEFAULT_REGION", self.text("region").to_owned()),
            ("AWS_ACCESS_KEY_ID", self.text("access_key_id").to_owned()),
            ("AWS_SECRET_ACCESS_KEY", self.text("secret_access_key").to_owned()),
        ]
    }

    /// `groundcrew status --json` against it.
    pub fn status(&self) -> Result<Value> {
        let output = command()?
            .args(["status", "--json", "--data"])
            .arg(self.data())
            .output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "groundcrew status: {said}");
        serde_json::from_slice(&output.stdout).context("status --json prints JSON")
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// The command of this build; `cargo test --workspace` builds it beside the tests.
pub fn command() -> Result<Command> {
    let test = std::env::current_exe()?;
    let built = test
        .parent()
        .and_then(Path::parent)
        .context("the build folder")?
        .join("groundcrew");
    ensure!(
        built.is_file(),
        "{} is not built: run the tests with `cargo test --workspace`",
        built.display()
    );
    Ok(Command::new(built))
}

/// The command without the signal that ends a process which writes beyond its limit: a full disk sends none.
fn command_without_signal() -> Result<Command> {
    let own = command()?;
    let mut command = Command::new("sh");
    command
        .args(["-c", "trap '' XFSZ; exec \"$@\"", "sh"])
        .arg(own.get_program());
    Ok(command)
}

/// What `groundcrew up` in this folder says when it does not come up: what is on its standard error and how it ended. With
/// `full`, nothing can be written to any file.
pub async fn failed_start(data: &Path, full: bool) -> Result<FailedStart> {
    let mut command = if full { command_on_full_disk()? } else { command()? };
    command
        .args([
            "up",
            "--bare",
            "--aws",
            "127.0.0.1:0",
            "--web",
            "127.0.0.1:0",
            "--data",
        ])
        .arg(data)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .stdin(Stdio::null());
    let mut child = command.spawn().context("starting groundcrew up")?;
    let stderr = child.stderr.take().context("a pipe")?;
    let said = tokio::task::spawn_blocking(move || std::io::read_to_string(stderr));
    let Ok(said) = tokio::time::timeout(Duration::from_secs(60), said).await else {
        child.kill()?;
        anyhow::bail!("groundcrew up came up, or did not end");
    };
    let said = said??;
    Ok(FailedStart {
        code: child.wait()?.code(),
        said,
    })
}

/// A start that came to nothing.
#[derive(Debug)]
pub struct FailedStart {
    pub code: Option<i32>,
    pub said: String,
}

fn command_on_full_disk() -> Result<Command> {
    let own = command()?;
    let mut command = Command::new("sh");
    command
        .args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$@\"", "sh"])
        .arg(own.get_program());
    Ok(command)
}

fn spawn(data: &Path, more: &[&str]) -> Result<Child> {
    start(command()?, data, more)
}

fn start(mut command: Command, data: &Path, more: &[&str]) -> Result<Child> {
    command
        .args(["up", "--aws", "127.0.0.1:0", "--web", "127.0.0.1:0", "--data"])
        .arg(data)
        .args(more)
        .stdout(Stdio::null())
        .stdin(Stdio::null())
        .spawn()
        .context("starting groundcrew up")
}

async fn ready(data: &Path) -> Value {
    let http = reqwest::Client::new();
    wait::until("groundcrew up answers", Duration::from_secs(60), || async {
        let text = std::fs::read_to_string(data.join("stack.json")).map_err(|e| e.to_string())?;
        let info: Value = serde_json::from_str(&text).map_err(|e| e.to_string())?;
        let url = info["web_url"].as_str().unwrap_or_default();
        let answer = http.get(url).send().await.map_err(|e| e.to_string())?;
        if answer.status().is_success() {
            Ok(info)
        } else {
            Err(answer.status().to_string())
        }
    })
    .await
}
