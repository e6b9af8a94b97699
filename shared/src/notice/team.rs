//! Notices about teams and their people: one constructor for each thing that happens.

use std::fmt::Write;

use serde_json::json;

use super::dataset::{NAMED, deletion_commands};
use super::id::{cause_hash, id_part, short_hash};
use super::message::subject;
use super::model::{Notice, NoticeKind};
use crate::crew::{JoinMarker, TeamProblem};
use crate::layout;
use crate::mail_text::{brief, indent, quote, safe, safe_lines, shorten};
use crate::name::{TeamFileNameError, TeamName};
use crate::yaml::FileError;

/// What problems of one team have in common: each cause is a notice of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TeamCause {
    /// Entries of the file that are no address, or the same one twice.
    Addresses,
    /// Imported groups that are not there.
    Groups,
    /// People whose mail comes back, or whose account is not as it should be.
    Unreachable,
    /// Networks that cannot be set.
    Networks,
}

impl TeamCause {
    fn word(self) -> &'static str {
        match self {
            Self::Addresses => "addresses",
            Self::Groups => "groups",
            Self::Unreachable => "unreachable",
            Self::Networks => "networks",
        }
    }

    fn heading(self) -> &'static str {
        match self {
            Self::Addresses => "has addresses that cannot be used",
            Self::Groups => "imports groups that do not exist",
            Self::Unreachable => "has people who cannot be reached",
            Self::Networks => "names networks that are not set",
        }
    }
}

impl Notice {
    /// The team's file cannot be used at all. Announced once per content of the file.
    pub fn team_rejected(team: &TeamName, error: &FileError, sha256: &str) -> Self {
        Self {
            text: format!(
                "Nothing of the team {team} changes until its file is fixed.\n\n{}\n\nUpload the fixed file to \
                 the same place; the rest goes by itself.\n{}\n",
                safe_lines(&error.to_string()),
                deletion_commands("it", [layout::team_file(team).as_str()])
            ),
            detail: json!({
                "file_sha256": sha256,
                "line": error.line,
                "column": error.column,
                "message": error.message,
                "hint": error.hint,
            }),
            ..about(
                team,
                NoticeKind::TeamRejected,
                &format!("rejected/{}", id_part(sha256)),
                "has a file that cannot be used",
            )
        }
    }

    /// A file in `teams/` whose name is no team's. Announced once per name.
    pub fn team_misnamed(key: &str, error: &TeamFileNameError) -> Self {
        Self {
            id: format!("teams/misnamed/{}", short_hash(key.as_bytes())),
            kind: NoticeKind::TeamRejected,
            dataset: String::new(),
            team: None,
            subject: subject("Groundcrew: a team file has a name no team can have"),
            text: format!(
                "The file {} makes no team:\n\n{}\n\nA name that is right:\n\n    teams/numbers-team.yaml\n\n{}\n",
                quote(key),
                indent(&error.to_string()),
                deletion_commands("the file", [key])
            ),
            detail: json!({"key": key, "message": error.to_string()}),
        }
    }

    /// What is wrong in a team whose other people are served. Announced once per cause and set of problems; their lines
    /// in the file do not matter.
    pub fn team_problems(team: &TeamName, cause: TeamCause, problems: &[TeamProblem]) -> Self {
        let mut messages: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
        messages.sort_unstable();
        messages.dedup();
        let hash = short_hash(json!(messages).to_string().as_bytes());
        let first: Vec<&TeamProblem> = problems.iter().take(NAMED).collect();
        Self {
            text: problems_text(team, cause, problems),
            detail: json!({"cause": cause.word(), "count": problems.len(), "first": first}),
            ..about(
                team,
                NoticeKind::TeamProblems,
                &format!("{}/{hash}", cause.word()),
                cause.heading(),
            )
        }
    }

    /// The workforce or the work team cannot be made as it is. Announced once per cause.
    pub fn team_refused(team: &TeamName, message: &str) -> Self {
        let message = shorten(message, 4_000);
        Self {
            text: format!(
                "The work team {team} cannot be made or changed:\n\n{}\n\nNobody new is invited until then. It is \
                 tried again at every sweep; fix the cause and it goes by itself.\n",
                indent(&message)
            ),
            detail: json!({"message": message}),
            ..about(
                team,
                NoticeKind::TeamRefused,
                &format!("refused/{}", cause_hash(&message)),
                "cannot be made",
            )
        }
    }

