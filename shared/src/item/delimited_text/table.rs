//! Rows and their cells, by RFC 4180 and no laxer: quoted cells may hold separators, quotes and line breaks, and a
//! closing quote is followed by a separator or a line end.
//!
//! A row whose quoting is broken is given as such, and reading goes on with the next line of the file, so that it takes
//! no other row with it. A text is never put together from what may be several rows.

use std::borrow::Cow;
use std::fmt;

use crate::item::text::split_line;

/// Lines behind a broken row that may be the rest of its text; where the next quote is further away, they are rows.
const DOUBTFUL: usize = 20;

pub(super) struct Row<'a> {
    /// As a spreadsheet numbers it: a row over several lines counts once, a blank line counts too.
    pub(super) number: u64,
    /// Of the file, where the row begins.
    pub(super) line: u64,
    pub(super) cells: Result<Vec<Cow<'a, str>>, QuoteFault>,
}

/// What is wrong with the quotes of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum QuoteFault {
    /// A quote opens a text and nothing closes it.
    Unclosed,
    /// The closing quote is followed by more text.
    TextBehind,
    /// By spaces and a separator.
    SpaceBehind,
    /// By a separator of another kind.
    OtherSeparator(char),
    /// A backslash is before it.
    Backslash,
    /// The row may be the rest of the broken one above.
    Doubtful { of: u64 },
}

impl fmt::Display for QuoteFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unclosed => f.write_str(
                "a quote in this row is never closed: close it, or, if it is part of the text, quote the text and write \
                 the quote in it twice",
            ),
            Self::TextBehind => f.write_str(
                "more text follows the closing quote: a quote inside a quoted text is written twice",
            ),
            Self::SpaceBehind => f.write_str("a space follows the closing quote: take it out"),
            Self::OtherSeparator(separator) => write!(
                f,
                "the closing quote is followed by `{}`: save the file with one kind of separator",
                separator.escape_default()
            ),
            Self::Backslash => f.write_str(
                "a backslash does not make a quote part of a text: inside a quoted text the quote is written twice",
            ),
            Self::Doubtful { of } => write!(
                f,
                "this may be the rest of row {of}, whose quotes are broken, or a row: fix the quotes there",
            ),
        }
    }
}

/// A quoted cell that is broken, and where its line ends.
struct Fault {
    broken: QuoteFault,
    /// Offset of the opening quote.
    opened: usize,
    /// Whether what is wrong is on the line of the opening quote.
    same_line: bool,
}

pub(super) struct Table<'a> {
    text: &'a str,
    separator: u8,
    quoting: bool,
    at: usize,
    number: u64,
    line: u64,
    /// The row that is broken, and where the lines end that may belong to it.
    doubtful: (u64, usize),
}

impl<'a> Table<'a> {
    pub(super) fn new(text: &'a str, separator: u8, quoting: bool) -> Self {
        Self {
            text,
            separator,
            quoting,
            at: 0,
            number: 0,
            line: 1,
            doubtful: (0, 0),
        }
    }

    fn rest(&self, at: usize) -> &'a str {
        self.text.get(at..).unwrap_or_default()
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    /// Offset of the first byte that is one of these, or of the end.
    fn find(&self, at: usize, wanted: impl Fn(u8) -> bool) -> usize {
        let rest = self.rest(at);
        at + rest.bytes().position(wanted).unwrap_or(rest.len())
    }

    /// Where the line behind this offset begins.
    fn next_line(&self, at: usize) -> usize {
        let (_, behind) = split_line(self.rest(at));
        self.text.len() - behind.len()
    }

    fn ends_cell(&self, at: usize) -> bool {
        self.byte(at)
            .is_none_or(|byte| byte == self.separator || is_line_end(byte))
    }

    /// Whether a quote here is the first character of a cell.
    fn opens(&self, at: usize) -> bool {
        at.checked_sub(1).is_none_or(|before| self.ends_cell(before))
    }

    /// The cells of the row that begins here, and where it ends.
    fn cells(&self, mut at: usize) -> Result<(Vec<Cow<'a, str>>, usize), Fault> {
        let mut cells = Vec::new();
        loop {
            let (cell, end) = if self.quoting && self.byte(at) == Some(b'"') {
                self.read_quoted(at)?
            } else {
                let end = self.find(at, |byte| byte == self.separator || is_line_end(byte));
                (Cow::Borrowed(self.text.get(at..end).unwrap_or_default()), end)
            };
            cells.push(cell);
            if self.byte(end) != Some(self.separator) {
                return Ok((cells, end));
            }
            at = end + 1;
        }
    }

