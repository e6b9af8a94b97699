//! `.csv` and `.tsv`, row by row (RFC 4180: quoted fields may hold separators, quotes and line breaks).
//!
//! With a column named, the first row is the header and the column gives the text. Without, there is no header, and
//! the file has one column.

use std::borrow::Cow;

use super::text::is_blank;
use super::{FileKind, Found};

/// The rows, or why the whole file gives none. `after_row` leaves out rows up to that number.
pub(super) fn rows<'a>(
    text: &'a str,
    kind: FileKind,
    column: Option<&str>,
    after_row: u64,
) -> Result<impl Iterator<Item = Found<'a>> + Send + 'a, String> {
    let mut table = Table::new(text, kind);
    let shape = match (column, table.next()) {
        (_, None) => Shape { column: 0, width: 1 },
        (Some(column), Some(header)) => header_shape(&header.fields, column)?,
        (None, Some(first)) => {
            let shape = single(&first.fields)?;
            table = Table::new(text, kind);
            shape
        }
    };
    Ok(table
        .flat_map(move |row| row.found(&shape))
        .filter(move |found| match found {
            Found::Text(Some(row), _) | Found::Reject(Some(row), _) => *row > after_row,
            _ => true,
        }))
}

/// Which of how many columns holds the text.
struct Shape {
    column: usize,
    width: usize,
}

fn header_shape(header: &csv::StringRecord, column: &str) -> Result<Shape, String> {
    let mut matches = (0..)
        .zip(header)
        .filter(|(_, name)| name.trim() == column)
        .map(|(index, _)| index);
    match (matches.next(), matches.next()) {
        (Some(index), None) => Ok(Shape {
            column: index,
            width: header.len(),
        }),
        (Some(_), Some(_)) => Err(format!("two columns are called `{column}`: rename one of them")),
        (None, _) => Err(format!(
            "the first row has no column `{column}`; it has {}{}",
            names(header),
            separated_otherwise(header)
        )),
    }
}

/// Where a spreadsheet's language writes `0,5`, it separates with semicolons what it calls CSV.
fn separated_otherwise(header: &csv::StringRecord) -> &'static str {
    match (header.len(), header.get(0)) {
        (1, Some(only)) if only.contains(';') => {
            "; the columns are separated by `;`: save the file with commas, or as .tsv with tabs"
        }
        (1, Some(only)) if only.contains('\t') => "; the columns are separated by tabs: call the file .tsv",
        _ => "",
    }
}

fn single(first: &csv::StringRecord) -> Result<Shape, String> {
    match first.len() {
        0 | 1 => Ok(Shape { column: 0, width: 1 }),
        columns => Err(format!(
            "the first row has {columns} columns ({}): name the one that holds the text with `text: {{split: row, \
             column: …}}`, or quote texts that hold the separator",
            names(first)
        )),
    }
}

/// The first names of a header, shortened so that a broken file does not fill a page.
fn names(header: &csv::StringRecord) -> String {
    let shown = header
        .iter()
        .take(8)
        .map(|name| format!("`{}`", name.chars().take(40).collect::<String>()));
    let shown: Vec<String> = shown.collect();
    let more = if header.len() > shown.len() { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}

struct Row {
    number: u64,
    blank_before: u64,
    fields: csv::StringRecord,
    unclosed: bool,
}

impl Row {
    fn found<'a>(self, shape: &Shape) -> impl Iterator<Item = Found<'a>> + use<'a> {
        let blanks = std::iter::repeat_with(|| Found::Blank).take(self.blank_before as usize);
        blanks.chain(std::iter::once(self.item(shape)))
    }

    fn item<'a>(&self, shape: &Shape) -> Found<'a> {
        let (number, columns) = (self.number, self.fields.len());
        if self.unclosed {
            let reason =
                "a quote in this row is never closed, so that the rest of the file is its text: close it";
            return Found::Reject(Some(number), reason.to_owned());
        }
        if self.fields.iter().all(is_blank) {
            return Found::Blank;
        }
        if columns != shape.width {
            return Found::Reject(Some(number), ragged(columns, shape.width));
        }
        match self.fields.get(shape.column) {
            Some(text) if !is_blank(text) => Found::Text(Some(number), Cow::Owned(text.to_owned())),
            _ => Found::Reject(Some(number), "the row has no text in the named column".to_owned()),
        }
    }
}

fn ragged(columns: usize, width: usize) -> String {
    let expected = if width == 1 {
        "one is expected".to_owned()
    } else {
        format!("the header has {width}")
    };
    let s = if columns == 1 { "" } else { "s" };
    format!("the row has {columns} column{s}, {expected}: quote texts that hold the separator")
}

/// Rows with the number a spreadsheet shows: a row over several lines counts once, a blank line counts too.
struct Table<'a> {
    text: &'a str,
    delimiter: u8,
    records: csv::StringRecordsIntoIter<&'a [u8]>,
    next: u64,
}

impl<'a> Table<'a> {
    fn new(text: &'a str, kind: FileKind) -> Self {
        let delimiter = if kind == FileKind::Tsv { b'\t' } else { b',' };
        let mut reader = csv::ReaderBuilder::new();
        let reader = reader.has_headers(false).flexible(true).delimiter(delimiter);
        Self {
            text,
            delimiter,
            records: reader.from_reader(text.as_bytes()).into_records(),
            next: 1,
        }
    }

    fn offset(&self) -> usize {
        usize::try_from(self.records.reader().position().byte()).unwrap_or(usize::MAX)
    }

    /// The CSV reader passes over blank lines without a word; the `\n` of a `\r\n` it leaves to the next row.
    fn blank_lines_at(&self, start: usize) -> u64 {
        let (before, rest) = self.text.split_at_checked(start).unwrap_or_default();
        let rest = if before.ends_with('\r') {
            rest.strip_prefix('\n').unwrap_or(rest)
        } else {
            rest
        };
        let breaks = &rest[..rest.find(|c| c != '\r' && c != '\n').unwrap_or(rest.len())];
        (breaks.matches('\n').count() + breaks.replace("\r\n", "").matches('\r').count()) as u64
    }
}

impl Iterator for Table<'_> {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        let start = self.offset();
        // The text is UTF-8, the reader takes any number of columns, and a slice does not fail.
        let fields = self.records.next()?.ok()?;
        let blank_before = self.blank_lines_at(start);
        let number = self.next + blank_before;
        self.next = number + 1;
        let is_last = self.offset() == self.text.len();
        let unclosed = is_last && ends_in_quotes(self.text.get(start..).unwrap_or_default(), self.delimiter);
        Some(Row {
            number,
            blank_before,
            fields,
            unclosed,
        })
    }
}

/// Whether the last row's last quoted field is never closed. The CSV reader takes the rest of the file for its text.
fn ends_in_quotes(row: &str, delimiter: u8) -> bool {
    #[derive(PartialEq)]
    enum At {
        FieldStart,
        Plain,
        Quoted,
        QuoteInQuoted,
    }
    let end = row.bytes().fold(At::FieldStart, |at, byte| match (at, byte) {
        (At::Quoted, b'"') => At::QuoteInQuoted,
        (At::Quoted, _) | (At::FieldStart | At::QuoteInQuoted, b'"') => At::Quoted,
        (_, b'\n' | b'\r') => At::FieldStart,
        (_, byte) if byte == delimiter => At::FieldStart,
        _ => At::Plain,
    });
    end == At::Quoted
}
