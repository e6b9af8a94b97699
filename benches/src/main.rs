//! The figures of the project, each as a ratio to a named baseline measured in the same run.
//!
//! `cargo run --release -p benches` runs them all; `-- cold-start`, `-- batch`, `-- portal` run one. Build the
//! functions first: `cargo build --release`. `-- load` takes an hour and runs only when asked for.

#![expect(clippy::print_stdout, reason = "printing figures is what it is for")]

mod batch;
mod cold_start;
mod first_sign_in;
mod lambda;
mod load;
mod measure;
mod portal;
mod store;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Subcommand)]
enum What {
    /// Process start to first answer of each function, against a bare `lambda_runtime` function
    ColdStart,
    /// Batches through the S3 API, against boto3
    Batch {
        /// Objects in the large dataset
        #[arg(long, default_value_t = 100_000)]
        objects: usize,
        /// Python with boto3
        #[arg(long, default_value = "python3")]
        python: PathBuf,
    },
    /// Answers a second through the portal's HTTP interface
    Portal {
        #[arg(long, default_value_t = 100)]
        workers: usize,
        #[arg(long, default_value_t = 4_000)]
        items: usize,
    },
    /// Memory that 200 sign-ins leave behind, against that of one password hash
    SignInMemory,
    /// Datasets of a million objects, 200 datasets, 500 workers; and what breaks first
    Load(load::Arguments),
    /// (internal) the whole stack in a process of its own
    #[command(hide = true)]
    Stack(load::stack::Arguments),
    /// (internal) the store the batches are built on, in a process of its own
    #[command(hide = true)]
    Store {
        #[arg(long)]
        data: PathBuf,
        #[arg(long, default_value_t = 0)]
        latency_ms: u64,
    },
}

#[tokio::main]
async fn main() -> Result<()> {
    match Arguments::parse().what {
        Some(What::ColdStart) => cold_start::run().await,
        Some(What::Batch { objects, python }) => batch::run(objects, &python).await,
        Some(What::Portal { workers, items }) => portal::run(workers, items).await,
        Some(What::SignInMemory) => load::sign_ins::run().await,
        Some(What::Load(arguments)) => load::run(&arguments).await,
        Some(What::Stack(arguments)) => load::stack::serve(arguments).await,
        Some(What::Store { data, latency_ms }) => store::serve(&data, latency_ms).await,
        None => {
            cold_start::run().await?;
            batch::run(100_000, &PathBuf::from("python3")).await?;
            portal::run(100, 4_000).await
        }
    }
}
