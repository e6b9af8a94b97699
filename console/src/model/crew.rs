//! Teams and people as they are shown: what stands in a team's file and roster, who has joined, how much each person
//! labelled, and a page of them for whoever looks through thousands.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::crew::{MemberState, Roster, TeamProblem};

use super::Tone;

/// Most people of one page.
pub const PAGE: usize = 100;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Crew {
    /// By name.
    pub teams: Vec<Team>,
    /// By address; each person once, whatever the number of teams.
    pub people: Vec<Person>,
    /// People who signed up or signed in and are on no list: they have no team.
    pub unlisted: u64,
    /// Work teams without a team file: made by hand, or the first of one machine. A labeling.yaml may name them as well.
    pub without_file: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Team {
    pub name: String,
    pub tone: Tone,
    /// One sentence: what it waits for, who is to act, or that all is well.
    pub message: String,
    /// `teams/<name>.yaml` is there. Without it nothing changes: the people stay.
    pub has_file: bool,
    /// Absent until sync-team has looked for the first time.
    #[serde(flatten)]
    pub known: Option<Known>,
    pub problems: Vec<TeamProblem>,
    pub counts: Counts,
    /// Nobody else can be in its work team.
    pub listed_alone: bool,
}

/// What the roster says of the team itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    pub organization: String,
    pub contact: String,
    pub description: String,
    /// Empty until the team is there.
    pub portal_url: String,
    /// Empty until the work team is there.
    pub workteam_arn: String,
    /// Its people are told when work waits.
    pub work_notices: bool,
    /// When sync-team was at it last.
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
    /// The state of the teams that says most of the account: somebody who has joined one has a password.
    pub state: MemberState,
    pub since: Timestamp,
    /// Why the address cannot be reached, where it cannot.
    pub problem: Option<String>,
    pub teams: Vec<Place>,
    /// Sent, the first included.
    pub invitations: u32,
    /// The latest of joining and the last answer; a visit without an answer leaves no trace.
    pub last_seen: Option<Timestamp>,
    /// Answers in the jobs that have ended.
    pub answers: u64,
    /// Spent on them.
    pub seconds: f64,
}

/// A person's place in one team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
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

    /// As the roster has it; whoever has joined since is still one of the invited.
    pub fn of(roster: &Roster) -> Self {
        let mut counts = Self::default();
        for member in &roster.members {
            counts.add(member.state);
        }
        counts
    }

    /// People who have joined or still may: an invitation that ran out and an address that cannot be reached lead to
    /// nobody before somebody does something.
    pub fn able(&self) -> u64 {
        self.waiting + self.invited + self.joined
    }

    /// Everyone who is in the team's file.
    pub fn members(&self) -> u64 {
        self.waiting + self.invited + self.joined + self.expired + self.unreachable
    }
}

/// A state in plain words, as the page and the command both say it.
pub fn word(state: MemberState) -> &'static str {
    match state {
        MemberState::Waiting => "not invited yet",
        MemberState::Invited => "invited",
        MemberState::Expired => "invitation ran out",
        MemberState::Joined => "joined",
        MemberState::Unreachable => "cannot be reached",
        MemberState::Leaving => "leaving",
        MemberState::Left => "left",
    }
}

/// Which people to show.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    /// Part of an address or of a team's name, in any case.
    pub search: String,
    pub team: String,
    pub state: Option<MemberState>,
    pub sort: Sort,
    /// People to skip.
    pub from: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sort {
    #[default]
    Address,
    /// Most first.
    Answers,
    /// Latest first; those never seen come last.
    LastSeen,
}

/// At most [`PAGE`] of the people wanted.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PeoplePage<'a> {
    /// Everyone there is.
    pub total: usize,
    /// Everyone wanted.
    pub matching: usize,
    pub from: usize,
    pub people: Vec<&'a Person>,
}

/// Looks through the people; they come sorted by address.
pub fn browse<'a>(people: &'a [Person], wanted: &Wanted) -> PeoplePage<'a> {
    let search = wanted.search.trim().to_lowercase();
    let mut found: Vec<&Person> = people
        .iter()
        .filter(|person| person.is_wanted(wanted, &search))
        .collect();
    match wanted.sort {
        Sort::Address => {}
        Sort::Answers => found.sort_by_key(|person| std::cmp::Reverse(person.answers)),
        Sort::LastSeen => found.sort_by_key(|person| std::cmp::Reverse(person.last_seen)),
    }
    let matching = found.len();
    // A page beyond the end, after people have gone, is the last one.
    let last = matching.saturating_sub(1) / PAGE * PAGE;
    let from = (wanted.from / PAGE * PAGE).min(last);
    PeoplePage {
        total: people.len(),
        matching,
        from,
        people: found.into_iter().skip(from).take(PAGE).collect(),
    }
}

impl Person {
    fn is_wanted(&self, wanted: &Wanted, search: &str) -> bool {
        let in_team = wanted.team.is_empty() || self.teams.iter().any(|place| place.team == wanted.team);
        let in_state = wanted.state.is_none_or(|state| {
            let there = self
                .teams
                .iter()
                .find(|place| place.team == wanted.team)
                .map_or(self.state, |place| place.state);
            there == state
        });
        let named = || {
            self.teams
                .iter()
                .any(|place| place.team.to_lowercase().contains(search))
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
            teams: vec![Place {
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
        let page = browse(
            &people,
            &Wanted {
                from: 4_900,
                ..Wanted::default()
            },
        );
        assert_eq!(
            (page.total, page.matching, page.from, page.people.len()),
            (5_000, 5_000, 4_900, 100)
        );
        let beyond = browse(
            &people,
            &Wanted {
                from: 900_000,
                ..Wanted::default()
            },
        );
        assert_eq!((beyond.from, beyond.people.len()), (4_900, 100));
        let nobody = browse(
            &[],
            &Wanted {
                from: 100,
                ..Wanted::default()
            },
        );
        assert_eq!((nobody.from, nobody.people.len()), (0, 0));
    }

    #[test]
    fn people_are_found_by_address_team_and_state() {
        let people = people();
        let matching = |wanted: &Wanted| browse(&people, wanted).matching;
        let search = |text: &str| Wanted {
            search: text.into(),
            ..Wanted::default()
        };
        assert_eq!(matching(&search(" PERSON004 ")), 10);
        assert_eq!(matching(&search("Team-2")), 1_666);
        assert_eq!(matching(&search("nobody")), 0);
        let of_team = Wanted {
            team: "team-1".into(),
            ..Wanted::default()
        };
        assert_eq!(matching(&of_team), 1_667);
        // In a team, the state is the one in that team.
        let invited = Wanted {
            state: Some(MemberState::Invited),
            ..Wanted::default()
        };
        assert_eq!(matching(&invited), 2_500);
        assert_eq!(
            matching(&Wanted {
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
            browse(
                &people,
                &Wanted {
                    sort,
                    ..Wanted::default()
                },
            )
            .people[0]
                .answers
        };
        assert_eq!(
            (first(Sort::Address), first(Sort::Answers), first(Sort::LastSeen)),
            (0, 4_999, 4_998)
        );
    }
}
