//! The same seed gives the same schedule on every machine: no clock, no thread, no hash map's order is in it.

use sha2::{Digest, Sha256};
use simulation::{Options, run};

/// Seed and SHA-256 of its trace. They change when a protocol makes other calls, or in another order: then look at
/// the new traces, and put the hashes printed below here.
const TRACES: [(u64, &str); 3] = [
    (
        1,
        "e87ec13eb6f8cf6324e24f40ab54666cca4930353b4cc5bfea210e76f76b5b90",
    ),
    (
        3,
        "e754e54e17c1415ef8998ac58b6c4afd830fa7ff93255de13aa7975fad2af7a6",
    ),
    (
        5,
        "4c941269f27b1c71eb57b0565ee8b84b81f50c8f1ecf03c76cfca3a0b869a37e",
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
