//! A group and a work team that others made are handed over to the team of their name, by the command and by the console.

use std::time::{Duration, Instant};

use aws_sdk_cognitoidentityprovider as cognito;
use local::StackInfo;
use serde_json::Value;
use shared::crew::Roster;

use crate::command::{groundcrew, run};
use crate::console_stack::ConsoleStack;

const FILE: &str =
    "organization: Lab\ncontact: lab@example.org\ndescription: D\nworkers: [ana@example.org]\n";

/// A group of the team's name that others made, and then the team's file.
async fn make_foreign_team(info: &StackInfo, team: &str) {
    let cognito = cognito::Client::new(&info.sdk());
    let group = cognito.create_group().user_pool_id(&info.user_pool_id);
    let group = group.group_name(team).description("Administrators");
    group.send().await.unwrap();
    let put = info.s3().put_object().bucket(&info.input_bucket);
    let put = put.key(format!("teams/{team}.yaml"));
    put.body(FILE.as_bytes().to_vec().into()).send().await.unwrap();
    let refused = |roster: &Roster| roster.adoptable && roster.settled;
    await_roster(info, team, refused).await;
}

async fn await_roster(info: &StackInfo, team: &str, is_expected: impl Fn(&Roster) -> bool) -> Roster {
    let end = Instant::now() + Duration::from_secs(60);
    let mut last = None;
    loop {
        let get = info.s3().get_object().bucket(&info.output_bucket);
        if let Ok(object) = get.key(format!("crew/{team}.json")).send().await {
            let bytes = object.body.collect().await.unwrap().to_vec();
            let roster: Roster = serde_json::from_slice(&bytes).unwrap();
            if is_expected(&roster) {
                return roster;
            }
            last = Some(roster);
        }
        assert!(Instant::now() < end, "the roster is still {last:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn is_adopted(roster: &Roster) -> bool {
    !roster.adoptable && roster.settled && !roster.workteam_arn.is_empty() && roster.problems.is_empty()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_hands_a_group_of_others_over_to_a_team() {
    let ConsoleStack { stack, data, .. } = ConsoleStack::start().await;
    make_foreign_team(stack.info(), "readers").await;
    let folder = data.path().to_str().unwrap();
    let adopt = async |team| run(groundcrew(&["adopt", team, "--data", folder])).await;

    let (succeeded, text) = adopt("writers").await;
    assert!(!succeeded && text.contains("no `teams/writers.yaml`"), "{text}");

    let (succeeded, text) = adopt("readers").await;
    assert!(succeeded && text.contains("in a few seconds"), "{text}");
    await_roster(stack.info(), "readers", is_adopted).await;
    stack.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_console_shows_that_a_team_can_be_adopted_and_adopts_it() {
    let ConsoleStack {
        stack,
        client,
        data: _data,
    } = ConsoleStack::start().await;
    let info = stack.info();
    let console = &info.console_url;
    make_foreign_team(info, "readers").await;
    let can_be_adopted = async || {
        let model = client.get(format!("{console}/api/model")).send().await.unwrap();
        let model: Value = model.json().await.unwrap();
        let teams = model["model"]["crew"]["teams"].as_array().unwrap().clone();
        let team = teams.into_iter().find(|team| team["name"] == "readers").unwrap();
        team["can_be_adopted"].clone()
    };
    assert_eq!(can_be_adopted().await, true);

    let post = |team: &str| client.post(format!("{console}/api/team/{team}/adopt"));
    let without_header = post("readers").send().await.unwrap();
    assert_eq!(without_header.status(), 403, "another site could ask for it");
    let missing = post("writers").header("x-groundcrew", "1").send().await.unwrap();
    assert_eq!(missing.status(), 404);
    let adopted = post("readers").header("x-groundcrew", "1").send().await.unwrap();
    assert_eq!(adopted.status(), 200);
    await_roster(info, "readers", is_adopted).await;
    assert_eq!(can_be_adopted().await, false);
    stack.shutdown().await;
}
