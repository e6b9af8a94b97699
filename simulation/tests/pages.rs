//! docs/evidence/FAULTS.md names a test for each fault: those tests have to exist.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn every_fault_names_a_test_that_exists() {
    let page = std::fs::read_to_string(root().join("docs/evidence/FAULTS.md")).unwrap();
    let table = page.split_once("## Forty faults").unwrap().1;
    let sources = [
        "shared",
        "aws",
        "lambda",
        "functions",
        "tests",
        "local",
        "engine",
        "simulation",
        "cli",
    ]
    .map(|folder| rust_in(&root().join(folder)))
    .concat();
    let rows: Vec<&str> = table
        .lines()
        .filter(|line| line.starts_with("| "))
        .skip(1)
        .collect();
    assert_eq!(rows.len(), 40);
    for row in rows {
        let shown = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        let tests = shown.split('`').skip(1).step_by(2);
        let known = tests.map(|test| {
            assert!(
                sources.contains(&format!("fn {test}(")),
                "no test is called {test}: {row}"
            );
        });
        assert!(
            known.count() > 0 || shown.contains("simulated"),
            "nothing shows it: {row}"
        );
    }
}

fn rust_in(folder: &Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(folder).unwrap().filter_map(Result::ok) {
        let path = entry.path();
        if path.is_dir() && !path.ends_with("target") {
            text.push_str(&rust_in(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
    text
}
