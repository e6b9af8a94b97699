//! The API over its wire: shapes, errors, lists.

use serde_json::{Value, json};

use super::{model, shapes};
use crate::testing::{Rig, World, request, worker};

pub(super) async fn ready() -> (World, Rig) {
    let world = World::default();
    world.numbers(1);
    let rig = world.engine().await;
    rig.crew().await;
    (world, rig)
}

pub(super) fn kind(error: &Value) -> &str {
    error["__type"].as_str().unwrap()
}

#[test]
fn every_pattern_of_the_model_is_one() {
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
    for shape in [
        &shapes::CREATE_LABELING_JOB,
        &shapes::LIST_LABELING_JOBS,
        &shapes::LIST_LABELING_JOBS_FOR_WORKTEAM,
        &shapes::CREATE_WORKTEAM,
        &shapes::CREATE_WORKFORCE,
        &shapes::RENDER_UI_TEMPLATE,
        &shapes::ADD_TAGS,
        &shapes::DELETE_TAGS,
        &shapes::LIST_TAGS,
    ] {
        walk(shape);
    }
}

#[tokio::test]
async fn faults_are_worded_as_aws_words_them() {
    let (_, rig) = ready().await;
    let error = rig.call("DescribeLabelingJob", json!({})).await.unwrap_err();
    assert_eq!(kind(&error), "ValidationException");
    assert_eq!(
        error["message"],
        "1 validation error detected: Value null at 'labelingJobName' failed to satisfy constraint: Member must not be null"
    );
    let mut bad = request("a_b");
    bad["HumanTaskConfig"]["NumberOfHumanWorkersPerDataObject"] = json!(10);
    bad["HumanTaskConfig"]["TaskKeywords"] = json!(["Multi-label"]);
    let message = rig.call("CreateLabelingJob", bad).await.unwrap_err()["message"]
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
async fn what_is_not_here_is_refused_by_name() {
    let (_, rig) = ready().await;
    let error = rig.call("CreateModel", json!({})).await.unwrap_err();
    assert_eq!(kind(&error), "UnsupportedOperation");
    assert!(
        error["message"].as_str().unwrap().contains("CreateModel"),
        "{error}"
    );
    let mut unknown = request("numbers");
    unknown["HumanTaskConfig"]["Surprise"] = json!(true);
    let error = rig.call("CreateLabelingJob", unknown).await.unwrap_err();
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("humanTaskConfig.surprise is not supported by this labeling engine"),
        "{error}"
    );
}

#[tokio::test]
async fn a_name_is_taken_whatever_its_case_and_whatever_the_quota() {
    let (_, rig) = ready().await;
    for name in ["one", "two", "Three"] {
        rig.job(name, |_| {}).await;
    }
    assert_eq!(
        kind(&rig.call("CreateLabelingJob", request("THREE")).await.unwrap_err()),
        "ResourceInUse"
    );
    let error = rig.call("CreateLabelingJob", request("four")).await.unwrap_err();
    assert_eq!(kind(&error), "ResourceLimitExceeded");
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("Number of concurrent labeling jobs"),
        "{error}"
    );
    rig.call("StopLabelingJob", json!({"LabelingJobName": "three"}))
        .await
        .unwrap();
    rig.until("three", "Stopped").await;
    rig.job("four", |_| {}).await;
}

#[tokio::test]
async fn of_jobs_created_at_once_under_one_name_one_is_made() {
    let (world, rig) = ready().await;
    let other = world.engine().await;
    let calls = (0..8)
        .map(|nth| if nth % 2 == 0 { &rig } else { &other })
        .map(|rig| rig.call("CreateLabelingJob", request("same")));
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
async fn a_description_has_what_was_asked_for_and_how_it_goes() {
    let (_, rig) = ready().await;
    rig.job("Numbers", |r| {
        r["Tags"] = json!([{"Key": "project", "Value": "parity"}]);
    })
    .await;
    let job = rig.status("numbers").await;
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
            &rig.call("DescribeLabelingJob", json!({"LabelingJobName": "no"}))
                .await
                .unwrap_err()
        ),
        "ResourceNotFound"
    );
}

#[tokio::test]
async fn a_job_needs_a_team_that_exists() {
    let (_, rig) = ready().await;
    let mut wrong = request("numbers");
    wrong["HumanTaskConfig"]["WorkteamArn"] =
        json!("arn:aws:sagemaker:us-east-1:000000000000:workteam/private-crowd/nobody");
    let error = rig.call("CreateLabelingJob", wrong).await.unwrap_err();
    assert_eq!(kind(&error), "ValidationException");
    assert!(
        error["message"].as_str().unwrap().contains("does not exist"),
        "{error}"
    );
}

