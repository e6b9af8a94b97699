//! Dropped `.txt`, `.csv`, `.tsv` and `.jsonl` files: every row is an item, a reject or blank; none is lost, none is twice,
//! and reading on after a row gives what reading all gave.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use shared::item::read_text;
use shared::manifest::{MAX_LINE, origins};
use shared::spec::Spec;

const KEYS: [&str; 4] = ["d/a.txt", "d/a.csv", "d/a.tsv", "d/a.jsonl"];

static SPECS: LazyLock<Vec<Spec>> = LazyLock::new(|| {
    ["file", "line", "row", "row, column: text"]
        .iter()
        .map(|split| {
            let yaml = format!(
                "task: text-classification\nlabels: [a, b]\nteam: t\ntitle: t\ndescription: d\ntext: {{split: {split}}}\n"
            );
            Spec::parse(yaml.as_bytes()).unwrap()
        })
        .collect()
});

// The first byte says how the rest is read: one of four ways to split, one of four kinds of file, after which row.
fuzz_target!(|data: &[u8]| {
    let [how, bytes @ ..] = data else { return };
    let how = usize::from(*how);
    let (spec, key, after) = (&SPECS[how & 3], KEYS[how >> 2 & 3], (how >> 4 & 3) as u64);
    let all = read(spec, key, bytes, 0);
    let mut last = 0;
    for row in all.iter().filter_map(|(row, _)| *row) {
        assert!(row > last, "row {row} after {last}");
        last = row;
    }
    if bytes.is_empty() || std::str::from_utf8(bytes).is_err() {
        assert!(all.iter().all(|(_, line)| line.is_err()));
    }
    assert!(!all.is_empty(), "neither an item nor a reject");
    let rows = |(row, _): &&(Option<u64>, _)| row.is_some_and(|row| row > after);
    let rest = read(spec, key, bytes, after);
    assert!(
        all.iter().filter(rows).eq(rest.iter().filter(rows)),
        "not the same after row {after}"
    );
});

type Item = (Option<u64>, Result<String, String>);

fn read(spec: &Spec, key: &str, bytes: &[u8], after: u64) -> Vec<Item> {
    read_text(spec, key, "e", bytes, after)
        .map(|item| match item {
            Ok(line) => {
                assert!(!line.json.contains('\n') && line.json.chars().count() <= MAX_LINE);
                let origin = origins(line.json.as_bytes()).next().unwrap().unwrap();
                assert_eq!((origin.key.as_str(), origin.row), (key, line.row));
                (line.row, Ok(line.json))
            }
            Err(reject) => {
                assert!(
                    reject.key == key && reject.reason.len() < 8192,
                    "{}",
                    reject.reason
                );
                (reject.row, Err(reject.reason))
            }
        })
        .collect()
}
