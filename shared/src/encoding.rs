//! Whether a file is text at all: its encoding, and what is no text though every byte of it could be.
//!
//! UTF-16 of many scripts is valid UTF-8, with NULs and other control characters in it. A browser drops those, so that
//! workers would not see what they label.

use crate::visible::{is_invisible, is_noncharacter};

/// How files of other kinds begin that are met under a text's name, and what to do with them.
const SIGNATURES: [(&[u8], &str); 8] = [
    (b"%PDF-", "is a PDF: export its text"),
    (
        b"PK\x03\x04",
        "is a zip archive or an Office file (.xlsx, .docx): export it as UTF-8 text",
    ),
    (
        b"\xD0\xCF\x11\xE0",
        "is an old Office file (.xls, .doc): export it as UTF-8 text",
    ),
    (b"{\\rtf", "is an RTF document: save it as plain text"),
    (b"\x1F\x8B", "is compressed (gzip): unpack it"),
    (b"\x89PNG", "is an image"),
    (b"\xFF\xD8\xFF", "is an image"),
    (b"SQLite format 3\0", "is a database: export its texts"),
];
/// So many control characters and such a share of the bytes are no text with a slip in it, but no text.
const MANY: usize = 32;
const SHARE: usize = 10;

/// The file's text without a byte order mark. A file that is not UTF-8 is refused whole: where one row is in another
/// encoding, accents in the rest of them are wrong too, and a row once labeled is not labeled again.
pub(crate) fn decode(bytes: &[u8]) -> Result<&str, String> {
    if bytes.starts_with(b"\xFF\xFE\0\0") || bytes.starts_with(b"\0\0\xFE\xFF") {
        return Err("the file is UTF-32: save it as UTF-8".to_owned());
    }
    if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") {
        return Err("the file is UTF-16: save it as UTF-8".to_owned());
    }
    if let Some((_, what)) = SIGNATURES.iter().find(|(start, _)| bytes.starts_with(start)) {
        return Err(format!("the file {what}"));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => {
            not_text(text)?;
            Ok(text.strip_prefix('\u{FEFF}').unwrap_or(text))
        }
        Err(error) => Err(wide(bytes, true).unwrap_or_else(|| {
            let at = error.valid_up_to();
            let line = 1 + line_ends(&bytes[..at]);
            format!("the file is not UTF-8 (byte {at}, line {line}): save it as UTF-8")
        })),
    }
}

fn line_ends(bytes: &[u8]) -> usize {
    let after = bytes.iter().skip(1).map(Some).chain([None]);
    let ends = bytes.iter().zip(after);
    ends.filter(|(byte, next)| **byte == b'\n' || **byte == b'\r' && *next != Some(&b'\n'))
        .count()
}

/// A control character that shows nothing and is neither a tab nor a line or page end.
pub(crate) fn is_unprintable(c: char) -> bool {
    c.is_control() && !c.is_whitespace() || is_noncharacter(c)
}

fn not_text(text: &str) -> Result<(), String> {
    let unprintable = text.chars().filter(|c| is_unprintable(*c)).count();
    if unprintable == 0 {
        return Ok(());
    }
    if let Some(reason) = wide(text.as_bytes(), false) {
        return Err(reason);
    }
    if unprintable >= MANY && unprintable.saturating_mul(SHARE) >= text.len() {
        return Err(format!(
            "the file holds {unprintable} control characters and is no text that can be shown: export it as UTF-8 text"
        ));
    }
    Ok(())
}

/// The reason if the bytes are UTF-16 or UTF-32 without a byte order mark. `is_broken` where they are not UTF-8
/// anyway, so that less has to speak for it.
fn wide(bytes: &[u8], is_broken: bool) -> Option<String> {
    let name = if is_utf32(bytes) {
        "UTF-32"
    } else if [u16::from_le_bytes, u16::from_be_bytes]
        .iter()
        .any(|unit| is_utf16(bytes, *unit, is_broken))
    {
        "UTF-16"
    } else {
        return None;
    };
    Some(format!(
        "the file looks like {name} without a byte order mark: save it as UTF-8"
    ))
}

fn is_utf32(bytes: &[u8]) -> bool {
    let (units, _) = bytes.as_chunks::<4>();
    [u32::from_le_bytes, u32::from_be_bytes].iter().any(|unit| {
        let plausible = |unit: u32| char::from_u32(unit).is_some_and(|c| !is_unprintable(c));
        !units.is_empty() && units.iter().all(|bytes| plausible(unit(*bytes)))
    })
}

/// ASCII read two bytes at a time gives Chinese characters of many rows. Real UTF-16 keeps to the rows of one script and
/// of ASCII, or its line ends are of two bytes, all of them.
fn is_utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16, is_broken: bool) -> bool {
    let (pairs, _) = bytes.as_chunks::<2>();
    let units = || pairs.iter().map(|pair| unit(*pair));
    if pairs.is_empty() || char::decode_utf16(units()).any(|c| c.map_or(true, is_unprintable)) {
        return false;
    }
    let mut rows = [0_usize; 256];
    for unit in units() {
        if let Some(count) = rows.get_mut(usize::from(unit >> 8)) {
            *count += 1;
        }
    }
    let ascii = rows[0];
    rows.sort_unstable();
    let two_rows = rows[254] + rows[255];
    let of_one_script = ascii >= 2 && ascii * 20 >= pairs.len() && two_rows * 5 >= pairs.len() * 4;
    let ends = units().filter(|unit| *unit == 0x0A).count();
    let ends_in_pairs = ends > 0 && ends == bytes.iter().filter(|byte| **byte == b'\n').count();
    ascii == pairs.len() || of_one_script || ends_in_pairs || is_broken && ascii > 0
}

