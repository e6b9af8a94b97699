//! A folder against the deployment it would be dropped into: its team, its name, and what is in batches already.

use std::collections::BTreeMap;

use anyhow::Context as _;
use console::model::crew::Counts;
use console::model::enough::{Lacking, work_team};
use shared::crew::Roster;
use shared::layout;
use shared::manifest::origins;
use shared::name::{DatasetName, TeamName};
use shared::spec::Spec;
use shared::status::{DatasetState, DatasetStatus};
use shared::task;

use super::files::Found;
use super::finding::{Finding, judged};
use crate::cloud::Cloud;
use crate::endpoint::Target;

const TEAM: &str = "team";
const TASK: &str = "task";
const NAME: &str = "name";
const STATUS: &str = "dataset";
const ITEMS: &str = "files";

/// `text` is the folder's labeling.yaml, `files` what lies beside it.
pub(super) async fn findings(
    target: &Target,
    dataset: &DatasetName,
    (spec, text): (&Spec, &[u8]),
    files: &[Found],
) -> Vec<Finding> {
    let cloud = Cloud::new(&target.config);
    let mut all = vec![team(target, &cloud, spec).await, task(target, spec)];
    let rest = [
        (NAME, name(&cloud, dataset, text).await),
        (STATUS, status(&cloud, dataset).await),
        (ITEMS, batched(&cloud, dataset, files).await),
    ];
    for (about, found) in rest {
        all.push(found.unwrap_or_else(|error| Finding::unseen(about, format!("{error:#}"))));
    }
    all
}

async fn team(target: &Target, cloud: &Cloud, spec: &Spec) -> Finding {
    let Some(name) = work_team(&spec.team) else {
        let arn = spec.team.as_str();
        return Finding::unseen(
            TEAM,
            format!("{arn} is not a private team: AWS or a vendor has it"),
        );
    };
    let asked = target.config.labeling().describe_workteam().workteam_name(name);
    match asked.send().await {
        Ok(told) => {
            let listed = told.workteam().is_some_and(console::is_listed_alone);
            let counts = if listed { counts(cloud, name).await } else { None };
            of_people(name, spec.workers_per_item, counts)
        }
        Err(error) if is_absent(&error) => Finding::mend(TEAM, absent(cloud, name).await),
        Err(error) => Finding::of_failure(TEAM, "sagemaker:DescribeWorkteam", error),
    }
}

/// `None` where nobody knows how many people there are.
async fn counts(cloud: &Cloud, name: &str) -> Option<Counts> {
    let team = TeamName::new(name).ok()?;
    let roster: Option<Roster> = cloud.document(&layout::roster(&team)).await.ok()?;
    Some(Counts::of(&roster?))
}

fn of_people(name: &str, needed: u32, counts: Option<Counts>) -> Finding {
    let well = format!("{name} is there");
    match counts.and_then(|counts| Lacking::of(needed, counts)) {
        None => Finding::fine(TEAM, well),
        Some(lacking) if lacking.is_lasting() => Finding::mend(
            TEAM,
            format!("{well}, but {lacking}: add people to teams/{name}.yaml, or set workers_per_item lower"),
        ),
        Some(lacking) => Finding::fine(TEAM, format!("{well}; {lacking}")),
    }
}

/// The API's model names ResourceNotFound; what is answered is a ValidationException that says so in words.
fn is_absent(error: &impl aws_sdk_sagemaker::error::ProvideErrorMetadata) -> bool {
    let says = |words: &str| error.message().is_some_and(|message| message.contains(words));
    match error.code() {
        Some("ResourceNotFound") => true,
        Some("ValidationException") => says("does not exist") || says("not found") || says("Could not find"),
        _ => false,
    }
}

/// A team file that is there says that somebody is at it.
async fn absent(cloud: &Cloud, name: &str) -> String {
    let file = match TeamName::new(name) {
        Ok(team) => cloud.dropped(&layout::team_file(&team)).await.ok().flatten(),
        Err(_) => None,
    };
    if file.is_some() {
        return format!(
            "teams/{name}.yaml is there, its work team is not yet: `groundcrew status` says what it waits for"
        );
    }
    format!(
        "there is no work team `{name}`: drop teams/{name}.yaml into the input bucket first, or the batch waits for it"
    )
}

fn task(target: &Target, spec: &Spec) -> Finding {
    let region = target
        .config
        .sdk
        .region()
        .map(ToString::to_string)
        .unwrap_or_default();
    let name = spec.task.name();
    let there = target.engine || task::pre_lambda_arn(&region, spec.task).is_some();
    let wrong = format!("Ground Truth has no {name} in {region}");
    judged(
        TASK,
        (!there).then_some(wrong),
        format!("{name} can be labeled there"),
    )
}

