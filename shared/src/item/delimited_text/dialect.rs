//! Whether quotes in a `.tsv` hold cells together. Tab-separated values know no quotes (IANA's registration), and most
//! such files have quotes as they were typed; spreadsheets quote cells that hold a tab, a line break or a quote.

use super::table::Table;
use crate::item::file_kind::FileKind;
use crate::item::text::{is_blank, numbered_lines};

/// They do if a cell is as only a spreadsheet writes it, or if the lines make no table and the quoted cells do.
/// Decided for the file as a whole, so that every batch of it reads the same.
pub(super) fn quotes(text: &str, kind: FileKind) -> bool {
    if kind != FileKind::Tsv {
        return true;
    }
    text.contains('"') && (cells(text).any(is_doubled) || !is_table(text, false) && is_table(text, true))
}

fn cells(text: &str) -> impl Iterator<Item = &str> {
    numbered_lines(text).flat_map(|(_, line)| line.split('\t'))
}

/// `"He said ""no"""`: all quotes inside are doubled, and there are some.
fn is_doubled(cell: &str) -> bool {
    let inner = cell.strip_prefix('"').and_then(|cell| cell.strip_suffix('"'));
    inner.is_some_and(|inner| inner.contains("\"\"") && !inner.replace("\"\"", "").contains('"'))
}

/// Whether all rows have as many cells as the first, and more than one.
fn is_table(text: &str, quoting: bool) -> bool {
    let mut table = Table::new(text, b'\t', quoting);
    let mut width = None;
    while let Some(row) = table.next_row(0) {
        let Ok(cells) = row.cells else { return false };
        if cells.iter().all(|cell| is_blank(cell)) {
            continue;
        }
        if *width.get_or_insert(cells.len()) != cells.len() {
            return false;
        }
    }
    width.is_some_and(|width| width > 1)
}
