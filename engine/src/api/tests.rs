//! The labeling API as a client sees it: shapes, errors, lists.

use serde_json::{Value, json};

use super::model;
use super::operation::Operation;
use crate::desk::Desk;
use crate::testing::{ready, request, worker};

pub(crate) fn kind(error: &Value) -> &str {
    error["__type"].as_str().unwrap()
}

#[test]
fn every_pattern_of_the_model_compiles() {
    fn walk(shape: &'static model::Shape) {
        match shape {
            model::Shape::Text {
                pattern: Some(pattern),
                ..
            } => assert!(model::is_pattern(pattern), "{pattern}"),
            model::Shape::List { of, .. } => walk(of),
            model::Shape::Structure(members) => members.iter().for_each(|member| walk(member.shape())),
            _ => {}
        }
    }
    for operation in Operation::ALL {
        walk(operation.shape());
    }
}

#[tokio::test]
async fn validation_errors_have_the_words_of_aws() {
    let (_, engine) = ready(1).await;
    let error = engine.call("DescribeLabelingJob", json!({})).await.unwrap_err();
    assert_eq!(kind(&error), "ValidationException");
    assert_eq!(
        error["message"],
        "1 validation error detected: Value null at 'labelingJobName' failed to satisfy constraint: Member must not be null"
    );
    let mut bad = request("a_b");
    bad["HumanTaskConfig"]["NumberOfHumanWorkersPerDataObject"] = json!(10);
    bad["HumanTaskConfig"]["TaskKeywords"] = json!(["Multi-label"]);
    let message = engine.call("CreateLabelingJob", bad).await.unwrap_err()["message"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        message.starts_with("3 validation errors detected: Value 'a_b' at 'labelingJobName'"),
        "{message}"
    );
    assert!(message.contains("Value '10' at 'humanTaskConfig.numberOfHumanWorkersPerDataObject' failed to satisfy constraint: Member must have value less than or equal to 9"), "{message}");
    assert!(
        message.contains("'humanTaskConfig.taskKeywords.1.member'"),
        "{message}"
    );
}

#[tokio::test]
async fn every_operation_refuses_a_member_it_does_not_have() {
    let (_, engine) = ready(1).await;
    for operation in Operation::ALL {
        let error = engine
            .call(operation.name(), json!({"Surprise": 1}))
            .await
            .unwrap_err();
        assert_eq!(kind(&error), "ValidationException", "{operation:?}");
        let message = error["message"].as_str().unwrap();
        assert!(
            message.starts_with("surprise is not supported by this labeling engine"),
            "{operation:?}: {message}"
        );
    }
}

#[tokio::test]
async fn unknown_operations_and_members_are_refused_by_name() {
    let (_, engine) = ready(1).await;
    let error = engine.call("CreateModel", json!({})).await.unwrap_err();
    assert_eq!(kind(&error), "UnsupportedOperation");
    assert!(
        error["message"].as_str().unwrap().contains("CreateModel"),
        "{error}"
    );
    let mut unknown = request("numbers");
    unknown["HumanTaskConfig"]["Surprise"] = json!(true);
    let error = engine.call("CreateLabelingJob", unknown).await.unwrap_err();
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("humanTaskConfig.surprise is not supported by this labeling engine"),
        "{error}"
    );
}

#[tokio::test]
async fn a_name_in_use_is_refused_in_every_case_and_before_the_quota() {
    let (_, engine) = ready(1).await;
    for name in ["one", "two", "Three"] {
        engine.job(name, |_| {}).await;
    }
    assert_eq!(
        kind(
            &engine
                .call("CreateLabelingJob", request("THREE"))
                .await
                .unwrap_err()
        ),
        "ResourceInUse"
    );
    let error = engine
        .call("CreateLabelingJob", request("four"))
        .await
        .unwrap_err();
    assert_eq!(kind(&error), "ResourceLimitExceeded");
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("Number of concurrent labeling jobs"),
        "{error}"
    );
    engine
        .call("StopLabelingJob", json!({"LabelingJobName": "three"}))
        .await
        .unwrap();
    engine.wait_for_status("three", "Stopped").await;
    engine.job("four", |_| {}).await;
}

