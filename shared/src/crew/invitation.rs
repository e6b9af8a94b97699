//! The invitation: subject, HTML and plain text, from the team's words or our own.
//!
//! AdminCreateUser's mail has a subject of at most 140 characters and a text of at most 20,000, and the text has to
//! hold the user name and the temporary password
//! (<https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-custom-message.html>).

use std::fmt::Write;

use pulldown_cmark::{CodeBlockKind, CowStr, Event, Options, Parser, Tag, TagEnd, html};

use crate::yaml::nearest;

/// Own words for an invitation. `{organization}`, `{contact}`, `{team}`, `{portal}`, `{username}` and `{password}`
/// are filled in; the last two have to be in the text.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct InvitationText {
    /// At most 140 characters.
    pub subject: Option<String>,
    /// Markdown.
    pub text: Option<String>,
}

/// What is filled in.
#[derive(Clone, Copy, Debug)]
pub struct Invite<'a> {
    pub organization: &'a str,
    pub contact: &'a str,
    pub team: &'a str,
    pub portal: &'a str,
    /// Where Cognito is to put the user name and the temporary password; or what they are.
    pub username: &'a str,
    pub password: &'a str,
}

/// The mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// One line, at most 140 characters.
    pub subject: String,
    /// At most 20,000 characters.
    pub html: String,
    pub plain: String,
}

const MAX_SUBJECT: usize = 140;
const MAX_TEXT: usize = 20_000;
const PLACEHOLDERS: [&str; 6] = [
    "organization",
    "contact",
    "team",
    "portal",
    "username",
    "password",
];

const SUBJECT: &str = "{organization} invites you to the team {team}";
const TEXT: &str = "\
Hello,

**{organization}** invites you to label data in the team **{team}**.

1. Open [{portal}]({portal}).
2. Sign in with the user name `{username}` and the temporary password `{password}`.
3. Choose a password of your own. The team's work is on the page that opens.

The temporary password is good for a few days. Questions? Write to [{contact}](mailto:{contact}).
";

impl InvitationText {
    /// What is wrong with it, in one sentence.
    pub fn check(&self) -> Result<(), String> {
        self.subject.as_deref().map_or(Ok(()), check_subject)?;
        self.text.as_deref().map_or(Ok(()), check_text)
    }
}

pub(super) fn check_subject(subject: &str) -> Result<(), String> {
    known_placeholders(subject)?;
    let length = subject.trim().chars().count();
    if length == 0 || length > MAX_SUBJECT || subject.trim().chars().any(char::is_control) {
        return Err(format!(
            "`subject` must be one line of 1 to {MAX_SUBJECT} characters"
        ));
    }
    match ["username", "password"]
        .iter()
        .find(|name| subject.contains(&placeholder(name)))
    {
        Some(name) => Err(format!(
            "`{{{name}}}` has no place in the subject: put it into `text`"
        )),
        None => Ok(()),
    }
}

pub(super) fn check_text(text: &str) -> Result<(), String> {
    known_placeholders(text)?;
    let longest = "x".repeat(128);
    let values = Invite {
        organization: &longest,
        contact: &longest,
        team: &longest,
        portal: &longest,
        username: &placeholder("username"),
        password: &placeholder("password"),
    };
    let html = html(text, &values);
    // In the mail itself and not only in a comment or an image.
    if let Some(name) = ["username", "password"]
        .iter()
        .find(|name| !html.contains(&placeholder(name)))
    {
        return Err(format!(
            "`text` needs `{{{name}}}`: without it nobody can sign in"
        ));
    }
    let length = html.chars().count();
    if length > MAX_TEXT {
        return Err(format!(
            "`text` makes a mail of {length} characters, {MAX_TEXT} are the most"
        ));
    }
    Ok(())
}

fn placeholder(name: &str) -> String {
    format!("{{{name}}}")
}

fn known_placeholders(text: &str) -> Result<(), String> {
    let mut wrong = None;
    fill(text, |name| {
        if !PLACEHOLDERS.contains(&name) {
            wrong.get_or_insert_with(|| name.to_owned());
        }
        None
    });
    wrong.map_or(Ok(()), |name| {
        let hint = nearest::hint(&name, &PLACEHOLDERS, "there are").unwrap_or_default();
        Err(format!("nothing is filled in for `{{{name}}}`; {hint}"))
    })
}

