//! Teams and people as text.

use std::fmt::Write as _;

use console::model::crew::{Counts, Crew, Known, Person, Place, Team, word};

use super::show::mark;
use crate::paint::{Look, Paint, one_line};

/// People and problems listed unless all are asked for.
const PEOPLE: usize = 10;
const PROBLEMS: usize = 5;
/// Characters an address is given before the columns behind it shift.
const ADDRESS: usize = 30;
const DAY: &str = "%Y-%m-%d";

pub(super) fn about_crew(text: &mut String, crew: &Crew, everyone: bool, paint: Paint) {
    if crew.teams.is_empty() && crew.unlisted == 0 && crew.without_file.is_empty() {
        return;
    }
    let _infallible = writeln!(text, "{}", paint.word(Look::Strong, "Teams"));
    for team in &crew.teams {
        about_team(text, team, paint);
    }
    if !crew.without_file.is_empty() {
        let names = one_line(&crew.without_file.join(", "), 400);
        let _infallible = writeln!(text, "  work teams without a team file: {names}");
    }
    if crew.unlisted > 0 {
        let people = if crew.unlisted == 1 { "person" } else { "people" };
        let mark = paint.word(Look::Warn, "!");
        let _infallible = writeln!(
            text,
            "{mark} {} {people} signed up without being on a list, and got no team: put the address into a team file, or leave it",
            crew.unlisted
        );
    }
    text.push('\n');
    about_people(text, &crew.people, everyone, paint);
}

fn about_team(text: &mut String, team: &Team, paint: Paint) {
    let (mark, look) = mark(team.tone);
    let name = paint.word(Look::Strong, &one_line(&team.name, 64));
    let known = team.known.as_ref();
    let whose = known.map(whose).filter(|whose| !whose.is_empty());
    let whose = whose.map(|whose| format!("  {}", paint.word(Look::Dim, &whose)));
    let _infallible = writeln!(
        text,
        "{} {name}{}",
        paint.word(look, mark),
        whose.unwrap_or_default()
    );
    let _infallible = writeln!(text, "  {}", one_line(&team.message, 400));
    for problem in team.problems.iter().take(PROBLEMS) {
        let line = problem
            .line
            .map(|line| format!("teams/{}.yaml:{line}: ", team.name));
        let place = paint.word(Look::Place, &line.unwrap_or_default());
        let _infallible = writeln!(text, "    {place}{}", one_line(&problem.message, 400));
    }
    if team.problems.len() > PROBLEMS {
        let _infallible = writeln!(
            text,
            "    … and {} more; --json lists them",
            team.problems.len() - PROBLEMS
        );
    }
    if known.is_some() {
        let _infallible = writeln!(text, "  {}", in_words(team.counts));
    }
    if let Some(portal) = known.map(|known| &known.portal_url).filter(|url| !url.is_empty()) {
        let notices = if known.is_some_and(|known| known.work_notices) {
            ", told when work waits"
        } else {
            ""
        };
        let _infallible = writeln!(
            text,
            "  they label at {}{notices}",
            paint.word(Look::Place, portal)
        );
    }
}

/// Empty as long as the team's file could not be read.
fn whose(known: &Known) -> String {
    let mut parts = Vec::new();
    if !known.organization.is_empty() {
        parts.push(one_line(&known.organization, 120));
    }
    if !known.contact.is_empty() {
        parts.push(format!("contact {}", one_line(&known.contact, 128)));
    }
    parts.join(", ")
}

fn in_words(counts: Counts) -> String {
    let all = [
        (counts.joined, "joined"),
        (counts.invited, "invited"),
        (counts.waiting, "not invited yet"),
        (counts.expired, "with an invitation that ran out"),
        (counts.unreachable, "cannot be reached"),
        (counts.left, "left"),
    ];
    let some: Vec<String> = all
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    if some.is_empty() {
        "nobody in it".to_owned()
    } else {
        some.join(", ")
    }
}

fn about_people(text: &mut String, people: &[Person], everyone: bool, paint: Paint) {
    if people.is_empty() {
        return;
    }
    let _infallible = writeln!(text, "{}", paint.word(Look::Strong, "People"));
    let shown = if everyone { people.len() } else { PEOPLE };
    for person in people.iter().take(shown) {
        about_person(text, person, paint);
    }
    if people.len() > shown {
        let _infallible = writeln!(text, "  … and {} more; --people lists them", people.len() - shown);
    }
    text.push('\n');
}

fn about_person(text: &mut String, person: &Person, paint: Paint) {
    let teams: Vec<String> = person.teams.iter().map(|place| team_of(place, person)).collect();
    let mut parts = vec![
        format!("{} since {}", word(person.state), person.since.strftime(DAY)),
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
    let address = format!("{:<ADDRESS$}", one_line(&person.email, 128));
    let _infallible = writeln!(
        text,
        "  {}  {}",
        paint.word(Look::Place, &address),
        parts.join(" · ")
    );
}

/// With how it stands there, where that is not what is said of the person.
fn team_of(place: &Place, person: &Person) -> String {
    if place.state == person.state {
        place.team.clone()
    } else {
        format!("{} ({})", place.team, word(place.state))
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
            teams: vec![Place {
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
            message: "There is no work team yet. What stands in the way:".into(),
            has_file: true,
            known: Some(Known {
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
            listed_alone: true,
        };
        Crew {
            teams: vec![team],
            people,
            unlisted: 1,
            without_file: vec!["cats".into()],
        }
    }

    #[test]
    fn a_team_and_its_people_are_told_with_their_problems() {
        let mut text = String::new();
        about_crew(
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
    fn a_team_somebody_has_left_is_told_as_left() {
        let mut ana = person("ana@example.org");
        let mut place = ana.teams[0].clone();
        (place.team, place.state) = ("cats".into(), MemberState::Left);
        ana.teams.push(place);
        let mut text = String::new();
        about_crew(&mut text, &crew(vec![ana]), false, Paint::none());
        assert!(text.contains("· t, cats (left) ·"), "{text}");
    }

    #[test]
    fn of_a_team_whose_file_cannot_be_read_no_empty_fields_are_told() {
        let mut crew = crew(Vec::new());
        let known = crew.teams[0].known.as_mut().unwrap();
        (known.organization, known.contact) = (String::new(), String::new());
        let mut text = String::new();
        about_crew(&mut text, &crew, false, Paint::none());
        assert!(text.contains("! t\n") && !text.contains("contact"), "{text}");
    }

    #[test]
    fn thousands_of_people_are_listed_only_when_asked_for() {
        let people = (0..5_000).map(|n| person(&format!("p{n}@x.org"))).collect();
        let (crew, mut few, mut all) = (crew(people), String::new(), String::new());
        about_crew(&mut few, &crew, false, Paint::none());
        about_crew(&mut all, &crew, true, Paint::none());
        assert!(
            few.contains("and 4990 more; --people") && few.lines().count() < 30,
            "{few}"
        );
        assert!(all.contains("p4999@x.org"));
    }
}
