//! Text from other people, as it goes into a mail: nothing in it is hidden, nothing in it becomes a link, and it ends.

use crate::visible::visible;

/// At most so many bytes, cut between characters.
pub(crate) fn shorten(text: &str, bytes: usize) -> String {
    if text.len() <= bytes {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(bytes.saturating_sub('…'.len_utf8()));
    format!("{}…", &text[..end])
}

/// Lines of at most 78 characters where the words allow, four spaces in. What people or services wrote, or what names
/// what they wrote.
pub(crate) fn indent(text: &str) -> String {
    let text = &safe(text);
    let mut lines = vec![String::from("   ")];
    for word in text.split_whitespace() {
        let full = lines
            .last()
            .is_some_and(|line| line.chars().count() + 1 + word.chars().count() > 78);
        if full {
            lines.push(String::from("   "));
        }
        if let Some(line) = lines.last_mut() {
            line.push(' ');
            line.push_str(word);
        }
    }
    lines.join("\n")
}

/// A key or name as people read it: in quotes, with everything in it seen, not endless.
pub fn quote(name: &str) -> String {
    format!("\"{}\"", shorten(&safe(name), 300))
}

/// A name short enough that the subject still says what happened.
pub(crate) fn brief(name: &str) -> String {
    shorten(&safe(name), 40)
}

/// Text from another person, in a mail: nothing in it is hidden, and nothing in it becomes a link.
pub fn safe(text: &str) -> String {
    without_links(&visible(text))
}

/// Mail programs make a link of everything that begins like the address of a site. A name should not become one. An
/// `s3://` is none to them.
fn without_links(text: &str) -> String {
    let mut parts = text.split("://");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let is_s3 = out.ends_with("s3") && !out.trim_end_matches("s3").ends_with(char::is_alphanumeric);
        out.push_str(if is_s3 { "://" } else { "[:]//" });
        out.push_str(part);
    }
    let places: Vec<usize> = out
        .to_ascii_lowercase()
        .match_indices("www.")
        .map(|(at, _)| at + 3)
        .collect();
    for at in places.into_iter().rev() {
        out.replace_range(at..=at, "[.]");
    }
    out
}

/// Several lines of such text.
pub(crate) fn safe_lines(text: &str) -> String {
    text.lines().map(safe).collect::<Vec<_>>().join("\n")
}
