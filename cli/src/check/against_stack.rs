//! Checks a folder against the deployment it would be dropped into: its team, its name, and what is in batches already.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use console::model::crew::Counts;
use console::model::team_size::{StaffShortage, private_team_name};
use md5::{Digest as _, Md5};
use shared::change::{self, Change};
use shared::crew::Roster;
use shared::documents::{exists, list_all};
use shared::layout;
use shared::manifest::Link;
use shared::manifest::origins;
use shared::name::{DatasetName, TeamName};
use shared::port::{Bucket, Object, Store as _};
use shared::spec::Spec;
use shared::status::{DatasetState, DatasetStatus};
use shared::task;

use super::files::{LocalFile, read_range};
use super::finding::{Finding, judge};
use crate::services::Services;
use crate::target::Target;

const TEAM: &str = "team";
const TASK: &str = "task";
const NAME: &str = "name";
const STATUS: &str = "dataset";
const ITEMS: &str = "files";
const LINKS: &str = "links";
/// Links that are checked, with one request each.
const MAX_CHECKED_LINKS: usize = 200;

/// `text`: the folder's labeling.yaml; `files`: all files of the folder.
pub(super) async fn findings(
    target: &Target,
    dataset: &DatasetName,
    (spec, text): (&Spec, &[u8]),
    files: &[LocalFile],
    links: &[Link],
) -> Vec<Finding> {
    let services = Services::new(&target.config);
    let mut all = vec![check_team(&services, spec).await, check_task(target, spec)];
    let rest = [
        (NAME, check_name(&services, dataset, text).await),
        (STATUS, check_status(&services, dataset).await),
        (ITEMS, check_files(&services, dataset, files).await),
    ];
    for (about, finding) in rest {
        all.push(finding.unwrap_or_else(|error| Finding::unknown(about, format!("{error:#}"))));
    }
    if !links.is_empty() {
        all.push(check_links(&services, links).await);
    }
    all
}

/// Whether there are the objects that lines of manifests point to outside of the folder.
async fn check_links(services: &Services, links: &[Link]) -> Finding {
    let (mut missing, mut checked) = (Vec::new(), 0);
    for link in links.iter().take(MAX_CHECKED_LINKS) {
        match services.exists(&link.bucket, &link.key).await {
            Ok(true) => {}
            Ok(false) => missing.push(format!("s3://{}/{}", link.bucket, link.key)),
            Err(error) => return Finding::unknown(LINKS, format!("{error:#}")),
        }
        checked += 1;
    }
    let of = match links.len() - checked {
        0 => count_text(checked as u64, "link", "links"),
        _ => format!("the first {checked} links"),
    };
    let wrong = missing.first().map(|first| {
        format!(
            "of {of}, {} to no object: the first is `{first}`. Put the objects there first, or their lines are rejected",
            match missing.len() {
                1 => "1 leads".to_owned(),
                count => format!("{count} lead"),
            }
        )
    });
    let fine = format!("{of} out of the folder: each object is there");
    judge(LINKS, wrong, fine)
}

async fn check_team(services: &Services, spec: &Spec) -> Finding {
    let Some(name) = private_team_name(&spec.team) else {
        let arn = spec.team.as_str();
        let text = format!("{arn} is not a private team, so its people are not known");
        return Finding::unknown(TEAM, text);
    };
    match services.work_team(name).await {
        Ok(Some(there)) => {
            let only_listed = console::has_only_listed_people(&there.team);
            let counts = if only_listed {
                member_counts(services, name).await
            } else {
                None
            };
            team_size_finding(name, spec.workers_per_item, counts)
        }
        Ok(None) => Finding::fix(TEAM, missing_team(services, name).await),
        Err(error) => Finding::unknown(TEAM, format!("{error:#}")),
    }
}

/// `None` where the number of people is not known.
async fn member_counts(services: &Services, name: &str) -> Option<Counts> {
    let team = TeamName::new(name).ok()?;
    let roster: Option<Roster> = services.document(&layout::roster(&team)).await.ok()?;
    Some(Counts::of(&roster?))
}

fn team_size_finding(name: &str, needed: u32, counts: Option<Counts>) -> Finding {
    let fine = format!("{name} is there");
    match counts.and_then(|counts| StaffShortage::of(needed, counts)) {
        None => Finding::fine(TEAM, fine),
        Some(shortage) if shortage.needs_more_people() => Finding::fix(
            TEAM,
            format!("{fine}, but {shortage}: add people to teams/{name}.yaml, or set workers_per_item lower"),
        ),
        Some(shortage) => Finding::fine(TEAM, format!("{fine}; {shortage}")),
    }
}

/// Where its team file is there, the work team is being made.
async fn missing_team(services: &Services, name: &str) -> String {
    let key = TeamName::new(name).map(|team| layout::team_file(&team));
    let has_file = match key {
        Ok(key) => exists(&services.store, Bucket::Input, &key)
            .await
            .unwrap_or(false),
        Err(_) => false,
    };
    if has_file {
        return format!(
            "teams/{name}.yaml is there, but not yet its work team; to see what it waits for: groundcrew status"
        );
    }
    format!(
        "there is no work team `{name}`: drop teams/{name}.yaml into the input bucket first, or the batch waits for it"
    )
}

