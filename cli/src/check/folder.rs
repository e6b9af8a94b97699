//! A folder before it is dropped: its spec, and what the functions would make of its files.

use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use shared::layout::SPEC_FILE;
use shared::misnamed_spec;
use shared::name::DatasetName;
use shared::spec::{MAX_BYTES, Spec, SpecError};

use super::assess::{FolderContents, assess};
use super::files::{path_text, read_at_most};
use super::manifest_link::LinkRules;

pub(super) struct FolderCheck {
    pub(super) dataset: String,
    /// Its labeling.yaml.
    pub(super) text: Vec<u8>,
    pub(super) spec: Result<Spec, SpecError>,
    /// Without a spec nothing can be said of the files.
    pub(super) contents: Option<FolderContents>,
}

impl FolderCheck {
    /// Rejects alone are no failure: good files are labeled all the same.
    pub(super) fn is_good(&self) -> bool {
        self.spec.is_ok() && self.contents.as_ref().is_some_and(|contents| contents.items > 0)
    }
}

/// `links`: where manifests may point besides the folder. `has_stack`: what is not in the folder is checked in a stack.
pub(super) fn check(folder: &Path, links: &[String], has_stack: bool) -> anyhow::Result<FolderCheck> {
    let absolute = folder
        .canonicalize()
        .with_context(|| format!("there is no folder {}", path_text(folder)))?;
    if !absolute.is_dir() {
        let name = absolute.file_name().unwrap_or_default().to_string_lossy();
        ensure!(
            !misnamed_spec::looks_like_misnamed_spec(&name),
            misnamed_spec::advice(&name)
        );
        bail!(
            "{} is a file: name the folder that holds it and its labeling.yaml, or a team file",
            path_text(folder)
        );
    }
    let name = absolute
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let dataset = DatasetName::new(&name)?;
    let text = read_spec(&absolute)?;
    let spec = Spec::parse(&text);
    let contents = match &spec {
        Ok(spec) => {
            let rules = LinkRules::new(&absolute, links, has_stack)?;
            Some(assess(spec, &dataset, &rules)?)
        }
        Err(_) => None,
    };
    Ok(FolderCheck {
        dataset: name,
        text,
        spec,
        contents,
    })
}

/// Fails as the functions would: a spec under another name is not read.
fn read_spec(folder: &Path) -> anyhow::Result<Vec<u8>> {
    let path = folder.join(SPEC_FILE);
    // Also on a disk that ignores case: the exact name becomes the key.
    let names = names_in(folder)?;
    if !names.iter().any(|name| name == SPEC_FILE) {
        if let Some(name) = names
            .iter()
            .find(|name| misnamed_spec::looks_like_misnamed_spec(name))
        {
            let dataset = folder.file_name().unwrap_or_default().to_string_lossy();
            bail!("{}", misnamed_spec::advice(&format!("{dataset}/{name}")));
        }
        bail!(
            "{} has no {SPEC_FILE}, which says what to label and how. The console offers one to start from, \
             and examples/numbers has one to copy",
            path_text(folder)
        );
    }
    read_at_most(&path, MAX_BYTES)
}

/// The files directly in a folder, in order.
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
