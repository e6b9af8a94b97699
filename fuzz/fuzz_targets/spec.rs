//! `labeling.yaml`: any bytes are a spec or an error that names its place, and a spec's job is within the service's limits.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shared::job::{PlanError, Stack, plan};
use shared::name::{BatchNumber, DatasetName, JobPrefix};
use shared::spec::Spec;

fuzz_target!(|text: &[u8]| {
    match Spec::parse(text) {
        Ok(spec) => check_plan(&spec),
        Err(error) => {
            let message = error.to_string();
            assert!(message.len() < 16 * 1024, "an error of {} bytes", message.len());
        }
    }
});

fn check_plan(spec: &Spec) {
    spec.select.selects("a/b c.txt");
    let dataset = DatasetName::new("numbers").unwrap();
    let job = match plan(spec, &dataset, BatchNumber::FIRST, &stack()) {
        Ok(job) => job,
        Err(error) => return assert!(!matches!(error, PlanError::Region { .. }), "{error}"),
    };
    // https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_HumanTaskConfig.html
    let (request, chars) = (&job.request, |text: &str| text.chars().count());
    assert!((1..=128).contains(&chars(&request.title)), "{}", request.title);
    assert!(
        (1..=255).contains(&chars(&request.description)),
        "{}",
        request.description
    );
    assert!(
        (1..=127).contains(&chars(&request.label_attribute)),
        "{}",
        request.label_attribute
    );
    assert!((1..=9).contains(&request.workers_per_item));
    assert!(request.task_timeout >= 30 && request.task_timeout <= request.task_expiration);
    assert!(chars(&job.template) <= 128_000);
    let categories: serde_json::Value = serde_json::from_str(&job.categories).unwrap();
    let listed = categories["labels"].as_array().unwrap().iter();
    let listed: Vec<_> = listed.map(|label| label["label"].as_str().unwrap()).collect();
    let meant: Vec<_> = spec.labels.iter().map(|label| label.name.as_str()).collect();
    assert_eq!(listed, meant);
}

fn stack() -> Stack {
    Stack {
        region: "us-east-1".to_owned(),
        account: "111122223333".to_owned(),
        partition: "aws".to_owned(),
        prefix: JobPrefix::new("gc00").unwrap(),
        input_bucket: "in".to_owned(),
        output_bucket: "out".to_owned(),
        labeling_role_arn: "arn:aws:iam::111122223333:role/labeling".to_owned(),
        bounds: shared::bounds::Bounds::strictest("in", "out"),
    }
}