fn check_task(target: &Target, spec: &Spec) -> Finding {
    let region = target.region();
    let name = spec.task.name();
    let is_there = target.is_engine || task::pre_lambda_arn(&region, spec.task).is_some();
    let wrong = format!("Ground Truth has no {name} in {region}");
    judge(
        TASK,
        (!is_there).then_some(wrong),
        format!("{name} can be labeled there"),
    )
}

async fn check_name(services: &Services, dataset: &DatasetName, text: &[u8]) -> anyhow::Result<Finding> {
    let key = layout::spec_input(dataset);
    let there = services.store.get(Bucket::Input, &key, None).await?;
    Ok(match there {
        None => Finding::fine(NAME, format!("{dataset} has no labeling.yaml there yet")),
        Some(there) if there.bytes == text => {
            Finding::fine(NAME, format!("{dataset} is there, with this labeling.yaml"))
        }
        Some(_) => Finding::fix(
            NAME,
            format!(
                "{dataset} is there with another labeling.yaml: this one would replace it for all new batches. To keep both, give \
                 the folder another name"
            ),
        ),
    })
}

async fn check_status(services: &Services, dataset: &DatasetName) -> anyhow::Result<Finding> {
    let status: Option<DatasetStatus> = services.document(&layout::status(dataset)).await?;
    let Some(status) = status else {
        return Ok(Finding::fine(STATUS, "nothing of it is in a batch"));
    };
    let is_stuck = matches!(status.state, DatasetState::BadSpec | DatasetState::Halted);
    let fine = format!(
        "{} of {} so far. {}",
        count_text(u64::from(status.batches), "batch", "batches"),
        count_text(status.items, "item", "items"),
        status.message
    );
    Ok(judge(STATUS, is_stuck.then_some(status.message), fine))
}

fn count_text(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// A file is identified by its key: if it is in a batch, it is not labeled again, even with other content.
async fn check_files(
    services: &Services,
    dataset: &DatasetName,
    files: &[LocalFile],
) -> anyhow::Result<Finding> {
    let mut batched: BTreeMap<String, String> = BTreeMap::new();
    let prefix = layout::manifest_prefix(dataset);
    for Object { key, .. } in list_all(&services.store, Bucket::Output, &prefix).await? {
        let manifest = services.object(&key).await?;
        let manifest = manifest.with_context(|| format!("{key} was deleted while it was read"))?;
        for origin in origins(&manifest.bytes) {
            let origin = origin.with_context(|| key.clone())?;
            batched.insert(origin.key, origin.etag);
        }
    }
    if batched.is_empty() {
        return Ok(Finding::fine(ITEMS, "none is in a batch"));
    }
    let prefix = layout::dataset_prefix(dataset);
    let there = list_all(&services.store, Bucket::Input, &prefix)
        .await?
        .into_iter();
    let there: BTreeMap<String, (String, u64)> = there
        .map(|object| (object.key, (object.etag, object.size)))
        .collect();
    let (mut known, mut changed, mut unclear) = (0_u64, Vec::new(), Vec::new());
    for file in files {
        let Ok(path) = &file.path else { continue };
        let key = format!("{dataset}/{path}");
        let Some(etag) = batched.get(&key) else { continue };
        known += 1;
        match change_since_batch(file, etag, there.get(&key))? {
            Change::Same => {}
            Change::Changed => changed.push(key),
            Change::Unclear => unclear.push(key),
        }
    }
    let count = (changed.len() + unclear.len()) as u64;
    changed.extend_from_slice(&unclear);
    Ok(judge(
        ITEMS,
        change::sentence(&changed, count, unclear.len() as u64),
        format!(
            "{} of the folder {} already, and not labeled again",
            count_text(known, "file", "files"),
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
fn change_since_batch(
    file: &LocalFile,
    batched: &str,
    there: Option<&(String, u64)>,
) -> anyhow::Result<Change> {
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
        let bytes = read_range(path, from, PART)?;
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
    fn a_team_that_is_too_small_has_to_be_fixed_before_anything_is_dropped() {
        let joined = |joined, invited| Counts {
            joined,
            invited,
            ..Counts::default()
        };
        for (counts, verdict, part) in [
            (
                Some(joined(1, 0)),
                Verdict::Fix,
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
            let finding = team_size_finding("cats", 3, counts);
            assert_eq!(finding.verdict, verdict, "{finding:?}");
            assert!(finding.text.contains(part), "{finding:?}");
        }
    }

    #[test]
    fn a_file_is_compared_by_its_bytes_and_in_parts_by_its_size() {
        let folder = tempfile::tempdir().unwrap();
        let on_disk = folder.path().join("a.txt");
        std::fs::write(&on_disk, "12").unwrap();
        let file = LocalFile {
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
                change_since_batch(&file, batched, there.as_ref()).unwrap(),
                change,
                "{batched} {there:?}"
            );
        }
        assert_eq!(count_text(1, "batch", "batches"), "1 batch");
    }
}
