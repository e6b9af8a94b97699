//! How much it takes: a dataset of a million objects, 200 datasets at once, 500 workers on one job; and what breaks
//! first. Everything measured runs as a process of its own; the figures are in docs/evidence/FIGURES.md, "Load".

mod datasets;
mod limits;
mod made_up;
mod objects;
mod restarts;
pub(crate) mod sign_ins;
pub(crate) mod stack;
mod workers;

use std::fmt;
use std::path::PathBuf;

use anyhow::Result;
use clap::ValueEnum;

/// What `template.yaml` gives build-manifest before Lambda kills it.
pub(crate) const LAMBDA_SECONDS: u64 = 900;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only one part of it
    #[arg(value_enum)]
    part: Option<Part>,
    /// Objects in the large dataset
    #[arg(long, default_value_t = 1_000_000)]
    objects: usize,
    /// Objects up to which `limits` raises a dataset
    #[arg(long, default_value_t = 3_000_000)]
    most_objects: u64,
    /// The one dimension `limits` raises
    #[arg(long, value_enum)]
    dimension: Option<limits::Dimension>,
    /// Datasets dropped at once
    #[arg(long, default_value_t = 200)]
    datasets: usize,
    /// Workers on one job; a tenth of them is the baseline
    #[arg(long, default_value_t = 500)]
    workers: usize,
    /// Items in that job
    #[arg(long, default_value_t = 20_000)]
    items: usize,
    /// Items in the job that is half done when the engine is restarted
    #[arg(long, default_value_t = 100_000)]
    restarted_items: usize,
    /// Where stores are made, and deleted at the end [default: the system's temporary folder]
    #[arg(long)]
    scratch: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    Objects,
    Datasets,
    Workers,
    Restarts,
    Limits,
}

pub(crate) async fn run(arguments: &Arguments) -> Result<()> {
    let asked = |part| arguments.part.is_none_or(|only| only == part);
    let scratch = arguments.scratch.clone().unwrap_or_else(std::env::temp_dir);
    if asked(Part::Limits) {
        limits::run(arguments.most_objects, arguments.dimension).await?;
    }
    if asked(Part::Workers) {
        workers::run(&scratch, arguments.workers, arguments.items).await?;
    }
    if asked(Part::Restarts) {
        restarts::run(&scratch, arguments.restarted_items).await?;
    }
    if asked(Part::Datasets) {
        datasets::run(&scratch, arguments.datasets).await?;
    }
    if asked(Part::Objects) {
        objects::run(&scratch, arguments.objects).await?;
    }
    Ok(())
}

/// Peak memory in MB of 10^6 bytes, shown in MiB, as Lambda counts.
#[derive(Clone, Copy)]
struct Memory(f64);

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0} MiB", self.0 * 1e6 / f64::from(1 << 20))
    }
}

impl Memory {
    /// What Lambda makes of a process that has so many MiB.
    fn of(self, mib: f64) -> String {
        match self.0 * 1e6 / f64::from(1 << 20) {
            peak if peak > mib => format!("{self}: BROKEN, Lambda kills it at {mib}"),
            _ => format!("{self} of {mib}"),
        }
    }
}

/// The value below which so many of a hundred lie; the values get sorted.
fn percentile(values: &mut [f64], of_hundred: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    let place = (values.len() * of_hundred / 100).min(values.len().saturating_sub(1));
    values.get(place).copied().unwrap_or_default()
}
