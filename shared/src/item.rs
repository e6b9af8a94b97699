//! What a dropped file gives: the items in it, and why a file or a row gives none.
//!
//! [`classify`] judges by name and size alone, before anything is read. A text file's bytes then go to
//! [`read_text`], the ends of an image to [`image::probe`], a manifest made by hand to [`read_manifest`]. Rows come
//! one at a time, so that a file of a million rows is in memory once.

mod classify;
mod delimited_text;
mod file_kind;
mod hand_made;
pub mod image;
mod json;
mod json_lines;
mod names;
mod source_row;
mod text;

pub use classify::{Verdict, classify};
pub use file_kind::FileKind;
pub use hand_made::Rules;
pub use image::{image_line, probe};
use source_row::SourceRow;
pub use text::{MAX_TEXT_FILE, MAX_WHOLE_TEXT};

use crate::encoding;
use crate::layout::is_junk;
pub use crate::manifest::Line;
use crate::manifest::{File, text_line};
use crate::spec::{Spec, TextSplit};
use crate::status::Reject;

/// Bytes of a `.jsonl` that show whether it is a manifest made by hand: some lines, each of whose attributes may have
/// 20,000 characters.
pub const MANIFEST_HEAD: u64 = 256 << 10;
/// Lines that are looked at for that: one of them may be broken.
const MANIFEST_LINES: usize = 3;

/// The items of one file, in order: a line for the manifest, or why there is none.
///
/// Blank lines and rows are neither; a file with nothing else gives one reject for the whole file. Items, rejects and
/// blank rows together are all rows of the file but its header.
pub struct Items<'a> {
    file: File<'a>,
    found: Box<dyn Iterator<Item = SourceRow<'a>> + Send + 'a>,
    after_row: u64,
    blank: u64,
    empty: bool,
}

impl<'a> Items<'a> {
    fn new(file: File<'a>, after_row: u64, found: impl Iterator<Item = SourceRow<'a>> + Send + 'a) -> Self {
        let is_new = move |found: &SourceRow<'_>| found.row().is_none_or(|row| row > after_row);
        Self {
            file,
            found: Box::new(found.filter(is_new)),
            after_row,
            blank: 0,
            empty: true,
        }
    }

    fn of_reject(file: File<'a>, reason: String) -> Self {
        Self::new(file, 0, std::iter::once(SourceRow::Reject(None, reason)))
    }

    /// Blank lines and rows passed over so far.
    pub fn blank_rows(&self) -> u64 {
        self.blank
    }

    fn reject(&self, row: Option<u64>, reason: String) -> Reject {
        Reject {
            key: self.file.key.to_owned(),
            etag: self.file.etag.to_owned(),
            row,
            reason,
        }
    }

    /// A file of nothing but blank lines: said once, unless this is the rest of a file that gave items before.
    fn nothing_found(&mut self) -> Option<Reject> {
        let nothing = std::mem::take(&mut self.empty) && self.after_row == 0;
        nothing.then(|| {
            self.reject(
                None,
                "the file holds no text: it is blank, or has a header alone".to_owned(),
            )
        })
    }
}

impl Iterator for Items<'_> {
    type Item = Result<Line, Reject>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let item = match self.found.next() {
                None => return self.nothing_found().map(Err),
                Some(SourceRow::Blank(_)) => {
                    self.blank += 1;
                    continue;
                }
                Some(SourceRow::Text(row, text)) => {
                    text_line(self.file, row, &text).map_err(|e| self.reject(row, e.to_string()))
                }
                Some(SourceRow::Line(line)) => Ok(line),
                Some(SourceRow::Reject(row, reason)) => Err(self.reject(row, reason)),
            };
            self.empty = false;
            return Some(item);
        }
    }
}

