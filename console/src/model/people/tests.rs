//! What the model shows of teams and people, case by case.

use std::sync::Arc;

use shared::crew::TeamProblem;
use shared::name::TeamName;
use shared::summary::workers::{WorkerTotals, Workers};

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn member(email: &str, state: MemberState, since: i64) -> Member {
    Member {
        person: layout::person_id(email),
        email: email.into(),
        state,
        since: at(since),
        sub: Some(format!("sub-of-{email}")),
        invitations: 1,
        problem: None,
        account_deleted: false,
    }
}

fn roster(team: &str, members: Vec<Member>) -> Roster {
    Roster {
        file_etag: "e1".into(),
        organization: "Example Lab".into(),
        contact: "labels@example.org".into(),
        description: "People who label".into(),
        portal_url: "https://portal.example".into(),
        workteam_arn: format!("arn:aws:sagemaker:r:1:workteam/private-crowd/{team}"),
        members,
        settled: true,
        ..Roster::empty(&TeamName::new(team).unwrap(), at(1_000))
    }
}

fn facts(rosters: Vec<Roster>) -> CrewFacts {
    CrewFacts {
        files: rosters
            .iter()
            .map(|r| (r.team.clone(), "e1".to_owned()))
            .collect(),
        rosters: rosters
            .into_iter()
            .map(|r| (r.team.clone(), Arc::new(r)))
            .collect(),
        ..CrewFacts::default()
    }
}

fn join(facts: &mut CrewFacts, team: &str, email: &str, second: i64) {
    let team = facts.joined.entry(team.into()).or_default();
    team.insert(layout::person_id(email), at(second));
}

fn worker_total(sub: &str, answers: u64, last: i64) -> WorkerTotals {
    WorkerTotals {
        worker: "private.x".into(),
        sub: Some(sub.into()),
        answers,
        seconds: answers as f64,
        last: Some(at(last)),
    }
}

#[test]
fn a_marker_newer_than_the_members_state_counts_as_joined() {
    use MemberState::{Expired, Invited, Joined, Leaving, Left, Unreachable, Waiting};
    for (state, marker, shown) in [
        (Waiting, Some(600), Joined),
        (Invited, Some(600), Joined),
        (Invited, Some(500), Joined),
        (Expired, Some(600), Joined),
        (Unreachable, Some(600), Joined),
        // From an earlier membership: taken out and put back since.
        (Waiting, Some(400), Waiting),
        (Invited, None, Invited),
        (Leaving, Some(600), Leaving),
        (Left, Some(600), Left),
    ] {
        let mut facts = facts(vec![roster("t", vec![member("a@x.org", state, 500)])]);
        if let Some(second) = marker {
            join(&mut facts, "t", "a@x.org", second);
        }
        let crew = assemble(&facts);
        assert_eq!(
            crew.people[0].state, shown,
            "{state:?} and a marker at {marker:?}"
        );
        assert_eq!(crew.teams[0].counts.joined, u64::from(shown == Joined));
    }
}

#[test]
fn a_person_in_several_teams_is_one_person() {
    let mut facts = facts(vec![
        roster("a", vec![member("x@x.org", MemberState::Left, 100)]),
        roster("b", vec![member("x@x.org", MemberState::Joined, 200)]),
        roster("c", vec![member("x@x.org", MemberState::Waiting, 300)]),
    ]);
    facts.work = vec![Arc::new(Workers {
        workers: vec![worker_total("sub-of-x@x.org", 4, 250)],
        ..Workers::default()
    })];
    let crew = assemble(&facts);
    assert_eq!(crew.people.len(), 1);
    let person = &crew.people[0];
    assert_eq!(
        (person.state, person.since, person.answers),
        (MemberState::Joined, at(200), 4),
        "counted once, whatever the number of teams"
    );
    let teams: Vec<_> = person
        .teams
        .iter()
        .map(|membership| (membership.team.as_str(), membership.state))
        .collect();
    assert_eq!(
        teams,
        [
            ("a", MemberState::Left),
            ("b", MemberState::Joined),
            ("c", MemberState::Waiting)
        ]
    );
}

