//! What of a name or a text a person sees, and how the rest of it is shown.
//!
//! Invisible characters make two names look alike, turn the order of letters round and hide what a file holds. Names
//! that others chose go through [`visible`] before they are shown to people; where two names have to be distinguished,
//! through [`exact`].

use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::RangeInclusive;

/// Neither control characters nor white space, and yet nothing to see: Unicode's `Default_Ignorable_Code_Point`
/// (<https://www.unicode.org/Public/UCD/latest/ucd/DerivedCoreProperties.txt>), the format characters of annotations
/// and hieroglyphs, the blank of braille and the empty note head.
const INVISIBLE: [RangeInclusive<char>; 22] = [
    '\u{AD}'..='\u{AD}',
    '\u{34F}'..='\u{34F}',
    '\u{61C}'..='\u{61C}',
    '\u{115F}'..='\u{1160}',
    '\u{17B4}'..='\u{17B5}',
    '\u{180B}'..='\u{180F}',
    '\u{200B}'..='\u{200F}',
    '\u{202A}'..='\u{202E}',
    '\u{2060}'..='\u{206F}',
    '\u{2800}'..='\u{2800}',
    '\u{3164}'..='\u{3164}',
    '\u{FDD0}'..='\u{FDEF}',
    '\u{FE00}'..='\u{FE0F}',
    '\u{FEFF}'..='\u{FEFF}',
    '\u{FFA0}'..='\u{FFA0}',
    '\u{FFF0}'..='\u{FFFB}',
    '\u{13430}'..='\u{1343F}',
    '\u{1BCA0}'..='\u{1BCA3}',
    '\u{1D159}'..='\u{1D159}',
    '\u{1D173}'..='\u{1D17A}',
    '\u{E0000}'..='\u{E0FFF}',
    '\u{FFFE}'..='\u{FFFF}',
];

/// Whether there is nothing to see of a character that is no white space: control characters, zero-width characters,
/// controls of the writing direction, fillers, noncharacters.
pub fn is_invisible(c: char) -> bool {
    match c {
        ' '..='~' => false,
        _ if c.is_whitespace() => false,
        _ if c.is_control() || is_noncharacter(c) => true,
        _ => INVISIBLE.iter().any(|range| range.contains(&c)),
    }
}

/// A code point that Unicode gives to no character ever.
pub(crate) fn is_noncharacter(c: char) -> bool {
    u32::from(c) & 0xFFFE == 0xFFFE || ('\u{FDD0}'..='\u{FDEF}').contains(&c)
}

/// The name on one line, with what cannot be seen written out: `a\u{200B}b`. What shapes visible characters stays:
/// joiners within emoji, Arabic and Indic words, and the variants of symbols.
pub fn visible(name: &str) -> Cow<'_, str> {
    let is_hidden = |before, c, after| {
        let hidden = is_invisible(c) || c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
        hidden && !shapes(before, c, after)
    };
    escape_hidden(name, is_hidden)
}

/// As [`visible`], and with everything written out that makes two names differ which look alike: joiners, variants,
/// spaces other than the usual one, accents that are characters of their own.
pub fn exact(name: &str) -> Cow<'_, str> {
    let looks_like_another = |_, c: char, _| {
        let odd_space = c != ' ' && c.is_whitespace();
        odd_space || is_invisible(c) || ('\u{300}'..='\u{36F}').contains(&c)
    };
    escape_hidden(name, looks_like_another)
}

/// Whether an invisible character changes how its neighbours look.
fn shapes(before: Option<char>, c: char, after: Option<char>) -> bool {
    // Hebrew is the first script that is neither Latin, Greek, Cyrillic nor Armenian, none of which join letters.
    let joins = |c: Option<char>| c.is_some_and(|c| c >= '\u{590}' && (!is_invisible(c) || c == '\u{FE0F}'));
    match c {
        '\u{200C}' | '\u{200D}' => joins(before) && joins(after),
        '\u{FE0E}' | '\u{FE0F}' => {
            let symbol = |c: char| !c.is_ascii() && !c.is_alphanumeric() && !is_invisible(c);
            before.is_some_and(symbol) || after == Some('\u{20E3}')
        }
        '\u{E0100}'..='\u{E01EF}' => before.is_some_and(|c| ('\u{3400}'..='\u{3FFFF}').contains(&c)),
        _ => false,
    }
}