/// Every `{word}` for which there is a value, once: a value is not looked into.
fn fill(text: &str, mut value: impl FnMut(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        let (before, from) = rest.split_at(open);
        out.push_str(before);
        let name = from[1..].split_once('}').map(|(name, _)| name);
        let name =
            name.filter(|name| !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
        match name.map(|name| (name, value(name))) {
            Some((name, Some(value))) => {
                out.push_str(&value);
                rest = &from[name.len() + 2..];
            }
            _ => {
                out.push('{');
                rest = &from[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

impl Invite<'_> {
    fn value(&self, name: &str) -> Option<&str> {
        Some(match name {
            "organization" => self.organization,
            "contact" => self.contact,
            "team" => self.team,
            "portal" => self.portal,
            "username" => self.username,
            "password" => self.password,
            _ => return None,
        })
    }
}

/// The invitation. Words of one's own that do not fit are left for ours: the person is invited all the same.
pub fn render(text: Option<&InvitationText>, values: &Invite<'_>) -> Rendered {
    let own = text.filter(|text| text.check().is_ok());
    let subject = own.and_then(|own| own.subject.as_deref()).unwrap_or(SUBJECT);
    let text = own.and_then(|own| own.text.as_deref()).unwrap_or(TEXT);
    let mut mail = html(text, values);
    if mail.chars().count() > MAX_TEXT {
        mail = html(TEXT, values);
    }
    Rendered {
        subject: one_line(&fill(subject, |name| values.value(name).map(str::to_owned))),
        html: mail,
        plain: plain(text, values),
    }
}

fn one_line(subject: &str) -> String {
    let words: Vec<&str> = subject.split_whitespace().collect();
    let line = words.join(" ");
    match line.char_indices().nth(MAX_SUBJECT - 3) {
        Some((end, _)) if line.chars().count() > MAX_SUBJECT => format!("{}...", &line[..end]),
        _ => line,
    }
}

fn parser(markdown: &str) -> Parser<'_> {
    Parser::new_ext(markdown, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH)
}

/// A mail's HTML: raw HTML is dropped, links go to the web or to mail, images are left out (many mail programs show
/// none, and none is worth a blank invitation).
fn html(markdown: &str, values: &Invite<'_>) -> String {
    let mut links = Vec::new();
    let mut image = 0_u32;
    let events = parser(markdown).filter_map(|event| match event {
        Event::Start(Tag::Image { .. }) => {
            image += 1;
            None
        }
        Event::End(TagEnd::Image) => {
            image -= 1;
            None
        }
        Event::Text(text) => written(filled(&text, values)),
        Event::Code(text) => written(format!("<code>{}</code>", filled(&text, values))),
        Event::Html(_) | Event::InlineHtml(_) => None,
        Event::Start(Tag::Link { dest_url, .. }) => {
            let url = fill(&dest_url, |name| values.value(name).map(str::to_owned));
            let safe = is_safe(&url);
            links.push(safe);
            safe.then(|| written(format!("<a href=\"{}\">", escaped(&url))))
                .flatten()
        }
        Event::End(TagEnd::Link) => links
            .pop()
            .filter(|written| *written)
            .and_then(|_| written("</a>".to_owned())),
        Event::Start(Tag::CodeBlock(_)) => Some(Event::Start(Tag::CodeBlock(CodeBlockKind::Indented))),
        other => Some(other),
    });
    let mut body = String::new();
    html::push_html(&mut body, events);
    format!("<div style=\"font: 16px/1.5 sans-serif; max-width: 40em\">\n{body}</div>\n")
}

fn written<'a>(html: String) -> Option<Event<'a>> {
    Some(Event::InlineHtml(CowStr::from(html)))
}

fn is_safe(url: &str) -> bool {
    let lower = url.trim().to_ascii_lowercase();
    ["http://", "https://", "mailto:"]
        .iter()
        .any(|scheme| lower.starts_with(scheme))
}

fn filled(text: &str, values: &Invite<'_>) -> String {
    // Braces mean nothing to HTML, so that escaping first changes no placeholder.
    fill(&escaped(text), |name| values.value(name).map(escaped))
}

fn escaped(text: &str) -> String {
    text.chars()
        .fold(String::with_capacity(text.len()), |mut out, c| {
            match c {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '"' => out.push_str("&quot;"),
                '\'' => out.push_str("&#39;"),
                c => out.push(c),
            }
            out
        })
}

/// The same without marks: paragraphs apart, lists numbered or dotted, a link's address behind its text.
fn plain(markdown: &str, values: &Invite<'_>) -> String {
    let value = |text: &str| fill(text, |name| values.value(name).map(str::to_owned));
    let (mut out, mut lists, mut links) = (String::new(), Vec::<Option<u64>>::new(), Vec::new());
    for event in parser(markdown) {
        match event {
            Event::Text(text) | Event::Code(text) => out.push_str(&value(&text)),
            Event::SoftBreak | Event::HardBreak | Event::End(TagEnd::Item) => out.push('\n'),
            Event::Start(Tag::List(first)) => lists.push(first),
            Event::End(TagEnd::List(_)) => {
                lists.pop();
                out.push('\n');
            }
            Event::Start(Tag::Item) => match lists.last_mut() {
                Some(Some(number)) => {
                    let _ = write!(out, "{number}. ");
                    *number += 1;
                }
                _ => out.push_str("- "),
            },
            Event::Start(Tag::Link { dest_url, .. }) => links.push((out.len(), value(&dest_url))),
            Event::End(TagEnd::Link) => {
                if let Some((from, url)) = links.pop()
                    && out.get(from..) != Some(url.trim_start_matches("mailto:"))
                {
                    let _ = write!(out, " ({url})");
                }
            }
            Event::End(TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::CodeBlock) => out.push_str("\n\n"),
            _ => {}
        }
    }
    let mut text = out.trim().to_owned();
    while text.contains("\n\n\n") {
        text = text.replace("\n\n\n", "\n\n");
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUES: Invite<'_> = Invite {
        organization: "Lab <& Sons>",
        contact: "labels@example.org",
        team: "numbers-team",
        portal: "https://portal.example.org",
        username: "{username}",
        password: "{####}",
    };

    fn own(subject: Option<&str>, text: Option<&str>) -> InvitationText {
        InvitationText {
            subject: subject.map(str::to_owned),
            text: text.map(str::to_owned),
        }
    }

    #[test]
    fn the_invitation_names_organization_contact_team_portal_user_name_and_password() {
        let mail = render(None, &VALUES);
        assert_eq!(mail.subject, "Lab <& Sons> invites you to the team numbers-team");
        for part in [
            "Lab &lt;&amp; Sons&gt;",
            "href=\"https://portal.example.org\"",
            "<code>{username}</code>",
            "<code>{####}</code>",
            "href=\"mailto:labels@example.org\"",
            "<strong>numbers-team</strong>",
        ] {
            assert!(mail.html.contains(part), "{part}: {}", mail.html);
        }
        for part in [
            "1. Open https://portal.example.org.\n2. Sign in",
            "{####}",
            "to labels@example.org.",
        ] {
            assert!(mail.plain.contains(part), "{part}: {}", mail.plain);
        }
    }

    #[test]
    fn own_words_are_filled_in_once_and_escaped() {
        let text = own(
            Some("{team}: welcome"),
            Some("# Hi *{username}*, {password}\n\n<script>x</script>\n\n[x](javascript:y) [p]({portal})"),
        );
        let values = Invite {
            username: "{password}",
            password: "<s3cret>",
            ..VALUES
        };
        let mail = render(Some(&text), &values);
        assert_eq!(mail.subject, "numbers-team: welcome");
        assert!(
            mail.html.contains("<em>{password}</em>, &lt;s3cret&gt;"),
            "{}",
            mail.html
        );
        assert!(
            !mail.html.contains("<script") && !mail.html.contains("javascript"),
            "{}",
            mail.html
        );
        assert!(
            mail.html.contains("<a href=\"https://portal.example.org\">p</a>"),
            "{}",
            mail.html
        );
        assert!(
            mail.plain.contains("p (https://portal.example.org)"),
            "{}",
            mail.plain
        );
    }

    #[test]
    fn words_nobody_can_sign_in_with_are_refused_and_never_sent() {
        for (text, part) in [
            (own(None, Some("Hello {username}")), "{password}"),
            (
                own(None, Some("{username} {pasword}")),
                "did you mean `password`?",
            ),
            (own(Some("Your {password}"), None), "no place in the subject"),
            (own(Some(&"x".repeat(141)), None), "140"),
            (
                own(
                    None,
                    Some(&format!("{{username}}{{password}}{}", "x".repeat(20_000))),
                ),
                "20000",
            ),
        ] {
            let error = text.check().unwrap_err();
            assert!(error.contains(part), "{error}");
            assert!(render(Some(&text), &VALUES).html.contains("{####}"));
        }
    }

    #[test]
    fn a_subject_never_has_more_than_140_characters() {
        let values = Invite {
            organization: &"Ä".repeat(128),
            ..VALUES
        };
        assert!(render(None, &values).subject.chars().count() <= 140);
    }
}
