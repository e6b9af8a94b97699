//! The same seed gives the same schedule on every machine: no clock, no thread, no hash map's order is in it.

use sha2::{Digest, Sha256};
use simulation::{Options, run};

/// Seed and SHA-256 of its trace. They change when a protocol makes other calls, or in another order: then look at
/// the new traces, and put the hashes printed below here.
const TRACES: [(u64, &str); 3] = [
    (
        1,
        "2e7407ba97c5eade90b5f5bb5f57d41e45c5ec8823b55f21a6ca8d5a50b46f00",
    ),
    (
        3,
        "1353956adb0939ce71be28b45f0147fc50e5d55daf6604f7dd5b9f2e64449911",
    ),
    (
        5,
        "5c422d86f509feb5ba1ea618c692f12d48bea66fd40dbdf79d2359e4904f445d",
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
