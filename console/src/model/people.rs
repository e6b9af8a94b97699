//! Makes teams and people from rosters, markers and counted answers.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use shared::crew::{Member, MemberState, Roster};
use shared::layout;

use super::crew::{Counts, Crew, Membership, Person, Team, TeamDetails};
use super::facts::CrewFacts;
use super::tone::Tone;

pub(super) fn assemble(facts: &CrewFacts) -> Crew {
    let mut counts = HashMap::new();
    let mut people: BTreeMap<&str, Person> = BTreeMap::new();
    let work = work_by_person(facts);
    for roster in facts.rosters.values() {
        let counted: &mut Counts = counts.entry(roster.team.as_str()).or_default();
        for member in &roster.members {
            let membership = membership(facts, roster, member);
            counted.add(membership.state);
            let person = people
                .entry(&member.person)
                .or_insert_with(|| new_person(member, &membership));
            add_membership(person, member, membership, facts, &work);
        }
    }
    let mut people: Vec<Person> = people.into_values().collect();
    people.sort_by_cached_key(|person| (person.email.to_lowercase(), person.id.clone()));
    Crew {
        teams: teams(facts, &counts),
        people,
        unlisted: facts.unlisted,
        without_file: without_file(facts),
    }
}

/// A person's answers in all jobs.
#[derive(Clone, Copy, Default)]
struct WorkTotals {
    answers: u64,
    seconds: f64,
    last: Option<Timestamp>,
}

/// By the person's `sub`.
fn work_by_person(facts: &CrewFacts) -> HashMap<&str, WorkTotals> {
    let mut work: HashMap<&str, WorkTotals> = HashMap::new();
    for worked in facts.work.iter().flat_map(|batch| &batch.workers) {
        let Some(sub) = worked.sub.as_deref() else {
            continue;
        };
        let sum = work.entry(sub).or_default();
        sum.answers += worked.answers;
        sum.seconds += worked.seconds;
        sum.last = sum.last.max(worked.last);
    }
    work
}

/// As the roster has it, unless a marker is newer: `assign-worker` writes the marker during the sign-in, and the roster
/// follows. The time of a marker has S3's whole seconds.
fn membership(facts: &CrewFacts, roster: &Roster, member: &Member) -> Membership {
    let marker = joined_at(facts, &roster.team, &member.person);
    let newer = marker.filter(|at| at.as_second() >= member.since.as_second());
    let (state, since) = match (member.state, newer) {
        (MemberState::Joined | MemberState::Leaving | MemberState::Left, _) | (_, None) => {
            (member.state, member.since)
        }
        (_, Some(at)) => (MemberState::Joined, at),
    };
    Membership {
        team: roster.team.clone(),
        state,
        since,
    }
}

fn joined_at(facts: &CrewFacts, team: &str, person: &str) -> Option<Timestamp> {
    facts.joined.get(team)?.get(person).copied()
}

fn new_person(member: &Member, first: &Membership) -> Person {
    Person {
        id: member.person.clone(),
        email: member.email.clone(),
        state: first.state,
        since: first.since,
        problem: None,
        teams: Vec::new(),
        invitations: 0,
        last_seen: None,
        answers: 0,
        seconds: 0.0,
    }
}

fn add_membership(
    person: &mut Person,
    member: &Member,
    membership: Membership,
    facts: &CrewFacts,
    work: &HashMap<&str, WorkTotals>,
) {
    if rank(membership.state) > rank(person.state) {
        (person.state, person.since) = (membership.state, membership.since);
    }
    // A person is invited once for all teams, and each roster has the number of mails.
    person.invitations = person.invitations.max(member.invitations);
    if membership.state == MemberState::Unreachable {
        person.problem = person.problem.take().or_else(|| member.problem.clone());
    }
    let joined = match membership.state {
        MemberState::Joined => Some(membership.since),
        _ => joined_at(facts, &membership.team, &member.person),
    };
    let done = member
        .sub
        .as_deref()
        .and_then(|sub| work.get(sub))
        .copied()
        .unwrap_or_default();
    // Every team that knows the `sub` gives the same totals: they are not added up.
    person.answers = person.answers.max(done.answers);
    person.seconds = person.seconds.max(done.seconds);
    person.last_seen = person.last_seen.max(joined).max(done.last);
    person.teams.push(membership);
}

/// The state with the highest rank says most of the person's account.
fn rank(state: MemberState) -> u8 {
    match state {
        MemberState::Left => 0,
        MemberState::Leaving => 1,
        MemberState::Waiting => 2,
        MemberState::Unreachable => 3,
        MemberState::Expired => 4,
        MemberState::Invited => 5,
        MemberState::Joined => 6,
    }
}

