//! What people read, and copy from, with any names that other people chose.

use std::process::Command;

use super::*;
use crate::crew::{JoinMarker, TeamProblem};
use crate::name::{DatasetNameError, TeamFileNameError, TeamName};
use crate::visible::is_invisible;

/// Names of files and folders. A dataset's has no control characters.
const NAMES: [&str; 8] = [
    "$(touch pwned)",
    "`touch pwned`",
    "a'; touch pwned; '",
    "a\"; touch pwned; \"",
    "a; touch pwned #",
    "gpj.\u{202e}exe\u{200b}",
    "see http://evil.example and www.evil.example",
    "-rf",
];

fn error(text: &str) -> SpecError {
    SpecError {
        file: format!("teams/{text}.yaml"),
        line: Some(1),
        column: Some(1),
        message: format!("there is no key `{text}`"),
        hint: Some(text.to_owned()),
        excerpt: Some(format!("   1 | {text}\n     | ^")),
    }
}

/// Every notice there is, with the name wherever text of other people comes in.
fn every_notice(name: &str) -> Vec<Notice> {
    let (dataset, team) = (
        dataset(&name.replace('/', "_")),
        TeamName::new("readers").unwrap(),
    );
    let reject = |row| Reject {
        reason: format!("`{name}` is nothing that can be shown"),
        ..sample_reject(&format!("{name}/{name}.txt"), row)
    };
    let joined = JoinMarker {
        at: Timestamp::UNIX_EPOCH,
        username: name.to_owned(),
        sub: name.to_owned(),
    };
    let problem = TeamProblem {
        message: format!("`{name}` is no address"),
        line: Some(3),
    };
    let refusal = JobRefusal {
        dataset: &dataset,
        batch: BatchNumber::FIRST,
        job: "gc00-d-000001",
        reason: WaitingReason::Refused,
        message: name,
    };
    let links = Links {
        results: Some(format!("s3://out/results/{name}/000001/")),
        console: Some("https://console.example.org/".to_owned()),
        portal: Some("https://portal.example.org/".to_owned()),
    };
    let mut failed = summary(JobState::Failed);
    name.clone_into(&mut failed.dataset);
    failed.failure_reason = Some(name.to_owned());
    failed.labels.output_error = Some(name.to_owned());
    name.clone_into(&mut failed.labels.per_label[0].label);
    (
        failed.labels.changed_since_batch,
        failed.labels.deleted_since_batch,
    ) = (2, 1);
    failed.labels.reuploaded_since_batch = 1;
    let misnamed = TeamFileNameError::Extension {
        file: name.to_owned(),
    };
    vec![
        Notice::job_finished(&failed, &links),
        Notice::job_refused(refusal),
        Notice::spec_rejected(&dataset, &error(name), "ab"),
        Notice::files_rejected(&dataset, &[reject(None), reject(Some(3))]),
        Notice::dataset_halted(&dataset, name),
        Notice::loose_file(&name.replace('/', "_")),
        Notice::misplaced_folder(
            &format!("{name}/{name}.txt"),
            &DatasetNameError::Unprintable(name.to_owned()),
        ),
        Notice::team_rejected(&team, &error(name), "ab"),
        Notice::team_misnamed(&format!("teams/{name}.yml"), &misnamed),
        Notice::team_problems(&team, TeamCause::Addresses, &[problem]),
        Notice::team_refused(&team, name),
        Notice::worker_joined(&team, "p", "ana@example.org"),
        Notice::worker_unlisted("h", &joined, None),
        Notice::workers_unlisted(&[name]),
    ]
}

fn commands(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .map(str::trim)
        .filter(|line| line.starts_with("aws "))
}

/// Words of a command as a shell reads them: it runs in an empty folder and with no program to be found.
fn read_by_a_shell(command: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new("/bin/sh")
        .args([
            "-c",
            &format!("for word in {command}; do printf '%s\\0' \"$word\"; done"),
        ])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{command}: {output:?}"
    );
    let left = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 0, "{command} did something");
    let said = String::from_utf8(output.stdout).unwrap();
    said.split_terminator('\0').map(str::to_owned).collect()
}

