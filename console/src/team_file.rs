//! Team files as the console makes and changes them: from a form, from what a roster still knows, and by hand.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use shared::crew::{MemberState, Roster, TeamFile, TeamProblem};
use shared::name::TeamName;

mod storage;

pub(crate) use storage::{MAX_ROSTER_BYTES, SaveOutcome, load, load_roster, save};

/// People named before they are taken out of a team; all are counted.
const MAX_NAMED: usize = 50;

/// What the form for a new team asks for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct TeamForm {
    pub(crate) organization: String,
    pub(crate) contact: String,
    pub(crate) description: String,
    /// As pasted: one per line, with commas or semicolons, bare or as `Ana <ana@example.org>`.
    pub(crate) workers: String,
    pub(crate) notify_workers: bool,
}

/// The team file that a form describes.
pub(crate) fn compose(form: &TeamForm) -> String {
    let mut text =
        String::from("# Everyone added here is invited by e-mail; everyone removed leaves the team.\n");
    for (key, value) in [
        ("organization", &form.organization),
        ("contact", &form.contact),
        ("description", &form.description),
    ] {
        let _infallible = writeln!(text, "{key}: {}", yaml_scalar(value));
    }
    let _infallible = writeln!(text, "notify_workers: {}", form.notify_workers);
    let workers = parse_addresses(&form.workers);
    if workers.is_empty() {
        text.push_str("workers: []\n");
        return text;
    }
    text.push_str("workers:\n");
    for address in workers {
        let _infallible = writeln!(text, "  - {}", yaml_scalar(&address));
    }
    text
}

/// The file as it may have been, for a team whose file is gone.
pub(crate) fn from_roster(roster: &Roster) -> String {
    let members = roster.members.iter().filter(|member| is_member(member.state));
    compose(&TeamForm {
        organization: roster.organization.clone(),
        contact: roster.contact.clone(),
        description: roster.description.clone(),
        workers: members.map(|member| format!("{}\n", member.email)).collect(),
        notify_workers: roster.topic_arn.is_some(),
    })
}

fn is_member(state: MemberState) -> bool {
    !matches!(state, MemberState::Leaving | MemberState::Left)
}

/// Plain where nothing in it has a meaning in YAML, else quoted; a JSON string is a YAML string.
fn yaml_scalar(value: &str) -> String {
    let value = value.replace(char::is_control, " ");
    let value = value.trim();
    let plain = value
        .chars()
        .all(|c| c.is_alphanumeric() || " .,_+@'()-".contains(c));
    let words = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"];
    let bare = plain
        && value.chars().next().is_some_and(char::is_alphabetic)
        && !words.contains(&value.to_lowercase().as_str());
    if bare {
        value.to_owned()
    } else {
        serde_json::Value::from(value).to_string()
    }
}

/// Each address once, as first written.
fn parse_addresses(pasted: &str) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let all = pasted.lines().flat_map(addresses_of_line);
    all.filter(|address| !address.is_empty() && seen.insert(address.to_lowercase()))
        .collect()
}

/// A line with angle brackets has names in it, and the addresses in the brackets.
fn addresses_of_line(line: &str) -> Vec<String> {
    if line.contains('<') {
        let parts = line.split('<').skip(1);
        return parts
            .map(|part| part.split('>').next().unwrap_or(part).trim().to_owned())
            .collect();
    }
    let pieces = line.split([',', ';']).map(str::trim);
    pieces
        .flat_map(|piece| {
            let several = piece.split_whitespace().all(|word| word.contains('@'));
            let words: Vec<&str> = if several {
                piece.split_whitespace().collect()
            } else {
                vec![piece]
            };
            words
                .into_iter()
                .map(|word| word.trim_matches(['"', '\'']).to_owned())
        })
        .collect()
}

/// What the parser says of a text, for the person who is typing it.
#[derive(Debug, Serialize)]
pub(crate) struct TeamFileCheck {
    ok: bool,
    #[serde(flatten)]
    error: Option<ParseError>,
    /// People in it who can be invited.
    people: usize,
    /// Entries that cannot be invited; the others can.
    unusable: Vec<TeamProblem>,
}

#[derive(Debug, Serialize)]
struct ParseError {
    line: Option<u64>,
    column: Option<u64>,
    message: String,
    hint: Option<String>,
}

impl TeamFileCheck {
    pub(crate) fn is_ok(&self) -> bool {
        self.ok
    }

    pub(crate) fn message(&self) -> &str {
        self.error.as_ref().map_or("", |error| error.message.as_str())
    }
}

pub(crate) fn check(team: &TeamName, text: &[u8]) -> TeamFileCheck {
    match TeamFile::parse(team, text) {
        Ok(file) => {
            let crew = file.cognito();
            TeamFileCheck {
                ok: true,
                error: None,
                people: crew.map_or(0, |crew| crew.workers.len()),
                unusable: crew.map(|crew| crew.unusable.clone()).unwrap_or_default(),
            }
        }
        Err(error) => TeamFileCheck {
            ok: false,
            error: Some(ParseError {
                line: error.line,
                column: error.column,
                message: error.message,
                hint: error.hint,
            }),
            people: 0,
            unusable: Vec::new(),
        },
    }
}

/// The people who would leave the team.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct LeavingPeople {
    count: usize,
    /// The first of them.
    first: Vec<String>,
}

/// Everyone who is in the current file or in the team, and not in the new text.
pub(crate) fn leaving_people(
    team: &TeamName,
    current: Option<&[u8]>,
    roster: Option<&Roster>,
    text: &[u8],
) -> LeavingPeople {
    let people = |text: &[u8]| -> Vec<(String, String)> {
        let file = TeamFile::parse(team, text).ok();
        let workers = file
            .as_ref()
            .and_then(TeamFile::cognito)
            .map(|crew| &crew.workers);
        let workers = workers.into_iter().flatten();
        workers
            .map(|worker| (worker.person.clone(), worker.email.clone()))
            .collect()
    };
    let stay: BTreeSet<String> = people(text).into_iter().map(|(person, _)| person).collect();
    let in_file = current.map(people).unwrap_or_default();
    let members = roster.map(|roster| roster.members.as_slice()).unwrap_or_default();
    let members = members.iter().filter(|member| is_member(member.state));
    let members = members.map(|member| (member.person.clone(), member.email.clone()));
    let mut seen = BTreeSet::new();
    let leaving = members
        .chain(in_file)
        .filter(|(person, _)| !stay.contains(person) && seen.insert(person.clone()));
    let leaving: Vec<String> = leaving.map(|(_, email)| email).collect();
    LeavingPeople {
        count: leaving.len(),
        first: leaving.into_iter().take(MAX_NAMED).collect(),
    }
}

#[cfg(test)]
mod tests;
