//! The names of columns and fields, as messages show them, and why the one that is asked for is not among them.

use crate::lookalike;
use crate::visible::{exact, is_invisible};

/// Names shown, and characters of each: a broken file does not fill a page.
const SHOWN: usize = 8;
const LENGTH: usize = 40;
const QUOTES: [char; 13] = ['"', '\'', '`', '“', '”', '„', '‟', '‘', '’', '‚', '«', '»', '＂'];

/// One name in a message, as it is to the character.
pub(super) fn quote(name: &str) -> String {
    let short: String = name.chars().take(LENGTH).collect();
    let more = if short.len() < name.len() { "…" } else { "" };
    format!("`{}{more}`", exact(&short))
}

pub(super) fn list_names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut names = names.peekable();
    let shown: Vec<String> = names.by_ref().take(SHOWN).map(quote).collect();
    let more = if names.peek().is_some() { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}

/// What to do where one of the names looks like the one that is asked for and is another.
pub(super) fn near_miss<'a>(mut names: impl Iterator<Item = &'a str>, asked: &'a str) -> Option<String> {
    let like = names.find(|name| fold_name(name) == fold_name(asked))?;
    let with = |is: fn(char) -> bool| [like, asked].into_iter().find(|name| name.chars().any(is));
    let hidden = with(|c| is_invisible(c) || c != ' ' && c.is_whitespace());
    let in_quotes = with(|c| QUOTES.contains(&c));
    let how_it_differs = match (hidden, in_quotes) {
        (Some(name), _) => format!(
            "{} holds a character that cannot be seen (shown as `\\u{{…}}`): write the name without it",
            quote(name)
        ),
        (_, Some(name)) => format!(
            "The quotes in {} are part of the name: write the name without them",
            quote(name)
        ),
        _ if lookalike::key(like) == lookalike::key(asked) => format!(
            "It only looks the same ({}): write both alike",
            lookalike::difference(like, asked).unwrap_or_default()
        ),
        _ => "Capital letters and spaces count: call it so in the spec too".to_owned(),
    };
    Some(format!("did you mean {}? {how_it_differs}", quote(like)))
}

/// The name as a person would read it aloud.
fn fold_name(name: &str) -> String {
    let name = lookalike::key(name);
    let kept = name.chars().filter(|c| !c.is_whitespace() && !QUOTES.contains(c));
    kept.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_only_looks_like_the_one_asked_for_says_how_it_differs() {
        for (name, part) in [
            (
                "text\u{200B}",
                "`text\\u{200B}` holds a character that cannot be seen",
            ),
            ("\u{FEFF}text", "`\\u{FEFF}text`"),
            (
                "“text”",
                "did you mean `“text”`? The quotes in `“text”` are part of the name",
            ),
            ("Text", "did you mean `Text`? Capital letters"),
            (
                "ｔｅｘｔ",
                "did you mean `ｔｅｘｔ`? It only looks the same (one has U+FF54",
            ),
        ] {
            let hint = near_miss(["id", name].into_iter(), "text").unwrap_or_default();
            assert!(hint.contains(part), "{hint}");
        }
        let spaces = near_miss(["my\u{A0}text"].into_iter(), "my text").unwrap_or_default();
        assert!(spaces.contains("`my\\u{A0}text` holds"), "{spaces}");
        let in_spec = near_miss(["text"].into_iter(), "“text”").unwrap_or_default();
        assert!(
            in_spec.contains("did you mean `text`? The quotes in `“text”`"),
            "{in_spec}"
        );
        assert_eq!(near_miss(["id", "body"].into_iter(), "text"), None);
    }
}
