//! Lists of labeling jobs: pages, filters, order.

use serde_json::{Value, json};

use crate::testing::{ready, request};

#[tokio::test]
async fn lists_go_page_by_page_and_are_filtered() {
    let (world, engine) = ready(1).await;
    for name in ["a-one", "a-two", "b-one"] {
        engine.job(name, |_| {}).await;
        world.advance(1);
    }
    let first = engine
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
    let second = engine.call("ListLabelingJobs", next).await.unwrap();
    assert_eq!(
        (names(&second), &second["NextToken"]),
        (vec!["a-one".to_owned()], &Value::Null)
    );
    let filtered = engine.call(
        "ListLabelingJobs",
        json!({"NameContains": "ONE", "SortBy": "Name", "StatusEquals": "InProgress"}),
    );
    assert_eq!(names(&filtered.await.unwrap()), ["a-one", "b-one"]);
    let later = engine
        .call("ListLabelingJobs", json!({"CreationTimeAfter": 1_700_000_000.5}))
        .await
        .unwrap();
    assert_eq!(names(&later), ["a-two", "b-one"]);
    let arn = request("x")["HumanTaskConfig"]["WorkteamArn"].clone();
    let of_team = engine
        .call("ListLabelingJobsForWorkteam", json!({"WorkteamArn": arn}))
        .await
        .unwrap();
    assert_eq!(of_team["LabelingJobSummaryList"].as_array().unwrap().len(), 3);
    assert_eq!(
        of_team["LabelingJobSummaryList"][0]["LabelCounters"],
        json!({"HumanLabeled": 0, "PendingHuman": 1, "Total": 1})
    );
}
