//! What a file's name and size say before a byte of it is read.

use super::file_kind::FileKind;
use super::text::{MAX_TEXT_FILE, MAX_WHOLE_TEXT};
use super::{image, text};
use crate::layout::{SPEC_FILE, is_junk};
use crate::misnamed_spec::looks_like_misnamed_spec;
use crate::spec::{Spec, TextSplit};
use crate::task::Input;

/// What a file's name and size say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Worth reading.
    Take(FileKind),
    /// Left there by a computer, not by a person: it is not reported.
    Ignore,
    /// Left out by the spec's `select`.
    NotSelected,
    /// Never an item as it is; says what is wrong and what to do.
    Reject(String),
}

/// What to do with a file. `path` is the key without the dataset's folder.
pub fn classify(spec: &Spec, path: &str, size: u64) -> Verdict {
    if path.is_empty() || is_junk(path) {
        return Verdict::Ignore;
    }
    if !spec.select.selects(path) {
        return Verdict::NotSelected;
    }
    if path.ends_with('/') {
        return folder_marker(size);
    }
    if size == 0 {
        let reason = "the file is empty (0 bytes): drop it again, or delete it from the bucket";
        return Verdict::Reject(reason.to_owned());
    }
    match by_kind(spec, FileKind::of(path), path, size) {
        Ok(kind) => Verdict::Take(kind),
        Err(reason) => Verdict::Reject(reason),
    }
}

/// What consoles and sync programs make for a folder. One that holds something is a file with an odd name.
fn folder_marker(size: u64) -> Verdict {
    if size == 0 {
        return Verdict::Ignore;
    }
    Verdict::Reject(
        "its name ends in `/`, as only a folder's does: upload the file under another name".to_owned(),
    )
}

fn by_kind(spec: &Spec, kind: Option<FileKind>, path: &str, size: u64) -> Result<FileKind, String> {
    match (spec.task.input(), kind) {
        (Input::Image, Some(FileKind::Image)) => image::within_limit(size).map(|()| FileKind::Image),
        (Input::Text, Some(kind)) if kind != FileKind::Image => text_file(&spec.text, kind, size),
        (input, _) => Err(wrong_kind(spec, input, path)),
    }
}

/// Whether the spec's way of splitting texts fits the file. A table shown to workers as one text, or a text cut
/// into rows, is almost always a forgotten line in the spec; so that is said instead of done.
fn text_file(split: &TextSplit, kind: FileKind, size: u64) -> Result<FileKind, String> {
    match (split, kind) {
        (TextSplit::File, FileKind::Text) if size > MAX_WHOLE_TEXT => Err(format!(
            "the file is {size} bytes long, more than the 20,000 characters a text may have: split it, or say \
             `text: {{split: line}}` if each line is an item"
        )),
        (TextSplit::File, FileKind::Text) => Ok(kind),
        (TextSplit::File, _) => Err(
            "the spec takes whole files, and this one holds rows: say `text: {split: row}` if each row is an item"
                .to_owned(),
        ),
        (TextSplit::Row { .. }, FileKind::Text) => Err(
            "the spec takes rows of .csv, .tsv and .jsonl files: say `text: {split: line}` if each line is an item"
                .to_owned(),
        ),
        _ if size > MAX_TEXT_FILE => Err(text::too_large(size)),
        _ => Ok(kind),
    }
}

fn wrong_kind(spec: &Spec, input: Input, path: &str) -> String {
    if looks_like_misnamed_spec(path) {
        return format!(
            "`{path}` is not read, since a spec is called `{SPEC_FILE}`: drop it under that name, and delete this one \
             from the bucket"
        );
    }
    let takes = match input {
        Input::Image => ".jpg, .jpeg, .jfif and .png files",
        _ => ".txt, .csv, .tsv and .jsonl files",
    };
    let name = path.rsplit('/').next().unwrap_or(path);
    let what = match name.rsplit_once('.') {
        Some((_, extension)) if !extension.is_empty() => format!("`.{extension}`"),
        _ => "a file without extension".to_owned(),
    };
    format!(
        "{what} is nothing that `{}` can show: it takes {takes}; delete the file from the bucket, or `exclude` it in \
         the spec",
        spec.task.name()
    )
}
