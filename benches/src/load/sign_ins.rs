//! What sign-ins leave behind in memory: each hashes a password in 19 MiB, which are to be used again and not kept.

use anyhow::{Context, Result, ensure};
use futures::future::try_join_all;
use reqwest::{Client, StatusCode};

use super::stack::{How, PASSWORD, Stack};
use crate::measure::Memory;
use crate::portal::sign_in;

/// What argon2id takes for one password, in MB: 19 MiB.
/// <https://docs.rs/argon2/0.5/argon2/struct.Params.html#associatedconstant.DEFAULT_M_COST>
const ONE_HASH: f64 = 19.0 * 1024.0 * 1024.0 / 1e6;
const WARM: usize = 10;
/// So many right ones and as many wrong ones.
const MEASURED: usize = 100;
/// Memory is kept by threads: one at a time would use few of them.
const AT_ONCE: usize = 8;

pub(crate) async fn run() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let how = How {
        workers: AT_ONCE,
        ..How::default()
    };
    let stack = Stack::start(folder.path(), how).await?;
    let started = stack.resident()?;
    right(&stack, WARM).await?;
    let warm = stack.resident()?;
    right(&stack, MEASURED).await?;
    wrong(&stack, MEASURED).await?;
    let after = stack.resident()?;
    let each = (after.0 - warm.0) / (2 * MEASURED) as f64;
    println!("\nsign-in memory: the stack's, {AT_ONCE} sign-ins at once");
    println!(
        "  started {started}, after {WARM} sign-ins {warm}, after {} more {after}",
        2 * MEASURED
    );
    println!(
        "  growth of a sign-in x{:.4} of one argon2 hash (19 MiB, the baseline)",
        each / ONE_HASH
    );
    stack.stop().await?;
    Ok(())
}

async fn right(stack: &Stack, count: usize) -> Result<()> {
    for first in (0..count).step_by(AT_ONCE) {
        let wave = (first..count.min(first + AT_ONCE)).map(|n| async move {
            let email = format!("worker-{}@example.com", n % AT_ONCE);
            sign_in(&stack.info.web_url, &email, PASSWORD).await
        });
        try_join_all(wave).await?;
    }
    Ok(())
}

/// Each for another person and from another client: what one client or one account may try is limited, and a refused try
/// hashes nothing.
async fn wrong(stack: &Stack, count: usize) -> Result<()> {
    let client = Client::builder().cookie_store(true).build()?;
    let portal = &stack.info.web_url;
    let form = client.get(format!("{portal}/login")).send().await?;
    let form = form.error_for_status()?.url().clone();
    for first in (0..count).step_by(AT_ONCE) {
        let wave = (first..count.min(first + AT_ONCE)).map(|n| {
            let form = client
                .post(form.clone())
                .header("X-Forwarded-For", format!("198.51.100.{n}"))
                .form(&[
                    ("username", format!("unknown-{n}@example.com")),
                    ("password", PASSWORD.to_owned()),
                ]);
            async move {
                let status = form.send().await.context("a wrong sign-in")?.status();
                ensure!(
                    status == StatusCode::UNAUTHORIZED,
                    "a wrong password was answered with {status}"
                );
                Ok(())
            }
        });
        try_join_all(wave).await?;
    }
    Ok(())
}

impl Memory {
    /// What a process holds now.
    pub(super) fn resident(process: u32) -> Result<Self> {
        let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes: f64 = line.context("no VmRSS")?.trim().trim_end_matches(" kB").parse()?;
        Ok(Self(kilobytes * 1024.0 / 1e6))
    }
}
