//! What the lines of a manifest made by hand point to, as far as it is in the manifest's own folder.

use std::path::Path;

use shared::item::image::{self, Probe};
use shared::item::{self, MAX_WHOLE_TEXT};
use shared::manifest::Line;
use shared::name::DatasetName;
use shared::spec::Spec;
use shared::task::Input;

use super::files::read_range;

/// The row, and why its line gives no item.
type LineReject = (Option<u64>, String);

/// The line with what it points to, or why it gives no item.
pub(super) fn resolve(
    spec: &Spec,
    dataset: &DatasetName,
    folder: &Path,
    line: Line,
) -> anyhow::Result<Result<Line, LineReject>> {
    let Some(link) = line.link.clone() else {
        return Ok(Ok(line));
    };
    let row = line.row;
    let path = link.key.strip_prefix(&format!("{dataset}/")).unwrap_or(&link.key);
    let file = folder.join(path);
    let size = match std::fs::symlink_metadata(&file) {
        Ok(found) if found.is_file() => found.len(),
        _ => {
            let uri = format!("s3://{}/{}", link.bucket, link.key);
            return Ok(Err((
                row,
                format!("there is no such object: `{uri}` is not in the folder"),
            )));
        }
    };
    let resolved = match spec.task.input() {
        Input::Text if size > MAX_WHOLE_TEXT => {
            Err("the file is too large for one text: split it".to_owned())
        }
        Input::Text => item::inline_text(&line, &read_range(&file, 0, size)?),
        _ => check_image(&file, size)?.map(|()| line),
    };
    Ok(resolved.map_err(|reason| (row, format!("{path}: {reason}"))))
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
