//! The rules of a team file: from the shape that was read to the [`TeamFile`] everything else trusts.

use std::collections::BTreeMap;

use super::model::{CognitoTeam, ImportedGroup, MAX_WORKERS, SignIn, TeamFile, Worker};
use super::raw::{RawInvitation, RawSignIn, RawTeam};
use crate::crew::address;
use crate::crew::invitation::{self, InvitationText};
use crate::crew::networks::{Network, NetworkError};
use crate::crew::roster::TeamProblem;
use crate::layout;
use crate::name::TeamName;
use crate::visible::visible;
use crate::yaml::at::At;
use crate::yaml::error::{Problem, require};

/// CreateWorkteam: 1 to 10 member definitions, of which the team's own group is one.
const MAX_GROUPS: usize = 9;
/// CreateWorkteam, OidcMemberDefinition.Groups.
const MAX_OIDC_GROUPS: usize = 10;
/// SourceIpConfig.Cidrs.
const MAX_NETWORKS: usize = 10;

/// Stops at the first broken rule that concerns the whole file.
pub(super) fn check(root: &At<RawTeam>, team: &TeamName) -> Result<TeamFile, Problem> {
    let (raw, at) = (&root.value, root.at);
    let organization = require(
        raw.organization.as_ref(),
        at,
        "organization",
        "organization: Example Lab",
    )?;
    let contact = require(raw.contact.as_ref(), at, "contact", "contact: labels@example.org")?;
    let description = require(
        raw.description.as_ref(),
        at,
        "description",
        "description: People who label numbers",
    )?;
    Ok(TeamFile {
        organization: name(organization)?,
        contact: contact_address(contact)?,
        // CreateWorkteam.Description.
        description: one_line("description", description, 200)?,
        networks: raw
            .networks
            .as_ref()
            .map(networks)
            .transpose()?
            .unwrap_or_default(),
        sign_in: match &raw.sign_in {
            Some(sign_in) => oidc(raw, sign_in)?,
            None => SignIn::Cognito(cognito(raw, team, contact.value.trim())?),
        },
    })
}

fn one_line(key: &str, text: &At<String>, most: usize) -> Result<String, Problem> {
    let trimmed = text.value.trim();
    let length = trimmed.chars().count();
    let wrong = if trimmed.is_empty() {
        "is empty".to_owned()
    } else if length > most {
        format!("has {length} characters, {most} are the most")
    } else if trimmed.chars().any(char::is_control) {
        "must be one line, without control characters".to_owned()
    } else if visible(trimmed) != trimmed {
        format!(
            "has a character that cannot be seen: `{}`; take it out",
            visible(trimmed)
        )
    } else {
        return Ok(trimmed.to_owned());
    };
    Err(Problem::new(text.at, format!("`{key}` {wrong}")))
}

/// A name, and not an address that mail programs would make a link of.
fn name(organization: &At<String>) -> Result<String, Problem> {
    let name = one_line("organization", organization, 128)?;
    let lower = name.to_lowercase();
    if lower.contains("://") || lower.split_whitespace().any(|word| word.starts_with("www.")) {
        let message = format!("`organization` is an address: `{}`", excerpt(&name));
        return Err(Problem::new(organization.at, message).hint("give a name: it is what people know you by"));
    }
    Ok(name)
}

fn contact_address(contact: &At<String>) -> Result<String, Problem> {
    let text = contact.value.trim();
    match address::wrong(text) {
        None => Ok(text.to_owned()),
        Some(wrong) => Err(Problem::new(
            contact.at,
            format!("`contact` {wrong}: `{}`", text.escape_debug()),
        )
        .hint("give the address people write to with questions")),
    }
}

fn cognito(raw: &RawTeam, team: &TeamName, contact: &str) -> Result<CognitoTeam, Problem> {
    let listed: &[At<String>] = match &raw.workers {
        Some(list) if list.value.len() > MAX_WORKERS => {
            let message = format!(
                "`workers` has {} addresses, {MAX_WORKERS} are the most",
                list.value.len()
            );
            return Err(Problem::at(list.at, message).hint("make two teams of them"));
        }
        Some(list) => &list.value,
        None => &[],
    };
    let (workers, unusable) = workers(listed);
    let invitation = raw
        .invitation
        .as_ref()
        .map(|raw| own_words(raw, contact))
        .transpose()?;
    Ok(CognitoTeam {
        workers,
        unusable,
        groups: raw
            .groups
            .as_ref()
            .map_or(Ok(Vec::new()), |list| groups(list, team))?,
        notify_workers: raw.notify_workers.as_ref().is_some_and(|notify| notify.value),
        invitation,
    })
}

/// The people, each once, and what cannot be one.
fn workers(listed: &[At<String>]) -> (Vec<Worker>, Vec<TeamProblem>) {
    let (mut workers, mut unusable) = (Vec::new(), Vec::new());
    let mut first: BTreeMap<String, u64> = BTreeMap::new();
    for entry in listed {
        let (email, line) = (entry.value.trim(), entry.at.line());
        let mut problem = |message: String| {
            unusable.push(TeamProblem {
                message,
                line: Some(line),
            });
        };
        if let Some(wrong) = address::wrong(email) {
            problem(format!("`{}` {wrong}", excerpt(email)));
            continue;
        }
        let person = layout::person_id(email);
        if let Some(before) = first.get(&person) {
            problem(format!(
                "`{}` is here twice, first on line {before}: capital and small letters are the same address; \
                 remove one",
                excerpt(email)
            ));
            continue;
        }
        first.insert(person.clone(), line);
        workers.push(Worker {
            person,
            email: email.to_owned(),
            line,
        });
    }
    (workers, unusable)
}

