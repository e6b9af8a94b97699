//! Team files as the console makes and changes them: from a form, from what a roster still knows, and by hand, never
//! over what somebody else has saved meanwhile.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_sdk_s3::primitives::ByteStream;
use serde::{Deserialize, Serialize};
use shared::crew::{MAX_BYTES, MemberState, Roster, TeamFile, TeamProblem};
use shared::layout;
use shared::name::TeamName;

use crate::reason::reason;

/// People named when somebody is about to take them out; all are counted.
const NAMED: usize = 50;

/// What the form for a new team asks for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Form {
    pub(crate) organization: String,
    pub(crate) contact: String,
    pub(crate) description: String,
    /// As pasted: one a line, with commas or semicolons, bare or as `Ana <ana@example.org>`.
    pub(crate) workers: String,
    pub(crate) notify_workers: bool,
}

/// The file that says so.
pub(crate) fn compose(form: &Form) -> String {
    let mut text =
        String::from("# Everyone new here is invited by e-mail; whoever is taken out leaves the team.\n");
    for (key, value) in [
        ("organization", &form.organization),
        ("contact", &form.contact),
        ("description", &form.description),
    ] {
        let _infallible = writeln!(text, "{key}: {}", scalar(value));
    }
    let _infallible = writeln!(text, "notify_workers: {}", form.notify_workers);
    let workers = addresses(&form.workers);
    if workers.is_empty() {
        text.push_str("workers: []\n");
        return text;
    }
    text.push_str("workers:\n");
    for address in workers {
        let _infallible = writeln!(text, "  - {}", scalar(&address));
    }
    text
}

/// The file as it may have been, for a team whose file is gone.
pub(crate) fn from_roster(roster: &Roster) -> String {
    let members = roster.members.iter().filter(|member| is_in(member.state));
    compose(&Form {
        organization: roster.organization.clone(),
        contact: roster.contact.clone(),
        description: roster.description.clone(),
        workers: members.map(|member| format!("{}\n", member.email)).collect(),
        notify_workers: roster.topic_arn.is_some(),
    })
}

fn is_in(state: MemberState) -> bool {
    !matches!(state, MemberState::Leaving | MemberState::Left)
}

/// Plain where nothing in it could mean anything to YAML, else quoted; JSON's strings are YAML's.
fn scalar(value: &str) -> String {
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
fn addresses(pasted: &str) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let all = pasted.lines().flat_map(of_line);
    all.filter(|address| !address.is_empty() && seen.insert(address.to_lowercase()))
        .collect()
}

/// A line with angle brackets holds names, and the addresses stand in the brackets.
fn of_line(line: &str) -> Vec<String> {
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

/// What the parser says, for whoever is typing.
#[derive(Debug, Serialize)]
pub(crate) struct Verdict {
    ok: bool,
    #[serde(flatten)]
    error: Option<Mistake>,
    /// People it names that can be invited.
    people: usize,
    /// Entries that cannot; the others are served.
    unusable: Vec<TeamProblem>,
}

#[derive(Debug, Serialize)]
struct Mistake {
    line: Option<u64>,
    column: Option<u64>,
    message: String,
    hint: Option<String>,
}

impl Verdict {
    pub(crate) fn is_ok(&self) -> bool {
        self.ok
    }

    pub(crate) fn message(&self) -> &str {
        self.error.as_ref().map_or("", |mistake| mistake.message.as_str())
    }
}

pub(crate) fn check(team: &TeamName, text: &[u8]) -> Verdict {
    match TeamFile::parse(team, text) {
        Ok(file) => {
            let crew = file.cognito();
            Verdict {
                ok: true,
                error: None,
                people: crew.map_or(0, |crew| crew.workers.len()),
                unusable: crew.map(|crew| crew.unusable.clone()).unwrap_or_default(),
            }
        }
        Err(error) => Verdict {
            ok: false,
            error: Some(Mistake {
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

/// Who would leave the team.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Leaving {
    count: usize,
    /// The first of them.
    first: Vec<String>,
}

/// Everyone who is in the file or the team now, and not in the text any more.
pub(crate) fn leaving(team: &TeamName, now: Option<&[u8]>, roster: Option<&Roster>, text: &[u8]) -> Leaving {
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
    let in_file = now.map(people).unwrap_or_default();
    let members = roster.map(|roster| roster.members.as_slice()).unwrap_or_default();
    let members = members.iter().filter(|member| is_in(member.state));
    let members = members.map(|member| (member.person.clone(), member.email.clone()));
    let mut seen = BTreeSet::new();
    let gone = members
        .chain(in_file)
        .filter(|(person, _)| !stay.contains(person) && seen.insert(person.clone()));
    let gone: Vec<String> = gone.map(|(_, email)| email).collect();
    Leaving {
        count: gone.len(),
        first: gone.into_iter().take(NAMED).collect(),
    }
}

/// An object as it was read.
pub(crate) struct Read {
    pub(crate) bytes: Vec<u8>,
    pub(crate) etag: String,
}

/// The whole object, or `None` where there is none.
pub(crate) async fn read(s3: &Client, bucket: &str, key: &str, largest: i64) -> Result<Option<Read>, String> {
    let object = match s3.get_object().bucket(bucket).key(key).send().await {
        Ok(object) => object,
        Err(error) if error.as_service_error().is_some_and(|e| e.is_no_such_key()) => return Ok(None),
        Err(error) => return Err(reason(&error)),
    };
    if object.content_length().unwrap_or(0) > largest {
        return Err(format!("`{key}` is too large to be shown here."));
    }
    let etag = object.e_tag().unwrap_or_default().to_owned();
    let bytes = object.body.collect().await.map_err(|error| error.to_string())?;
    Ok(Some(Read {
        bytes: bytes.to_vec(),
        etag,
    }))
}

pub(crate) const LARGEST: i64 = MAX_BYTES as i64;
/// A roster of 10,000 people takes some 3 MB.
const LARGEST_ROSTER: i64 = 16 << 20;

pub(crate) async fn roster(s3: &Client, bucket: &str, team: &TeamName) -> Result<Option<Roster>, String> {
    let roster = read(s3, bucket, &layout::roster(team), LARGEST_ROSTER).await?;
    Ok(roster.and_then(|roster| serde_json::from_slice(&roster.bytes).ok()))
}

/// How a save ended.
pub(crate) enum Saved {
    Done {
        etag: String,
    },
    /// Somebody saved, made or deleted it meanwhile.
    Changed,
}

/// Writes it only if it is still what was read (`etag`, with its quotes), or, with `None`, only where none is.
pub(crate) async fn save(
    s3: &Client,
    bucket: &str,
    team: &TeamName,
    text: Vec<u8>,
    etag: Option<&str>,
) -> Result<Saved, String> {
    let put = s3
        .put_object()
        .bucket(bucket)
        .key(layout::team_file(team))
        .content_type("application/yaml");
    let put = match etag {
        Some(etag) => put.if_match(etag),
        None => put.if_none_match("*"),
    };
    match put.body(ByteStream::from(text)).send().await {
        Ok(written) => Ok(Saved::Done {
            etag: written.e_tag().unwrap_or_default().to_owned(),
        }),
        Err(error) if error.raw_response().is_some_and(|r| r.status().as_u16() == 412) => Ok(Saved::Changed),
        // If-Match where nothing is any more; two saves at the same moment.
        Err(error) if matches!(error.code(), Some("NoSuchKey" | "ConditionalRequestConflict")) => {
            Ok(Saved::Changed)
        }
        Err(error) => Err(reason(&error)),
    }
}

#[cfg(test)]
#[path = "team_file_tests.rs"]
mod tests;
