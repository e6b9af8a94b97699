//! The command: a million schedules, or one of them again, line by line.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "printing is what the command is for"
)]

use std::process::ExitCode;
use std::time::Instant;

use clap::{Parser, Subcommand};
use simulation::eventing::{Settings, count};
use simulation::{Fault, Many, Options, Safeguard, Scene, bill, many, run};

#[derive(Parser)]
#[command(about = "Groundcrew's protocols in a seeded, faulty world")]
struct Command {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Run many schedules and stop at the first that breaks a promise.
    Run {
        #[arg(long, default_value_t = 1_000_000)]
        seeds: u64,
        #[arg(long, default_value_t = 0)]
        from: u64,
        /// Print how often every fault struck.
        #[arg(long)]
        faults: bool,
        /// Only the schedules about people and teams, every third seed, or only the others, about datasets.
        #[arg(long, value_parser = scene)]
        only: Option<Scene>,
        /// Run all of them, and list the seeds that break a promise.
        #[arg(long)]
        go_on: bool,
        /// Undo a safeguard, and only in the schedules it matters in.
        #[arg(long, value_parser = safeguard)]
        without: Option<Safeguard>,
    },
    /// Print what a round of each function costs after so many days of a batch each.
    Cost {
        #[arg(long, value_delimiter = ',', default_values_t = [1, 30, 365])]
        days: Vec<u32>,
        #[arg(long, default_value_t = 10)]
        files: u32,
    },
    /// Count what so many uploads ask for, and print what a million of them cost.
    Eventing {
        #[arg(long, default_value_t = 10_000)]
        uploads: u64,
        /// Uploads a second.
        #[arg(long, default_value_t = 100)]
        rate: u64,
        #[arg(long, default_value = "template.yaml")]
        template: std::path::PathBuf,
    },
    /// Run one schedule again and print everything that happens in it.
    Replay { seed: u64 },
}

fn main() -> ExitCode {
    match Command::parse().what {
        What::Run {
            seeds,
            from,
            faults,
            only,
            go_on,
            without,
        } => {
            let options = Options {
                only: without.map(Safeguard::scene).or(only),
                go_on,
                without,
                ..Options::default()
            };
            run_many(from, seeds, faults, &options)
        }
        What::Cost { days, files } => print_costs(&days, files),
        What::Eventing {
            uploads,
            rate,
            template,
        } => print_eventing(uploads, rate, &template),
        What::Replay { seed } => replay(seed),
    }
}

fn scene(name: &str) -> Result<Scene, String> {
    match name {
        "crew" => Ok(Scene::Crew),
        "datasets" => Ok(Scene::Datasets),
        _ => Err("crew or datasets".to_owned()),
    }
}

/// By its name in the program.
fn safeguard(name: &str) -> Result<Safeguard, String> {
    let mut all = Safeguard::ALL.into_iter();
    let found = all.find(|safeguard| format!("{safeguard:?}").eq_ignore_ascii_case(name));
    found.ok_or_else(|| format!("not one of {:?}", Safeguard::ALL))
}

fn print_eventing(uploads: u64, rate: u64, template: &std::path::Path) -> ExitCode {
    let text = std::fs::read_to_string(template).unwrap_or_default();
    let Some(settings) = Settings::of(&text) else {
        eprintln!(
            "{} is not the stack's template: name it with --template",
            template.display()
        );
        return ExitCode::FAILURE;
    };
    let counted = match count(uploads, rate, settings) {
        Ok(counted) => counted,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let bill = counted.at(1_000_000);
    println!("{uploads} uploads, {rate} a second: {counted:?}");
    println!(
        "a million, as fast: {:.0} invocations; SQS {:.0} requests ${:.2}, EventBridge ${:.2}, LIST {:.0} ${:.2}, \
         Lambda at most ${:.2}; ${:.2}",
        bill.invocations,
        bill.sqs_requests,
        bill.sqs,
        bill.bus,
        bill.lists,
        bill.listing,
        bill.lambda,
        bill.sum()
    );
    ExitCode::SUCCESS
}

fn print_costs(days: &[u32], files: u32) -> ExitCode {
    for days in days {
        let bill = bill(*days, files);
        println!("{days} days of a batch of {files} files");
        for (what, cost) in bill.rows() {
            println!(
                "  {what:<38}{:>6} calls ({} lists, {} gets, {} writes), {} bytes read",
                cost.calls(),
                cost.lists,
                cost.gets,
                cost.writes,
                cost.bytes_read
            );
        }
    }
    ExitCode::SUCCESS
}

fn run_many(from: u64, seeds: u64, faults: bool, options: &Options) -> ExitCode {
    let begin = Instant::now();
    let progress = |done: u64| {
        let rate = done as f64 / begin.elapsed().as_secs_f64();
        eprint!("\r{done} of {seeds}, {rate:.0} a second ");
    };
    let all = many(from, seeds, options, &progress);
    eprintln!();
    if faults {
        print_faults(&all);
    }
    let seconds = begin.elapsed().as_secs_f64();
    let counts = all.counts;
    println!(
        "{} schedules in {seconds:.0} s ({:.0} a second): {} invocations, {} calls, {} batches of {} items, {} jobs, \
         {} notices, {} of them repeated, {} mails, {} sign-ins",
        all.seeds,
        all.seeds as f64 / seconds,
        counts.invocations,
        counts.calls,
        counts.batches,
        counts.items,
        counts.jobs,
        counts.notices,
        counts.repeated,
        counts.mails,
        counts.sign_ins,
    );
    if all.wrong.is_empty() {
        println!("every promise was kept");
        return ExitCode::SUCCESS;
    }
    for (seed, violation) in &all.wrong {
        println!("seed {seed} broke a promise: {violation}\nrun it again with: replay {seed}");
    }
    ExitCode::FAILURE
}

fn print_faults(all: &Many) {
    for fault in Fault::ALL {
        let (tried, struck) = all.tally.of(*fault);
        let share = 100.0 * struck as f64 / tried.max(1) as f64;
        println!(
            "{:<22}{struck:>12} of {tried:>12}  {share:>5.1} %",
            format!("{fault:?}")
        );
    }
}

fn replay(seed: u64) -> ExitCode {
    let options = Options {
        trace: true,
        ..Options::default()
    };
    let outcome = run(seed, &options);
    outcome.trace.iter().for_each(|line| println!("{line}"));
    match outcome.violation {
        None => {
            println!("every promise was kept");
            ExitCode::SUCCESS
        }
        Some(violation) => {
            println!("broken: {violation}");
            ExitCode::FAILURE
        }
    }
}
