//! From a spec and a batch to the labeling job: everything CreateLabelingJob needs, and the two files it
//! points to.

use crate::bounds::{Bounds, BoundsError};
use crate::layout;
use crate::name::{BatchNumber, DatasetName, JobName, JobPrefix};
use crate::port::JobRequest;
use crate::spec::{Label, Spec, StopAfter, Team, is_tag_char};
use crate::task;
use crate::template::{self, Images, MAX_CHARS};

/// Where Groundcrew runs, and with what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stack {
    pub region: String,
    pub account: String,
    /// `aws` but for the few Regions apart.
    pub partition: String,
    pub prefix: JobPrefix,
    pub input_bucket: String,
    pub output_bucket: String,
    pub labeling_role_arn: String,
    pub bounds: Bounds,
}

/// A labeling job and the two files it points to, still to be written.
#[derive(Clone, Debug, PartialEq)]
pub struct JobPlan {
    pub request: JobRequest,
    /// Liquid HTML, for [`layout::job_template`].
    pub template: String,
    /// JSON, for [`layout::job_categories`].
    pub categories: String,
}

/// Why there can be no such job in this stack. None of these goes away by itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    #[error(
        "the labeling service has no built-in tasks in {region}: deploy the stack in one of {}",
        task::regions().collect::<Vec<_>>().join(", ")
    )]
    Region { region: String },
    #[error(
        "the work team {arn} is in another Region than this stack ({region}): name a work team of {region}"
    )]
    TeamRegion { arn: String, region: String },
    #[error(transparent)]
    NotAllowed(#[from] BoundsError),
    #[error("the worker page has more than {MAX_CHARS} characters: shorten the instructions")]
    TemplateTooLong,
    #[error(
        "the image {uri} cannot be shown in instructions: copy it to a key of letters, digits and `-_./`"
    )]
    Image { uri: String },
}

/// The job of a batch. The same input always gives the same plan, so that starting it twice starts it once.
pub fn plan(
    spec: &Spec,
    dataset: &DatasetName,
    batch: BatchNumber,
    stack: &Stack,
) -> Result<JobPlan, PlanError> {
    stack.bounds.check(spec, dataset)?;
    let images = Images::of(&stack.input_bucket, dataset);
    let template = template::render(spec, &images).map_err(|image| PlanError::Image { uri: image.0 })?;
    if template.chars().count() > MAX_CHARS {
        return Err(PlanError::TemplateTooLong);
    }
    Ok(JobPlan {
        request: request(spec, dataset, batch, stack)?,
        template,
        categories: categories(&spec.labels),
    })
}

fn request(
    spec: &Spec,
    dataset: &DatasetName,
    batch: BatchNumber,
    stack: &Stack,
) -> Result<JobRequest, PlanError> {
    let no_tasks = || PlanError::Region {
        region: stack.region.clone(),
    };
    let uri = |key: String| format!("s3://{}/{key}", stack.output_bucket);
    let (max_human_labeled, max_percentage) = match spec.stop_after {
        Some(StopAfter::Items(items)) => (Some(items), None),
        Some(StopAfter::Percent(percent)) => (None, Some(percent)),
        None => (None, None),
    };
    Ok(JobRequest {
        name: JobName::new(&stack.prefix, dataset, batch).to_string(),
        label_attribute: spec.label_attribute(dataset),
        manifest_uri: uri(layout::manifest(dataset, batch)),
        output_uri: uri(layout::LABELS.to_owned()),
        output_kms_key: spec.kms_key.clone(),
        role_arn: stack.labeling_role_arn.clone(),
        label_categories_uri: uri(layout::job_categories(dataset, batch)),
        max_human_labeled,
        max_percentage,
        workteam_arn: workteam_arn(&spec.team, stack)?,
        ui_template_uri: uri(layout::job_template(dataset, batch)),
        pre_lambda_arn: task::pre_lambda_arn(&stack.region, spec.task).ok_or_else(no_tasks)?,
        consolidation_lambda_arn: task::acs_lambda_arn(&stack.region, spec.task).ok_or_else(no_tasks)?,
        title: spec.title.clone(),
        description: spec.description.clone(),
        // Only the public workforce, which is closed, searched by them.
        keywords: Vec::new(),
        workers_per_item: spec.workers_per_item,
        task_timeout: whole_seconds(spec.task_timeout),
        task_expiration: whole_seconds(spec.task_expiration),
        max_concurrent_tasks: spec.max_concurrent_tasks,
        tags: tags(spec, dataset, batch),
    })
}

/// The spec's limits are days, far from what would be cut off here.
fn whole_seconds(duration: std::time::Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}

fn workteam_arn(team: &Team, stack: &Stack) -> Result<String, PlanError> {
    let Stack {
        region,
        account,
        partition,
        ..
    } = stack;
    if let Team::Arn(arn) = team
        && arn.split(':').nth(4) != Some(account)
    {
        stack.bounds.check_team(arn)?;
    }
    match team {
        Team::Name(name) => Ok(format!(
            "arn:{partition}:sagemaker:{region}:{account}:workteam/private-crowd/{name}"
        )),
        Team::Arn(arn) if arn.split(':').nth(3) == Some(region) => Ok(arn.clone()),
        Team::Arn(arn) => Err(PlanError::TeamRegion {
            arn: arn.clone(),
            region: region.clone(),
        }),
    }
}