#[test]
fn a_command_of_a_notice_runs_nothing_of_a_name() {
    for name in NAMES {
        let mut with_key = 0;
        for notice in every_notice(name) {
            for command in commands(&notice.text) {
                let words = read_by_a_shell(command);
                let place = words.iter().find(|word| word.starts_with("s3://")).unwrap();
                let key = format!("s3://<input bucket>/{name}/{name}.txt");
                let is_reject = !notice.id.starts_with("misplaced/");
                with_key += usize::from(is_reject && *place == key);
                let folder = name.replace('/', "_");
                assert!(
                    place.contains(name) || place.contains(&folder) || notice.team.is_some(),
                    "{command}"
                );
            }
        }
        assert_eq!(with_key, 1, "{name}: the rejected file has its command");
    }
}

#[test]
fn nothing_of_a_name_is_hidden_in_a_notice_or_becomes_a_link_there() {
    for name in NAMES {
        for notice in every_notice(name) {
            let Notice { subject, text, .. } = &notice;
            let hidden = |c: char| c != '\n' && (is_invisible(c) || c.is_control());
            assert!(!text.contains(hidden) && !subject.contains(hidden), "{text:?}");
            for line in text.lines().chain([subject.as_str()]) {
                assert!(
                    !line.contains("http://evil") && !line.contains("www.evil"),
                    "{line}"
                );
            }
        }
    }
    assert_eq!(quote("x://y WWW.z s3://b/k"), "\"x[:]//y WWW[.]z s3://b/k\"");
}

/// What is copied from a text: an address, a place in a bucket, a team's file. Nothing may touch it that is no part of it.
fn changed_lines(text: &str) -> Vec<&str> {
    let is_place = |word: &&str| {
        let word = word.to_lowercase();
        ["://", "teams/", "results/"]
            .iter()
            .any(|part| word.contains(part))
            || word.contains('@')
    };
    // `labeling.yaml:3:1:` is how compilers point to a place, and terminals open it.
    let points = |word: &&str| word.trim_end_matches(':').ends_with(|c: char| c.is_ascii_digit());
    let starts = |word: &str| word.starts_with(['(', '`', '"', '<', '[']);
    let ends = |word: &str| word.ends_with([',', '.', ';', ':', '!', '?', ')', '`', '"', '>', ']']);
    text.lines()
        .filter(|line| !line.trim_start().starts_with("aws "))
        .flat_map(str::split_whitespace)
        .filter(is_place)
        .filter(|word| !points(word))
        .filter(|word| starts(word) || ends(word))
        .collect()
}

#[test]
fn nothing_touches_what_people_copy_from_a_notice() {
    assert_eq!(
        changed_lines("to (https://x.org). a@b.org, or"),
        ["(https://x.org).", "a@b.org,"]
    );
    for notice in every_notice("numbers") {
        // Names in quotes are names; what is copied is the command below them.
        let text: String = notice
            .text
            .lines()
            .filter(|line| !line.contains('"'))
            .collect::<Vec<_>>()
            .join("\n");
        assert!(
            changed_lines(&text).is_empty(),
            "{:?} in:\n{}",
            changed_lines(&text),
            notice.text
        );
        for command in commands(&notice.text) {
            assert!(!command.ends_with(['.', ',', ';', ':', '`']), "{command}");
        }
    }
}

#[test]
fn advice_fits_what_was_rejected() {
    let (file, row) = (sample_reject("d/a.txt", None), sample_reject("d/b.csv", Some(7)));
    let text = |rejected: &[Reject]| Notice::files_rejected(&dataset("d"), rejected).text;
    let in_place = "fix it, and upload it to the same place.";
    let alone = "put the fixed ones alone into a file of another name";
    let (file, row) = (text(&[file]), text(&[row]));
    assert!(file.contains(in_place) && !file.contains(alone), "{file}");
    assert!(row.contains(alone) && !row.contains(in_place), "{row}");
}
