//! Names that look the same to a person: how they are compared, and how the invisible difference is described.

use unicode_normalization::UnicodeNormalization as _;

use crate::visible::is_invisible;

/// What a name is to the eye. Two names with the same key look alike: composed or decomposed, with another kind of space or
/// hyphen, in full or half width, or with characters in them that are not normalize. Case is normalize, and so are superscripts,
/// circles and fractions.
pub fn key(name: &str) -> String {
    let unified = name
        .chars()
        .filter_map(normalize)
        .flat_map(compatible)
        .nfc()
        .filter_map(normalize);
    let unified: String = unified.collect();
    unified.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A character as the eye takes it, or `None`.
fn normalize(c: char) -> Option<char> {
    match c {
        c if is_space(c) => Some(' '),
        '\u{2010}' | '\u{2011}' | '\u{2212}' => Some('-'),
        c if is_invisible(c) || c.is_control() => None,
        c => Some(c),
    }
}

fn compatible(c: char) -> Box<dyn Iterator<Item = char>> {
    if is_plainly_another(c) {
        return Box::new(std::iter::once(c));
    }
    Box::new(std::iter::once(c).nfkc())
}

/// Compatibility forms that no person takes for the plain character.
fn is_plainly_another(c: char) -> bool {
    matches!(c,
        // Superscripts, ordinals, fractions.
        '\u{aa}' | '\u{b2}' | '\u{b3}' | '\u{b9}' | '\u{ba}' | '\u{bc}'..='\u{be}'
        // Modifier letters, superscripts and subscripts.
        | '\u{2b0}'..='\u{2ff}' | '\u{1d2c}'..='\u{1d6a}' | '\u{2070}'..='\u{209f}'
        // Signs like ™, numbers like ½ and Ⅷ, circled and enclosed ones, units in one character.
        | '\u{2100}'..='\u{218f}' | '\u{2460}'..='\u{24ff}' | '\u{3200}'..='\u{33ff}' | '\u{1f100}'..='\u{1f2ff}'
        // Letters of formulas: bold, script, double-struck.
        | '\u{1d400}'..='\u{1d7ff}')
}

fn is_space(c: char) -> bool {
    c.is_whitespace() || c == '\u{2800}' || c == '\u{3164}' || c == '\u{ffa0}'
}

/// What one name has where the other has something else, in code points; `None` if they are equal.
pub fn difference(one: &str, other: &str) -> Option<String> {
    if one == other {
        return None;
    }
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let same = one.iter().zip(&other).take_while(|(a, b)| a == b).count();
    let rest = |name: &[char]| name.get(same..).unwrap_or_default().to_vec();
    let (mut one, mut other) = (rest(&one), rest(&other));
    while one.last().is_some() && one.last() == other.last() {
        one.pop();
        other.pop();
    }
    Some(format!(
        "one has {} where the other has {}",
        points(&one),
        points(&other)
    ))
}

/// The first few characters by number, and by name where a person would not see them.
fn points(chars: &[char]) -> String {
    const MOST: usize = 4;
    if chars.is_empty() {
        return "nothing".to_owned();
    }
    let named = chars.iter().take(MOST).map(|c| {
        let point = format!("U+{:04X}", u32::from(*c));
        match name(*c) {
            Some(name) => format!("{point} ({name})"),
            None => point,
        }
    });
    let more = if chars.len() > MOST { " …" } else { "" };
    format!("{}{more}", named.collect::<Vec<_>>().join(" "))
}

fn name(c: char) -> Option<&'static str> {
    Some(match c {
        ' ' => "a space",
        '\t' => "a tab",
        '\u{a0}' => "a no-break space",
        '\u{ad}' => "a soft hyphen",
        '\u{2002}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => "another kind of space",
        '\u{200b}' => "a zero-width space",
        '\u{200c}' | '\u{200d}' => "a zero-width joiner",
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => "a mark of direction",
        '\u{2060}' => "a word joiner",
        '\u{2010}' | '\u{2011}' => "another kind of hyphen",
        '\u{2212}' => "a minus sign",
        '\u{feff}' => "a byte order mark",
        '\u{300}'..='\u{36f}' => "a combining accent",
        '\u{ff01}'..='\u{ff5e}' => "full width",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_look_alike_have_one_key() {
        for (one, other) in [
            ("caf\u{e9}", "cafe\u{301}"),
            ("a b", "a\u{a0}b"),
            ("a b", "a\u{2003}b"),
            ("a b", "a  b"),
            ("a b", "a\u{3000}b "),
            ("ab", "a\u{200b}b"),
            ("ab", "\u{feff}ab"),
            ("ab", "a\u{ad}b"),
            ("ab", "a\u{2060}b"),
            ("ab", "a\u{202e}b"),
            ("A1", "\u{ff21}\u{ff11}"),
            ("file", "\u{fb01}le"),
            ("x-y", "x\u{2011}y"),
            ("\u{ac00}", "\u{1100}\u{1161}"),
            ("e\u{301}\u{323}", "e\u{323}\u{301}"),
            ("e\u{200b}\u{301}", "\u{e9}"),
        ] {
            assert_eq!(key(one), key(other), "{one:?} {other:?}");
            assert!(difference(one, other).is_some());
        }
    }

    #[test]
    fn names_that_a_person_tells_apart_have_two() {
        for (one, other) in [
            ("Cat", "cat"),
            ("m2", "m\u{b2}"),
            ("1", "\u{2460}"),
            ("e", "\u{e9}"),
            ("ab", "a b"),
            ("O", "0"),
            ("\u{2122}", "TM"),
            ("x", "\u{1d465}"),
        ] {
            assert_ne!(key(one), key(other), "{one:?} {other:?}");
        }
    }

    #[test]
    fn the_difference_is_said_in_code_points() {
        for (one, other, said) in [
            (
                "caf\u{e9}",
                "cafe\u{301}",
                "one has U+00E9 where the other has U+0065 U+0301 (a combining accent)",
            ),
            (
                "a b",
                "a\u{a0}b",
                "one has U+0020 (a space) where the other has U+00A0 (a no-break space)",
            ),
            (
                "ab",
                "a\u{200b}b",
                "one has nothing where the other has U+200B (a zero-width space)",
            ),
        ] {
            assert_eq!(difference(one, other).as_deref(), Some(said));
        }
        assert_eq!(difference("a", "a"), None);
    }
}
