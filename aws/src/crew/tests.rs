//! The workforce and its teams, against scripted answers.

use std::time::Duration;

use serde_json::{Value, json};
use shared::port::crew::{CrewError, Identity, Members, TeamChangeOutcome, WorkTeam, Workforce};

use super::PrivateWorkforce;
use crate::scripted_service::{ScriptedService, ok, refusal};

const HOST: &str = "abc.labeling.us-east-1.sagemaker.aws";
const TOPIC: &str = "arn:aws:sns:us-east-1:000000000000:work-numbers";

async fn workforce(answers: impl IntoIterator<Item = (u16, String)>) -> (ScriptedService, PrivateWorkforce) {
    let service = ScriptedService::with_answers(answers).await;
    let mut workforce = PrivateWorkforce::new(service.sdk.clone());
    workforce.waits = [Duration::from_millis(1); 2];
    (service, workforce)
}

fn team(topic_arn: Option<&str>) -> WorkTeam {
    WorkTeam {
        name: "numbers".to_owned(),
        description: "People who label numbers".to_owned(),
        members: Members::Cognito {
            user_pool: "us-east-1_abc".to_owned(),
            client_id: "client1".to_owned(),
            groups: vec!["numbers".to_owned(), "labelers-of-2024".to_owned()],
        },
        topic_arn: topic_arn.map(str::to_owned),
    }
}

fn definitions() -> Value {
    let of = |group: &str| {
        json!({"CognitoMemberDefinition": {
            "UserPool": "us-east-1_abc", "UserGroup": group, "ClientId": "client1",
        }})
    };
    json!([of("numbers"), of("labelers-of-2024")])
}

#[tokio::test]
async fn the_workforce_is_described_whatever_it_signs_in_with() {
    let (_, workforce) = workforce([
        ok(&json!({"Workforces": []})),
        ok(&json!({"Workforces": [{
            "WorkforceName": "default", "WorkforceArn": "arn", "SubDomain": HOST, "Status": "Updating",
            "CognitoConfig": {"UserPool": "us-east-1_abc", "ClientId": "client1"},
            "SourceIpConfig": {"Cidrs": ["203.0.113.0/24"]},
        }]})),
        ok(&json!({"Workforces": [{
            "WorkforceName": "default", "WorkforceArn": "arn", "SourceIpConfig": {"Cidrs": ["0.0.0.0/0"]},
            "OidcConfig": {"Issuer": "https://idp.example.org"},
        }]})),
    ])
    .await;
    assert_eq!(workforce.workforce().await.unwrap(), None);
    let ours = workforce.workforce().await.unwrap().unwrap();
    assert_eq!(
        (ours.status.as_str(), ours.sub_domain.as_str()),
        ("Updating", HOST)
    );
    assert_eq!(ours.cidrs, ["203.0.113.0/24"]);
    let pool = Identity::Cognito {
        user_pool: "us-east-1_abc".to_owned(),
        client_id: "client1".to_owned(),
    };
    assert_eq!(ours.identity, pool);
    let theirs = workforce.workforce().await.unwrap().unwrap();
    assert!(theirs.cidrs.is_empty(), "{:?}", theirs.cidrs);
    let issuer = "https://idp.example.org".to_owned();
    assert_eq!(theirs.identity, Identity::Oidc { issuer });
}

#[tokio::test]
async fn a_team_is_made_of_its_groups_and_heard_of_by_its_topic() {
    let (service, workforce) = workforce([ok(&json!({"WorkteamArn": "arn"}))]).await;
    let made = workforce
        .create_team("default", &team(Some(TOPIC)), "out")
        .await
        .unwrap();
    assert_eq!(made, TeamChangeOutcome::Done);
    assert_eq!(
        service.requests()[0].json(),
        json!({
            "WorkteamName": "numbers", "WorkforceName": "default", "Description": "People who label numbers",
            "MemberDefinitions": definitions(), "NotificationConfiguration": {"NotificationTopicArn": TOPIC},
            "Tags": [{"Key": "groundcrew:stack", "Value": "out"}],
        })
    );
}

#[tokio::test]
async fn a_tag_says_which_stack_made_a_team() {
    let (service, workforce) = workforce([
        ok(&json!({"Tags": [{"Key": "team", "Value": "x"}], "NextToken": "more"})),
        ok(&json!({"Tags": [{"Key": "groundcrew:stack", "Value": "out"}]})),
        ok(&json!({"Tags": []})),
    ])
    .await;
    assert_eq!(workforce.team_owner("arn").await.unwrap().as_deref(), Some("out"));
    assert_eq!(service.requests()[1].json()["NextToken"], "more");
    assert_eq!(workforce.team_owner("arn").await.unwrap(), None);
}

