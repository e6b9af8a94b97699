//! The ARNs of what AWS brings for its built-in tasks: which Regions have them, whose account they are in, and how
//! each is spelled.

use super::{Interface, Task};

/// The Regions that have AWS's built-in functions, and the account that owns them there (API reference,
/// HumanTaskConfig.PreHumanTaskLambdaArn). In every other Region there are no built-in tasks.
pub(super) const REGIONS: [(&str, &str); 12] = [
    ("us-east-1", "432418664414"),
    ("us-east-2", "266458841044"),
    ("us-west-2", "081040173940"),
    ("ca-central-1", "918755190332"),
    ("eu-west-1", "568282634449"),
    ("eu-west-2", "487402164563"),
    ("eu-central-1", "203001061592"),
    ("ap-northeast-1", "477331159723"),
    ("ap-northeast-2", "845288260483"),
    ("ap-south-1", "565803892007"),
    ("ap-southeast-1", "377565633583"),
    ("ap-southeast-2", "454466003867"),
];

/// Owner of AWS's own worker pages, in every Region (API reference, UiConfig.HumanTaskUiArn).
const TASK_UI_ACCOUNT: &str = "394669845002";
/// Owner of the auto-labeling algorithms, in every Region (API reference, LabelingJobAlgorithmsConfig).
const ALGORITHM_ACCOUNT: &str = "027400017018";

pub fn regions() -> impl Iterator<Item = &'static str> {
    REGIONS.iter().map(|(region, _)| *region)
}

/// What makes a worker's task of a manifest line; `None` in a Region without built-in tasks.
pub fn pre_lambda_arn(region: &str, task: Task) -> Option<String> {
    function_arn(region, "PRE", task)
}

/// What makes one label of several workers' answers.
pub fn acs_lambda_arn(region: &str, task: Task) -> Option<String> {
    function_arn(region, "ACS", task)
}

fn function_arn(region: &str, stage: &str, task: Task) -> Option<String> {
    let account = account(region)?;
    Some(format!(
        "arn:aws:lambda:{region}:{account}:function:{stage}-{}",
        task.info().suffix
    ))
}

/// AWS's own worker page, for the tasks that have one instead of a template.
pub fn task_ui_arn(region: &str, task: Task) -> Option<String> {
    let Interface::TaskUi(page) = task.info().interface else {
        return None;
    };
    account(region)?;
    Some(format!(
        "arn:aws:sagemaker:{region}:{TASK_UI_ACCOUNT}:human-task-ui/{page}"
    ))
}

pub fn auto_label_arn(region: &str, task: Task) -> Option<String> {
    let algorithm = task.info().auto_label?;
    account(region)?;
    Some(format!(
        "arn:aws:sagemaker:{region}:{ALGORITHM_ACCOUNT}:labeling-job-algorithm-specification/{algorithm}"
    ))
}

fn account(region: &str) -> Option<&'static str> {
    REGIONS
        .iter()
        .find(|(name, _)| *name == region)
        .map(|(_, account)| *account)
}
