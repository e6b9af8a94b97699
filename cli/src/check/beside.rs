//! What a manifest made by hand points to, as far as it lies beside the manifest.

use std::path::Path;

use shared::item::image::{self, Probe};
use shared::item::{self, MAX_WHOLE_TEXT};
use shared::manifest::Line;
use shared::name::DatasetName;
use shared::spec::Spec;
use shared::task::Input;

use super::files::part;

/// Why a line gives no item, and its row.
type Refusal = (Option<u64>, String);

pub(super) fn look(
    spec: &Spec,
    dataset: &DatasetName,
    folder: &Path,
    line: Line,
) -> anyhow::Result<Result<Line, Refusal>> {
    let Some(link) = line.link.clone() else {
        return Ok(Ok(line));
    };
    let row = line.row;
    let inside = link.key.strip_prefix(&format!("{dataset}/")).unwrap_or(&link.key);
    let file = folder.join(inside);
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
    let looked = match spec.task.input() {
        Input::Text if size > MAX_WHOLE_TEXT => {
            Err("the file is too large for one text: split it".to_owned())
        }
        Input::Text => item::inline_text(&line, &part(&file, 0, size)?),
        _ => judge_image(&file, size)?.map(|()| line),
    };
    Ok(looked.map_err(|reason| (row, format!("{inside}: {reason}"))))
}

/// By its two ends, as the functions do.
pub(super) fn judge_image(file: &Path, size: u64) -> anyhow::Result<Result<(), String>> {
    let tail = part(file, size.saturating_sub(image::TAIL), image::TAIL)?;
    let mut length = image::HEAD;
    loop {
        let head = part(file, 0, length.min(size))?;
        match image::probe(size, &head, &tail) {
            Probe::NeedHead(more) if more > length => length = more,
            Probe::NeedHead(_) => return Ok(Err("the image's size cannot be found in it".to_owned())),
            Probe::Reject(reason) => return Ok(Err(reason)),
            Probe::Ok(_) => return Ok(Ok(())),
        }
    }
}
