//! `groundcrew check`: what would happen to a folder or a team file, before it is dropped, by the rules the functions go by;
//! and, with `--stack` or `--data`, whether a deployment is as it should be, and the folder fits it. Nothing is ever
//! written, and without these nothing is asked of a network.

mod assess;
mod beside;
mod files;
mod finding;
mod folder;
mod show;
mod stack;
mod teams;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};
use shared::layout::SPEC_FILE;
use shared::misnamed;
use shared::name::DatasetName;
use shared::spec::{MAX_BYTES, Spec, SpecError};

use crate::args::Check;
use crate::endpoint::{self, Target};
use crate::paint::{self, Paint};
use assess::Findings;
use finding::{Finding, are_good};

/// What is said of a folder.
pub(crate) struct Outcome {
    pub(crate) dataset: String,
    /// Its labeling.yaml.
    pub(crate) text: Vec<u8>,
    pub(crate) spec: Result<Spec, SpecError>,
    /// Without a spec nothing can be said of the files.
    pub(crate) findings: Option<Findings>,
}

impl Outcome {
    /// Rejects alone are no failure: good files beside bad ones go through.
    pub(crate) fn is_good(&self) -> bool {
        self.spec.is_ok() && self.findings.as_ref().is_some_and(|found| found.items > 0)
    }
}

/// What is printed, and whether the command is content.
struct Said {
    json: Value,
    text: String,
    good: bool,
}

pub(crate) async fn run(check: Check) -> anyhow::Result<ExitCode> {
    let said = match &check.path {
        None => deployment(&endpoint::target(&check.place).await?).await,
        Some(path) => match teams::meant(path)? {
            Some(files) => {
                ensure!(
                    !check.place.is_named(),
                    "a team file is checked by itself: leave out --stack and --data"
                );
                team_files(files)?
            }
            None => folder(path, &check).await?,
        },
    };
    let Said { json, text, good } = said;
    paint::out(&if check.json { format!("{json:#}\n") } else { text })?;
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn team_files(files: Vec<std::path::PathBuf>) -> anyhow::Result<Said> {
    let checked = teams::check(files)?;
    Ok(Said {
        json: teams::json(&checked),
        text: teams::text(&checked, Paint::stdout()),
        good: teams::are_good(&checked),
    })
}

async fn deployment(target: &Target) -> Said {
    let findings = stack::findings(target).await;
    let good = are_good(&findings);
    let verdict = if good {
        "Nothing has to be mended."
    } else {
        "Mend what is marked with `!`."
    };
    Said {
        json: json!({ "ok": good, "findings": findings }),
        text: format!("{}\n{verdict}\n{}\n", lines(&findings), stack::LEFT_OUT),
        good,
    }
}

fn lines(findings: &[Finding]) -> String {
    findings.iter().map(|one| one.line(Paint::stdout())).collect()
}

async fn folder(path: &Path, check: &Check) -> anyhow::Result<Said> {
    let outcome = look(path)?;
    let mut said = Said {
        json: show::json(&outcome),
        text: show::text(&outcome, Paint::stdout()),
        good: outcome.is_good(),
    };
    if check.place.is_named()
        && let Ok(spec) = &outcome.spec
    {
        let target = endpoint::target(&check.place).await?;
        let dataset = DatasetName::new(&outcome.dataset)?;
        let spec = (spec, outcome.text.as_slice());
        let findings = folder::findings(&target, &dataset, spec, &files::walk(path)?).await;
        said.good &= are_good(&findings);
        said.text = format!("{}\nWhere it would be dropped:\n{}", said.text, lines(&findings));
        said.json["there"] = json!(findings);
        said.json["ok"] = json!(said.good);
    }
    Ok(said)
}

fn look(folder: &Path) -> anyhow::Result<Outcome> {
    let absolute = folder
        .canonicalize()
        .with_context(|| format!("there is no folder {}", shown(folder)))?;
    if !absolute.is_dir() {
        let name = absolute.file_name().unwrap_or_default().to_string_lossy();
        ensure!(!misnamed::is_nearly_the_spec(&name), misnamed::advice(&name));
        bail!(
            "{} is a file: name the folder that holds it and its labeling.yaml, or a team file",
            shown(folder)
        );
    }
    let name = absolute
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let dataset = DatasetName::new(&name)?;
    let text = spec_text(&absolute)?;
    let spec = Spec::parse(&text);
    let findings = match &spec {
        Ok(spec) => Some(assess::assess(spec, &dataset, &absolute)?),
        Err(_) => None,
    };
    Ok(Outcome {
        dataset: name,
        text,
        spec,
        findings,
    })
}

/// What the bucket says of a folder without a spec.
fn spec_text(folder: &Path) -> anyhow::Result<Vec<u8>> {
    let path = folder.join(SPEC_FILE);
    // On a disk that takes `Labeling.yaml` for `labeling.yaml` the name counts as well: it becomes the key.
    let names = names_in(folder)?;
    if !names.iter().any(|name| name == SPEC_FILE) {
        if let Some(name) = names.iter().find(|name| misnamed::is_nearly_the_spec(name)) {
            let dataset = folder.file_name().unwrap_or_default().to_string_lossy();
            bail!("{}", misnamed::advice(&format!("{dataset}/{name}")));
        }
        bail!(
            "{} has no {SPEC_FILE}: it says what to label and how. The console offers one to start from, \
             examples/numbers has one to copy",
            shown(folder)
        );
    }
    read_at_most(&path, MAX_BYTES)
}

/// Of the files directly in a folder, in order.
fn names_in(folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let entry = entry.with_context(|| folder.display().to_string())?;
        if entry.path().is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

fn shown(path: &Path) -> String {
    paint::one_line(&path.display().to_string(), 400)
}

/// One byte more than a file may have is enough to say that it is too long.
fn read_at_most(path: &Path, bytes: usize) -> anyhow::Result<Vec<u8>> {
    use std::io::Read as _;

    let mut text = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(bytes as u64 + 1).read_to_end(&mut text))
        .with_context(|| path.display().to_string())?;
    Ok(text)
}
