//! Team files, before they are dropped: one `teams/<team>.yaml`, or a folder of them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use shared::crew::{MAX_BYTES, SignIn, TeamFile};
use shared::layout::{self, InputKey, SPEC_FILE};
use shared::misnamed_spec;
use shared::name::TeamName;
use shared::yaml::FileError;

use super::files::{path_text, read_at_most};
use crate::paint::{Paint, Style, lines, one_line};

/// Work teams of an account and Region.
/// <https://docs.aws.amazon.com/general/latest/gr/sagemaker.html>
const WORK_TEAM_QUOTA: usize = 25;
/// Addresses listed on a terminal; `--json` has all.
const MAX_LISTED: usize = 20;
const SUFFIX: &str = "yaml";

/// What is said of one file.
pub(super) struct TeamFileCheck {
    path: PathBuf,
    file: Result<(TeamName, TeamFile), TeamFileProblem>,
}

enum TeamFileProblem {
    /// No team can have this name.
    Name(String),
    Text(FileError),
}

/// The team files at a path, or `None` where the path is a dataset. A folder has team files only if it is called `teams`, as
/// in the bucket; a single file is one if it is YAML and does not look like a spec.
pub(super) fn files_at(path: &Path) -> anyhow::Result<Option<Vec<PathBuf>>> {
    let name = |path: &Path| {
        path.file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    };
    if path.is_file() {
        let name = name(path);
        let is_spec = name == SPEC_FILE || misnamed_spec::looks_like_misnamed_spec(&name);
        return Ok((is_yaml(path) && !is_spec).then(|| vec![path.to_owned()]));
    }
    let is_teams = path
        .canonicalize()
        .is_ok_and(|absolute| name(&absolute) == layout::TEAMS);
    if !is_teams || path.join(SPEC_FILE).exists() || !path.is_dir() {
        return Ok(None);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).with_context(|| path.display().to_string())? {
        let entry = entry.with_context(|| path.display().to_string())?.path();
        if entry.is_file() && is_yaml(&entry) {
            files.push(entry);
        }
    }
    files.sort();
    Ok((!files.is_empty()).then_some(files))
}

/// Also `.yml` and `.YAML`: the functions do not read them, and the check should say so.
fn is_yaml(path: &Path) -> bool {
    let hidden = path
        .file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with('.'));
    let extension = path
        .extension()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    !hidden && [SUFFIX, "yml"].contains(&extension.as_str())
}

pub(super) fn check(files: Vec<PathBuf>) -> anyhow::Result<Vec<TeamFileCheck>> {
    if files.is_empty() {
        bail!("there is no team file here");
    }
    let mut checked = files
        .into_iter()
        .map(check_one)
        .collect::<anyhow::Result<Vec<_>>>()?;
    refuse_twins(&mut checked);
    Ok(checked)
}

/// As in the bucket: of names that differ only in case, the first one is the team.
fn refuse_twins(checked: &mut [TeamFileCheck]) {
    let mut first: BTreeMap<String, TeamName> = BTreeMap::new();
    for checked in checked {
        let Ok((name, _)) = &checked.file else { continue };
        match first.get(&name.case_folded()) {
            None => {
                first.insert(name.case_folded(), name.clone());
            }
            Some(first) => {
                checked.file = Err(TeamFileProblem::Name(format!(
                    "names that differ only in capital and small letters are one name, and there is also `{first}.{SUFFIX}`: \
                     give one of them another name"
                )));
            }
        }
    }
}

fn check_one(path: PathBuf) -> anyhow::Result<TeamFileCheck> {
    let text = read_at_most(&path, MAX_BYTES)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // By the rules of the bucket, in whatever folder the file is on this disk.
    let file = match InputKey::parse(&format!("{}/{name}", layout::TEAMS)) {
        InputKey::Team(team) => TeamFile::parse(&team, &text)
            .map(|file| (team, file))
            .map_err(TeamFileProblem::Text),
        InputKey::BadTeam(error) => Err(TeamFileProblem::Name(error.to_string())),
        _ => Err(TeamFileProblem::Name(format!(
            "a team file's name ends in `.{SUFFIX}`"
        ))),
    };
    Ok(TeamFileCheck { path, file })
}

/// Addresses that are left out are no failure: the others are invited.
pub(super) fn are_good(checked: &[TeamFileCheck]) -> bool {
    checked.iter().all(|checked| checked.file.is_ok())
}