    /// A team file lets work be done from where it could not be done before. Announced once a day and change, before it is made.
    pub fn networks_opened(
        team: &TeamName,
        before: &[String],
        opened: &[String],
        now: jiff::Timestamp,
    ) -> Self {
        let hash = short_hash(json!([before, opened]).to_string().as_bytes());
        Self {
            text: format!(
                "The file teams/{team}.yaml opens the portal, for all teams, to these networks:\n\n{}\n\nSo far work \
                 could be done from:\n\n{}\n\nIf that is not as it should be, take them out of the file. NetworksWithin, \
                 a parameter of the stack, says what a team file may name.\n",
                indent(&opened.join("\n")),
                indent(&before.join("\n"))
            ),
            detail: json!({"cause": "networks-opened", "before": before, "opened": opened}),
            ..about(
                team,
                NoticeKind::TeamProblems,
                &format!("networks-opened/{}/{hash}", now.strftime("%Y-%m-%d")),
                "opens the portal to more networks",
            )
        }
    }

    /// A person has set a password and sees the team's work. Announced once per person and team.
    pub fn worker_joined(team: &TeamName, person: &str, email: &str) -> Self {
        Self {
            id: format!("{}{}", Self::joined_prefix(team), id_part(person)),
            text: format!("{} has joined the team {team} and sees its work.\n", safe(email)),
            detail: json!({"email": email, "person": person}),
            ..about(team, NoticeKind::WorkerJoined, "", "has a new member")
        }
    }

    /// Where the ids of [`Notice::worker_joined`] begin: what follows is the person.
    pub fn joined_prefix(team: &TeamName) -> String {
        format!("joined/{}/", short_hash(team.as_str().as_bytes()))
    }

    /// A person on no list has an account. Announced once per account; `hash` is the last part of the marker's key.
    pub fn worker_unlisted(hash: &str, joined: &JoinMarker, email: Option<&str>) -> Self {
        let who = email.unwrap_or(&joined.username);
        Self {
            id: format!("{}{}", Self::UNLISTED, id_part(hash)),
            kind: NoticeKind::WorkerUnlisted,
            dataset: String::new(),
            team: None,
            subject: subject("Groundcrew: a person on no list has an account"),
            text: format!(
                "{} can sign in and is on no team's list. They see no work.\n\n{}\n",
                shorten(&safe(who), 300),
                indent(
                    "If they belong to a team, add their address to its file. If not, disable the account in the \
                     user pool."
                )
            ),
            detail: json!({"username": joined.username, "sub": joined.sub, "email": email, "at": joined.at}),
        }
    }

    /// Where the ids of [`Notice::worker_unlisted`] begin: what follows is the hash.
    pub const UNLISTED: &str = "unlisted/";

    /// Many at once, as in a user pool that was there before: one notice for them all.
    pub fn workers_unlisted(usernames: &[&str]) -> Self {
        let mut sorted = usernames.to_vec();
        sorted.sort_unstable();
        let count = sorted.len();
        let named = sorted.get(..count.min(NAMED)).unwrap_or_default();
        let shown_names: Vec<String> = named.iter().map(|name| shorten(&safe(name), 300)).collect();
        Self {
            id: format!(
                "unlisted-many/{}",
                short_hash(json!(sorted).to_string().as_bytes())
            ),
            kind: NoticeKind::WorkerUnlisted,
            dataset: String::new(),
            team: None,
            subject: subject(&format!("Groundcrew: {count} accounts are on no list")),
            text: format!(
                "{count} people can sign in and are on no team's list. They see no work. The first:\n\n  {}\n",
                shown_names.join("\n  ")
            ),
            detail: json!({"count": count, "first": named}),
        }
    }
}

/// A notice about a team, with everything but its words.
fn about(team: &TeamName, kind: NoticeKind, id: &str, happened: &str) -> Notice {
    Notice {
        id: format!("teams/{}/{id}", short_hash(team.as_str().as_bytes())),
        kind,
        dataset: String::new(),
        team: Some(team.to_string()),
        subject: subject(&format!(
            "Groundcrew: the team {} {happened}",
            brief(team.as_str())
        )),
        text: String::new(),
        detail: json!({}),
    }
}

fn problems_text(team: &TeamName, cause: TeamCause, problems: &[TeamProblem]) -> String {
    let mut text = format!("The team {team} {}:\n\n", cause.heading());
    for TeamProblem { message, line } in problems.iter().take(NAMED) {
        let _ = match line {
            Some(line) => writeln!(text, "  line {line}\n{}", indent(&shorten(message, 500))),
            None => writeln!(text, "{}", indent(&shorten(message, 500))),
        };
    }
    if problems.len() > NAMED {
        let _ = writeln!(text, "\n  and {} more.", problems.len() - NAMED);
    }
    let _ = writeln!(
        text,
        "\nEverybody else in teams/{team}.yaml is served. Upload the fixed file to the same place."
    );
    text
}
