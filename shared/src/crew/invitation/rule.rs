//! What a team's own words for an invitation may hold.

use pulldown_cmark::{CodeBlockKind, Event, LinkType, Tag};

use super::placeholder::{self, placeholder_text};
use super::values::{InvitationValues, MAX_SUBJECT, MAX_TEXT};
use super::words;
use crate::visible::visible;

const NO_LINKS: &str = "an invitation links to the portal and to the contact alone: `[words]({portal})`, \
                        `[words](mailto:{contact})`, or `{portal}` and `{contact}` as they are";

pub(in crate::crew) fn check_subject(subject: &str) -> Result<(), String> {
    placeholder::check_names(subject)?;
    let line = subject.trim();
    let length = line.chars().count();
    if length == 0 || length > MAX_SUBJECT || line.chars().any(char::is_control) {
        return Err(format!(
            "`subject` must be one line of 1 to {MAX_SUBJECT} characters"
        ));
    }
    nothing_hidden("subject", line)?;
    match ["username", "password"]
        .iter()
        .find(|name| subject.contains(&placeholder_text(name)))
    {
        Some(name) => Err(format!(
            "`{{{name}}}` has no place in the subject: put it into `text`"
        )),
        None => Ok(()),
    }
}

pub(in crate::crew) fn check_text(text: &str, contact: &str) -> Result<(), String> {
    placeholder::check_names(text)?;
    text.lines()
        .try_for_each(|line| nothing_hidden("text", &line.replace('\t', " ")))?;
    only_in_words(text, contact)?;
    let longest = "x".repeat(128);
    let values = InvitationValues {
        organization: &longest,
        contact: &longest,
        team: &longest,
        portal: &longest,
        username: &placeholder_text("username"),
        password: &placeholder_text("password"),
    };
    // In the mail itself and not only in a comment or an image.
    if let Some(name) = ["username", "password"]
        .iter()
        .find(|name| !words::shows(text, &values, name))
    {
        return Err(format!(
            "`text` needs `{{{name}}}`: without it people cannot sign in"
        ));
    }
    let length = words::html(text, &values).chars().count();
    if length > MAX_TEXT {
        return Err(format!(
            "`text` makes a mail of {length} characters, {MAX_TEXT} are the most"
        ));
    }
    Ok(())
}

fn nothing_hidden(key: &str, line: &str) -> Result<(), String> {
    let shown = visible(line);
    if shown == line {
        return Ok(());
    }
    let start: String = shown.chars().take(80).collect();
    Err(format!(
        "`{key}` has a character that cannot be seen: `{start}`; take it out"
    ))
}

/// A placeholder in a link would send the password to the link's owner; so no link leads elsewhere, and what is not
/// words has no placeholder in it.
fn only_in_words(text: &str, contact: &str) -> Result<(), String> {
    let parser = words::parser(text);
    for (_, definition) in parser.reference_definitions().iter() {
        let titled = definition.title.as_deref().unwrap_or_default();
        link(LinkType::Reference, &definition.dest, titled, contact)?;
    }
    let mut line = String::new();
    for event in parser {
        match &event {
            Event::Text(words) | Event::Code(words) => line.push_str(words),
            Event::Start(Tag::Link {
                link_type,
                dest_url,
                title,
                ..
            }) => link(*link_type, dest_url, title, contact)?,
            Event::Start(Tag::Image { dest_url, title, .. }) => outside("an image", &[dest_url, title])?,
            Event::Html(html) | Event::InlineHtml(html) => outside("HTML", &[html])?,
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) => {
                outside("the first line of a block of code", &[language])?;
            }
            _ => {}
        }
        if !matches!(event, Event::Text(_) | Event::Code(_)) {
            no_address(&line)?;
            line.clear();
        }
    }
    no_address(&line)
}

fn link(kind: LinkType, url: &str, title: &str, contact: &str) -> Result<(), String> {
    outside("a link's title", &[title])?;
    match words::target(kind, url, contact) {
        Some(_) => Ok(()),
        None => Err(format!("`{}` cannot be linked to: {NO_LINKS}", excerpt(url))),
    }
}

fn outside(what: &str, texts: &[&str]) -> Result<(), String> {
    let found = texts
        .iter()
        .find(|text| placeholder::is_in(text) || text.contains("{##"));
    found.map_or(Ok(()), |_| {
        Err(format!(
            "{what} holds a placeholder: what is in braces has its place in words alone"
        ))
    })
}

/// Mail programs make a link of everything that looks like an address.
fn no_address(words: &str) -> Result<(), String> {
    let found = words.split_whitespace().find(|word| {
        let lower = word.to_lowercase();
        lower.contains("://") || lower.contains("www.") || lower.contains("mailto:")
    });
    found.map_or(Ok(()), |word| {
        Err(format!(
            "`{}` becomes a link in most mail programs: {NO_LINKS}",
            excerpt(word)
        ))
    })
}

fn excerpt(text: &str) -> String {
    visible(text).chars().take(80).collect()
}