async fn name(cloud: &Cloud, dataset: &DatasetName, text: &[u8]) -> anyhow::Result<Finding> {
    let there = cloud.dropped(&layout::spec_input(dataset)).await?;
    Ok(match there {
        None => Finding::fine(NAME, format!("{dataset} has no labeling.yaml there yet")),
        Some(there) if there.body == text => {
            Finding::fine(NAME, format!("{dataset} lies there, with this labeling.yaml"))
        }
        Some(_) => Finding::mend(
            NAME,
            format!(
                "{dataset} lies there with another labeling.yaml: dropped, this one replaces it, and all batches from then on \
                 follow it. Take another name for the folder to keep both"
            ),
        ),
    })
}

async fn status(cloud: &Cloud, dataset: &DatasetName) -> anyhow::Result<Finding> {
    let status: Option<DatasetStatus> = cloud.document(&layout::status(dataset)).await?;
    let Some(status) = status else {
        return Ok(Finding::fine(STATUS, "nothing of it has been batched"));
    };
    let stuck = matches!(status.state, DatasetState::BadSpec | DatasetState::Halted);
    let well = format!(
        "{} of {} so far. {}",
        counted(u64::from(status.batches), "batch", "batches"),
        counted(status.items, "item", "items"),
        status.message
    );
    Ok(judged(STATUS, stuck.then_some(status.message), well))
}

fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// A file is known by its key: whatever it holds by now, it is not labeled again.
async fn batched(cloud: &Cloud, dataset: &DatasetName, files: &[Found]) -> anyhow::Result<Finding> {
    let mut batched: BTreeMap<String, String> = BTreeMap::new();
    for key in cloud.keys_of_output(&layout::manifest_prefix(dataset)).await? {
        let manifest = cloud.object(&key).await?;
        let manifest = manifest.with_context(|| format!("{key} went away while it was looked at"))?;
        for origin in origins(&manifest.body) {
            let origin = origin.with_context(|| key.clone())?;
            batched.insert(origin.key, origin.etag);
        }
    }
    if batched.is_empty() {
        return Ok(Finding::fine(ITEMS, "none is in a batch"));
    }
    let there = cloud.files(&layout::dataset_prefix(dataset)).await?;
    let keys = files
        .iter()
        .filter_map(|file| Some((format!("{dataset}/{}", file.path.as_ref().ok()?), file.size)));
    let (mut known, mut changed) = (0_u64, Vec::new());
    for (key, size) in keys {
        let Some(etag) = batched.get(&key) else { continue };
        known += 1;
        if there.get(&key).is_none_or(|now| *now != (etag.clone(), size)) {
            changed.push(key);
        }
    }
    Ok(judged(
        ITEMS,
        other_than_batched(&changed),
        format!(
            "{} of the folder {} already, and not labeled again",
            counted(known, "file", "files"),
            if known == 1 {
                "is in a batch"
            } else {
                "are in batches"
            }
        ),
    ))
}

fn other_than_batched(changed: &[String]) -> Option<String> {
    let first = changed.first()?;
    let (files, they) = match changed.len() {
        1 => ("1 file is in a batch".to_owned(), "it is"),
        count => (format!("{count} files are in batches"), "they are"),
    };
    Some(format!(
        "{files} already and not, or not of that size, what was batched ({first}): {they} not labeled \
         again. Give changed files new names"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::finding::Verdict;

    #[test]
    fn a_team_too_small_for_its_items_is_to_be_mended_before_anything_is_dropped() {
        let joined = |joined, invited| Counts {
            joined,
            invited,
            ..Counts::default()
        };
        for (counts, verdict, said) in [
            (
                Some(joined(1, 0)),
                Verdict::Mend,
                "but each item needs 3 people, the team has 1: add",
            ),
            (
                Some(joined(1, 2)),
                Verdict::Fine,
                "is there; each item needs 3 people, 1 of the team's 3 has joined so far",
            ),
            (Some(joined(3, 0)), Verdict::Fine, "cats is there"),
            (None, Verdict::Fine, "cats is there"),
        ] {
            let finding = of_people("cats", 3, counts);
            assert_eq!(finding.verdict, verdict, "{finding:?}");
            assert!(finding.text.contains(said), "{finding:?}");
        }
    }

    #[test]
    fn one_file_is_told_as_one() {
        let keys = |count: usize| vec!["d/a.txt".to_owned(); count];
        assert!(other_than_batched(&[]).is_none());
        let one = other_than_batched(&keys(1)).unwrap();
        assert!(
            one.starts_with("1 file is in a batch") && one.contains("it is not"),
            "{one}"
        );
        let two = other_than_batched(&keys(2)).unwrap();
        assert!(two.starts_with("2 files are in batches"), "{two}");
        assert_eq!(counted(1, "batch", "batches"), "1 batch");
    }
}