fn teams(facts: &CrewFacts, counts: &HashMap<&str, Counts>) -> Vec<Team> {
    let mut names: Vec<&String> = facts.files.keys().chain(facts.rosters.keys()).collect();
    names.sort();
    names.dedup();
    names
        .into_iter()
        .map(|name| {
            team(
                facts,
                name,
                counts.get(name.as_str()).copied().unwrap_or_default(),
            )
        })
        .collect()
}

fn without_file(facts: &CrewFacts) -> Vec<String> {
    let names = facts.work_teams.keys();
    let without = names.filter(|name| !facts.files.contains_key(*name) && !facts.rosters.contains_key(*name));
    without.cloned().collect()
}

fn team(facts: &CrewFacts, name: &str, counts: Counts) -> Team {
    let roster = facts.rosters.get(name).map(AsRef::as_ref);
    let file = facts.files.get(name).map(String::as_str);
    let (tone, message) = headline(name, roster, file, counts);
    Team {
        name: name.to_owned(),
        tone,
        message,
        has_file: file.is_some(),
        details: roster.map(details),
        problems: roster.map(|roster| roster.problems.clone()).unwrap_or_default(),
        counts,
        can_be_adopted: roster.is_some_and(|roster| roster.adoptable),
        only_listed_people: roster.is_some() && facts.work_teams.get(name) == Some(&true),
    }
}

fn details(roster: &Roster) -> TeamDetails {
    TeamDetails {
        organization: roster.organization.clone(),
        contact: roster.contact.clone(),
        description: roster.description.clone(),
        portal_url: roster.portal_url.clone(),
        workteam_arn: roster.workteam_arn.clone(),
        work_notices: roster.topic_arn.is_some(),
        at: roster.at,
    }
}

/// The most urgent first: what the admin has to do, then what continues by itself, then what waits for people.
fn headline(name: &str, roster: Option<&Roster>, file: Option<&str>, counts: Counts) -> (Tone, String) {
    let Some(roster) = roster else {
        return (
            Tone::Waiting,
            "The file has arrived. Groundcrew reads it in a few seconds.".into(),
        );
    };
    match file {
        None => {
            let path = format!("{}/{name}.yaml", layout::TEAMS);
            return (
                Tone::Attention,
                format!(
                    "`{path}` was deleted. The team and its people stay as they are; put a file back to change them."
                ),
            );
        }
        Some(etag) if etag != roster.file_etag => {
            return (
                Tone::Waiting,
                "The file has changed. Groundcrew reads it in a few seconds.".into(),
            );
        }
        Some(_) => {}
    }
    let has_problems = !roster.problems.is_empty();
    if has_problems && roster.workteam_arn.is_empty() {
        return (Tone::Attention, "There is no work team yet, because:".into());
    }
    if has_problems {
        return (
            Tone::Attention,
            "Not everything in the file could be done; the rest was. What to fix:".into(),
        );
    }
    if !roster.settled || roster.workteam_arn.is_empty() {
        return (Tone::Waiting, "The team is being set up.".into());
    }
    people_headline(counts)
}

fn people_headline(counts: Counts) -> (Tone, String) {
    let members = counts.members();
    let have = if counts.joined == 1 { "has" } else { "have" };
    let joined = format!("{} of {members} {have} joined", counts.joined);
    if counts.unreachable > 0 {
        let address = number_of_addresses(counts.unreachable, "cannot be reached");
        return (Tone::Attention, format!("{joined}; {address}: correct the file."));
    }
    match (members, counts) {
        (0, _) => (
            Tone::Waiting,
            "The team is ready, but empty: add addresses to its file.".into(),
        ),
        (_, Counts { waiting: 1.., .. }) => (
            Tone::Waiting,
            format!(
                "{joined}; {} for an invitation, which is sent when more mail is allowed.",
                number_waiting(counts.waiting)
            ),
        ),
        (_, Counts { expired: 1.., .. }) => (
            Tone::Attention,
            format!(
                "{joined}; {} has expired, and no more are sent.",
                number_of_invitations(counts.expired)
            ),
        ),
        (_, Counts { invited: 1.., .. }) => (Tone::Working, format!("{joined}; the others are invited.")),
        (1, _) => (Tone::Done, "The one person in it has joined.".into()),
        _ => (Tone::Done, format!("All {members} people have joined.")),
    }
}

fn number_of_addresses(count: u64, what: &str) -> String {
    if count == 1 {
        format!("1 address {what}")
    } else {
        format!("{count} addresses {what}")
    }
}

fn number_waiting(count: u64) -> String {
    if count == 1 {
        "1 waits".into()
    } else {
        format!("{count} wait")
    }
}

fn number_of_invitations(count: u64) -> String {
    if count == 1 {
        "1 invitation".into()
    } else {
        format!("each of {count} invitations")
    }
}

#[cfg(test)]
mod tests;