    fn read_quoted(&self, opened: usize) -> Result<(Cow<'a, str>, usize), Fault> {
        let start = opened + 1;
        let mut at = start;
        let mut doubled = false;
        let close = loop {
            let quote = self.find(at, |byte| byte == b'"');
            match self.byte(quote + 1) {
                _ if quote >= self.text.len() => return Err(self.fault(opened, quote, QuoteFault::Unclosed)),
                Some(b'"') => doubled = true,
                _ => break quote,
            }
            at = quote + 2;
        };
        if !self.ends_cell(close + 1) {
            return Err(self.fault(opened, close, self.behind(close)));
        }
        if self.escapes_with_backslash(close) {
            return Err(self.fault(opened, close, QuoteFault::Backslash));
        }
        let inner = self.text.get(start..close).unwrap_or_default();
        let cell = if doubled {
            Cow::Owned(inner.replace("\"\"", "\""))
        } else {
            Cow::Borrowed(inner)
        };
        Ok((cell, close + 1))
    }

    /// What is wrong with a closing quote that is followed by something else than the end of the cell.
    fn behind(&self, close: usize) -> QuoteFault {
        let behind = self.rest(close + 1).trim_start_matches(' ');
        match behind.chars().next() {
            _ if self.byte(close.wrapping_sub(1)) == Some(b'\\') => QuoteFault::Backslash,
            Some(c @ (';' | '\t' | '|' | ',')) if behind.len() == self.rest(close + 1).len() => {
                QuoteFault::OtherSeparator(c)
            }
            _ if self.ends_cell(self.text.len() - behind.len()) => QuoteFault::SpaceBehind,
            _ => QuoteFault::TextBehind,
        }
    }

    /// `"say \"` closes its cell by the rules; where `\"` comes once more in the middle of a cell, something else was meant.
    fn escapes_with_backslash(&self, close: usize) -> bool {
        let is_escaped = |quote: usize| self.byte(quote.wrapping_sub(1)) == Some(b'\\');
        if !is_escaped(close) {
            return false;
        }
        let next = self.find(close + 1, |byte| byte == b'"');
        next < self.text.len() && is_escaped(next)
    }

    fn fault(&self, opened: usize, found: usize, broken: QuoteFault) -> Fault {
        let line_end = self.find(opened, is_line_end);
        let same_line = found <= line_end && broken != QuoteFault::Unclosed;
        let line = self.text.get(opened + 1..line_end).unwrap_or_default();
        let broken = match broken {
            _ if line.contains("\\\"") => QuoteFault::Backslash,
            // The quote that was found opens a text of its own: nothing closes the first.
            QuoteFault::TextBehind if !same_line => QuoteFault::Unclosed,
            other => other,
        };
        Fault {
            broken,
            opened,
            same_line,
        }
    }

    /// The end of the lines behind a broken row that may be the rest of it: those up to the next quote, where that quote
    /// opens no text of its own. Lines that have as many cells as the table has columns are rows.
    fn doubtful_until(&self, start: usize, same_line: bool, width: usize) -> usize {
        let quote = self.find(start, |byte| byte == b'"');
        let may_close = !same_line || self.ends_cell(quote + 1);
        if quote >= self.text.len() || self.opens(quote) || !may_close {
            return start;
        }
        let (mut at, mut lines, mut are_rows) = (start, 0, width > 1);
        loop {
            let next = self.next_line(at);
            if next > quote {
                break;
            }
            let line = self.text.get(at..next).unwrap_or_default();
            are_rows &= line.bytes().filter(|byte| *byte == self.separator).count() + 1 == width;
            lines += 1;
            at = next;
        }
        if lines > DOUBTFUL || lines > 0 && are_rows {
            return start;
        }
        self.next_line(quote)
    }

    /// The next row; `width` is how many columns the table has.
    pub(super) fn next_row(&mut self, width: usize) -> Option<Row<'a>> {
        if self.at >= self.text.len() {
            return None;
        }
        let (start, line) = (self.at, self.line);
        self.number += 1;
        let number = self.number;
        let (cells, end) = match self.cells(start) {
            _ if start < self.doubtful.1 && !self.is_blank_line(start) => {
                let of = self.doubtful.0;
                (Err(QuoteFault::Doubtful { of }), self.find(start, is_line_end))
            }
            Ok((cells, end)) => (Ok(cells), end),
            Err(fault) => {
                let end = self.find(fault.opened, is_line_end);
                let next = self.next_line(end);
                self.doubtful = (number, self.doubtful_until(next, fault.same_line, width));
                (Err(fault.broken), end)
            }
        };
        self.at = self.next_line(end);
        self.line += lines_in(self.text.get(start..self.at).unwrap_or_default());
        Some(Row { number, line, cells })
    }

    fn is_blank_line(&self, at: usize) -> bool {
        crate::item::text::is_blank(split_line(self.rest(at)).0)
    }
}

fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

fn lines_in(mut text: &str) -> u64 {
    let mut lines = 0;
    while !text.is_empty() {
        text = split_line(text).1;
        lines += 1;
    }
    lines
}