#[tokio::test]
async fn jobs_created_at_once_under_one_name_become_one() {
    let (world, engine) = ready(1).await;
    let other = world.engine().await;
    let calls = (0..8)
        .map(|nth| if nth % 2 == 0 { &engine } else { &other })
        .map(|engine| engine.call("CreateLabelingJob", request("same")));
    let results = futures::future::join_all(calls).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert!(
        results
            .iter()
            .filter_map(|result| result.as_ref().err())
            .all(|error| kind(error) == "ResourceInUse")
    );
}

#[tokio::test]
async fn a_description_has_the_request_and_the_progress() {
    let (_, engine) = ready(1).await;
    engine
        .job("Numbers", |r| {
            r["Tags"] = json!([{"Key": "project", "Value": "parity"}]);
        })
        .await;
    let job = engine.status("numbers").await;
    assert_eq!(job["LabelingJobName"], "Numbers");
    assert_eq!(
        job["LabelingJobArn"],
        "arn:aws:sagemaker:us-east-1:000000000000:labeling-job/numbers"
    );
    assert_eq!(job["CreationTime"], 1_700_000_000.0);
    assert_eq!(job["Tags"], json!([{"Key": "project", "Value": "parity"}]));
    assert_eq!(
        job["LabelCounters"],
        json!({"TotalLabeled": 0, "HumanLabeled": 0, "MachineLabeled": 0, "FailedNonRetryableError": 0, "Unlabeled": 1})
    );
    assert_eq!(job["HumanTaskConfig"], request("x")["HumanTaskConfig"]);
    assert_eq!(
        kind(
            &engine
                .call("DescribeLabelingJob", json!({"LabelingJobName": "no"}))
                .await
                .unwrap_err()
        ),
        "ResourceNotFound"
    );
}

#[tokio::test]
async fn a_job_needs_a_team_that_exists() {
    let (_, engine) = ready(1).await;
    let mut wrong = request("numbers");
    wrong["HumanTaskConfig"]["WorkteamArn"] =
        json!("arn:aws:sagemaker:us-east-1:000000000000:workteam/private-crowd/absent");
    let error = engine.call("CreateLabelingJob", wrong).await.unwrap_err();
    assert_eq!(kind(&error), "ValidationException");
    assert!(
        error["message"].as_str().unwrap().contains("does not exist"),
        "{error}"
    );
}

#[tokio::test]
async fn the_first_team_makes_the_workforce() {
    let (_, engine) = ready(1).await;
    let workforce = engine
        .call("DescribeWorkforce", json!({"WorkforceName": "default"}))
        .await
        .unwrap();
    assert_eq!(workforce["Workforce"]["SubDomain"], "portal.example:8080");
    assert_eq!(
        workforce["Workforce"]["CognitoConfig"],
        json!({"UserPool": "us-east-1_abc", "ClientId": "client"})
    );
    let team = engine
        .call("DescribeWorkteam", json!({"WorkteamName": "crew"}))
        .await
        .unwrap();
    assert_eq!(team["Workteam"]["SubDomain"], "portal.example:8080");
    assert_eq!(
        team["Workteam"]["WorkteamArn"],
        "arn:aws:sagemaker:us-east-1:000000000000:workteam/private-crowd/crew"
    );
    let error = engine
        .call("DeleteWorkforce", json!({"WorkforceName": "default"}))
        .await
        .unwrap_err();
    assert_eq!(kind(&error), "ResourceInUse");
}

#[tokio::test]
async fn people_join_a_job_when_its_team_gets_their_group() {
    let (_, engine) = ready(1).await;
    engine.job("numbers", |_| {}).await;
    let newcomer = crate::worker::Worker {
        groups: vec!["more".into()],
        ..worker("n")
    };
    assert!(engine.work.jobs(&newcomer).await.is_empty());
    let members = ["crew", "more"].map(|group| json!({"CognitoMemberDefinition": {"UserPool": "us-east-1_abc", "UserGroup": group, "ClientId": "client"}}));
    engine
        .call(
            "UpdateWorkteam",
            json!({"WorkteamName": "crew", "MemberDefinitions": members}),
        )
        .await
        .unwrap();
    assert_eq!(engine.work.jobs(&newcomer).await.len(), 1);
}

