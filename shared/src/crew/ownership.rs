//! Which group and which work team a team file may change: those that Groundcrew made, and those an operator handed over.
//!
//! A team file is written by who may drop files, and a user pool holds groups of others: with administrators in them, or
//! with roles. So a name alone proves nothing. What proves it is what only Groundcrew or an operator can write: the
//! description a group was made with, the tag of a work team, and the team's document in the output bucket.

use jiff::Timestamp;

use super::roster::Roster;
use crate::name::TeamName;
use crate::port::crew::{Group, WorkTeamDescription};

/// What groups were described with before they named their stack.
const BEFORE: &str = "The people of a Groundcrew team";

/// What a group of this team is described with from its making. `stack` is the name of the output bucket, which no other
/// stack has.
pub fn group_description(stack: &str, team: &TeamName) -> String {
    format!("Groundcrew team {team} of {stack}")
}

/// Whether the group is the one Groundcrew made for this team. `made` is when it made one, where that is known.
pub fn made_group(group: &Group, stack: &str, team: &TeamName, made: Option<Timestamp>) -> bool {
    group.description == group_description(stack, team) || made == Some(group.created)
}

/// As [`made_group`], for a membership written down before groups named their stack.
pub fn made_group_before(group: &Group) -> bool {
    group.description == BEFORE
}

impl Roster {
    /// Whether the group of the team's name is the team's own.
    pub fn owns_group(&self, group: &Group, stack: &str, team: &TeamName) -> bool {
        let made = self.owned.as_ref().and_then(|owned| owned.group);
        made_group(group, stack, team, made) || self.is_from_before(made_group_before(group))
    }

    /// Whether the work team of the team's name is known to be the team's own; its tag may still say so.
    pub fn owns_work_team(&self, there: &WorkTeamDescription) -> bool {
        let made = self.owned.as_ref().and_then(|owned| owned.work_team);
        made == Some(there.created) || self.is_from_before(false)
    }

    /// A document without [`Ownership`] is of a version that wrote none: the work team it names is its own.
    fn is_from_before(&self, described: bool) -> bool {
        self.owned.is_none() && (described || !self.workteam_arn.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crew::Ownership;
    use crate::port::crew::{Members, WorkTeam};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn roster(owned: Option<Ownership>, workteam_arn: &str) -> Roster {
        Roster {
            owned,
            workteam_arn: workteam_arn.to_owned(),
            ..Roster::empty(&TeamName::new("numbers").unwrap(), at(0))
        }
    }

    fn made_at(second: i64) -> Option<Ownership> {
        Some(Ownership {
            group: Some(at(second)),
            work_team: Some(at(second)),
            adopted: None,
        })
    }

    #[test]
    fn a_group_is_a_teams_own_by_what_only_groundcrew_or_an_operator_writes() {
        let team = TeamName::new("numbers").unwrap();
        let mark = group_description("out", &team);
        let none = Some(Ownership::default());
        for (owned, arn, description, own) in [
            (none.clone(), "", mark.as_str(), true),
            // Of another stack in the same pool, of another team, in other words.
            (none.clone(), "", "Groundcrew team numbers of elsewhere", false),
            (none.clone(), "", "Groundcrew team letters of out", false),
            (none.clone(), "", BEFORE, false),
            (none, "arn", "Administrators", false),
            // An operator has changed its description since.
            (made_at(7), "arn", "Our annotators", true),
            // Deleted, and made again by others.
            (made_at(8), "arn", "Administrators", false),
            // From before there was a mark.
            (None, "", BEFORE, true),
            (None, "arn", "Labelers", true),
            (None, "", "Administrators", false),
        ] {
            let group = Group {
                description: description.to_owned(),
                created: at(7),
            };
            let roster = roster(owned.clone(), arn);
            assert_eq!(
                roster.owns_group(&group, "out", &team),
                own,
                "{owned:?} {arn} {description}"
            );
        }
    }

    #[test]
    fn a_work_team_is_a_teams_own_by_when_it_was_made() {
        let there = WorkTeamDescription {
            team: WorkTeam {
                name: "numbers".to_owned(),
                description: "d".to_owned(),
                members: Members::Oidc { groups: Vec::new() },
                topic_arn: None,
            },
            arn: "arn".to_owned(),
            created: at(7),
            sub_domain: String::new(),
        };
        for (owned, arn, own) in [
            (made_at(7), "arn", true),
            (made_at(8), "arn", false),
            (Some(Ownership::default()), "arn", false),
            (None, "arn", true),
            (None, "", false),
        ] {
            assert_eq!(
                roster(owned.clone(), arn).owns_work_team(&there),
                own,
                "{owned:?} {arn}"
            );
        }
    }
}
