//! A sample of schedules in every test run; `cargo run --profile simulation -p simulation -- run` has the million.

use simulation::{Fault, Many, Options, many, run};

/// Enough for every fault to meet every other.
const SAMPLE: u64 = 5_000;

fn promise_is_kept(seeds: u64, options: &Options) -> Many {
    let all = many(0, seeds, options, &|_| {});
    if let Some((seed, violation)) = all.wrong.first_key_value() {
        let again = run(
            *seed,
            &Options {
                trace: true,
                ..options.clone()
            },
        );
        panic!("{}\nseed {seed}: {violation}", again.trace.join("\n"));
    }
    all
}

#[test]
fn every_promise_is_kept_while_everything_goes_wrong() {
    let all = promise_is_kept(SAMPLE, &Options::default());
    for fault in Fault::ALL {
        let (tried, struck) = all.tally.of(*fault);
        assert!(
            struck * 10 >= tried && struck > 30,
            "{fault:?} struck {struck} times of {tried}: less than one in ten"
        );
    }
    assert!(all.counts.batches > SAMPLE / 2, "{:?}", all.counts);
    assert!(
        all.counts.mails > SAMPLE / 2 && all.counts.sign_ins > SAMPLE,
        "{:?}",
        all.counts
    );
}

#[test]
fn with_every_event_lost_one_round_of_the_clock_finishes_everything() {
    let silence = Options {
        chances: vec![(Fault::EventLost, 100), (Fault::TriggerLost, 100)],
        ..Options::default()
    };
    let all = promise_is_kept(500, &silence);
    assert!(
        all.counts.jobs > 300 && all.counts.mails > 300,
        "{:?}",
        all.counts
    );
}

#[test]
fn a_notice_is_repeated_only_when_something_went_wrong_around_it() {
    let harmless = [
        Fault::Crash,
        Fault::WriteAfterDeath,
        Fault::Throttled,
        Fault::ResponseLost,
        Fault::ConflictWithItself,
        Fault::PublishResponseLost,
        Fault::SlowCalls,
        Fault::EventLost,
        Fault::PublishFails,
    ];
    let calm = Options {
        chances: harmless.map(|fault| (fault, 0)).to_vec(),
        ..Options::default()
    };
    let all = promise_is_kept(500, &calm);
    let share = all.counts.repeated as f64 / all.counts.notices as f64;
    assert!(
        share < 0.01,
        "{:?}: only invocations side by side may repeat one",
        all.counts
    );
}
