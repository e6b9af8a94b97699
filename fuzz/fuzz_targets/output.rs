//! The labeling service's output, and what is made of it: as many answers as lines, confidences that are numbers, an export
//! in which every labelled item is.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shared::output::read;

fuzz_target!(|manifest: &[u8]| {
    let lines = manifest
        .split(|&b| b == b'\n')
        .filter(|line| !line.trim_ascii().is_empty());
    let mut found = 0;
    for line in read(manifest, "a") {
        found += 1;
        match line {
            Ok(line) => {
                for class in line.label.iter().flat_map(|label| label.classes()) {
                    assert!(class.confidence.is_none_or(f64::is_finite));
                }
                assert!(line.key().len() <= manifest.len());
            }
            Err(error) => assert!(error.to_string().len() <= manifest.len() * 8 + 1024, "{error}"),
        }
    }
    assert_eq!(found, lines.count());
});
