//! What every figure needs: where the release binaries are, medians and percentiles, and memory as Lambda counts it.

use std::fmt;
use std::path::PathBuf;

use anyhow::{Context, Result};

/// What `template.yaml` gives build-manifest before Lambda kills it.
pub(crate) const LAMBDA_SECONDS: u64 = 900;

/// A release binary of this workspace, beside this one.
pub(crate) fn binary(name: &str) -> Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name(name);
    anyhow::ensure!(
        path.is_file(),
        "{} is not there: cargo build --release --workspace",
        path.display()
    );
    Ok(path)
}

pub(crate) fn median(mut values: Vec<f64>) -> Result<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().context("no values")
}

/// Peak memory in MB of 10^6 bytes, shown in MiB, as Lambda counts.
#[derive(Clone, Copy)]
pub(crate) struct Memory(pub(crate) f64);

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0} MiB", self.0 * 1e6 / f64::from(1 << 20))
    }
}

impl Memory {
    /// What Lambda makes of a process that has so many MiB.
    pub(crate) fn of(self, mib: f64) -> String {
        match self.0 * 1e6 / f64::from(1 << 20) {
            peak if peak > mib => format!("{self}: BROKEN, Lambda kills it at {mib}"),
            _ => format!("{self} of {mib}"),
        }
    }
}

/// The value below which so many of a hundred are; the values get sorted.
pub(crate) fn percentile(values: &mut [f64], of_hundred: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    let place = (values.len() * of_hundred / 100).min(values.len().saturating_sub(1));
    values.get(place).copied().unwrap_or_default()
}
