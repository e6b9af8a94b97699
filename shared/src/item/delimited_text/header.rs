//! Which column holds the text, and why a file's first row does not say it.

use std::borrow::Cow;

use super::table::{Row, Table};
use crate::item::names::{list_names, near_miss, quote};
use crate::item::text::is_blank;
use crate::visible::exact;

/// Which of how many columns holds the text.
pub(super) struct Shape {
    pub(super) column: usize,
    pub(super) width: usize,
    /// Number of the header's row.
    pub(super) header: Option<u64>,
    /// Number of the first row that is not blank.
    pub(super) first: u64,
}

/// Rows that are looked at to find the separator of a file.
const LOOKED_AT: usize = 100;
const SEPARATORS: [u8; 4] = [b';', b'\t', b'|', b','];
/// What columns of texts are usually called.
const USUAL: [&str; 16] = [
    "text",
    "texts",
    "source",
    "content",
    "body",
    "message",
    "comment",
    "review",
    "sentence",
    "tweet",
    "title",
    "description",
    "question",
    "utterance",
    "document",
    "column1",
];

fn first_row(text: &str, separator: u8, quoting: bool) -> Option<Row<'_>> {
    let mut table = Table::new(text, separator, quoting);
    std::iter::from_fn(|| table.next_row(0)).find(|row| {
        let cells = row.cells.as_deref();
        cells.map_or(true, |cells| cells.iter().any(|cell| !is_blank(cell)))
    })
}

pub(super) fn shape_with_column(
    text: &str,
    separator: u8,
    quoting: bool,
    column: &str,
) -> Result<Shape, String> {
    let Some(Row { number, cells, .. }) = first_row(text, separator, quoting) else {
        return Ok(empty());
    };
    let header = cells.map_err(|broken| match other_separator(text, separator) {
        Some(other) => separator_name(other),
        None => format!("the header, row {number}, cannot be read: {broken}"),
    })?;
    let names = || header.iter().map(AsRef::as_ref);
    let mut matches = (0..)
        .zip(names())
        .filter(|(_, name): &(usize, &str)| name.trim() == column);
    match (matches.next(), matches.next()) {
        (Some((index, _)), None) => Ok(Shape {
            column: index,
            width: header.len(),
            header: Some(number),
            first: number,
        }),
        (Some(_), Some(_)) => Err(format!(
            "two columns are called `{}`: rename one of them",
            exact(column)
        )),
        (None, _) => {
            let hint = hint(text, separator, &header, column);
            let (column, there) = (exact(column), list_names(names()));
            Err(format!(
                "the first row has no column `{column}`; it has {there}{hint}"
            ))
        }
    }
}

fn hint(text: &str, separator: u8, header: &[Cow<'_, str>], column: &str) -> String {
    let only = match header {
        [only] => only.as_ref(),
        [only, rest @ ..] if only.starts_with("sep=") && rest.iter().all(|cell| cell.is_empty()) => {
            return format!(
                "; the line {} is for one spreadsheet alone: delete it",
                quote(only)
            );
        }
        _ => "",
    };
    let in_header = SEPARATORS
        .into_iter()
        .find(|other| *other != separator && only.contains(char::from(*other)));
    if let Some(other) = other_separator(text, separator).or(in_header) {
        return format!("; {}", separator_name(other));
    }
    near_miss(header.iter().map(AsRef::as_ref), column).map_or_else(String::new, |hint| format!("; {hint}"))
}

/// Without a column named, the file has one column, and its first row is a text as all others are.
pub(super) fn single(text: &str, separator: u8, quoting: bool) -> Result<Shape, String> {
    let first = first_row(text, separator, quoting);
    let columns = match &first {
        Some(Row { cells: Ok(cells), .. }) => cells.as_slice(),
        _ => &[],
    };
    if columns.len() > 1 {
        return Err(format!(
            "the first row has {} columns ({}): name the one that holds the text with `text: {{split: row, column: \
             …}}`, or quote texts that hold the separator",
            columns.len(),
            list_names(columns.iter().map(AsRef::as_ref))
        ));
    }
    if let Some(other) = other_separator(text, separator) {
        let (separated, split) = (separator_name(other), "text: {split: row, column: …}");
        return Err(format!(
            "{separated}. Then name the column that holds the text with `{split}`. If each row is one text, put it in \
             quotes"
        ));
    }
    Ok(Shape {
        first: first.map_or(0, |row| row.number),
        ..empty()
    })
}

fn empty() -> Shape {
    Shape {
        column: 0,
        width: 1,
        header: None,
        first: 0,
    }
}

/// A first row that is no text but the name of the column.
pub(super) fn is_usual_name(cells: &[Cow<'_, str>]) -> bool {
    let [name] = cells else { return false };
    let name = name.trim().to_ascii_lowercase();
    USUAL.contains(&name.as_str())
}

pub(super) fn column_needed(cells: &[Cow<'_, str>]) -> String {
    let name = cells.first().map_or("", |name| name.trim());
    format!(
        "`{name}` looks like the name of the column, not like a text: say `text: {{split: row, column: {name}}}`, or \
         leave this row out"
    )
}

/// Where a spreadsheet's language writes `0,5`, it separates with semicolons what it calls CSV.
fn separator_name(by: u8) -> String {
    match by {
        b'\t' => "the columns are separated by tabs: call the file .tsv".to_owned(),
        b',' => "the columns are separated by `,`: call the file .csv".to_owned(),
        other => format!(
            "the columns are separated by `{}`: save the file with commas, or as .tsv with tabs",
            char::from(other)
        ),
    }
}

/// The separator by which the file's first rows are a table, where by its own they have one column.
fn other_separator(text: &str, own: u8) -> Option<u8> {
    let others = SEPARATORS.into_iter().filter(|other| *other != own);
    others.into_iter().find(|other| {
        let mut table = Table::new(text, *other, true);
        let rows = std::iter::from_fn(|| table.next_row(0)).filter_map(|row| row.cells.ok());
        let mut rows = rows
            .filter(|cells| !cells.iter().all(|cell| is_blank(cell)))
            .take(LOOKED_AT);
        let Some(first) = rows.next() else { return false };
        let (mut all, mut as_first, mut in_prose) = (1, 1, is_prose(&first));
        for cells in rows {
            all += 1;
            as_first += usize::from(cells.len() == first.len());
            in_prose &= is_prose(&cells);
        }
        first.len() > 1 && all > 1 && as_first * 5 >= all * 4 && (*other == b'\t' || !in_prose)
    })
}

/// A semicolon, comma or bar between words has a space behind it; programs write none there.
fn is_prose(cells: &[Cow<'_, str>]) -> bool {
    cells
        .iter()
        .skip(1)
        .all(|cell| cell.is_empty() || cell.starts_with(' '))
}
