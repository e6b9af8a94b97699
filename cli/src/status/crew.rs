//! Teams and people as text.

use std::fmt::Write as _;

use console::model::crew::{Counts, Crew, Membership, Person, Team, TeamDetails, state_label};

use super::mark::mark;
use crate::paint::{Paint, Style, one_line};

/// People listed without --people.
const MAX_PEOPLE: usize = 10;
const MAX_PROBLEMS: usize = 5;
/// Characters of an address; the columns after a longer one shift.
const ADDRESS_WIDTH: usize = 30;
const DAY: &str = "%Y-%m-%d";

pub(super) fn write_crew(text: &mut String, crew: &Crew, everyone: bool, paint: Paint) {
    if crew.teams.is_empty() && crew.unlisted == 0 && crew.without_file.is_empty() {
        return;
    }
    let _infallible = writeln!(text, "{}", paint.word(Style::Strong, "Teams"));
    for team in &crew.teams {
        write_team(text, team, paint);
    }
    if !crew.without_file.is_empty() {
        let names = one_line(&crew.without_file.join(", "), 400);
        let _infallible = writeln!(text, "  work teams without a team file: {names}");
    }
    if crew.unlisted > 0 {
        let people = if crew.unlisted == 1 { "person" } else { "people" };
        let mark = paint.word(Style::Warn, "!");
        let _infallible = writeln!(
            text,
            "{mark} {} {people} signed up without being in a team file, and got no team: add the address to a team file, or ignore it",
            crew.unlisted
        );
    }
    text.push('\n');
    write_people(text, &crew.people, everyone, paint);
}

fn write_team(text: &mut String, team: &Team, paint: Paint) {
    let (mark, style) = mark(team.tone);
    let name = paint.word(Style::Strong, &one_line(&team.name, 64));
    let details = team.details.as_ref();
    let owner = details.map(owner).filter(|owner| !owner.is_empty());
    let owner = owner.map(|owner| format!("  {}", paint.word(Style::Dim, &owner)));
    let _infallible = writeln!(
        text,
        "{} {name}{}",
        paint.word(style, mark),
        owner.unwrap_or_default()
    );
    let _infallible = writeln!(text, "  {}", one_line(&team.message, 400));
    for problem in team.problems.iter().take(MAX_PROBLEMS) {
        let line = problem
            .line
            .map(|line| format!("teams/{}.yaml:{line}: ", team.name));
        let place = paint.word(Style::Place, &line.unwrap_or_default());
        let _infallible = writeln!(text, "    {place}{}", one_line(&problem.message, 400));
    }
    if team.problems.len() > MAX_PROBLEMS {
        let _infallible = writeln!(
            text,
            "    … and {} more; --json lists them",
            team.problems.len() - MAX_PROBLEMS
        );
    }
    if details.is_some() {
        let _infallible = writeln!(text, "  {}", count_words(team.counts));
    }
    if let Some(portal) = details
        .map(|details| &details.portal_url)
        .filter(|url| !url.is_empty())
    {
        let notices = if details.is_some_and(|details| details.work_notices) {
            ", notified when work waits"
        } else {
            ""
        };
        let _infallible = writeln!(
            text,
            "  they label at {}{notices}",
            paint.word(Style::Place, portal)
        );
    }
}

/// Empty as long as the team's file could not be read.
fn owner(details: &TeamDetails) -> String {
    let mut parts = Vec::new();
    if !details.organization.is_empty() {
        parts.push(one_line(&details.organization, 120));
    }
    if !details.contact.is_empty() {
        parts.push(format!("contact {}", one_line(&details.contact, 128)));
    }
    parts.join(", ")
}

fn count_words(counts: Counts) -> String {
    let all = [
        (counts.joined, "joined"),
        (counts.invited, "invited"),
        (counts.waiting, "not invited yet"),
        (counts.expired, "with an expired invitation"),
        (counts.unreachable, "cannot be reached"),
        (counts.left, "left"),
    ];
    let some: Vec<String> = all
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    if some.is_empty() {
        "no people in it".to_owned()
    } else {
        some.join(", ")
    }
}

fn write_people(text: &mut String, people: &[Person], everyone: bool, paint: Paint) {
    if people.is_empty() {
        return;
    }
    let _infallible = writeln!(text, "{}", paint.word(Style::Strong, "People"));
    let shown = if everyone { people.len() } else { MAX_PEOPLE };
    for person in people.iter().take(shown) {
        write_person(text, person, paint);
    }
    if people.len() > shown {
        let _infallible = writeln!(text, "  … and {} more; --people lists them", people.len() - shown);
    }
    text.push('\n');
}