pub(super) fn text(checked: &[TeamFileCheck], paint: Paint) -> String {
    let mut text = String::new();
    for checked in checked {
        match &checked.file {
            Ok((name, file)) => write_team(&mut text, name, file, paint),
            Err(problem) => write_problem(&mut text, &checked.path, problem, paint),
        }
    }
    let mark = paint.word(Style::Warn, "!");
    if checked.len() > WORK_TEAM_QUOTA {
        let _infallible = writeln!(
            text,
            "{mark} {} teams: an account has {WORK_TEAM_QUOTA} work teams in a Region unless AWS raises that quota",
            checked.len()
        );
    }
    let next = if are_good(checked) {
        "Dropped into `teams/`, everyone added in them would be invited."
    } else {
        "A file that cannot be used changes nothing: fix it first."
    };
    let _infallible = writeln!(text, "\n{next}");
    text
}

fn write_problem(text: &mut String, path: &Path, problem: &TeamFileProblem, paint: Paint) {
    let mark = paint.word(Style::Bad, "✗");
    let _infallible = match problem {
        TeamFileProblem::Name(reason) => writeln!(text, "{mark} {}: {reason}", path_text(path)),
        TeamFileProblem::Text(error) => writeln!(text, "{mark} {}", lines(&error.to_string())),
    };
}

fn write_team(text: &mut String, name: &TeamName, file: &TeamFile, paint: Paint) {
    let (mark, name) = (
        paint.word(Style::Good, "✓"),
        paint.word(Style::Strong, name.as_str()),
    );
    let _infallible = write!(
        text,
        "{mark} {name}: the team file is fine\n  {}, contact {}\n  {}\n",
        one_line(&file.organization, 128),
        one_line(&file.contact, 128),
        people(file)
    );
    let Some(crew) = file.cognito().filter(|crew| !crew.unusable.is_empty()) else {
        return;
    };
    let count = crew.unusable.len();
    let entries = if count == 1 { "entry" } else { "entries" };
    let _infallible = writeln!(
        text,
        "{} {count} {entries} would be left out:",
        paint.word(Style::Warn, "!")
    );
    for problem in crew.unusable.iter().take(MAX_LISTED) {
        let line = problem
            .line
            .map(|line| format!("line {line}: "))
            .unwrap_or_default();
        let place = paint.word(Style::Place, &line);
        let _infallible = writeln!(text, "  {place}{}", one_line(&problem.message, 400));
    }
    if count > MAX_LISTED {
        let _infallible = writeln!(text, "  … and {} more; --json lists them", count - MAX_LISTED);
    }
}

fn people(file: &TeamFile) -> String {
    let crew = match &file.sign_in {
        SignIn::Oidc { issuer, groups } => {
            return format!(
                "everyone that {} puts into {}",
                one_line(issuer, 128),
                one_line(&groups.join(", "), 200)
            );
        }
        SignIn::Cognito(crew) => crew,
    };
    let mut parts = vec![match crew.workers.len() {
        1 => "1 person".to_owned(),
        count => format!("{count} people"),
    }];
    if !crew.groups.is_empty() {
        let groups: Vec<&str> = crew.groups.iter().map(|group| group.name.as_str()).collect();
        parts.push(format!("and the groups {}", one_line(&groups.join(", "), 200)));
    }
    parts.push(
        if crew.notify_workers {
            "notified when work waits"
        } else {
            "not notified when work waits"
        }
        .to_owned(),
    );
    parts.join(", ")
}

pub(super) fn json(checked: &[TeamFileCheck]) -> Value {
    let teams: Vec<Value> = checked.iter().map(team_json).collect();
    json!({ "ok": are_good(checked), "teams": teams })
}

fn team_json(checked: &TeamFileCheck) -> Value {
    let path = checked.path.display().to_string();
    match &checked.file {
        Err(TeamFileProblem::Name(reason)) => {
            json!({ "file": path, "ok": false, "error": { "message": reason } })
        }
        Err(TeamFileProblem::Text(error)) => {
            let error = json!({ "line": error.line, "column": error.column, "message": error.message, "hint": error.hint });
            json!({ "file": path, "ok": false, "error": error })
        }
        Ok((name, file)) => {
            let crew = file.cognito();
            json!({
                "file": path,
                "ok": true,
                "team": name.as_str(),
                "organization": file.organization,
                "contact": file.contact,
                "people": crew.map_or(0, |crew| crew.workers.len()),
                "groups": crew.map(|crew| crew.groups.iter().map(|group| &group.name).collect::<Vec<_>>()),
                "notify_workers": crew.is_some_and(|crew| crew.notify_workers),
                "left_out": crew.map(|crew| &crew.unusable),
            })
        }
    }
}
