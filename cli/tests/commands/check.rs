//! `groundcrew check`, `schema` and `status` as a user runs them.

use std::fs;
use std::path::Path;

use crate::command::{output_of, stdout};

fn folder(name: &str, files: &[(&str, &str)]) -> (tempfile::TempDir, String) {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join(name);
    fs::create_dir(&folder).unwrap();
    for (path, text) in files {
        fs::write(folder.join(path), text).unwrap();
    }
    let path = folder.to_str().unwrap().to_owned();
    (parent, path)
}

const GOOD: &str = "task: text-classification\nlabels: [Even, Odd]\nteam: t\ntitle: T\ndescription: D\n";

#[test]
fn the_examples_are_good() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    for (path, items, labels) in [
        ("numbers", "10 items in 1 batch", "Even, Odd"),
        ("pictures", "12 items in 1 batch", "Circle, Square, Triangle"),
        (
            "team-of-three/reviews",
            "10 items in 1 batch",
            "Positive, Negative, Mixed",
        ),
    ] {
        let output = output_of(&["check", examples.join(path).to_str().unwrap()]);
        let text = stdout(&output);
        assert!(output.status.success(), "{path}: {text}");
        assert!(text.contains(items) && text.contains(labels), "{path}: {text}");
        assert!(
            !text.contains("left out") && !text.contains("rejected"),
            "{path}: {text}"
        );
        assert!(!text.contains('\u{1b}'), "colours in a pipe: {text}");
    }
    for team in ["teams", "team-of-three/teams"] {
        let output = output_of(&["check", examples.join(team).to_str().unwrap()]);
        assert!(output.status.success(), "{team}: {}", stdout(&output));
    }
}

#[test]
fn a_broken_spec_is_shown_with_its_place_and_the_nearest_name() {
    for (spec, parts) in [
        (
            GOOD.replace("team: t", "taem: t"),
            vec!["labeling.yaml:3:1", "taem", "team"],
        ),
        (
            GOOD.replace("[Even, Odd]", "[]"),
            vec!["labeling.yaml:2", "labels"],
        ),
        (
            GOOD.replace("[Even, Odd]", "[Even, Even]"),
            vec!["labeling.yaml:2", "Even"],
        ),
        (
            GOOD.replace("text-classification", "text-clasification"),
            vec!["labeling.yaml:1", "text-classification"],
        ),
        (format!("{GOOD}title: again\n"), vec!["labeling.yaml:6", "title"]),
        (GOOD.replace("team: t\n", ""), vec!["team"]),
        (String::new(), vec!["labeling.yaml"]),
    ] {
        let (_parent, path) = folder("d", &[("labeling.yaml", &spec), ("a.txt", "1")]);
        let output = output_of(&["check", &path]);
        let text = stdout(&output);
        assert_eq!(output.status.code(), Some(1), "{text}");
        for part in parts {
            assert!(text.contains(part), "no `{part}` in: {text}");
        }
    }
}

#[test]
fn rejects_alone_are_listed_and_are_no_failure() {
    let (_parent, path) = folder(
        "d",
        &[
            ("labeling.yaml", GOOD),
            ("a.txt", "1"),
            ("b.txt", ""),
            ("c.zip", "x"),
        ],
    );
    let output = output_of(&["check", &path]);
    let text = stdout(&output);
    assert!(output.status.success(), "{text}");
    assert!(
        text.contains("2 would be rejected") && text.contains("b.txt") && text.contains("c.zip"),
        "{text}"
    );
}