#[test]
fn last_seen_is_the_latest_of_joining_and_answering() {
    let mut facts = facts(vec![roster(
        "t",
        vec![
            member("answered@x.org", MemberState::Joined, 100),
            member("invited@x.org", MemberState::Invited, 100),
            member("joined@x.org", MemberState::Joined, 400),
        ],
    )]);
    let batch = |workers| {
        Arc::new(Workers {
            workers,
            ..Workers::default()
        })
    };
    facts.work = vec![
        batch(vec![
            worker_total("sub-of-answered@x.org", 2, 700),
            worker_total("sub-of-joined@x.org", 1, 300),
        ]),
        batch(vec![
            worker_total("sub-of-answered@x.org", 3, 600),
            worker_total("sub-of-another", 9, 900),
        ]),
    ];
    let seen: Vec<_> = assemble(&facts)
        .people
        .iter()
        .map(|p| (p.answers, p.seconds, p.last_seen))
        .collect();
    assert_eq!(
        seen,
        [(5, 5.0, Some(at(700))), (0, 0.0, None), (1, 1.0, Some(at(400)))]
    );
}

#[test]
fn the_headline_of_a_team_is_the_most_urgent_thing() {
    let headline = |facts: &CrewFacts| {
        let team = assemble(facts).teams.remove(0);
        (team.tone, team.message)
    };
    let with_member = |state| {
        facts(vec![roster(
            "t",
            vec![
                member("a@x.org", MemberState::Joined, 1),
                member("b@x.org", state, 1),
            ],
        )])
    };
    for (state, tone, part) in [
        (MemberState::Joined, Tone::Done, "All 2 people have joined."),
        (
            MemberState::Invited,
            Tone::Working,
            "1 of 2 has joined; the others are invited.",
        ),
        (MemberState::Waiting, Tone::Waiting, "1 waits for an invitation"),
        (MemberState::Expired, Tone::Attention, "1 invitation has expired"),
        (
            MemberState::Unreachable,
            Tone::Attention,
            "1 address cannot be reached",
        ),
        (MemberState::Left, Tone::Done, "The one person in it has joined."),
    ] {
        let (shown_tone, message) = headline(&with_member(state));
        assert_eq!(shown_tone, tone, "{state:?}: {message}");
        assert!(message.contains(part), "{state:?}: {message}");
    }

    let mut deleted = with_member(MemberState::Joined);
    deleted.files.clear();
    assert!(headline(&deleted).1.contains("`teams/t.yaml` was deleted"));

    let mut changed = with_member(MemberState::Joined);
    changed.files.insert("t".into(), "e2".into());
    assert!(headline(&changed).1.contains("has changed"));

    let fresh = CrewFacts {
        files: [("t".to_owned(), "e1".to_owned())].into(),
        ..CrewFacts::default()
    };
    assert!(headline(&fresh).1.contains("has arrived"));
}

#[test]
fn a_problem_comes_before_everything_and_says_whether_there_is_a_work_team() {
    let problem = TeamProblem {
        message: "25 work teams exist".into(),
        line: Some(3),
    };
    let mut without = roster("t", Vec::new());
    without.problems = vec![problem];
    let with = without.clone();
    without.workteam_arn.clear();
    let team = assemble(&facts(vec![without])).teams.remove(0);
    assert_eq!(team.problems[0].line, Some(3));
    assert!(team.message.contains("no work team yet"), "{}", team.message);
    let team = assemble(&facts(vec![with])).teams.remove(0);
    assert!(team.message.contains("the rest was"), "{}", team.message);
    assert_eq!(team.tone, Tone::Attention);
}

#[test]
fn five_thousand_people_are_sorted_and_counted() {
    let members = (0..5_000)
        .rev()
        .map(|n| member(&format!("p{n:04}@x.org"), MemberState::Invited, 1))
        .collect();
    let crew = assemble(&facts(vec![roster("t", members)]));
    assert_eq!((crew.people.len(), crew.teams[0].counts.invited), (5_000, 5_000));
    assert_eq!(crew.people[0].email, "p0000@x.org");
}

#[test]
fn a_work_team_without_a_file_is_named() {
    let mut facts = facts(vec![roster("a", Vec::new())]);
    facts.work_teams = [("a".to_owned(), true), ("cats".to_owned(), true)].into();
    let crew = assemble(&facts);
    assert_eq!(crew.without_file, ["cats"]);
    assert_eq!(crew.teams.len(), 1);
    assert!(crew.teams[0].only_listed_people);
}