#[tokio::test]
async fn unknown_teams_and_names_in_use_are_refused() {
    let (_, engine) = ready(1).await;
    let error = engine
        .call("DescribeWorkteam", json!({"WorkteamName": "absent"}))
        .await
        .unwrap_err();
    assert_eq!(kind(&error), "ValidationException");
    let member =
        json!({"CognitoMemberDefinition": {"UserPool": "us-east-1_abc", "UserGroup": "g", "ClientId": "c"}});
    let again = json!({"WorkteamName": "Crew", "Description": "x", "MemberDefinitions": [member]});
    assert_eq!(
        kind(&engine.call("CreateWorkteam", again).await.unwrap_err()),
        "ResourceInUse"
    );
    assert_eq!(
        engine
            .call("DeleteWorkteam", json!({"WorkteamName": "crew"}))
            .await,
        Ok(json!({"Success": true}))
    );
    let list = engine.call("ListWorkteams", json!({})).await.unwrap();
    assert_eq!(list["Workteams"], json!([]));
}

#[tokio::test]
async fn tags_can_be_added_listed_and_deleted() {
    let (_, engine) = ready(1).await;
    let arn = "arn:aws:sagemaker:us-east-1:000000000000:workteam/private-crowd/crew";
    let tag = |key: &str, value: &str| json!({"Key": key, "Value": value});
    engine
        .call(
            "AddTags",
            json!({"ResourceArn": arn, "Tags": [tag("a", "1"), tag("b", "2")]}),
        )
        .await
        .unwrap();
    let added = engine
        .call("AddTags", json!({"ResourceArn": arn, "Tags": [tag("a", "3")]}))
        .await
        .unwrap();
    assert_eq!(added["Tags"], json!([tag("b", "2"), tag("a", "3")]));
    engine
        .call("DeleteTags", json!({"ResourceArn": arn, "TagKeys": ["b"]}))
        .await
        .unwrap();
    let left = engine
        .call("ListTags", json!({"ResourceArn": arn}))
        .await
        .unwrap();
    assert_eq!(left["Tags"], json!([tag("a", "3")]));
}

#[tokio::test]
async fn a_template_can_be_rendered_before_a_job_uses_it() {
    let (_, engine) = ready(1).await;
    let role = "arn:aws:iam::000000000000:role/labeling";
    let render = |content: &str| json!({"UiTemplate": {"Content": content}, "Task": {"Input": "{\"taskObject\":\"<7>\"}"}, "RoleArn": role});
    let good = engine
        .call("RenderUiTemplate", render("<p>{{ task.input.taskObject }}</p>"))
        .await
        .unwrap();
    assert_eq!(good["Errors"], json!([]));
    assert!(
        good["RenderedContent"].as_str().unwrap().contains("&lt;7&gt;"),
        "{good}"
    );
    let bad = engine
        .call(
            "RenderUiTemplate",
            render("{{ task.input.taskObject | nonsense }}"),
        )
        .await
        .unwrap();
    assert!(!bad["Errors"].as_array().unwrap().is_empty(), "{bad}");
}

#[tokio::test]
async fn nothing_of_a_job_may_be_in_the_engines_own_bucket() {
    let (_, engine) = ready(1).await;
    for (member, uri) in [
        (
            "/InputConfig/DataSource/S3DataSource/ManifestS3Uri",
            "s3://state/labeling-jobs/numbers.json",
        ),
        (
            "/HumanTaskConfig/UiConfig/UiTemplateS3Uri",
            "s3://state/portal/session-key.json",
        ),
        (
            "/LabelCategoryConfigS3Uri",
            "https://s3.amazonaws.com/state/x.json",
        ),
        ("/OutputConfig/S3OutputPath", "s3://state/labeling-jobs"),
    ] {
        let mut request = request("numbers");
        *request.pointer_mut(member).unwrap() = json!(uri);
        let refused = engine.call("CreateLabelingJob", request).await.unwrap_err();
        assert_eq!(kind(&refused), "ValidationException");
        let last = member.rsplit('/').next().unwrap();
        assert!(refused["message"].as_str().unwrap().contains(last), "{refused}");
    }
    let template = "<img src=\"{{ 's3://state/portal/session-key.json' | grant_read_access }}\">";
    let looked_at = json!({
        "UiTemplate": {"Content": template}, "Task": {"Input": "{}"},
        "RoleArn": "arn:aws:iam::000000000000:role/labeling"
    });
    let rendered = engine.call("RenderUiTemplate", looked_at).await.unwrap();
    assert!(!rendered.to_string().contains("signed.example"), "{rendered}");
    assert!(!rendered["Errors"].as_array().unwrap().is_empty(), "{rendered}");
}