fn excerpt(text: &str) -> String {
    let end = text.char_indices().nth(140).map_or(text.len(), |(end, _)| end);
    text[..end].escape_debug().to_string()
}

fn groups(list: &At<Vec<At<String>>>, team: &TeamName) -> Result<Vec<ImportedGroup>, Problem> {
    if list.value.len() > MAX_GROUPS {
        let message = format!(
            "`groups` has {} groups, {MAX_GROUPS} are the most beside the team's own",
            list.value.len()
        );
        return Err(Problem::new(list.at, message));
    }
    let mut groups: Vec<ImportedGroup> = Vec::new();
    for group in &list.value {
        let name = group_name(group, 128)?;
        if name == team.as_str() {
            let message = format!("`{name}` is the team's own group");
            return Err(Problem::new(group.at, message).hint("leave it out: it is in the team anyway"));
        }
        if groups.iter().any(|other| other.name == name) {
            return Err(Problem::new(
                group.at,
                format!("the group `{name}` is here twice"),
            ));
        }
        groups.push(ImportedGroup {
            name,
            line: group.at.line(),
        });
    }
    Ok(groups)
}

/// CreateGroup.GroupName: letters, marks, symbols, numbers and punctuation, no space.
fn group_name(group: &At<String>, most: usize) -> Result<String, Problem> {
    let name = one_line("groups", group, most)?;
    if name.contains(char::is_whitespace) {
        let message = format!("`{}` is no group: its name has no spaces", excerpt(&name));
        return Err(Problem::new(group.at, message));
    }
    Ok(name)
}

fn own_words(raw: &At<RawInvitation>, contact: &str) -> Result<InvitationText, Problem> {
    let RawInvitation { subject, text } = &raw.value;
    let checked = |text: &Option<At<String>>, check: &dyn Fn(&str) -> Result<(), String>| {
        text.as_ref()
            .map(|text| match check(&text.value) {
                Ok(()) => Ok(text.value.trim().to_owned()),
                Err(wrong) => Err(Problem::new(text.at, wrong)),
            })
            .transpose()
    };
    Ok(InvitationText {
        subject: checked(subject, &invitation::check_subject)?,
        text: checked(text, &|text| invitation::check_text(text, contact))?,
    })
}

fn oidc(raw: &RawTeam, sign_in: &At<RawSignIn>) -> Result<SignIn, Problem> {
    let beside = [
        ("workers", raw.workers.as_ref().map(|key| key.at)),
        ("groups", raw.groups.as_ref().map(|key| key.at)),
        ("notify_workers", raw.notify_workers.as_ref().map(|key| key.at)),
        ("invitation", raw.invitation.as_ref().map(|key| key.at)),
    ];
    if let Some((key, at)) = beside.into_iter().find_map(|(key, at)| Some((key, at?))) {
        return Err(
            Problem::new(at, format!("`{key}` has no place beside `sign_in`")).hint(
                "remove it: the sign-in provider knows its people, and `sign_in.groups` says which are the team",
            ),
        );
    }
    let RawSignIn { issuer, groups } = &sign_in.value;
    let issuer = require(
        issuer.as_ref(),
        sign_in.at,
        "issuer",
        "issuer: https://idp.example.org",
    )?;
    let url = one_line("issuer", issuer, 500)?;
    if !url.starts_with("https://") || url.contains(char::is_whitespace) {
        let message = format!("`{}` is no issuer", excerpt(&url));
        return Err(Problem::new(issuer.at, message).hint("its form is `https://idp.example.org`"));
    }
    let groups = require(groups.as_ref(), sign_in.at, "groups", "groups: [labelers]")?;
    if groups.value.is_empty() || groups.value.len() > MAX_OIDC_GROUPS {
        return Err(Problem::new(
            groups.at,
            format!("`groups` has 1 to {MAX_OIDC_GROUPS} groups"),
        ));
    }
    let names = groups.value.iter().map(|group| group_name(group, 63));
    Ok(SignIn::Oidc {
        issuer: url,
        groups: names.collect::<Result<_, _>>()?,
    })
}

fn networks(list: &At<Vec<At<String>>>) -> Result<Vec<String>, Problem> {
    if list.value.len() > MAX_NETWORKS {
        let message = format!(
            "`networks` has {} networks, {MAX_NETWORKS} are the most",
            list.value.len()
        );
        return Err(Problem::new(list.at, message));
    }
    list.value.iter().map(network).collect()
}

fn network(network: &At<String>) -> Result<String, Problem> {
    let wrong = |error: NetworkError| {
        let hint = match error {
            NetworkError::Form(_) => "its form is `203.0.113.0/24`; one address is `203.0.113.7/32`",
            NetworkError::TooWide(_) => {
                "name at least /8, or /16 of IPv6; leave `networks` out where none is meant"
            }
        };
        Problem::new(network.at, error.to_string()).hint(hint)
    };
    Network::narrow(&network.value)
        .map(|network| network.to_string())
        .map_err(wrong)
}