#[tokio::test]
async fn a_team_of_another_sign_in_is_made_of_its_claims() {
    let (service, workforce) = workforce([ok(&json!({}))]).await;
    let members = Members::Oidc {
        groups: vec!["labelers".to_owned()],
    };
    let team = WorkTeam {
        members,
        ..team(None)
    };
    workforce.create_team("default", &team, "out").await.unwrap();
    let requests = service.requests()[0].json();
    assert_eq!(
        requests["MemberDefinitions"],
        json!([{"OidcMemberDefinition": {"Groups": ["labelers"]}}])
    );
    assert!(requests.get("NotificationConfiguration").is_none(), "{requests}");
}

#[tokio::test]
async fn a_team_without_work_notices_loses_its_topic() {
    let (service, workforce) = workforce([ok(&json!({}))]).await;
    assert_eq!(
        workforce.update_team(&team(None)).await.unwrap(),
        TeamChangeOutcome::Done
    );
    let requests = service.requests()[0].json();
    assert_eq!(requests["NotificationConfiguration"], json!({}));
    assert_eq!(requests["MemberDefinitions"], definitions());
}

#[tokio::test]
async fn a_team_is_read_as_it_was_written_and_a_missing_one_is_none() {
    let (_, workforce) = workforce([
        ok(&json!({"Workteam": {
            "WorkteamName": "numbers", "Description": "People who label numbers", "SubDomain": HOST,
            "WorkteamArn": "arn:aws:sagemaker:us-east-1:000000000000:workteam/private-crowd/numbers",
            "MemberDefinitions": definitions(), "NotificationConfiguration": {"NotificationTopicArn": TOPIC},
        }})),
        refusal("ValidationException", "Workteam numbers does not exist"),
        refusal("AccessDeniedException", "not authorized"),
    ])
    .await;
    let there = workforce.team("numbers").await.unwrap().unwrap();
    assert_eq!(there.team, team(Some(TOPIC)));
    assert_eq!(there.sub_domain, HOST);
    assert_eq!(workforce.team("numbers").await.unwrap(), None);
    let error = workforce.team("numbers").await.unwrap_err();
    assert!(matches!(error, CrewError::Refused { .. }), "{error}");
}

#[tokio::test]
async fn a_refusal_says_what_prevents_it() {
    let (_, workforce) = workforce([
        refusal("ResourceInUse", "exists"),
        refusal("ResourceLimitExceeded", "25 work teams"),
        refusal("ConflictException", "being updated"),
        refusal("AccessDeniedException", "not authorized"),
    ])
    .await;
    let change = workforce.create_workforce("default", "p", "c").await.unwrap();
    assert_eq!(change, TeamChangeOutcome::Taken);
    let change = workforce
        .create_team("default", &team(None), "out")
        .await
        .unwrap();
    assert!(
        matches!(change, TeamChangeOutcome::LimitReached { .. }),
        "{change:?}"
    );
    let error = workforce.set_networks("default", &[]).await.unwrap_err();
    assert!(matches!(error, CrewError::Transient { .. }), "{error}");
    let error = workforce.update_team(&team(None)).await.unwrap_err();
    assert!(matches!(error, CrewError::Refused { .. }), "{error}");
}

#[tokio::test]
async fn a_group_made_a_moment_ago_is_waited_for() {
    let unseen = || refusal("ValidationException", "The group does not exist");
    let (service, workforce) = workforce([unseen(), unseen(), ok(&json!({}))]).await;
    assert_eq!(
        workforce
            .create_team("default", &team(None), "out")
            .await
            .unwrap(),
        TeamChangeOutcome::Done
    );
    assert_eq!(service.requests().len(), 3);
}

#[tokio::test]
async fn a_group_that_never_appears_is_reported() {
    let unseen = || refusal("ValidationException", "The group does not exist");
    let (_, workforce) = workforce([unseen(), unseen(), unseen()]).await;
    let change = workforce
        .create_team("default", &team(None), "out")
        .await
        .unwrap();
    assert!(matches!(change, TeamChangeOutcome::Invalid { .. }), "{change:?}");
}

#[tokio::test]
async fn no_networks_means_any_network() {
    let (service, workforce) = workforce([ok(&json!({})), ok(&json!({}))]).await;
    workforce.set_networks("default", &[]).await.unwrap();
    workforce
        .set_networks("default", &["203.0.113.0/24".to_owned()])
        .await
        .unwrap();
    let cidrs: Vec<Value> = service
        .requests()
        .iter()
        .map(|asked| asked.json()["SourceIpConfig"]["Cidrs"].clone())
        .collect();
    assert_eq!(cidrs, [json!(["0.0.0.0/0"]), json!(["203.0.113.0/24"])]);
}
