//! The quick reading of where items came from: it says the same as a whole parse of the line, for whatever lies there.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use shared::manifest::origins;

fuzz_target!(|manifest: &[u8]| {
    let lines = manifest
        .split(|&b| b == b'\n')
        .filter(|line| !line.trim_ascii().is_empty());
    let mut found = origins(manifest);
    for line in lines {
        let found = found.next().expect("a line without an answer");
        let Ok(origin) = found else { continue };
        // A name that stands twice is an error to the one and the last to the other; so is a number past all sizes.
        let Ok(whole) = serde_json::from_slice::<Value>(line) else {
            continue;
        };
        // A list of the same values, which is rare, is taken too.
        let Some(known) = whole.get("groundcrew").filter(|known| known.is_object()) else {
            continue;
        };
        assert_eq!(known["key"], origin.key.as_str());
        assert_eq!(known["etag"], origin.etag.as_str());
        assert_eq!(known["row"].as_u64(), origin.row);
    }
    assert!(found.next().is_none(), "an origin without a line");
});
