//! `{word}` in a team's own words.

use super::values::InvitationValues;
use crate::yaml::nearest;

const ALL: [&str; 6] = [
    "organization",
    "contact",
    "team",
    "portal",
    "username",
    "password",
];
/// What people copy out of the mail.
const COPIED: [&str; 4] = ["contact", "portal", "username", "password"];

pub(super) fn placeholder_text(name: &str) -> String {
    format!("{{{name}}}")
}

/// The name, where people copy its value.
pub(super) fn copied_name(name: &str) -> Option<&'static str> {
    COPIED.into_iter().find(|copied| *copied == name)
}

/// A part of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part<'t> {
    Words(&'t str),
    /// What is between the braces, filled in or not.
    Placeholder(&'t str),
}

/// The text in its parts, in order.
pub(super) fn parts(text: &str) -> Vec<Part<'_>> {
    let (mut parts, mut from, mut look) = (Vec::new(), 0, 0);
    while let Some(open) = text
        .get(look..)
        .and_then(|rest| rest.find('{'))
        .map(|at| look + at)
    {
        let name = text.get(open + 1..).and_then(|rest| rest.split_once('}'));
        let name = name.map(|(name, _)| name).filter(|name| is_name(name));
        look = open + 1;
        if let Some(name) = name {
            parts.extend(
                text.get(from..open)
                    .filter(|words| !words.is_empty())
                    .map(Part::Words),
            );
            parts.push(Part::Placeholder(name));
            look = open + name.len() + 2;
            from = look;
        }
    }
    parts.extend(
        text.get(from..)
            .filter(|words| !words.is_empty())
            .map(Part::Words),
    );
    parts
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
}

pub(super) fn is_in(text: &str) -> bool {
    parts(text)
        .iter()
        .any(|part| matches!(part, Part::Placeholder(_)))
}

/// Every `{word}` for which there is a value, once: a value is not looked into.
pub(super) fn fill(text: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let filled = parts(text).into_iter().map(|part| match part {
        Part::Words(words) => words.to_owned(),
        Part::Placeholder(name) => value(name).unwrap_or_else(|| placeholder_text(name)),
    });
    filled.collect()
}

/// That each of them is one that is filled in.
pub(super) fn check_names(text: &str) -> Result<(), String> {
    let wrong = parts(text).into_iter().find_map(|part| match part {
        Part::Placeholder(name) if !ALL.contains(&name) => Some(name),
        _ => None,
    });
    wrong.map_or(Ok(()), |name| {
        let hint = nearest::hint(name, &ALL, "there are").unwrap_or_default();
        Err(format!("nothing is filled in for `{{{name}}}`; {hint}"))
    })
}

impl InvitationValues<'_> {
    pub(super) fn value(&self, name: &str) -> Option<&str> {
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
