//! Lines and files as Ground Truth's documentation shows them.

use serde_json::{Value, json};

use crate::desk::Desk;
use crate::testing::{TestWorld, one_answer_each, parity, worker};

async fn finish_job(change: impl FnOnce(&mut Value), answer: impl Fn(u32) -> Value) -> TestWorld {
    let world = TestWorld::default();
    world.numbers(2);
    let engine = world.engine().await;
    engine.create_team().await;
    engine.job("Numbers", change).await;
    for id in ["a", "b", "c"] {
        while let Ok(Some(lease)) = engine.work.lease(&worker(id), "Numbers").await {
            engine
                .work
                .submit(&worker(id), &lease.token, answer(lease.index))
                .await
                .unwrap();
        }
    }
    engine.wait_for_status("Numbers", "Completed").await;
    world
}

#[tokio::test]
async fn a_line_of_single_label_classification() {
    let world = finish_job(|_| {}, parity).await;
    let text = world
        .store
        .text("s3://out/labels/Numbers/manifests/output/output.manifest")
        .unwrap();
    let line = text.lines().nth(1).unwrap();
    assert!(
        line.starts_with(
            r#"{"source":"1","id":1.50,"parity":1,"parity-metadata":{"class-name":"Odd","confidence":0."#
        ),
        "{line}"
    );
    let metadata = &serde_json::from_str::<Value>(line).unwrap()["parity-metadata"];
    assert_eq!(metadata["type"], "groundtruth/text-classification");
    assert_eq!(metadata["job-name"], "labeling-job/numbers");
    assert_eq!(metadata["human-annotated"], "yes");
    assert_eq!(metadata["creation-date"], "2023-11-14T22:13:20.000000");
}

#[tokio::test]
async fn a_line_of_multi_label_classification() {
    let several = |r: &mut Value| {
        let human = &mut r["HumanTaskConfig"];
        human["PreHumanTaskLambdaArn"] =
            json!("arn:aws:lambda:us-east-1:432418664414:function:PRE-TextMultiClassMultiLabel");
        human["AnnotationConsolidationConfig"]["AnnotationConsolidationLambdaArn"] =
            json!("arn:aws:lambda:us-east-1:432418664414:function:ACS-TextMultiClassMultiLabel");
    };
    let both = |_| json!({"crowd-classifier-multi-select": {"labels": ["Odd", "Even"]}});
    let world = finish_job(several, both).await;
    let line = &world.output("Numbers")[0];
    assert_eq!(line["parity"], json!([0, 1]));
    let metadata = &line["parity-metadata"];
    assert_eq!(metadata["class-map"], json!({"0": "Even", "1": "Odd"}));
    assert!(
        metadata["confidence-map"]["0"].as_f64().unwrap() > 0.5,
        "{metadata}"
    );
    assert_eq!(metadata["type"], "groundtruth/text-classification-multilabel");
}

#[tokio::test]
async fn raw_answers_have_the_worker_and_the_times() {
    let world = finish_job(|_| {}, parity).await;
    let text = world
        .store
        .text("s3://out/labels/Numbers/annotations/worker-response/iteration-1/0/2023-11-14_22:13:20.json");
    let file: Value = serde_json::from_str(&text.unwrap()).unwrap();
    let answer = &file["answers"][0];
    assert_eq!(
        answer["answerContent"],
        json!({"crowd-classifier": {"label": "Even"}})
    );
    assert_eq!(answer["workerId"], "a");
    assert_eq!(answer["acceptanceTime"], "2023-11-14T22:13:20.000Z");
    assert_eq!(answer["timeSpentInSeconds"], 0.0);
    assert_eq!(
        answer["workerMetadata"]["identityData"],
        json!({"identityProviderType": "Cognito", "issuer": "https://cognito.example", "sub": "sub-a"})
    );
    assert_eq!(file["answers"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn consolidation_files_are_what_a_lambda_function_would_see() {
    let world = finish_job(|_| {}, parity).await;
    let at = |what: &str| {
        let folder = "s3://out/labels/Numbers/annotations/consolidated-annotation";
        let text = world.store.text(&format!(
            "{folder}/consolidation-{what}/iteration-1/2023-11-14_22:13:20.json"
        ));
        serde_json::from_str::<Value>(&text.unwrap()).unwrap()
    };
    let request = at("request");
    assert_eq!(request[1]["datasetObjectId"], "1");
    assert_eq!(request[1]["dataObject"], json!({"content": "1"}));
    assert_eq!(
        request[1]["annotations"][0]["annotationData"]["content"],
        r#"{"crowd-classifier":{"label":"Odd"}}"#
    );
    assert_eq!(
        at("response")[0]["consolidatedAnnotation"]["content"]["parity"],
        0
    );
}

#[tokio::test]
async fn a_job_on_the_output_of_another_does_the_rest() {
    let world = TestWorld::default();
    world.numbers(2);
    world.store.put_text(
        "s3://in/numbers.manifest",
        "{\"source\":\"0\",\"parity\":0,\"parity-metadata\":{\"x\":1}}\n{\"source\":\"1\",\"parity-metadata\":{\"failure-reason\":\"y\"}}\n",
    );
    let engine = world.engine().await;
    engine.create_team().await;
    engine.job("numbers", one_answer_each).await;
    assert_eq!(
        engine.answer_next(&worker("a"), "numbers").await.unwrap(),
        Some(1)
    );
    let job = engine.wait_for_status("numbers", "Completed").await;
    assert_eq!(
        (
            &job["LabelCounters"]["TotalLabeled"],
            &job["LabelCounters"]["HumanLabeled"]
        ),
        (&json!(2), &json!(1))
    );
    let output = world.output("numbers");
    assert_eq!(output[0]["parity-metadata"], json!({"x": 1}));
    assert_eq!(
        (
            &output[1]["parity"],
            output[1]["parity-metadata"].get("failure-reason")
        ),
        (&json!(1), None)
    );
}
