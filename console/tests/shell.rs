//! The console's own quoting of commands, by node where there is one.

use std::path::Path;
use std::process::Command;

#[test]
fn commands_of_the_console_hold_names_as_one_word() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/shell.test.mjs");
    let node = match Command::new("node").arg("--test").arg(&tests).output() {
        Ok(output) => output,
        Err(_) if std::env::var_os("GROUNDCREW_REQUIRE_BROWSER").is_none() => {
            eprintln!("skipped: there is no node");
            return;
        }
        Err(error) => panic!("node: {error}"),
    };
    let said = String::from_utf8(node.stdout).unwrap();
    assert!(node.status.success() && said.contains("# pass 3"), "{said}");
}
