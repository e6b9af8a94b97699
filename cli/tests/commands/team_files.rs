//! Team files as an admin checks them, and as the console saves them, against the whole stack on this machine.

use std::fs;

use crate::command::{output_of, stdout};

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("teams")).unwrap();
    for (path, text) in files {
        fs::write(folder.path().join("teams").join(path), text).unwrap();
    }
    folder
}

const GOOD: &str = "\
organization: Example Lab
contact: labels@example.org
description: People who label numbers
workers:
  - ana@example.org
  - bo(at)example.org
";

#[test]
fn a_folder_of_team_files_is_checked_file_by_file() {
    let broken = GOOD.replace("contact", "conatct");
    let folder = folder(&[
        ("numbers-team.yaml", GOOD),
        ("proof.yaml", &broken),
        ("my team.yaml", GOOD),
        ("x.yml", GOOD),
    ]);
    let output = output_of(&["check", folder.path().join("teams").to_str().unwrap()]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    for part in [
        "✓ numbers-team",
        "Example Lab, contact labels@example.org",
        "1 person",
        "1 entry would be left out",
        "line 6: ",
        "bo(at)example.org",
        "✗ teams/proof.yaml:2:1",
        "contact",
        "`my team` cannot be a team",
        "`x.yml` is not read",
    ] {
        assert!(text.contains(part), "no `{part}` in: {text}");
    }
}

#[test]
fn of_names_that_differ_in_case_the_second_is_refused() {
    let folder = folder(&[("Numbers.yaml", GOOD), ("numbers.yaml", GOOD)]);
    let output = output_of(&["check", folder.path().join("teams").to_str().unwrap()]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    for part in [
        "✓ Numbers",
        "✗",
        "numbers.yaml: names that differ only in capital",
    ] {
        assert!(text.contains(part), "no `{part}` in: {text}");
    }
}

#[test]
fn one_team_file_is_checked_by_its_path() {
    let folder = folder(&[("numbers-team.yaml", GOOD)]);
    let path = folder.path().join("teams/numbers-team.yaml");
    let output = output_of(&["check", path.to_str().unwrap(), "--json"]);
    assert!(
        output.status.success(),
        "an address that is left out is no failure"
    );
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let team = &json["teams"][0];
    assert_eq!(
        (
            json["ok"].as_bool(),
            team["team"].as_str(),
            team["people"].as_u64(),
            team["left_out"][0]["line"].as_u64()
        ),
        (Some(true), Some("numbers-team"), Some(1), Some(6)),
        "{json}"
    );
}

#[test]
fn the_schema_of_a_team_file_knows_its_keys() {
    let output = output_of(&["schema", "--team"]);
    let schema: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    for key in ["organization", "contact", "description", "workers", "sign_in"] {
        assert!(schema["properties"].get(key).is_some(), "{key} is missing");
    }
}
