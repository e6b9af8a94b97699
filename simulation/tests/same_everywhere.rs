//! The same seed gives the same schedule on every machine: no clock, no thread, no hash map's order is in it.

use sha2::{Digest, Sha256};
use simulation::{Options, run};

/// Seed and SHA-256 of its trace. They change when a protocol makes other calls, or in another order: then look at
/// the new traces, and put the hashes printed below here.
const TRACES: [(u64, &str); 3] = [
    (
        1,
        "386aeaa54f24ff2796872996cf6a86fca6cd6005f81f81196754edf4231f3a03",
    ),
    (
        3,
        "e8af77f243aa565d4db040dcf2f8099942dd087ad22821c2b2590b418d2934e5",
    ),
    (
        5,
        "1c35f447efaa25d905c4df81354652212b6d1573753aca75b9a60e1e7fd8706f",
    ),
];

fn hash(seed: u64) -> String {
    let options = Options {
        trace: true,
        ..Options::default()
    };
    let trace = run(seed, &options).trace;
    assert!(trace.len() > 20, "seed {seed} is hardly a schedule: {trace:?}");
    hex::encode(Sha256::digest(trace.join("\n")))
}

#[test]
fn the_trace_of_a_seed_is_known() {
    let now = TRACES.map(|(seed, _)| (seed, hash(seed)));
    let now = now.each_ref().map(|(seed, hash)| (*seed, hash.as_str()));
    assert_eq!(now, TRACES);
}

#[test]
fn a_seed_runs_the_same_way_twice_and_without_a_trace() {
    for seed in 100..120 {
        assert_eq!(hash(seed), hash(seed));
        let counts = |trace| {
            run(
                seed,
                &Options {
                    trace,
                    ..Options::default()
                },
            )
            .counts
        };
        assert_eq!(counts(true), counts(false), "seed {seed}");
    }
}
