//! Text of mails: placeholders filled in, and HTML as plain text.

pub(super) const USERNAME: &str = "{username}";
pub(super) const CODE: &str = "{####}";

/// One pass, so that a password that happens to contain a placeholder is left unchanged.
pub(super) fn fill(text: &str, username: &str, secret: &str) -> String {
    let mut parts = text.split(CODE).map(|part| part.replace(USERNAME, username));
    let first = parts.next().unwrap_or_default();
    parts.fold(first, |filled, part| filled + secret + &part)
}

/// HTML as a plain mail program shows it: blocks on lines of their own, links with their address.
pub(super) fn plain_text(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    let mut link: Option<String> = None;
    // Of the previous entry, in a numbered list.
    let mut number: Option<u32> = None;
    while let Some((before, tag_on)) = rest.split_once('<') {
        push_words(&mut text, before);
        let Some((tag, after)) = tag_on.split_once('>') else {
            push_words(&mut text, tag_on);
            rest = "";
            break;
        };
        rest = after;
        let closes = tag.starts_with('/');
        let name = tag
            .trim_start_matches('/')
            .split([' ', '/', '\n'])
            .next()
            .unwrap_or_default();
        match name.to_ascii_lowercase().as_str() {
            "style" | "script" | "title" if !closes => {
                let end = format!("</{name}");
                rest = rest.find(&end).map_or("", |at| &rest[at..]);
            }
            "a" if !closes => link = href(tag),
            "a" => {
                let address = link.take().filter(|address| {
                    let shown = address.strip_prefix("mailto:").unwrap_or(address);
                    !text.ends_with(shown)
                });
                // On a line of its own: punctuation behind it would be copied with it.
                if let Some(address) = address {
                    text.push_str(&format!(":\n{address}\n"));
                    rest = rest.trim_start_matches(['.', ',', ';', ':', '!', '?', ')']);
                }
            }
            "br" => text.push('\n'),
            "li" if !closes => {
                number = number.map(|before| before + 1);
                text.push_str(&number.map_or("\n- ".to_owned(), |number| format!("\n{number}. ")));
            }
            "ol" => {
                number = (!closes).then_some(0);
                text.push_str("\n\n");
            }
            "td" | "th" | "pre" => text.push('\n'),
            "p" | "div" | "h1" | "h2" | "h3" | "ul" | "tr" | "table" | "blockquote" => {
                text.push_str("\n\n");
            }
            _ => {}
        }
    }
    push_words(&mut text, rest);
    tidy(&text)
}

fn href(tag: &str) -> Option<String> {
    let (_, rest) = tag.split_once("href=")?;
    let quote = rest.chars().next().filter(|c| ['"', '\''].contains(c))?;
    rest[1..].split(quote).next().map(unescape)
}

/// Text between tags: white space counts once.
fn push_words(text: &mut String, words: &str) {
    let words = unescape(words);
    if words.starts_with(char::is_whitespace) && !text.ends_with(char::is_whitespace) {
        text.push(' ');
    }
    text.push_str(&words.split_whitespace().collect::<Vec<_>>().join(" "));
    if words.trim().len() < words.trim_start().len() {
        text.push(' ');
    }
}

fn unescape(text: &str) -> String {
    let pairs = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&apos;", "'"),
        ("&#123;", "{"),
        ("&#125;", "}"),
        ("&nbsp;", " "),
        ("&amp;", "&"),
    ];
    pairs
        .iter()
        .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

fn tidy(text: &str) -> String {
    let mut tidied = String::with_capacity(text.len());
    let mut blank = 0;
    for line in text.lines().map(str::trim) {
        blank = if line.is_empty() { blank + 1 } else { 0 };
        if blank < 2 && !(line.is_empty() && tidied.is_empty()) {
            tidied.push_str(line);
            tidied.push('\n');
        }
    }
    tidied.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_once_even_where_a_password_looks_like_one() {
        let filled = fill("{username}: {####} {####}", "a@b.c", "x{username}y");
        assert_eq!(filled, "a@b.c: x{username}y x{username}y");
    }

    #[test]
    fn what_people_copy_is_alone_on_its_line_in_plain_text_too() {
        let html = "<p>Sign in <a href=\"https://x.org\">here</a>, as:<br><code>a@b.c</code></p><table><tr><td>with</td>\
                    <td>p&#123;w.</td></tr></table><pre>x<br>y</pre>";
        let text = "Sign in here:\nhttps://x.org\nas:\na@b.c\n\nwith\n\np{w.\n\nx\ny";
        assert_eq!(plain_text(html), text);
    }

    #[test]
    fn the_plain_text_of_a_message_keeps_its_lines_and_links() {
        let html = "<style>p{}</style><p>Hello &amp; <b>welcome</b> to\n the team.</p><ul><li>one</li><li>two</li></ul><ol><li>three</li><li>four</li></ol>\
                    <p>Go to <a href=\"https://x.org/?a=1&amp;b=2\">the portal</a>.<br>Bye</p>";
        let text = "Hello & welcome to the team.\n\n- one\n- two\n\n1. three\n2. four\n\nGo to the portal:\nhttps://x.org/?a=1&b=2\n\nBye";
        assert_eq!(plain_text(html), text);
        assert_eq!(plain_text("no tags, 1 < 2"), "no tags, 1 2");
    }
}
