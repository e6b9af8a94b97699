//! A folder against the deployment it would be dropped into: its team, its name, and what is in batches already.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use console::model::crew::Counts;
use console::model::enough::{Lacking, work_team};
use md5::{Digest as _, Md5};
use shared::change::{self, Change};
use shared::crew::Roster;
use shared::layout;
use shared::manifest::origins;
use shared::name::{DatasetName, TeamName};
use shared::spec::Spec;
use shared::status::{DatasetState, DatasetStatus};
use shared::task;

use super::files::{Found, part};
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
            "teams/{name}.yaml is there, its work team is not yet; what it waits for is said by: groundcrew status"
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
    let (mut known, mut changed, mut unclear) = (0_u64, Vec::new(), Vec::new());
    for file in files {
        let Ok(path) = &file.path else { continue };
        let key = format!("{dataset}/{path}");
        let Some(etag) = batched.get(&key) else { continue };
        known += 1;
        match since_batched(file, etag, there.get(&key))? {
            Change::Same => {}
            Change::Changed => changed.push(key),
            Change::Unclear => unclear.push(key),
        }
    }
    let of_them = (changed.len() + unclear.len()) as u64;
    changed.extend_from_slice(&unclear);
    Ok(judged(
        ITEMS,
        change::sentence(&changed, of_them, unclear.len() as u64),
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

/// Whether the file on this disk is what was batched. The ETag of an object uploaded in one piece is the MD5 of its bytes,
/// unless a key of KMS encrypts it; of others the size is compared with what is there, if that is still what was batched.
fn since_batched(file: &Found, batched: &str, there: Option<&(String, u64)>) -> anyhow::Result<Change> {
    let size_there = there.filter(|(etag, _)| etag == batched).map(|(_, size)| *size);
    if size_there.is_some_and(|size| size != file.size) {
        return Ok(Change::Changed);
    }
    if change::parts(batched) > 0 {
        return Ok(match size_there {
            Some(_) => Change::Same,
            None => Change::Unclear,
        });
    }
    Ok(match md5(&file.on_disk, file.size)? == batched {
        true => Change::Same,
        false => Change::Changed,
    })
}

fn md5(path: &Path, size: u64) -> anyhow::Result<String> {
    const PART: u64 = 1 << 20;
    let (mut hash, mut from) = (Md5::new(), 0);
    while from < size {
        let bytes = part(path, from, PART)?;
        if bytes.is_empty() {
            break;
        }
        from += bytes.len() as u64;
        hash.update(&bytes);
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
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
    fn a_file_is_compared_by_its_bytes_and_in_parts_by_its_size() {
        let folder = tempfile::tempdir().unwrap();
        let on_disk = folder.path().join("a.txt");
        std::fs::write(&on_disk, "12").unwrap();
        let file = Found {
            path: Ok("a.txt".to_owned()),
            on_disk,
            size: 2,
        };
        let (etag, other) = (
            "c20ad4d76fe97759aa27a0c99bff6710",
            "d3d9446802a44259755d38e6d163e820",
        );
        let there = |etag: &str, size| Some((etag.to_owned(), size));
        for (batched, there, change) in [
            (etag, there(etag, 2), Change::Same),
            (etag, there(other, 2), Change::Same),
            (etag, None, Change::Same),
            (other, there(other, 2), Change::Changed),
            (other, there(other, 3), Change::Changed),
            ("x-2", there("x-2", 2), Change::Same),
            ("x-2", there("x-2", 3), Change::Changed),
            ("x-2", there("y-2", 2), Change::Unclear),
            ("x-2", None, Change::Unclear),
        ] {
            assert_eq!(
                since_batched(&file, batched, there.as_ref()).unwrap(),
                change,
                "{batched} {there:?}"
            );
        }
        assert_eq!(counted(1, "batch", "batches"), "1 batch");
    }
}
