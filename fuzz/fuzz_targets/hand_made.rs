//! Manifests made by hand: every line that is taken says what it said and where it came from; every other is rejected by
//! its number.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};
use shared::item::{Rules, read_manifest};
use shared::link::LinkSources;
use shared::manifest::{MAX_LINE, ORIGIN, origins};
use shared::name::DatasetName;
use shared::spec::Spec;

static SPECS: LazyLock<[Spec; 2]> = LazyLock::new(|| {
    ["text", "image"].map(|kind| {
        let yaml =
            format!("task: {kind}-classification\nlabels: [a, b]\nteam: t\ntitle: t\ndescription: d\n");
        Spec::parse(yaml.as_bytes()).unwrap()
    })
});

// The first byte says which kind of job the manifest is for.
fuzz_target!(|data: &[u8]| {
    let [kind, bytes @ ..] = data else { return };
    let (sources, dataset) = (LinkSources::own_folder("in", "out"), DatasetName::new("d").unwrap());
    let rules = Rules {
        sources: &sources,
        dataset: &dataset,
    };
    let mut items = read_manifest(&SPECS[usize::from(*kind & 1)], rules, "d/m.manifest", "e", bytes, 0);
    let (mut found, mut whole) = (0, false);
    for item in items.by_ref() {
        match item {
            Ok(line) => assert_accepted(&line.json, line.row, bytes),
            Err(reject) => {
                assert!(reject.reason.len() < 64 * 1024, "{}", reject.reason);
                whole |= reject.row.is_none();
            }
        }
        found += 1;
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let (lines, blank) = (lines(text).len() as u64, items.blank_rows());
        assert!(
            found + blank == lines || whole && found == 1,
            "{found} + {blank} of {lines}"
        );
    }
});

fn assert_accepted(json: &str, row: Option<u64>, bytes: &[u8]) {
    assert!(
        !json.contains(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']) && json.chars().count() <= MAX_LINE
    );
    let origin = origins(json.as_bytes()).next().unwrap().unwrap();
    assert_eq!((origin.key.as_str(), origin.row), ("d/m.manifest", row));
    let text = std::str::from_utf8(bytes).unwrap();
    let written = lines(text)[row.unwrap() as usize - 1].clone();
    let mut written: Map<String, Value> = serde_json::from_str(&written).unwrap();
    let mut object: Map<String, Value> = serde_json::from_str(json).unwrap();
    object.remove(ORIGIN);
    written.remove(ORIGIN);
    assert_eq!(object, written);
}

/// A line ends with `\n`, `\r\n` or `\r`.
fn lines(text: &str) -> Vec<String> {
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.lines().map(str::to_owned).collect()
}