#[tokio::test]
async fn engines_on_one_store_share_the_quota() {
    let (world, engine) = ready(1).await;
    let other = world.engine().await;
    let mut made = 0;
    for nth in 0..4 {
        let names = [format!("one-{nth}"), format!("other-{nth}")];
        let results = tokio::join!(
            engine.call("CreateLabelingJob", request(&names[0])),
            other.call("CreateLabelingJob", request(&names[1]))
        );
        for result in [results.0, results.1] {
            match result {
                Ok(_) => made += 1,
                Err(refused) => assert_eq!(kind(&refused), "ResourceLimitExceeded", "{refused}"),
            }
        }
    }
    assert!((2..=3).contains(&made), "{made} in 3 slots");
    // A refused job holds no slot: the other slots are free for the next jobs.
    for nth in made..3 {
        engine.job(&format!("later-{nth}"), |_| {}).await;
    }
    let error = engine
        .call("CreateLabelingJob", request("last"))
        .await
        .unwrap_err();
    assert_eq!(kind(&error), "ResourceLimitExceeded");
}

#[tokio::test]
async fn a_damaged_job_document_blocks_no_other_job() {
    let (world, engine) = ready(1).await;
    world
        .store
        .put_text("s3://state/labeling-jobs/broken.json", "{\"name\": \"broken\"");
    world.store.put_text("s3://state/unfinished/broken", "{}");
    engine.job("numbers", |_| {}).await;
    let error = engine
        .call("CreateLabelingJob", request("broken"))
        .await
        .unwrap_err();
    assert_eq!(kind(&error), "ResourceInUse");
    engine.call("ListLabelingJobs", json!({})).await.unwrap();
}

#[tokio::test]
async fn a_team_of_a_group_that_does_not_exist_is_refused() {
    let (_, engine) = ready(1).await;
    let member = json!({"CognitoMemberDefinition": {
        "UserPool": "us-east-1_abc", "UserGroup": "no-such-group", "ClientId": "client"
    }});
    let request = json!({"WorkteamName": "others", "Description": "x", "MemberDefinitions": [member]});
    let change = json!({"WorkteamName": "crew", "MemberDefinitions": [member]});
    for (operation, request) in [("CreateWorkteam", request), ("UpdateWorkteam", change)] {
        let error = engine.call(operation, request).await.unwrap_err();
        assert_eq!(kind(&error), "ValidationException");
        assert!(
            error["message"].as_str().unwrap().contains("no such group"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_template_gets_no_link_to_an_address_made_of_parts() {
    let (_, engine) = ready(1).await;
    let rendered = async |template: &str| {
        let request = json!({
            "UiTemplate": {"Content": template}, "RoleArn": "arn:aws:iam::000000000000:role/labeling",
            "Task": {"Input": "{\"taskObject\":\"s3://in/a.png\",\"key\":\"b.png\"}"},
        });
        engine
            .call("RenderUiTemplate", request)
            .await
            .unwrap()
            .to_string()
    };
    for (template, is_given) in [
        ("{{ task.input.taskObject | grant_read_access }}", true),
        ("{{ 's3://in/help.png' | grant_read_access }}", true),
        (
            "{{ 's3://in/' | append: task.input.key | grant_read_access }}",
            false,
        ),
        (
            "{{ task.input.taskObject | replace: 'a', 'b' | grant_read_access }}",
            false,
        ),
        ("{{ 's3://in/teams/crew.yaml' | grant_read_access }}", false),
        ("{{ 's3://out/people/0123' | grant_read_access }}", false),
    ] {
        let rendered = rendered(template).await;
        assert_eq!(
            rendered.contains("signed.example"),
            is_given,
            "{template}: {rendered}"
        );
    }
}
