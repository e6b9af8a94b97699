//! A headless Chromium, driven over the W3C WebDriver protocol that chromedriver speaks.
//!
//! The protocol is a dozen JSON requests; the crates that wrap it bring a second HTTP client and a second set of
//! Unicode tables, which would cost every first build more than this file does.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::wait;

/// The key under which WebDriver names an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Keys as WebDriver spells them.
pub mod key {
    pub const ENTER: &str = "\u{E007}";
    pub const TAB: &str = "\u{E004}";
}

/// One browser window; closed, and its driver ended, when dropped.
pub struct Browser {
    driver: Child,
    session: String,
    http: reqwest::Client,
    _profile: tempfile::TempDir,
}

/// An element of the page that was current when it was found.
#[derive(Clone, Debug)]
pub struct Element(String);

impl Browser {
    /// `None`, with a line on standard error, where Chromium or its driver is missing: the caller skips its journey.
    #[expect(clippy::print_stderr, reason = "a skipped journey has to say so")]
    pub async fn start() -> Result<Option<Self>> {
        let Some((chromium, chromedriver)) = find_chromium() else {
            anyhow::ensure!(
                std::env::var_os("GROUNDCREW_REQUIRE_BROWSER").is_none(),
                "chromium and chromedriver are required here, and not find_chromium"
            );
            eprintln!(
                "skipped: chromium and chromedriver are not find_chromium (Debian: chromium, chromium-driver)"
            );
            return Ok(None);
        };
        let port = free_port()?;
        let driver = Command::new(chromedriver)
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("starting chromedriver")?;
        let profile = tempfile::tempdir()?;
        let http = reqwest::Client::new();
        let root = format!("http://127.0.0.1:{port}");
        wait::until("chromedriver answers", Duration::from_secs(30), || async {
            http.get(format!("{root}/status"))
                .send()
                .await
                .map_err(|e| e.to_string())
        })
        .await;
        let reply: Value = http
            .post(format!("{root}/session"))
            .json(&capabilities(&chromium, profile.path()))
            .send()
            .await?
            .json()
            .await?;
        let id = reply["value"]["sessionId"]
            .as_str()
            .with_context(|| format!("no session: {reply}"))?;
        let session = format!("{root}/session/{id}");
        Ok(Some(Self {
            driver,
            session,
            http,
            _profile: profile,
        }))
    }

    async fn post(&self, path: &str, body: Value) -> Result<Value> {
        let reply: Value = self
            .http
            .post(format!("{}/{path}", self.session))
            .json(&body)
            .send()
            .await?
            .json()
            .await?;
        value(reply, path)
    }

    async fn get(&self, path: &str) -> Result<Value> {
        let reply: Value = self
            .http
            .get(format!("{}/{path}", self.session))
            .send()
            .await?
            .json()
            .await?;
        value(reply, path)
    }

    pub async fn open(&self, url: &str) -> Result<()> {
        self.post("url", json!({ "url": url })).await.map(drop)
    }

    pub async fn url(&self) -> Result<String> {
        Ok(self.get("url").await?.as_str().unwrap_or_default().to_owned())
    }

    /// The first element that matches, waiting for it.
    pub async fn find(&self, css: &str) -> Result<Element> {
        let what = format!("an element `{css}` at {}", self.url().await?);
        let found = wait::until(&what, Duration::from_secs(20), || async {
            let found = self
                .post("element", json!({ "using": "css selector", "value": css }))
                .await;
            found.and_then(|v| element(&v)).map_err(|e| format!("{e:#}"))
        });
        Ok(found.await)
    }

    pub async fn click(&self, element: &Element) -> Result<()> {
        self.post(&format!("element/{}/click", element.0), json!({}))
            .await
            .map(drop)
    }

    pub async fn type_into(&self, element: &Element, text: &str) -> Result<()> {
        self.post(&format!("element/{}/value", element.0), json!({ "text": text }))
            .await
            .map(drop)
    }

