//! Whether a team has as many people as each item needs. An item that needs more is never done, and nothing else says so:
//! everyone answers what there is, and the job waits until it expires.

use std::fmt;

use serde::{Deserialize, Serialize};
use shared::spec::{Spec, Team as SpecTeam};

use super::crew::{Counts, Crew};

/// How many people each item of a batch needs, by the spec it was cut with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaffingNeeds {
    /// Different people who answer it.
    pub people: u32,
    /// The work team; `None` for one of AWS or a vendor, whose people are not known.
    pub team: Option<String>,
}

/// A team has too few people. Its text is a sentence without a full stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StaffShortage {
    needed: u64,
    joined: u64,
    /// People who have joined or still may.
    available: u64,
}

impl StaffingNeeds {
    pub fn of(spec: &Spec) -> Self {
        Self {
            people: spec.workers_per_item,
            team: private_team_name(&spec.team).map(str::to_owned),
        }
    }
}

/// The name of a private work team.
pub fn private_team_name(team: &SpecTeam) -> Option<&str> {
    match team {
        SpecTeam::Name(name) => Some(name),
        SpecTeam::Arn(arn) => arn.rsplit_once("/private-crowd/").map(|(_, name)| name),
    }
}

impl StaffShortage {
    /// `None` where as many people as are needed have joined.
    pub fn of(needed: u32, counts: Counts) -> Option<Self> {
        let needed = u64::from(needed);
        (counts.joined < needed).then(|| Self {
            needed,
            joined: counts.joined,
            available: counts.available(),
        })
    }

    /// Even when everyone invited has joined they are too few: the admin has to add people.
    pub fn needs_more_people(self) -> bool {
        self.available < self.needed
    }
}

impl fmt::Display for StaffShortage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            needed,
            joined,
            available,
        } = *self;
        let people = if needed == 1 { "person" } else { "people" };
        write!(f, "each item needs {needed} {people}, ")?;
        match (self.needs_more_people(), joined) {
            (true, _) if available == 0 => write!(f, "the team has no one who can answer"),
            (true, _) => write!(f, "the team has {available}"),
            (false, 0) => write!(f, "no one of the team has joined yet"),
            (false, 1) => write!(f, "1 of the team's {available} has joined so far"),
            (false, _) => write!(f, "{joined} of the team's {available} have joined so far"),
        }
    }
}

impl Crew {
    /// `None` where there are enough, and where their number is not known: a team made by hand, or with other groups or an
    /// identity provider of its own.
    pub fn shortage(&self, needs: &StaffingNeeds) -> Option<StaffShortage> {
        let name = needs.team.as_deref()?;
        let team = self.teams.iter().find(|team| team.name == name)?;
        team.only_listed_people
            .then(|| StaffShortage::of(needs.people, team.counts))
            .flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(joined: u64, invited: u64, waiting: u64) -> Counts {
        Counts {
            joined,
            invited,
            waiting,
            expired: 5,
            unreachable: 5,
            left: 5,
        }
    }

    #[test]
    fn a_shortage_ends_when_the_invited_join_or_only_when_people_are_added() {
        for (needed, counts, needs_more, text) in [
            (
                3,
                counts(1, 0, 0),
                Some(true),
                "each item needs 3 people, the team has 1",
            ),
            (
                3,
                counts(0, 1, 1),
                Some(true),
                "each item needs 3 people, the team has 2",
            ),
            (
                1,
                counts(0, 0, 0),
                Some(true),
                "each item needs 1 person, the team has no one who can answer",
            ),
            (
                3,
                counts(1, 1, 1),
                Some(false),
                "each item needs 3 people, 1 of the team's 3 has joined so far",
            ),
            (
                3,
                counts(2, 2, 0),
                Some(false),
                "each item needs 3 people, 2 of the team's 4 have joined so far",
            ),
            (
                1,
                counts(0, 1, 0),
                Some(false),
                "each item needs 1 person, no one of the team has joined yet",
            ),
            (3, counts(3, 0, 0), None, ""),
            (1, counts(1, 4, 0), None, ""),
        ] {
            let shortage = StaffShortage::of(needed, counts);
            assert_eq!(
                shortage.map(StaffShortage::needs_more_people),
                needs_more,
                "{needed} {counts:?}"
            );
            assert_eq!(
                shortage.map(|shortage| shortage.to_string()).unwrap_or_default(),
                text
            );
        }
    }

    #[test]
    fn a_team_is_known_by_the_last_part_of_a_private_arn() {
        let arn = |kind: &str| SpecTeam::Arn(format!("arn:aws:sagemaker:eu-west-1:1:workteam/{kind}/cats"));
        assert_eq!(private_team_name(&arn("private-crowd")), Some("cats"));
        assert_eq!(private_team_name(&arn("vendor-crowd")), None);
        assert_eq!(private_team_name(&SpecTeam::Name("cats".into())), Some("cats"));
    }
}