#[test]
fn nothing_to_label_is_a_failure() {
    let (_parent, path) = folder("d", &[("labeling.yaml", GOOD)]);
    let output = output_of(&["check", &path, "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (json["ok"].as_bool(), json["found"]["items"].as_u64()),
        (Some(false), Some(0)),
        "{json}"
    );
}

#[test]
fn a_folder_without_a_spec_or_with_a_reserved_name_says_what_to_do() {
    let (_parent, path) = folder("d", &[("a.txt", "1")]);
    let output = output_of(&["check", &path]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text.contains("has no labeling.yaml") && text.contains("examples/numbers"),
        "{text}"
    );
    let (_parent, path) = folder("teams", &[("labeling.yaml", GOOD)]);
    let text = String::from_utf8(output_of(&["check", &path]).stderr).unwrap();
    assert!(text.contains("team files"), "{text}");
    let text = String::from_utf8(output_of(&["check", "/nowhere/at/all"]).stderr).unwrap();
    assert!(text.contains("there is no folder /nowhere/at/all"), "{text}");
}

#[test]
fn the_schema_is_json_that_knows_the_specs_keys() {
    let output = output_of(&["schema"]);
    let schema: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    for key in ["task", "labels", "team", "batch"] {
        assert!(schema["properties"].get(key).is_some(), "{key} is missing");
    }
}

#[test]
fn status_says_how_to_start_when_nothing_runs() {
    let data = tempfile::tempdir().unwrap();
    let output = output_of(&["status", "--data", data.path().to_str().unwrap()]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("groundcrew up"), "{text}");
}

#[test]
fn a_misnamed_spec_is_called_so_and_nothing_is_said_of_teams() {
    for name in [
        "labelling.yaml",
        "labeling.yml",
        "labeling.yaml.txt",
        "labeling.yaml.yaml",
        "labels.yaml",
        "labeling (1).yaml",
        "spec.yaml",
        "labeling.json",
    ] {
        let (_parent, path) = folder("cats", &[(name, GOOD), ("a.txt", "1")]);
        for path in [path.clone(), format!("{path}/{name}")] {
            let text = String::from_utf8(output_of(&["check", &path]).stderr).unwrap();
            assert!(
                text.contains("the name of a spec has to be labeling.yaml exactly"),
                "{name}: {text}"
            );
            assert!(text.contains(name) && !text.contains("team"), "{name}: {text}");
        }
    }
}

#[test]
fn a_folder_holds_team_files_only_if_it_is_called_teams() {
    let team = "organization: O\ndescription: D\ncontact: c@example.org\nworkers: [a@example.org]\n";
    let (_parent, path) = folder("cats", &[("readers.yaml", team), ("a.txt", "1")]);
    let text = String::from_utf8(output_of(&["check", &path]).stderr).unwrap();
    assert!(text.contains("has no labeling.yaml"), "{text}");
    let (_parent, path) = folder(
        "teams",
        &[("readers.yaml", team), ("b.YAML", team), ("c.yml", team)],
    );
    let text = stdout(&output_of(&["check", &path]));
    assert!(text.contains("readers: the team file is fine"), "{text}");
    assert!(
        text.contains("`b.YAML` is not read") && text.contains("`c.yml` is not read"),
        "{text}"
    );
}

#[test]
fn nothing_of_a_file_s_name_is_hidden_on_a_terminal() {
    let (_parent, path) = folder(
        "d",
        &[
            ("labeling.yaml", GOOD),
            ("a\u{202e}gpj.zip", "1"),
            ("b\u{1b}[2J.txt", "1"),
        ],
    );
    let text = stdout(&output_of(&["check", &path]));
    assert!(text.contains("a\\u{202E}gpj.zip"), "{text}");
    assert!(!text.contains(['\u{202e}', '\u{1b}']), "{text}");
}

#[test]
fn of_rows_that_would_be_rejected_it_is_said_what_works_later() {
    let rows = format!("{GOOD}text: {{split: row, column: t}}\n");
    let (_parent, path) = folder("d", &[("labeling.yaml", &rows), ("a.csv", "id,t\n1,one\n2,\n")]);
    let text = stdout(&output_of(&["check", &path]));
    assert!(
        text.contains("put the fixed ones alone into a file of another name"),
        "{text}"
    );
}
