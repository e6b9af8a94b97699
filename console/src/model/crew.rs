//! Teams and people as they are shown: what is in a team's file and roster, who has joined, how much each person
//! labeled, and a page of people at a time where there are thousands.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::crew::{MemberState, Roster, TeamProblem};

use super::tone::Tone;

/// Most people of one page.
pub const PEOPLE_PER_PAGE: usize = 100;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Crew {
    /// By name.
    pub teams: Vec<Team>,
    /// By address; each person once, whatever the number of teams.
    pub people: Vec<Person>,
    /// People who signed up or signed in and are in no team file: they have no team.
    pub unlisted: u64,
    /// Work teams without a team file: made by hand, or the first of one machine. A labeling.yaml may name them as well.
    pub without_file: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Team {
    pub name: String,
    pub tone: Tone,
    /// One sentence: what it waits for, who has to act, or that nothing is wrong.
    pub message: String,
    /// `teams/<name>.yaml` is there. Without it nothing changes: the people stay.
    pub has_file: bool,
    /// Absent until sync-team has read the file for the first time.
    #[serde(flatten)]
    pub details: Option<TeamDetails>,
    pub problems: Vec<TeamProblem>,
    pub counts: Counts,
    /// Only people of its file can be in its work team.
    pub only_listed_people: bool,
    /// A group or work team of this name was made by others, and has to be adopted before the team can use it.
    pub can_be_adopted: bool,
}

/// What the roster says of the team itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamDetails {
    pub organization: String,
    pub contact: String,
    pub description: String,
    /// Empty until the team is there.
    pub portal_url: String,
    /// Empty until the work team is there.
    pub workteam_arn: String,
    /// Its people are notified when work waits.
    pub work_notices: bool,
    /// When sync-team last worked on it.
    pub at: Timestamp,
}

/// People of a team by state; those who are leaving count as left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub waiting: u64,
    pub invited: u64,
    pub joined: u64,
    pub expired: u64,
    pub unreachable: u64,
    pub left: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Person {
    /// The hash that names the person in keys.
    pub id: String,
    pub email: String,
    /// Of the states in all teams, the one that says most of the account: a person who has joined one has a password.
    pub state: MemberState,
    pub since: Timestamp,
    /// Why the address cannot be reached, where it cannot.
    pub problem: Option<String>,
    pub teams: Vec<Membership>,
    /// Mails sent, the first included.
    pub invitations: u32,
    /// The latest of joining and the last answer; a visit without an answer leaves no trace.
    pub last_seen: Option<Timestamp>,
    /// Answers in the jobs that have ended.
    pub answers: u64,
    /// Spent on them.
    pub seconds: f64,
}

/// A person in one team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    pub team: String,
    pub state: MemberState,
    pub since: Timestamp,
}

impl Counts {
    pub(super) fn add(&mut self, state: MemberState) {
        *match state {
            MemberState::Waiting => &mut self.waiting,
            MemberState::Invited => &mut self.invited,
            MemberState::Joined => &mut self.joined,
            MemberState::Expired => &mut self.expired,
            MemberState::Unreachable => &mut self.unreachable,
            MemberState::Leaving | MemberState::Left => &mut self.left,
        } += 1;
    }

    /// As the roster has it; a person who has joined since still counts as invited.
    pub fn of(roster: &Roster) -> Self {
        let mut counts = Self::default();
        for member in &roster.members {
            counts.add(member.state);
        }
        counts
    }

    /// People who have joined or still may. With an expired invitation or an address that cannot be reached, a person
    /// cannot join before the admin does something.
    pub fn available(&self) -> u64 {
        self.waiting + self.invited + self.joined
    }

    /// Everyone who is in the team's file.
    pub fn members(&self) -> u64 {
        self.waiting + self.invited + self.joined + self.expired + self.unreachable
    }
}

/// A state as the page and the command both show it.
pub fn state_label(state: MemberState) -> &'static str {
    match state {
        MemberState::Waiting => "not invited yet",
        MemberState::Invited => "invited",
        MemberState::Expired => "invitation expired",
        MemberState::Joined => "joined",
        MemberState::Unreachable => "cannot be reached",
        MemberState::Leaving => "leaving",
        MemberState::Left => "left",
    }
}

/// Which people to show.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct PeopleQuery {
    /// Part of an address or of a team's name, in any case.
    pub search: String,
    pub team: String,
    pub state: Option<MemberState>,
    pub sort: PeopleOrder,
    /// People to skip.
    pub from: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PeopleOrder {
    #[default]
    Address,
    /// Most first.
    Answers,
    /// Latest first; people who were never seen come last.
    LastSeen,
}

/// At most [`PEOPLE_PER_PAGE`] of the people that match a query.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PeoplePage<'a> {
    /// All people.
    pub total: usize,
    /// People that match.
    pub matching: usize,
    pub from: usize,
    pub people: Vec<&'a Person>,
}