    pub async fn text(&self, element: &Element) -> Result<String> {
        let text = self.get(&format!("element/{}/text", element.0)).await?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// Presses and releases keys one after the other, at whatever has the focus: what a keyboard does.
    pub async fn press(&self, keys: &str) -> Result<()> {
        let actions: Vec<Value> = keys
            .chars()
            .flat_map(|k| {
                [
                    json!({"type": "keyDown", "value": k}),
                    json!({"type": "keyUp", "value": k}),
                ]
            })
            .collect();
        let source = json!({"actions": [{"type": "key", "id": "keyboard", "actions": actions}]});
        self.post("actions", source).await.map(drop)
    }

    /// Everything after this happens inside the frame, until [`Self::leave_frame`].
    pub async fn enter_frame(&self, frame: &Element) -> Result<()> {
        self.post("frame", json!({ "id": { ELEMENT: frame.0 } }))
            .await
            .map(drop)
    }

    pub async fn leave_frame(&self) -> Result<()> {
        self.post("frame", json!({ "id": null })).await.map(drop)
    }

    /// Runs a function body in the page and gives what it returns.
    pub async fn run(&self, script: &str, args: Value) -> Result<Value> {
        self.post("execute/sync", json!({ "script": script, "args": args }))
            .await
    }

    /// From now on a phone's screen, so many pixels wide.
    pub async fn be_a_phone(&self, width: u32) -> Result<()> {
        let screen = json!({ "width": width, "height": 780, "deviceScaleFactor": 1, "mobile": true });
        let command = json!({ "cmd": "Emulation.setDeviceMetricsOverride", "params": screen });
        self.post("goog/cdp/execute", command).await.map(drop)
    }

    /// Text of the whole page, as a reader sees it.
    pub async fn page_text(&self) -> Result<String> {
        let text = self.run("return document.body.innerText", json!([])).await?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// Waits until the page's text holds `part`.
    pub async fn wait_for_text(&self, part: &str) -> Result<()> {
        wait::until(
            &format!("the page shows `{part}`"),
            Duration::from_secs(30),
            || async {
                let text = self.page_text().await.unwrap_or_default();
                if text.contains(part) { Ok(()) } else { Err(text) }
            },
        )
        .await;
        Ok(())
    }

    /// Saves what is seen as `<name>.png` in the folder GROUNDCREW_SCREENSHOTS names; nowhere if it names none.
    pub async fn screenshot(&self, name: &str) -> Result<()> {
        use base64::Engine as _;
        let Some(folder) = std::env::var_os("GROUNDCREW_SCREENSHOTS") else {
            return Ok(());
        };
        let png = self.get("screenshot").await?;
        let bytes = base64::engine::general_purpose::STANDARD.decode(png.as_str().unwrap_or_default())?;
        std::fs::create_dir_all(&folder)?;
        std::fs::write(Path::new(&folder).join(format!("{name}.png")), bytes)?;
        Ok(())
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Ending the driver ends the browser it started.
        self.driver.kill().ok();
        self.driver.wait().ok();
    }
}

fn value(mut reply: Value, path: &str) -> Result<Value> {
    let value = reply["value"].take();
    if let Some(error) = value.get("error") {
        bail!(
            "{path}: {error}: {}",
            value["message"].as_str().unwrap_or_default()
        );
    }
    Ok(value)
}

fn element(value: &Value) -> Result<Element> {
    Ok(Element(
        value[ELEMENT].as_str().context("not an element")?.to_owned(),
    ))
}

fn find_chromium() -> Option<(PathBuf, PathBuf)> {
    let path = std::env::var_os("PATH")?;
    let find = |names: &[&str]| {
        std::env::split_paths(&path)
            .flat_map(|dir| names.iter().map(move |n| dir.join(n)))
            .find(|f| f.is_file())
    };
    Some((
        find(&["chromium", "chromium-browser", "google-chrome"])?,
        find(&["chromedriver"])?,
    ))
}

fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn capabilities(chromium: &Path, profile: &Path) -> Value {
    json!({"capabilities": {"alwaysMatch": {
        "browserName": "chrome",
        "goog:chromeOptions": {
            "binary": chromium,
            "args": [
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
                "--disable-dev-shm-usage", "--window-size=1280,900",
                format!("--user-data-dir={}", profile.display()),
            ],
        },
    }}})
}
