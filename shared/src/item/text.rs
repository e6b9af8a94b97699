//! Texts and the lines of a file: one answer for all readers to what ends a line, and what is blank.

use std::borrow::Cow;

use super::source_row::SourceRow;

/// Bytes of one text file that is split into rows or lines, and of one manifest made by hand. Such a file is read
/// whole by a function with little memory.
pub const MAX_TEXT_FILE: u64 = 32 << 20;
/// Bytes of one text file that is one item: 20,000 characters of up to four bytes, a byte order mark and a line end.
pub const MAX_WHOLE_TEXT: u64 = 4 * crate::manifest::MAX_ATTRIBUTE as u64 + 5;

pub(super) fn too_large(size: u64) -> String {
    let (size, limit) = (size >> 20, MAX_TEXT_FILE >> 20);
    format!(
        "the file is {size} MiB large; a file of rows or lines may have {limit} MiB: split it into several files"
    )
}

/// The whole file as one item. The line end that closes a text file is not part of its text.
pub(super) fn whole_text(text: &str) -> impl Iterator<Item = SourceRow<'_>> + Send {
    let text = ["\r\n", "\n", "\r"]
        .iter()
        .find_map(|end| text.strip_suffix(end))
        .unwrap_or(text);
    std::iter::once(if is_blank(text) {
        SourceRow::Blank(None)
    } else {
        SourceRow::Text(None, Cow::Borrowed(text))
    })
}

/// Each line as one item.
pub(super) fn lines(text: &str) -> impl Iterator<Item = SourceRow<'_>> + Send {
    numbered_lines(text).map(|(row, line)| match is_blank(line) {
        true => SourceRow::Blank(Some(row)),
        false => SourceRow::Text(Some(row), Cow::Borrowed(line)),
    })
}

/// Lines with their numbers from 1, as editors show them.
pub(super) fn numbered_lines(text: &str) -> impl Iterator<Item = (u64, &str)> + Send {
    let mut rest = text;
    let lines = std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (line, behind) = split_line(rest);
        rest = behind;
        Some(line)
    });
    (1..).zip(lines)
}

/// The first line, and what is behind its end: `\n`, `\r\n` or `\r`.
pub(super) fn split_line(text: &str) -> (&str, &str) {
    let end = text.bytes().position(|byte| matches!(byte, b'\n' | b'\r'));
    let (line, rest) = text
        .split_at_checked(end.unwrap_or(text.len()))
        .unwrap_or((text, ""));
    let behind = rest
        .strip_prefix("\r\n")
        .or_else(|| rest.strip_prefix(['\n', '\r']));
    (line, behind.unwrap_or(rest))
}

/// Whether a line ends in `\r` alone somewhere, as old Macs and some spreadsheets write it.
pub(super) fn has_lone_carriage_return(text: &str) -> bool {
    let mut bytes = text.bytes().peekable();
    while let Some(byte) = bytes.next() {
        if byte == b'\r' && bytes.peek() != Some(&b'\n') {
            return true;
        }
    }
    false
}

pub(super) fn is_blank(text: &str) -> bool {
    text.chars().all(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_of_three_line_ends_ends_a_line_and_nothing_else_does() {
        for text in ["a\nb\n\nc", "a\r\nb\r\n\r\nc\r\n", "a\rb\r\rc\r"] {
            let lines: Vec<_> = numbered_lines(text).collect();
            assert_eq!(lines, [(1, "a"), (2, "b"), (3, ""), (4, "c")], "{text:?}");
        }
        assert_eq!(numbered_lines("\n\r\n\r").count(), 3);
        assert_eq!(numbered_lines("a\u{85}b\u{2028}c\u{b}d\u{c}e").count(), 1);
        assert_eq!(numbered_lines("").count(), 0);
        assert!(has_lone_carriage_return("a\r\nb\rc") && has_lone_carriage_return("a\r"));
        assert!(!has_lone_carriage_return("a\r\nb\n"));
    }
}