/// Why a text cannot be shown to a worker, if so.
pub(crate) fn unshowable(text: &str) -> Option<String> {
    let mut seen = false;
    for (place, c) in (1_u64..).zip(text.chars()) {
        if is_unprintable(c) {
            let code = u32::from(c);
            return Some(format!(
                "the text holds {} (character {place}), which cannot be shown: take it out",
                match c {
                    '\0' => "a NUL".to_owned(),
                    _ if c.is_control() => format!("the control character U+{code:04X}"),
                    _ => format!("U+{code:04X}, which is no character"),
                }
            ));
        }
        seen = seen || !c.is_whitespace() && !is_invisible(c);
    }
    let nothing = "there is nothing to see in the text: it is of invisible characters alone";
    (!seen).then(|| nothing.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(unit).collect()
    }

    const TEXTS: [&str; 9] = [
        "Great product\r\nBad product\r\n",
        "7",
        "id,text\n1,one\n2,two\n",
        "Хороший товар\nПлохой товар\n",
        "यह अच्छा है\nयह बुरा है\n",
        "很好\n不好\n",
        "שלום עולם\n",
        "“quoted” – and 👍\n",
        "Ζεστό και κρύο",
    ];

    #[test]
    fn wide_text_without_a_mark_is_known_in_any_script() {
        for text in TEXTS {
            for bytes in [
                utf16(text, u16::to_le_bytes),
                utf16(text, u16::to_be_bytes),
                [utf16(text, u16::to_le_bytes), b"\n".to_vec()].concat(),
            ] {
                let reason = decode(&bytes).unwrap_err();
                assert!(reason.contains("looks like UTF-16 without"), "{text:?}: {reason}");
            }
            for unit in [u32::to_le_bytes, u32::to_be_bytes] {
                let bytes: Vec<u8> = text.chars().flat_map(|c| unit(u32::from(c))).collect();
                let reason = decode(&bytes).unwrap_err();
                assert!(reason.contains("looks like UTF-32 without"), "{text:?}: {reason}");
            }
            assert_eq!(decode(text.as_bytes()), Ok(text));
        }
    }

    #[test]
    fn a_control_character_here_and_there_is_no_other_encoding() {
        for text in [
            "id,text\n1,a\0b\n2,good one\n",
            "abcd\0\nab\n",
            "first line\nsecond \u{1b}[31mred\u{1b}[0m line\n",
            "a\0b\0c and much more text behind it, line after line\nand so on\n",
            "tab\tand\u{c}page\u{b}ends\u{85}are fine",
        ] {
            assert_eq!(decode(text.as_bytes()), Ok(text));
        }
    }

    #[test]
    fn files_of_other_kinds_are_refused_whole() {
        let padded = format!("log line\n{}", "\0".repeat(512));
        for (bytes, part) in [
            (padded.as_bytes(), "512 control characters"),
            (b"%PDF-1.7 text", "is a PDF"),
            (b"PK\x03\x04 rest", ".xlsx"),
            (b"{\\rtf1 hello}", "RTF"),
            (b"\x1F\x8B\x08", "gzip"),
            (b"\x89PNG\r\n", "an image"),
            (b"\xFF\xFE\0\0a\0\0\0", "UTF-32"),
            (b"\xFF\xFEa\0", "UTF-16"),
            (b"a\rb\r\nc\n\xE9", "byte 7, line 4"),
        ] {
            let reason = decode(bytes).unwrap_err();
            assert!(reason.contains(part), "{reason}");
        }
    }

    #[test]
    fn a_text_is_asked_whether_a_person_would_see_it() {
        for (text, part) in [
            ("a\0b", "a NUL (character 2)"),
            ("red \u{1b}[31m", "U+001B (character 5)"),
            ("it\u{92}s", "U+0092"),
            ("\u{7f}", "U+007F"),
            ("a\u{FFFF}", "U+FFFF, which is no character"),
            ("\u{FDD0}", "no character"),
            ("\u{200B}", "nothing to see"),
            (" \u{FEFF}\u{2800}\u{3164}\u{AD}\n", "nothing to see"),
            ("", "nothing to see"),
        ] {
            let reason = unshowable(text).unwrap_or_else(|| panic!("{text:?}"));
            assert!(reason.contains(part), "{reason}");
        }
        for text in [
            "a\tb\r\nc",
            "page\u{c}end",
            "a\u{2028}b\u{85}c",
            "👩\u{200D}👧",
            "می\u{200C}خواهم",
            "\u{FEFF}a",
            "\u{FFFD}",
        ] {
            assert_eq!(unshowable(text), None, "{text:?}");
        }
    }
}
