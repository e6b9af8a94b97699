//! The work teams there are, made from team files or by hand, and who may be in them.

use std::collections::BTreeMap;

use aws::crew::PrivateWorkforce;
use shared::port::crew::{Members, WorkTeam};

/// By the team's name: [`has_only_listed_people`].
pub(super) type WorkTeams = BTreeMap<String, bool>;

/// An account has 25 work teams, unless AWS was asked for more; a page has 100.
const PAGES: usize = 5;

/// `None` where they cannot be listed. An admin may lack the permission, and what depends on it can be left out, so
/// that is no problem to report.
pub(super) async fn load(workforce: &PrivateWorkforce) -> Option<WorkTeams> {
    let teams = workforce.teams(PAGES).await.ok()?.into_iter();
    let by_name = teams.map(|team| {
        let only_listed = has_only_listed_people(&team);
        (team.name, only_listed)
    });
    Some(by_name.collect())
}

/// Whether only those in its team file are in the work team: its people are one Cognito group, the one with its name.
/// With other groups, or an identity provider of its own, their number is not known here.
pub fn has_only_listed_people(team: &WorkTeam) -> bool {
    match &team.members {
        Members::Cognito { groups, .. } => *groups == [team.name.as_str()],
        Members::Oidc { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_people_of_a_team_with_its_own_group_alone_are_known_from_its_file() {
        let cognito = |groups: &[&str]| Members::Cognito {
            user_pool: "p".into(),
            client_id: "c".into(),
            groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        };
        let oidc = Members::Oidc {
            groups: vec!["cats".into()],
        };
        for (members, listed) in [
            (cognito(&["cats"]), true),
            (cognito(&["others"]), false),
            (cognito(&["cats", "others"]), false),
            (oidc, false),
            (cognito(&[]), false),
        ] {
            let team = WorkTeam {
                name: "cats".into(),
                description: "d".into(),
                members,
                topic_arn: None,
            };
            assert_eq!(has_only_listed_people(&team), listed, "{team:?}");
        }
    }
}
