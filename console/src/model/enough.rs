//! Whether a team has as many people as each item asks for. An item that asks for more never gets done, and nothing else
//! says so: everyone answers what there is, and the job waits until it runs out.

use std::fmt;

use serde::{Deserialize, Serialize};
use shared::spec::{Spec, Team as SpecTeam};

use super::crew::{Counts, Crew};

/// What each item of a batch asks for, by the spec it was cut with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Needs {
    /// Different people who answer it.
    pub people: u32,
    /// The work team; `None` where it is AWS's or a vendor's, of which nobody knows who is in it.
    pub team: Option<String>,
}

/// How a team falls short. Reads as a sentence without a full stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lacking {
    needed: u64,
    joined: u64,
    /// People who have joined or still may.
    able: u64,
}

impl Needs {
    pub fn of(spec: &Spec) -> Self {
        Self {
            people: spec.workers_per_item,
            team: work_team(&spec.team).map(str::to_owned),
        }
    }
}

/// The name of a private work team.
pub fn work_team(team: &SpecTeam) -> Option<&str> {
    match team {
        SpecTeam::Name(name) => Some(name),
        SpecTeam::Arn(arn) => arn.rsplit_once("/private-crowd/").map(|(_, name)| name),
    }
}

impl Lacking {
    /// `None` where as many people as are needed have joined.
    pub fn of(needed: u32, counts: Counts) -> Option<Self> {
        let needed = u64::from(needed);
        (counts.joined < needed).then(|| Self {
            needed,
            joined: counts.joined,
            able: counts.able(),
        })
    }

    /// Even when everybody invited has joined they are too few: somebody has to do something.
    pub fn is_lasting(self) -> bool {
        self.able < self.needed
    }
}

impl fmt::Display for Lacking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { needed, joined, able } = *self;
        let people = if needed == 1 { "person" } else { "people" };
        write!(f, "each item needs {needed} {people}, ")?;
        match (self.is_lasting(), joined) {
            (true, _) if able == 0 => write!(f, "the team has nobody who can answer"),
            (true, _) => write!(f, "the team has {able}"),
            (false, 0) => write!(f, "nobody of the team has joined yet"),
            (false, 1) => write!(f, "1 of the team's {able} has joined so far"),
            (false, _) => write!(f, "{joined} of the team's {able} have joined so far"),
        }
    }
}

impl Crew {
    /// `None` where there are enough, and where nobody knows how many there are: a team made by hand, or with groups or an
    /// identity provider of its own.
    pub fn lacking(&self, needs: &Needs) -> Option<Lacking> {
        let name = needs.team.as_deref()?;
        let team = self.teams.iter().find(|team| team.name == name)?;
        team.listed_alone
            .then(|| Lacking::of(needs.people, team.counts))
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
    fn a_team_falls_short_for_good_or_until_the_invited_have_joined() {
        for (needed, counts, lasting, said) in [
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
                "each item needs 1 person, the team has nobody who can answer",
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
                "each item needs 1 person, nobody of the team has joined yet",
            ),
            (3, counts(3, 0, 0), None, ""),
            (1, counts(1, 4, 0), None, ""),
        ] {
            let lacking = Lacking::of(needed, counts);
            assert_eq!(lacking.map(Lacking::is_lasting), lasting, "{needed} {counts:?}");
            assert_eq!(lacking.map(|l| l.to_string()).unwrap_or_default(), said);
        }
    }

    #[test]
    fn a_team_is_known_by_the_last_part_of_a_private_arn() {
        let arn = |kind: &str| SpecTeam::Arn(format!("arn:aws:sagemaker:eu-west-1:1:workteam/{kind}/cats"));
        assert_eq!(work_team(&arn("private-crowd")), Some("cats"));
        assert_eq!(work_team(&arn("vendor-crowd")), None);
        assert_eq!(work_team(&SpecTeam::Name("cats".into())), Some("cats"));
    }
}
