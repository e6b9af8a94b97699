//! How much it takes: a dataset of a million objects, 200 datasets at once, 500 workers on one job; and what breaks
//! first. Everything measured runs as a process of its own; the figures are in docs/evidence/FIGURES.md, "Load".

mod datasets;
mod limits;
mod objects;
mod restarts;
mod sample_s3;
pub(crate) mod sign_ins;
pub(crate) mod stack;
mod workers;

use std::path::PathBuf;

use anyhow::Result;
use clap::ValueEnum;

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
    let wanted = |part| arguments.part.is_none_or(|only| only == part);
    let scratch = arguments.scratch.clone().unwrap_or_else(std::env::temp_dir);
    if wanted(Part::Limits) {
        limits::run(arguments.most_objects, arguments.dimension).await?;
    }
    if wanted(Part::Workers) {
        workers::run(&scratch, arguments.workers, arguments.items).await?;
    }
    if wanted(Part::Restarts) {
        restarts::run(&scratch, arguments.restarted_items).await?;
    }
    if wanted(Part::Datasets) {
        datasets::run(&scratch, arguments.datasets).await?;
    }
    if wanted(Part::Objects) {
        objects::run(&scratch, arguments.objects).await?;
    }
    Ok(())
}
