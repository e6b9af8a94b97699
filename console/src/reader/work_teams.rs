//! The work teams there are, made from team files or by hand, and who may be in them.

use std::collections::BTreeMap;

use aws_sdk_sagemaker::types::Workteam;

/// By the team's name: [`is_listed_alone`].
pub(super) type WorkTeams = BTreeMap<String, bool>;

/// An account has 25, unless AWS was asked for more; pages of 100.
const PAGES: usize = 5;

/// `None` where they cannot be asked for. Nothing depends on them that cannot be left out, and the right to ask is not
/// among those that whoever looks must have: no word of it.
pub(super) async fn list(labeling: &aws_sdk_sagemaker::Client) -> Option<WorkTeams> {
    let (mut teams, mut token) = (WorkTeams::new(), None);
    for _ in 0..PAGES {
        let request = labeling.list_workteams().max_results(100);
        let page = request.set_next_token(token).send().await.ok()?;
        let named = |team: &Workteam| Some((team.workteam_name()?.to_owned(), is_listed_alone(team)));
        teams.extend(page.workteams().iter().filter_map(named));
        token = page.next_token;
        if token.is_none() {
            break;
        }
    }
    Some(teams)
}

/// Only those a team file lists are in it: its people are one Cognito group, the one that bears its name. With other
/// groups, or an identity provider of its own, nobody here knows how many they are.
pub fn is_listed_alone(team: &Workteam) -> bool {
    match team.member_definitions() {
        [only] => only
            .cognito_member_definition()
            .is_some_and(|group| group.user_group() == team.workteam_name()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_sagemaker::types::{CognitoMemberDefinition, MemberDefinition, OidcMemberDefinition};

    use super::*;

    fn group(name: &str) -> MemberDefinition {
        let group = CognitoMemberDefinition::builder()
            .user_pool("p")
            .client_id("c")
            .user_group(name);
        MemberDefinition::builder()
            .cognito_member_definition(group.build())
            .build()
    }

    #[test]
    fn a_team_of_its_own_group_alone_is_known_by_its_file() {
        let provider = OidcMemberDefinition::builder().groups("cats").build();
        let provider = MemberDefinition::builder()
            .oidc_member_definition(provider)
            .build();
        for (members, listed) in [
            (vec![group("cats")], true),
            (vec![group("others")], false),
            (vec![group("cats"), group("others")], false),
            (vec![provider], false),
            (vec![], false),
        ] {
            let team = Workteam::builder()
                .workteam_name("cats")
                .set_member_definitions(Some(members))
                .workteam_arn("arn")
                .description("d")
                .build();
            assert_eq!(is_listed_alone(&team), listed, "{team:?}");
        }
    }
}
