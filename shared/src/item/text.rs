//! Text as it lies in a file: encoding, byte order mark, line ends.

use std::borrow::Cow;

use super::{Found, MAX_TEXT_FILE};

/// The file's text without a byte order mark. A file that is not UTF-8 is refused whole: where one row is in another
/// encoding, accents in the rest of them are wrong too, and a row once labeled is not labeled again.
pub(super) fn decode(bytes: &[u8]) -> Result<&str, String> {
    if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") {
        return Err("the file is UTF-16: save it as UTF-8".to_owned());
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        let line = 1 + bytes[..at].iter().filter(|&&b| b == b'\n').count();
        format!("the file is not UTF-8 (byte {at}, line {line}): save it as UTF-8")
    })?;
    Ok(text.strip_prefix('\u{FEFF}').unwrap_or(text))
}

pub(super) fn too_large(size: u64) -> String {
    let (size, limit) = (size >> 20, MAX_TEXT_FILE >> 20);
    format!(
        "the file is {size} MiB large; a file of rows or lines may have {limit} MiB: split it into several files"
    )
}

/// The whole file as one item. The line end that closes a text file is not part of its text.
pub(super) fn whole(text: &str) -> impl Iterator<Item = Found<'_>> + Send {
    let text = text
        .strip_suffix('\n')
        .map_or(text, |text| text.strip_suffix('\r').unwrap_or(text));
    std::iter::once(if is_blank(text) {
        Found::Blank
    } else {
        Found::Text(None, Cow::Borrowed(text))
    })
}

/// Each line as one item.
pub(super) fn lines(text: &str, after_row: u64) -> impl Iterator<Item = Found<'_>> + Send {
    numbered(text, after_row).map(|(row, line)| match is_blank(line) {
        true => Found::Blank,
        false => Found::Text(Some(row), Cow::Borrowed(line)),
    })
}

/// Lines with their numbers from 1, ended by `\n` or `\r\n`, without the first `after_row`.
pub(super) fn numbered(text: &str, after_row: u64) -> impl Iterator<Item = (u64, &str)> + Send {
    (1..)
        .zip(text.lines())
        .skip_while(move |(row, _)| *row <= after_row)
}

pub(super) fn is_blank(text: &str) -> bool {
    text.chars().all(char::is_whitespace)
}