fn write_person(text: &mut String, person: &Person, paint: Paint) {
    let teams: Vec<String> = person
        .teams
        .iter()
        .map(|membership| team_words(membership, person))
        .collect();
    let mut parts = vec![
        format!(
            "{} since {}",
            state_label(person.state),
            person.since.strftime(DAY)
        ),
        one_line(&teams.join(", "), 100),
    ];
    if person.invitations > 1 {
        parts.push(format!("{} invitations", person.invitations));
    }
    if person.answers > 0 {
        let answers = if person.answers == 1 { "answer" } else { "answers" };
        parts.push(format!(
            "{} {answers} in jobs that ended, in {}",
            person.answers,
            span(person.seconds)
        ));
    }
    parts.extend(
        person
            .last_seen
            .map(|at| format!("last seen {}", at.strftime(DAY))),
    );
    parts.extend(person.problem.as_ref().map(|problem| one_line(problem, 200)));
    let address = format!("{:<ADDRESS_WIDTH$}", one_line(&person.email, 128));
    let _infallible = writeln!(
        text,
        "  {}  {}",
        paint.word(Style::Place, &address),
        parts.join(" · ")
    );
}

/// With the person's state in the team, where it is another than the person's.
fn team_words(membership: &Membership, person: &Person) -> String {
    if membership.state == person.state {
        membership.team.clone()
    } else {
        format!("{} ({})", membership.team, state_label(membership.state))
    }
}

fn span(seconds: f64) -> String {
    let minutes = (seconds / 60.0).round() as u64;
    match minutes {
        0 => format!("{} s", seconds.round()),
        1..60 => format!("{minutes} min"),
        _ => format!("{} h {} min", minutes / 60, minutes % 60),
    }
}

#[cfg(test)]
mod tests {
    use console::model::Tone;
    use shared::crew::{MemberState, TeamProblem};

    use super::*;

    fn person(email: &str) -> Person {
        let since = "2026-11-21T10:00:00Z".parse().unwrap();
        Person {
            id: email.into(),
            email: email.into(),
            state: MemberState::Joined,
            since,
            problem: None,
            teams: vec![Membership {
                team: "t".into(),
                state: MemberState::Joined,
                since,
            }],
            invitations: 2,
            last_seen: Some(since),
            answers: 120,
            seconds: 3_930.0,
        }
    }

    fn crew(people: Vec<Person>) -> Crew {
        let team = Team {
            name: "t".into(),
            tone: Tone::Attention,
            message: "There is no work team yet, because:".into(),
            has_file: true,
            details: Some(TeamDetails {
                organization: "Example Lab".into(),
                contact: "labels@example.org".into(),
                description: String::new(),
                portal_url: String::new(),
                workteam_arn: String::new(),
                work_notices: false,
                at: "2026-11-21T10:00:00Z".parse().unwrap(),
            }),
            problems: vec![TeamProblem {
                message: "is \u{1b}[31m odd".into(),
                line: Some(7),
            }],
            counts: Counts {
                joined: 1,
                waiting: 2,
                ..Counts::default()
            },
            only_listed_people: true,
            can_be_adopted: false,
        };
        Crew {
            teams: vec![team],
            people,
            unlisted: 1,
            without_file: vec!["cats".into()],
        }
    }

    #[test]
    fn a_team_and_its_people_are_shown_with_their_problems() {
        let mut text = String::new();
        write_crew(
            &mut text,
            &crew(vec![person("ana@example.org")]),
            false,
            Paint::none(),
        );
        for part in [
            "! t",
            "teams/t.yaml:7: is \\u{1B}[31m odd",
            "1 joined, 2 not invited yet",
            "1 person signed up without",
            "work teams without a team file: cats",
            "joined since 2026-11-21 · t · 2 invitations · 120 answers in jobs that ended, in 1 h 6 min · last seen",
        ] {
            assert!(text.contains(part), "no `{part}` in:\n{text}");
        }
    }

    #[test]
    fn a_team_that_a_person_has_left_is_shown_as_left() {
        let mut ana = person("ana@example.org");
        let mut membership = ana.teams[0].clone();
        (membership.team, membership.state) = ("cats".into(), MemberState::Left);
        ana.teams.push(membership);
        let mut text = String::new();
        write_crew(&mut text, &crew(vec![ana]), false, Paint::none());
        assert!(text.contains("· t, cats (left) ·"), "{text}");
    }

    #[test]
    fn no_empty_fields_are_shown_of_a_team_whose_file_is_unreadable() {
        let mut crew = crew(Vec::new());
        let details = crew.teams[0].details.as_mut().unwrap();
        (details.organization, details.contact) = (String::new(), String::new());
        let mut text = String::new();
        write_crew(&mut text, &crew, false, Paint::none());
        assert!(text.contains("! t\n") && !text.contains("contact"), "{text}");
    }

    #[test]
    fn thousands_of_people_are_listed_only_when_asked_for() {
        let people = (0..5_000).map(|n| person(&format!("p{n}@x.org"))).collect();
        let (crew, mut few, mut all) = (crew(people), String::new(), String::new());
        write_crew(&mut few, &crew, false, Paint::none());
        write_crew(&mut all, &crew, true, Paint::none());
        assert!(
            few.contains("and 4990 more; --people") && few.lines().count() < 30,
            "{few}"
        );
        assert!(all.contains("p4999@x.org"));
    }
}