/// The items of a text file. `after_row` leaves out the rows an earlier batch has, 0 none.
pub fn read_text<'a>(spec: &Spec, key: &'a str, etag: &'a str, bytes: &'a [u8], after_row: u64) -> Items<'a> {
    let file = File { key, etag };
    let text = match encoding::decode(bytes) {
        Ok(text) => text,
        Err(reason) => return Items::of_reject(file, reason),
    };
    let rows = match (FileKind::of(key), &spec.text) {
        (Some(FileKind::JsonLines), split) => {
            json_lines::rows(text, column(split)).map(|rows| Items::new(file, after_row, rows))
        }
        (Some(kind @ (FileKind::Csv | FileKind::Tsv)), TextSplit::Row { column }) => {
            delimited_text::rows(text, kind, column.as_deref()).map(|rows| Items::new(file, after_row, rows))
        }
        (_, TextSplit::File) => Ok(Items::new(file, 0, text::whole_text(text))),
        (_, TextSplit::Line | TextSplit::Row { .. }) => Ok(Items::new(file, after_row, text::lines(text))),
    };
    rows.unwrap_or_else(|reason| Items::of_reject(file, reason))
}

/// How rows are numbered. It goes up when a reader gives a row another number than before: where a batch ended is
/// remembered as a row, and read with other numbers it would be another place.
pub const ROW_NUMBERING: u32 = 2;

/// Whether the file's rows have the numbers they had in [`ROW_NUMBERING`] 1, in which `\r` alone ended no line of a text,
/// and a broken quote took rows into its own.
pub fn is_numbered_as_in_version_1(spec: &Spec, key: &str, bytes: &[u8], by_hand: bool) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return true;
    };
    match (FileKind::of(key), &spec.text) {
        (Some(kind @ (FileKind::Csv | FileKind::Tsv)), TextSplit::Row { .. }) if !by_hand => {
            delimited_text::numbered_as_before(text, kind)
        }
        _ => !text::has_lone_carriage_return(text),
    }
}

fn column(split: &TextSplit) -> Option<String> {
    match split {
        TextSplit::Row { column } => column.clone(),
        TextSplit::File | TextSplit::Line => None,
    }
}

/// The lines of a manifest made by hand, each checked; what it says stays, where it came from is added.
pub fn read_manifest<'a>(
    spec: &Spec,
    rules: Rules<'a>,
    key: &'a str,
    etag: &'a str,
    bytes: &'a [u8],
    after_row: u64,
) -> Items<'a> {
    let file = File { key, etag };
    if bytes.len() as u64 > MAX_TEXT_FILE {
        return Items::of_reject(file, text::too_large(bytes.len() as u64));
    }
    match encoding::decode(bytes) {
        Ok(text) => {
            let found = hand_made::lines(text, spec.task.input(), rules, file);
            Items::new(file, after_row, found)
        }
        Err(reason) => Items::of_reject(file, reason),
    }
}

/// Whether a file may be a manifest made by hand although it is not called `*.manifest`. `path` is the key without the
/// dataset's folder. With a column named, a `.jsonl` holds rows, whatever other columns they have.
pub fn may_be_manifest(spec: &Spec, path: &str) -> bool {
    let has_rows = matches!(&spec.text, TextSplit::Row { column: Some(_) });
    FileKind::of(path) == Some(FileKind::JsonLines)
        && !has_rows
        && !is_junk(path)
        && spec.select.selects(path)
}

/// Whether such a file is one: its first lines say in `source` or `source-ref` what is to be labelled. `head` is its
/// beginning, of [`MANIFEST_HEAD`] bytes or all there are.
pub fn is_manifest(head: &[u8]) -> bool {
    // A line that is cut off says nothing. The last one may be whole, if the file ends with it.
    let cut_off = head.len() as u64 >= MANIFEST_HEAD;
    let end = head.iter().rposition(|&byte| byte == b'\n').filter(|_| cut_off);
    let whole = head.get(..end.unwrap_or(head.len())).unwrap_or_default();
    let Ok(text) = encoding::decode(whole) else {
        return false;
    };
    let lines = text::numbered_lines(text).map(|(_, line)| line);
    let mut first = lines.filter(|line| !text::is_blank(line)).take(MANIFEST_LINES);
    first.any(hand_made::names_a_source)
}

/// A line made by hand whose `source` names a text, with the text in it. `bytes` are those of the text's file.
pub fn inline_text(line: &Line, bytes: &[u8]) -> Result<Line, String> {
    match text::whole_text(encoding::decode(bytes)?).next() {
        Some(SourceRow::Text(_, text)) => {
            hand_made::inline_text(line, &text).map_err(|error| error.to_string())
        }
        Some(SourceRow::Reject(_, reason)) => Err(reason),
        _ => Err("the file holds no text: it is blank".to_owned()),
    }
}

#[cfg(test)]
mod tests;
