//! `.csv` and `.tsv`, row by row.
//!
//! With a column named, the first row is the header and the column gives the text. Without, there is no header, and
//! the file has one column. In a `.tsv` a quote is a character like others, unless the file can only be read as a table
//! with quoted cells ([`dialect`]).

mod dialect;
mod header;
mod table;

use std::borrow::Cow;

use self::header::Shape;
use self::table::{Row, Table};
use super::file_kind::FileKind;
use super::source_row::SourceRow;
use super::text::is_blank;

/// The rows, or why the whole file gives none.
pub(super) fn rows<'a>(
    text: &'a str,
    kind: FileKind,
    column: Option<&str>,
) -> Result<impl Iterator<Item = SourceRow<'a>> + Send + 'a, String> {
    let separator = separator(kind);
    let quoting = dialect::quotes(text, kind);
    let shape = match column {
        Some(column) => header::shape_with_column(text, separator, quoting, column)?,
        None => header::single(text, separator, quoting)?,
    };
    let layout = Layout {
        shape,
        separator,
        quoting,
    };
    let mut table = Table::new(text, separator, quoting);
    let rows = std::iter::from_fn(move || {
        let row = table.next_row(layout.shape.width)?;
        Some(layout.source_row(&row))
    });
    Ok(rows.flatten())
}

/// Whether the rows of the file have the numbers that the first way of reading gave them: the one that took any quote
/// for the text that followed it.
pub(super) fn numbered_as_before(text: &str, kind: FileKind) -> bool {
    let opens = |before| text.contains(&format!("{before}\""));
    if !text.starts_with('"') && !['\n', '\r', char::from(separator(kind))].into_iter().any(opens) {
        return true;
    }
    let quoting = dialect::quotes(text, kind);
    let mut table = Table::new(text, separator(kind), true);
    quoting && std::iter::from_fn(|| table.next_row(0)).all(|row| row.cells.is_ok())
}

fn separator(kind: FileKind) -> u8 {
    match kind {
        FileKind::Tsv => b'\t',
        _ => b',',
    }
}

struct Layout {
    shape: Shape,
    separator: u8,
    quoting: bool,
}

impl Layout {
    /// `None` for the header.
    fn source_row<'a>(&self, row: &Row<'a>) -> Option<SourceRow<'a>> {
        let number = Some(row.number);
        let cells = match &row.cells {
            Ok(cells) => cells,
            Err(broken) => {
                let reason = broken.to_string();
                return Some(SourceRow::Reject(number, with_line(reason, row)));
            }
        };
        if cells.iter().all(|cell| is_blank(cell)) {
            return Some(SourceRow::Blank(number));
        }
        if self.shape.header == number {
            return None;
        }
        if self.shape.header.is_none() && row.number == self.shape.first && header::is_usual_name(cells) {
            return Some(SourceRow::Reject(number, header::column_needed(cells)));
        }
        if cells.len() > self.shape.width {
            return Some(SourceRow::Reject(number, self.too_many(cells)));
        }
        Some(match cells.get(self.shape.column) {
            Some(text) if !is_blank(text) => SourceRow::Text(number, text.clone()),
            Some(_) => SourceRow::Reject(number, "the row has no text in the named column".to_owned()),
            None => SourceRow::Reject(number, self.too_few(cells.len())),
        })
    }

    fn too_few(&self, columns: usize) -> String {
        let s = if columns == 1 { "" } else { "s" };
        format!(
            "the row has {columns} column{s}, the header has {}: cells are missing at its end, the text among them",
            self.shape.width
        )
    }

    fn too_many(&self, cells: &[Cow<'_, str>]) -> String {
        let expected = match self.shape.width {
            1 => "one is expected".to_owned(),
            width => format!("the header has {width}"),
        };
        format!(
            "the row has {} columns, {expected}: {}",
            cells.len(),
            self.why_too_many(cells)
        )
    }

    /// Separators that are no separators, or quotes that are no quotes.
    fn why_too_many(&self, cells: &[Cow<'_, str>]) -> String {
        if !self.quoting {
            return "a text may hold no tab: put a space there, or save the file as .csv".to_owned();
        }
        let starts = |quotes: &[char]| {
            let mut cells = cells.iter().map(|cell| cell.trim_start());
            cells.any(|cell| cell.starts_with(quotes))
        };
        let spaced =
            |cell: &Cow<'_, str>| cell.starts_with([' ', '\t']) && cell.trim_start().starts_with('"');
        let separator = if self.separator == b'\t' { "tab" } else { "comma" };
        if cells.iter().any(spaced) {
            "a quote counts only where a cell begins: take the space before it out".to_owned()
        } else if starts(&['“', '”', '„', '«', '»', '＂']) {
            "typographic quotes (“ ”) do not hold a text together: use straight ones (\")".to_owned()
        } else if starts(&['\'', '‘', '’', '`']) {
            "single quotes do not hold a text together: use double ones (\")".to_owned()
        } else {
            format!("a text that holds a {separator} has to be in quotes")
        }
    }
}

/// Where texts hold line breaks, an editor numbers lines and a spreadsheet rows.
fn with_line(reason: String, row: &Row<'_>) -> String {
    if row.line == row.number {
        return reason;
    }
    format!("{reason} (line {} of the file)", row.line)
}