fn escape_hidden(name: &str, is_hidden: impl Fn(Option<char>, char, Option<char>) -> bool) -> Cow<'_, str> {
    if name.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Cow::Borrowed(name);
    }
    let mut shown = String::with_capacity(name.len());
    let mut before = None;
    let mut rest = name.chars();
    while let Some(c) = rest.next() {
        if is_hidden(before, c, rest.clone().next()) {
            push_escape(&mut shown, c);
        } else {
            shown.push(c);
        }
        before = Some(c);
    }
    if shown == name {
        return Cow::Borrowed(name);
    }
    Cow::Owned(shown)
}

fn push_escape(shown: &mut String, c: char) {
    match c {
        '\n' => shown.push_str("\\n"),
        '\r' => shown.push_str("\\r"),
        '\t' => shown.push_str("\\t"),
        _ => {
            let _infallible = write!(shown, "\\u{{{:X}}}", u32::from(c));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_cannot_be_seen_is_written_out() {
        for (name, shown) in [
            ("plain name", "plain name"),
            ("a\u{200B}b", "a\\u{200B}b"),
            ("\u{FEFF}text", "\\u{FEFF}text"),
            ("gpj.\u{202E}exe", "gpj.\\u{202E}exe"),
            ("\u{2066}x\u{2069}", "\\u{2066}x\\u{2069}"),
            ("a\u{200D}b", "a\\u{200D}b"),
            ("а\u{200C}б", "а\\u{200C}б"),
            (
                "a\nb\tc\r\0\u{1b}[31m\u{85}",
                "a\\nb\\tc\\r\\u{0}\\u{1B}[31m\\u{85}",
            ),
            ("a\u{2028}b", "a\\u{2028}b"),
            ("soft\u{AD}hyphen", "soft\\u{AD}hyphen"),
            (
                "\u{3164}\u{2800}\u{E0041}\u{FFFF}",
                "\\u{3164}\\u{2800}\\u{E0041}\\u{FFFF}",
            ),
            ("a\u{FE0F}", "a\\u{FE0F}"),
        ] {
            assert_eq!(visible(name), shown);
        }
    }

    #[test]
    fn what_shapes_visible_characters_stays() {
        for name in [
            "👩\u{200D}👩\u{200D}👧",
            "❤\u{FE0F}\u{200D}🔥",
            "1\u{FE0F}\u{20E3}",
            "می\u{200C}خواهم",
            "क\u{94D}\u{200D}ष",
            "葛\u{E0100}",
            "Chat ou chien\u{A0}?",
            "cafe\u{301}",
        ] {
            assert!(matches!(visible(name), Cow::Borrowed(_)), "{}", visible(name));
        }
    }

    #[test]
    fn names_that_look_alike_are_told_apart() {
        for (name, shown) in [
            ("cafe\u{301}", "cafe\\u{301}"),
            ("café", "café"),
            ("my\u{A0}text", "my\\u{A0}text"),
            ("a b", "a b"),
            ("❤\u{FE0F}", "❤\\u{FE0F}"),
        ] {
            assert_eq!(exact(name), shown);
        }
    }

    proptest! {
        #[test]
        fn whatever_is_shown_has_nothing_hidden_and_stays_one_line(name in any::<String>()) {
            for c in exact(&name).chars() {
                prop_assert!(!is_invisible(c) && !c.is_control(), "{c:?}");
            }
            prop_assert!(visible(&name).chars().all(|c| !c.is_control()));
        }
    }
}