#[tokio::test]
async fn lists_go_page_by_page_and_are_filtered() {
    let (world, rig) = ready().await;
    for name in ["a-one", "a-two", "b-one"] {
        rig.job(name, |_| {}).await;
        world.advance(1);
    }
    let first = rig
        .call(
            "ListLabelingJobs",
            json!({"MaxResults": 2, "SortOrder": "Descending"}),
        )
        .await
        .unwrap();
    let names = |answer: &Value| -> Vec<String> {
        let list = answer["LabelingJobSummaryList"].as_array().unwrap();
        list.iter()
            .map(|job| job["LabelingJobName"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names(&first), ["b-one", "a-two"]);
    let next = json!({"MaxResults": 2, "SortOrder": "Descending", "NextToken": first["NextToken"]});
    let second = rig.call("ListLabelingJobs", next).await.unwrap();
    assert_eq!(
        (names(&second), &second["NextToken"]),
        (vec!["a-one".to_owned()], &Value::Null)
    );
    let filtered = rig.call(
        "ListLabelingJobs",
        json!({"NameContains": "ONE", "SortBy": "Name", "StatusEquals": "InProgress"}),
    );
    assert_eq!(names(&filtered.await.unwrap()), ["a-one", "b-one"]);
    let later = rig
        .call("ListLabelingJobs", json!({"CreationTimeAfter": 1_700_000_000.5}))
        .await
        .unwrap();
    assert_eq!(names(&later), ["a-two", "b-one"]);
    let arn = request("x")["HumanTaskConfig"]["WorkteamArn"].clone();
    let of_team = rig
        .call("ListLabelingJobsForWorkteam", json!({"WorkteamArn": arn}))
        .await
        .unwrap();
    assert_eq!(of_team["LabelingJobSummaryList"].as_array().unwrap().len(), 3);
    assert_eq!(
        of_team["LabelingJobSummaryList"][0]["LabelCounters"],
        json!({"HumanLabeled": 0, "PendingHuman": 1, "Total": 1})
    );
}

#[tokio::test]
async fn the_first_team_makes_the_workforce() {
    let (_, rig) = ready().await;
    let workforce = rig
        .call("DescribeWorkforce", json!({"WorkforceName": "default"}))
        .await
        .unwrap();
    assert_eq!(workforce["Workforce"]["SubDomain"], "portal.example:8080");
    assert_eq!(
        workforce["Workforce"]["CognitoConfig"],
        json!({"UserPool": "us-east-1_abc", "ClientId": "client"})
    );
    let team = rig
        .call("DescribeWorkteam", json!({"WorkteamName": "crew"}))
        .await
        .unwrap();
    assert_eq!(team["Workteam"]["SubDomain"], "portal.example:8080");
    assert_eq!(
        team["Workteam"]["WorkteamArn"],
        "arn:aws:sagemaker:us-east-1:000000000000:workteam/private-crowd/crew"
    );
    let error = rig
        .call("DeleteWorkforce", json!({"WorkforceName": "default"}))
        .await
        .unwrap_err();
    assert_eq!(kind(&error), "ResourceInUse");
}

#[tokio::test]
async fn people_join_a_job_when_its_team_gets_their_group() {
    let (_, rig) = ready().await;
    rig.job("numbers", |_| {}).await;
    let newcomer = crate::work::Worker {
        groups: vec!["more".into()],
        ..worker("n")
    };
    assert!(rig.work.jobs_for(&newcomer).await.is_empty());
    let members = ["crew", "more"].map(|group| json!({"CognitoMemberDefinition": {"UserPool": "us-east-1_abc", "UserGroup": group, "ClientId": "client"}}));
    rig.call(
        "UpdateWorkteam",
        json!({"WorkteamName": "crew", "MemberDefinitions": members}),
    )
    .await
    .unwrap();
    assert_eq!(rig.work.jobs_for(&newcomer).await.len(), 1);
}

#[tokio::test]
async fn teams_that_are_there_or_not_there_are_refused() {
    let (_, rig) = ready().await;
    let error = rig
        .call("DescribeWorkteam", json!({"WorkteamName": "nobody"}))
        .await
        .unwrap_err();
    assert_eq!(kind(&error), "ValidationException");
    let member =
        json!({"CognitoMemberDefinition": {"UserPool": "us-east-1_abc", "UserGroup": "g", "ClientId": "c"}});
    let again = json!({"WorkteamName": "Crew", "Description": "x", "MemberDefinitions": [member]});
    assert_eq!(
        kind(&rig.call("CreateWorkteam", again).await.unwrap_err()),
        "ResourceInUse"
    );
    assert_eq!(
        rig.call("DeleteWorkteam", json!({"WorkteamName": "crew"})).await,
        Ok(json!({"Success": true}))
    );
    let list = rig.call("ListWorkteams", json!({})).await.unwrap();
    assert_eq!(list["Workteams"], json!([]));
}

#[tokio::test]
async fn tags_can_be_added_listed_and_taken_away() {
    let (_, rig) = ready().await;
    let arn = "arn:aws:sagemaker:us-east-1:000000000000:workteam/private-crowd/crew";
    let tag = |key: &str, value: &str| json!({"Key": key, "Value": value});
    rig.call(
        "AddTags",
        json!({"ResourceArn": arn, "Tags": [tag("a", "1"), tag("b", "2")]}),
    )
    .await
    .unwrap();
    let added = rig
        .call("AddTags", json!({"ResourceArn": arn, "Tags": [tag("a", "3")]}))
        .await
        .unwrap();
    assert_eq!(added["Tags"], json!([tag("b", "2"), tag("a", "3")]));
    rig.call("DeleteTags", json!({"ResourceArn": arn, "TagKeys": ["b"]}))
        .await
        .unwrap();
    let left = rig.call("ListTags", json!({"ResourceArn": arn})).await.unwrap();
    assert_eq!(left["Tags"], json!([tag("a", "3")]));
}

#[tokio::test]
async fn a_template_can_be_looked_at_first() {
    let (_, rig) = ready().await;
    let role = "arn:aws:iam::000000000000:role/labeling";
    let render = |content: &str| json!({"UiTemplate": {"Content": content}, "Task": {"Input": "{\"taskObject\":\"<7>\"}"}, "RoleArn": role});
    let good = rig
        .call("RenderUiTemplate", render("<p>{{ task.input.taskObject }}</p>"))
        .await
        .unwrap();
    assert_eq!(good["Errors"], json!([]));
    assert!(
        good["RenderedContent"].as_str().unwrap().contains("&lt;7&gt;"),
        "{good}"
    );
    let bad = rig
        .call(
            "RenderUiTemplate",
            render("{{ task.input.taskObject | nonsense }}"),
        )
        .await
        .unwrap();
    assert!(!bad["Errors"].as_array().unwrap().is_empty(), "{bad}");
}

#[tokio::test]
async fn nothing_of_a_job_may_lie_in_the_engines_own_bucket() {
    let (_, rig) = ready().await;
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
        let refused = rig.call("CreateLabelingJob", request).await.unwrap_err();
        assert_eq!(kind(&refused), "ValidationException");
        let last = member.rsplit('/').next().unwrap();
        assert!(refused["message"].as_str().unwrap().contains(last), "{refused}");
    }
    let template = "<img src=\"{{ 's3://state/portal/session-key.json' | grant_read_access }}\">";
    let looked_at = json!({
        "UiTemplate": {"Content": template}, "Task": {"Input": "{}"},
        "RoleArn": "arn:aws:iam::000000000000:role/labeling"
    });
    let rendered = rig.call("RenderUiTemplate", looked_at).await.unwrap();
    assert!(!rendered.to_string().contains("signed.example"), "{rendered}");
    assert!(!rendered["Errors"].as_array().unwrap().is_empty(), "{rendered}");
}

#[tokio::test]
async fn engines_on_one_store_keep_the_quota_together() {
    let (world, rig) = ready().await;
    let other = world.engine().await;
    let mut made = 0;
    for nth in 0..4 {
        let names = [format!("one-{nth}"), format!("other-{nth}")];
        let results = tokio::join!(
            rig.call("CreateLabelingJob", request(&names[0])),
            other.call("CreateLabelingJob", request(&names[1]))
        );
        for result in [results.0, results.1] {
            match result {
                Ok(_) => made += 1,
                Err(refused) => assert_eq!(kind(&refused), "ResourceLimitExceeded", "{refused}"),
            }
        }
    }
    assert!((2..=3).contains(&made), "{made} in 3 places");
    // Who was refused holds no place: the rest are there for who comes next.
    for nth in made..3 {
        rig.job(&format!("later-{nth}"), |_| {}).await;
    }
    let error = rig.call("CreateLabelingJob", request("last")).await.unwrap_err();
    assert_eq!(kind(&error), "ResourceLimitExceeded");
}

#[tokio::test]
async fn a_damaged_job_document_holds_up_no_other_job() {
    let (world, rig) = ready().await;
    world
        .store
        .put_text("s3://state/labeling-jobs/broken.json", "{\"name\": \"broken\"");
    world.store.put_text("s3://state/unfinished/broken", "{}");
    rig.job("numbers", |_| {}).await;
    let error = rig
        .call("CreateLabelingJob", request("broken"))
        .await
        .unwrap_err();
    assert_eq!(kind(&error), "ResourceInUse");
    rig.call("ListLabelingJobs", json!({})).await.unwrap();
}

#[tokio::test]
async fn a_team_of_a_group_that_does_not_exist_is_refused() {
    let (_, rig) = ready().await;
    let member = json!({"CognitoMemberDefinition": {
        "UserPool": "us-east-1_abc", "UserGroup": "no-such-group", "ClientId": "client"
    }});
    let request = json!({"WorkteamName": "others", "Description": "x", "MemberDefinitions": [member]});
    let change = json!({"WorkteamName": "crew", "MemberDefinitions": [member]});
    for (operation, request) in [("CreateWorkteam", request), ("UpdateWorkteam", change)] {
        let error = rig.call(operation, request).await.unwrap_err();
        assert_eq!(kind(&error), "ValidationException");
        assert!(
            error["message"].as_str().unwrap().contains("no such group"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_template_gets_no_link_that_it_puts_together() {
    let (_, rig) = ready().await;
    let rendered = async |template: &str| {
        let request = json!({
            "UiTemplate": {"Content": template}, "RoleArn": "arn:aws:iam::000000000000:role/labeling",
            "Task": {"Input": "{\"taskObject\":\"s3://in/a.png\",\"key\":\"b.png\"}"},
        });
        rig.call("RenderUiTemplate", request).await.unwrap().to_string()
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
