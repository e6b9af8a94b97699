//! What the lines of a manifest made by hand point to: in the manifest's folder it is checked, elsewhere it is only listed.

use std::path::Path;

use anyhow::ensure;
use shared::item::image::{self, Probe};
use shared::item::{self, MAX_WHOLE_TEXT};
use shared::link::LinkSources;
use shared::manifest::Line;
use shared::manifest::Link;
use shared::name::DatasetName;
use shared::spec::Spec;
use shared::task::Input;

use super::files::read_range;

/// The row, and why its line gives no item.
type LineReject = (Option<u64>, String);

/// Where the lines of a manifest may point.
pub(super) struct LinkRules<'a> {
    pub(super) folder: &'a Path,
    /// The places that the operator lists, separated by commas.
    listed: String,
    /// What is not in the folder is checked in a stack.
    has_stack: bool,
}

impl<'a> LinkRules<'a> {
    pub(super) fn new(folder: &'a Path, listed: &[String], has_stack: bool) -> anyhow::Result<Self> {
        let listed = listed.join(",");
        ensure!(
            LinkSources::default().with_listed(&listed).is_some(),
            "--links takes places like s3://bucket/prefix/, with a slash at the end, and not `{listed}`"
        );
        Ok(Self {
            folder,
            listed,
            has_stack,
        })
    }

    /// The dataset's folder of that bucket, and the listed places.
    pub(super) fn sources(&self, bucket: String) -> LinkSources {
        let own = LinkSources::own_folder(bucket, "");
        own.clone().with_listed(&self.listed).unwrap_or(own)
    }
}

/// What a line gives.
pub(super) enum LineOutcome {
    Item(Line),
    Rejected(LineReject),
    /// What it points to is not in the folder, and cannot be checked here.
    Elsewhere(Line, Link),
}

pub(super) fn resolve(
    spec: &Spec,
    dataset: &DatasetName,
    rules: &LinkRules<'_>,
    line: Line,
) -> anyhow::Result<LineOutcome> {
    let Some(link) = line.link.clone() else {
        return Ok(LineOutcome::Item(line));
    };
    let row = line.row;
    let Some(path) = link.key.strip_prefix(&format!("{dataset}/")) else {
        return Ok(LineOutcome::Elsewhere(line, link));
    };
    let file = rules.folder.join(path);
    let size = match std::fs::symlink_metadata(&file) {
        Ok(found) if found.is_file() => found.len(),
        _ if rules.has_stack => return Ok(LineOutcome::Elsewhere(line, link)),
        _ => {
            let uri = format!("s3://{}/{}", link.bucket, link.key);
            let reason = format!("there is no such object: `{uri}` is not in the folder");
            return Ok(LineOutcome::Rejected((row, reason)));
        }
    };
    let resolved = match spec.task.input() {
        Input::Text if size > MAX_WHOLE_TEXT => {
            Err("the file is too large for one text: split it".to_owned())
        }
        Input::Text => item::inline_text(&line, &read_range(&file, 0, size)?),
        _ => check_image(&file, size)?.map(|()| line),
    };
    Ok(match resolved {
        Ok(line) => LineOutcome::Item(line),
        Err(reason) => LineOutcome::Rejected((row, format!("{path}: {reason}"))),
    })
}

/// Reads the beginning and the end of the image, as the functions do.
pub(super) fn check_image(file: &Path, size: u64) -> anyhow::Result<Result<(), String>> {
    let tail = read_range(file, size.saturating_sub(image::TAIL), image::TAIL)?;
    let mut length = image::HEAD;
    loop {
        let head = read_range(file, 0, length.min(size))?;
        match image::probe(size, &head, &tail) {
            Probe::NeedHead(more) if more > length => length = more,
            Probe::NeedHead(_) => return Ok(Err("the image's size cannot be found in it".to_owned())),
            Probe::Reject(reason) => return Ok(Err(reason)),
            Probe::Ok(_) => return Ok(Ok(())),
        }
    }
}