/// One page of the people that match; `people` are sorted by address.
pub fn find_people<'a>(people: &'a [Person], query: &PeopleQuery) -> PeoplePage<'a> {
    let search = query.search.trim().to_lowercase();
    let mut found: Vec<&Person> = people
        .iter()
        .filter(|person| person.matches(query, &search))
        .collect();
    match query.sort {
        PeopleOrder::Address => {}
        PeopleOrder::Answers => found.sort_by_key(|person| std::cmp::Reverse(person.answers)),
        PeopleOrder::LastSeen => found.sort_by_key(|person| std::cmp::Reverse(person.last_seen)),
    }
    let matching = found.len();
    // A page beyond the end, after people have gone, is the last one.
    let last = matching.saturating_sub(1) / PEOPLE_PER_PAGE * PEOPLE_PER_PAGE;
    let from = (query.from / PEOPLE_PER_PAGE * PEOPLE_PER_PAGE).min(last);
    PeoplePage {
        total: people.len(),
        matching,
        from,
        people: found.into_iter().skip(from).take(PEOPLE_PER_PAGE).collect(),
    }
}

impl Person {
    fn matches(&self, query: &PeopleQuery, search: &str) -> bool {
        let in_team =
            query.team.is_empty() || self.teams.iter().any(|membership| membership.team == query.team);
        let in_state = query.state.is_none_or(|state| {
            let there = self
                .teams
                .iter()
                .find(|membership| membership.team == query.team)
                .map_or(self.state, |membership| membership.state);
            there == state
        });
        let named = || {
            self.teams
                .iter()
                .any(|membership| membership.team.to_lowercase().contains(search))
        };
        in_team && in_state && (search.is_empty() || self.email.to_lowercase().contains(search) || named())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(n: usize) -> Person {
        let since = Timestamp::from_second(n as i64).unwrap();
        Person {
            id: n.to_string(),
            email: format!("Person{n:04}@example.org"),
            state: if n.is_multiple_of(2) {
                MemberState::Joined
            } else {
                MemberState::Invited
            },
            since,
            problem: None,
            teams: vec![Membership {
                team: format!("team-{}", n % 3),
                state: MemberState::Joined,
                since,
            }],
            invitations: 1,
            last_seen: n.is_multiple_of(2).then_some(since),
            answers: n as u64,
            seconds: 0.0,
        }
    }

    fn people() -> Vec<Person> {
        (0..5_000).map(person).collect()
    }

    #[test]
    fn thousands_of_people_come_a_hundred_at_a_time() {
        let people = people();
        let page = find_people(
            &people,
            &PeopleQuery {
                from: 4_900,
                ..PeopleQuery::default()
            },
        );
        assert_eq!(
            (page.total, page.matching, page.from, page.people.len()),
            (5_000, 5_000, 4_900, 100)
        );
        let beyond = find_people(
            &people,
            &PeopleQuery {
                from: 900_000,
                ..PeopleQuery::default()
            },
        );
        assert_eq!((beyond.from, beyond.people.len()), (4_900, 100));
        let none = find_people(
            &[],
            &PeopleQuery {
                from: 100,
                ..PeopleQuery::default()
            },
        );
        assert_eq!((none.from, none.people.len()), (0, 0));
    }

    #[test]
    fn people_are_found_by_address_team_and_state() {
        let people = people();
        let matching = |query: &PeopleQuery| find_people(&people, query).matching;
        let search = |text: &str| PeopleQuery {
            search: text.into(),
            ..PeopleQuery::default()
        };
        assert_eq!(matching(&search(" PERSON004 ")), 10);
        assert_eq!(matching(&search("Team-2")), 1_666);
        assert_eq!(matching(&search("unknown")), 0);
        let of_team = PeopleQuery {
            team: "team-1".into(),
            ..PeopleQuery::default()
        };
        assert_eq!(matching(&of_team), 1_667);
        // In a team, the state is the one in that team.
        let invited = PeopleQuery {
            state: Some(MemberState::Invited),
            ..PeopleQuery::default()
        };
        assert_eq!(matching(&invited), 2_500);
        assert_eq!(
            matching(&PeopleQuery {
                team: "team-1".into(),
                ..invited
            }),
            0
        );
    }

    #[test]
    fn people_are_sorted_by_what_they_did() {
        let people = people();
        let first = |sort| {
            find_people(
                &people,
                &PeopleQuery {
                    sort,
                    ..PeopleQuery::default()
                },
            )
            .people[0]
                .answers
        };
        assert_eq!(
            (
                first(PeopleOrder::Address),
                first(PeopleOrder::Answers),
                first(PeopleOrder::LastSeen)
            ),
            (0, 4_999, 4_998)
        );
    }
}