/// The spec's tags and two of our own, by which costs and jobs are found.
fn tags(spec: &Spec, dataset: &DatasetName, batch: BatchNumber) -> Vec<(String, String)> {
    let dataset = dataset
        .as_str()
        .chars()
        .map(|c| if is_tag_char(c) { c } else { '_' })
        .collect();
    let own = [
        ("groundcrew:dataset".to_owned(), dataset),
        ("groundcrew:batch".to_owned(), batch.to_string()),
    ];
    spec.tags.iter().cloned().chain(own).collect()
}

/// Label category configuration file, version 2018-11-28 (developer guide, "Create a labeling category
/// configuration file"). The guide's samples lack a comma; the service reads JSON.
fn categories(labels: &[Label]) -> String {
    let labels: Vec<_> = labels
        .iter()
        .map(|label| serde_json::json!({ "label": label.name }))
        .collect();
    serde_json::json!({ "document-version": "2018-11-28", "labels": labels }).to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stack(region: &str) -> Stack {
        Stack {
            region: region.to_owned(),
            account: "111122223333".to_owned(),
            partition: "aws".to_owned(),
            prefix: JobPrefix::new("gc00").unwrap(),
            input_bucket: "in".to_owned(),
            output_bucket: "out".to_owned(),
            labeling_role_arn: "arn:aws:iam::111122223333:role/labeling".to_owned(),
            bounds: Bounds {
                kms_keys: vec!["alias/k".to_owned()],
                tag_keys: vec!["project".to_owned()],
                ..Bounds::strictest("in", "out")
            },
        }
    }

    fn spec(more: &str) -> Spec {
        let text = format!("task: text-classification\nlabels: [Even, Odd]\ntitle: Even or odd?\n{more}\n");
        Spec::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{error}"))
    }

    fn plan_of(spec: &Spec, dataset: &str, stack: &Stack) -> Result<JobPlan, PlanError> {
        plan(
            spec,
            &DatasetName::new(dataset).unwrap(),
            BatchNumber::FIRST,
            stack,
        )
    }

    #[test]
    fn a_plan_says_everything_the_service_is_to_be_told() {
        let more = "team: crew\nstop_after: {items: 7}\nkms_key: alias/k\ntags: {project: parity}";
        let request = plan_of(&spec(more), "Numbers (1)", &stack("eu-west-1"))
            .unwrap()
            .request;
        insta::assert_debug_snapshot!(request);
    }

    #[test]
    fn a_stack_without_built_in_tasks_or_with_a_team_elsewhere_is_refused() {
        let error = plan_of(&spec("team: crew"), "d", &stack("us-west-1")).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("no built-in tasks in us-west-1: deploy the stack in one of us-east-1")
        );
        let team = "team: arn:aws:sagemaker:us-east-2:111122223333:workteam/private-crowd/crew";
        let error = plan_of(&spec(team), "d", &stack("us-east-1")).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("another Region than this stack (us-east-1)"),
            "{error}"
        );
        let request = plan_of(&spec(team), "d", &stack("us-east-2")).unwrap().request;
        assert_eq!(format!("team: {}", request.workteam_arn), team);
    }

    #[test]
    fn the_same_batch_always_gets_the_same_plan() {
        let (spec, stack) = (spec("team: crew"), stack("us-east-1"));
        assert_eq!(plan_of(&spec, "d", &stack), plan_of(&spec, "d", &stack));
    }

    proptest! {
        #[test]
        fn any_label_survives_into_the_categories(names in prop::collection::btree_set("\\PC{1,40}", 2..6)) {
            let labels: Vec<Label> = names.iter().map(|n| Label { name: n.clone(), ..Label::default() }).collect();
            let file: serde_json::Value = serde_json::from_str(&categories(&labels)).unwrap();
            prop_assert_eq!(&file["document-version"], "2018-11-28");
            let read: Vec<&str> = file["labels"].as_array().unwrap().iter().map(|l| l["label"].as_str().unwrap()).collect();
            prop_assert_eq!(read, names.iter().map(String::as_str).collect::<Vec<_>>());
        }

        #[test]
        fn a_label_written_in_a_spec_arrives_as_it_is(name in "[^\\pC\\pZ]{1,40}") {
            let quoted = serde_json::to_string(&name).unwrap();
            let text = format!("task: text-classification\nteam: t\ntitle: x\nlabels: [{quoted}, 'the other one']\n");
            let spec = Spec::parse(text.as_bytes()).map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(&spec.labels[0].name, &name);
        }

        #[test]
        fn a_job_fits_the_services_rules_whatever_the_dataset_is_called(dataset in "[^/\\pC]{1,60}") {
            if let Ok(dataset) = DatasetName::new(&dataset) {
                let request = plan(&spec("team: crew"), &dataset, BatchNumber::FIRST, &stack("us-east-1")).unwrap().request;
                prop_assert!(request.name.len() <= 63 && request.label_attribute.len() <= 127);
                prop_assert!(request.manifest_uri.chars().count() <= 1024);
                prop_assert!(request.tags.iter().all(|(_, value)| value.chars().all(is_tag_char)));
            }
        }
    }
}
