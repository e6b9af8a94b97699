//! The product, killed again and again where it hurts (SIGKILL), and started again on the same data.
//!
//! `cargo test` runs one seed of each. Others: `GROUNDCREW_SEED=7,8,9 cargo test -p tests --test crash`. Hundreds of kills,
//! each at a point of its own, with a summary at the end:
//! `GROUNDCREW_KILLS=300 cargo test -p tests --test crash -- --nocapture --test-threads=1`.

mod crew;
mod line;
mod tally;

use anyhow::Result;
use tally::Tally;

#[tokio::test(flavor = "multi_thread")]
async fn a_line_killed_at_every_stage_labels_everything_once_and_loses_no_answer() -> Result<()> {
    let mut total = Tally::default();
    for seed in seeds() {
        announce(seed);
        total.add(seed, line::CrashingLine::start(seed).await?.run().await?);
        if total.is_enough() {
            break;
        }
    }
    total.say("the line");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crew_killed_while_it_gathers_is_invited_once_and_signs_in() -> Result<()> {
    let mut total = Tally::default();
    for seed in seeds() {
        announce(seed);
        total.add(seed, crew::CrashingCrew::start(seed).await?.run().await?);
        if total.is_enough() {
            break;
        }
    }
    total.say("the crew");
    Ok(())
}

#[expect(clippy::print_stderr, reason = "a failure needs to be repeated")]
fn announce(seed: u64) {
    eprintln!("seed {seed} (GROUNDCREW_SEED={seed} repeats it)");
}

/// Those that were asked for; or so many as it takes; or one.
fn seeds() -> Box<dyn Iterator<Item = u64> + Send> {
    let listed = std::env::var("GROUNDCREW_SEED").unwrap_or_default();
    let listed: Vec<u64> = listed.split(',').filter_map(|seed| seed.parse().ok()).collect();
    match (listed.is_empty(), tally::wanted_kills()) {
        (false, _) => Box::new(listed.into_iter()),
        (true, Some(_)) => Box::new(1..),
        (true, None) => Box::new(std::iter::once(1)),
    }
}
