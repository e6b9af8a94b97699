//! `groundcrew check`: what would happen to a folder or a team file, before it is dropped. Nothing is written and nothing asked of
//! a network; the rules are those the functions go by.

mod assess;
mod files;
mod show;
mod teams;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use shared::layout::SPEC_FILE;
use shared::spec::{MAX_BYTES, Spec, SpecError};

use crate::args::Check;
use crate::paint::{self, Paint};
use assess::Findings;

/// What is said of a folder.
pub(crate) struct Outcome {
    pub(crate) dataset: String,
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

pub(crate) fn run(check: &Check) -> anyhow::Result<ExitCode> {
    let (json, text, good) = match teams::meant(&check.path)? {
        Some(files) => {
            let checked = teams::check(files)?;
            let text = teams::text(&checked, Paint::stdout());
            (teams::json(&checked), text, teams::are_good(&checked))
        }
        None => {
            let outcome = look(check)?;
            let text = show::text(&outcome, Paint::stdout());
            (show::json(&outcome), text, outcome.is_good())
        }
    };
    paint::out(&if check.json { format!("{json:#}\n") } else { text })?;
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn look(check: &Check) -> anyhow::Result<Outcome> {
    let folder = &check.path;
    let absolute = folder
        .canonicalize()
        .with_context(|| format!("there is no folder {}", folder.display()))?;
    if !absolute.is_dir() {
        bail!(
            "{} is a file: name the folder that holds it and its labeling.yaml, or a team file",
            folder.display()
        );
    }
    let name = absolute
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let dataset = shared::name::DatasetName::new(&name)?;
    let spec = Spec::parse(&spec_text(&absolute)?);
    let findings = match &spec {
        Ok(spec) => Some(assess::assess(spec, &dataset, &absolute)?),
        Err(_) => None,
    };
    Ok(Outcome {
        dataset: name,
        spec,
        findings,
    })
}

fn spec_text(folder: &Path) -> anyhow::Result<Vec<u8>> {
    let path = folder.join(SPEC_FILE);
    if !path.exists() {
        bail!(
            "{} has no {SPEC_FILE}: it says what to label and how. `groundcrew up` offers one to start from, \
             examples/numbers has one to copy",
            folder.display()
        );
    }
    read_at_most(&path, MAX_BYTES)
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
