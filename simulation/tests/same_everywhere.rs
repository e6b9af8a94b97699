//! The same seed gives the same schedule on every machine: no clock, no thread, no hash map's order is in it.

use sha2::{Digest, Sha256};
use simulation::{Options, run};

/// Seed and SHA-256 of its trace. They change when a protocol makes other calls, or in another order: then look at
/// the new traces, and put the hashes printed below here.
const TRACES: [(u64, &str); 3] = [
    (
        1,
        "a251c1e786b19d0d4d788e417fa62636237fb0a3ba63caa747241ebced6fe87d",
    ),
    (
        3,
        "f8f4f9ee01dfbd2604c66de7340e62308d72a4048bed06344be0020b66c94814",
    ),
    (
        5,
        "813e7ed78f851f09202446cd2b81ccf4f5eacd0423ddab9b6b93e5e25a71e17d",
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
