//! An invitation in a team's own words: bounded, and whatever the words are, HTML without a script, an image, a handler or
//! a link to anything but the portal and the contact.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shared::crew::{InvitationText, InvitationValues, render};

const TAGS: [&str; 28] = [
    "a",
    "blockquote",
    "br",
    "code",
    "del",
    "div",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "li",
    "ol",
    "p",
    "pre",
    "strong",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "tr",
    "ul",
    "s",
    "span",
];

// The first line is the subject and the organization, the rest the text.
fuzz_target!(|data: &str| {
    let (first, text) = data.split_once('\n').unwrap_or(("", data));
    let text = match text.contains("{username}") && text.contains("{password}") {
        true => text.to_owned(),
        false => format!("{text}\n\n{{username}} {{password}}\n"),
    };
    let words = InvitationText {
        subject: Some(first.to_owned()),
        text: Some(text),
    };
    let values = InvitationValues {
        organization: first,
        contact: "labels@example.org",
        team: "numbers-team",
        portal: "https://portal.example.org",
        username: "{username}",
        password: "{####}",
    };
    let mail = render(Some(&words), &values);
    assert!(mail.subject.chars().count() <= 140 && !mail.subject.contains(['\n', '\r']));
    assert!(
        mail.html.chars().count() <= 20_000,
        "{} characters",
        mail.html.chars().count()
    );
    assert!(
        mail.html.contains("{username}") && mail.html.contains("{####}"),
        "{}",
        mail.html
    );
    let (_, body) = mail.html.split_once('>').unwrap();
    for tag in body.split('<').skip(1) {
        harmless(tag.split_once('>').expect("a tag that is never closed").0);
    }
});

fn harmless(tag: &str) {
    let name = tag
        .trim_start_matches('/')
        .split([' ', '/'])
        .next()
        .unwrap_or_default();
    assert!(TAGS.contains(&name), "<{tag}>");
    let attributes = tag
        .split_once(' ')
        .map_or("", |(_, attributes)| attributes.trim_end_matches('/').trim());
    if attributes.is_empty() {
        return;
    }
    let (attribute, value) = attributes.split_once('=').expect("an attribute");
    let value = value
        .strip_prefix('"')
        .and_then(|v| v.strip_suffix('"'))
        .expect("a quoted value");
    assert!(!value.contains(['"', '<', '>']), "<{tag}>");
    match attribute {
        "href" => {
            let known = ["https://portal.example.org", "mailto:labels@example.org"];
            assert!(known.contains(&value), "<{tag}>");
        }
        "start" => assert!(value.bytes().all(|b| b.is_ascii_digit()), "<{tag}>"),
        "style" => assert!(value.starts_with("text-align: "), "<{tag}>"),
        _ => panic!("<{tag}>"),
    }
}
