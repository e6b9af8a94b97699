//! From facts to the model: which batch has which job, and how far it is.

use std::collections::BTreeSet;

use shared::layout;
use shared::name::{BatchNumber, DatasetName};
use shared::port::JobCounters;
use shared::status::{DatasetState, WaitingReason};

use super::crew::Crew;
use super::message::{all_there_is_to_say, left_out};
use super::{
    Batch, Dataset, Facts, Job, Labels, Link, ListedJob, Model, NOTICES, NoticeView, Phase, Tone, people,
};

/// The account's quota of jobs or one machine's: whoever reads it need not know which.
const NO_SLOT: &str =
    "Waits for a slot: as many labeling jobs are running as can at once. It starts when one ends.";

/// Concludes; reads nothing. `output_bucket` tells links into it from others.
pub fn assemble(facts: &Facts, output_bucket: &str) -> Model {
    let crew = people::assemble(&facts.crew);
    let names = dataset_names(facts);
    let datasets = names
        .iter()
        .map(|name| dataset(facts, &crew, name, output_bucket));
    let mut datasets: Vec<Dataset> = datasets.collect();
    // Stable: by name otherwise.
    datasets.sort_by_key(|dataset| dataset.tone != Tone::Attention);
    Model {
        datasets,
        notices: notices(facts),
        dead_letters: facts.dead_letters.clone(),
        crew,
        misplaced: misplaced(facts),
        problems: Vec::new(),
    }
}

/// A dataset is whatever has files, a status or a batch; one whose files were deleted still has its labels.
fn dataset_names(facts: &Facts) -> BTreeSet<DatasetName> {
    let folders = facts.folders.iter().map(String::as_str);
    let statuses = facts.statuses.values().map(|status| status.dataset.as_str());
    let mut names: BTreeSet<DatasetName> = folders
        .chain(statuses)
        .filter_map(|name| DatasetName::new(name).ok())
        .collect();
    names.extend(facts.batches.keys().map(|(dataset, _)| dataset.clone()));
    names
}

fn dataset(facts: &Facts, crew: &Crew, name: &DatasetName, output_bucket: &str) -> Dataset {
    let status = facts.statuses.get(name.as_str()).map(AsRef::as_ref);
    let mut jobs: Vec<Job> = batches_of(facts, name)
        .map(|(number, batch)| job(facts, name, number, batch, output_bucket))
        .collect();
    jobs.reverse();
    let (tone, message) = all_there_is_to_say(status, &jobs, crew);
    let rejected = status.map_or(0, |s| s.rejected);
    let left_out = status.map_or(0, left_out);
    Dataset {
        name: name.to_string(),
        state: status.map(|s| s.state),
        tone,
        message,
        check_at: status
            .filter(|s| s.state == DatasetState::Settling)
            .and_then(|s| s.check_at),
        task: status.and_then(|s| s.task.clone()),
        title: status.and_then(|s| s.title.clone()),
        team: status.and_then(|s| s.team.clone()),
        pending_files: status.map_or(0, |s| s.pending_files).saturating_sub(left_out),
        left_out,
        batches: u32::try_from(jobs.len()).unwrap_or(u32::MAX),
        items: jobs.iter().map(|job| job.items).sum(),
        blank_rows: status.map_or(0, |s| s.rows_left_out.blank),
        rejected,
        rejected_first: status.map(|s| s.rejected_first.clone()).unwrap_or_default(),
        rejected_list: (rejected > 0).then(|| layout::rejected(name)).and_then(|key| {
            facts.results.contains(&key).then(|| Link {
                label: "all rejected files".into(),
                key,
            })
        }),
        jobs,
    }
}

fn batches_of<'a>(
    facts: &'a Facts,
    name: &'a DatasetName,
) -> impl Iterator<Item = (BatchNumber, &'a Batch)> + 'a {
    let first = (name.clone(), BatchNumber::FIRST);
    let of_this = facts
        .batches
        .range(first..)
        .take_while(move |((dataset, _), _)| dataset == name);
    of_this.map(|((_, number), batch)| (*number, batch))
}

fn job(facts: &Facts, dataset: &DatasetName, number: BatchNumber, batch: &Batch, output_bucket: &str) -> Job {
    let listed = newest_job(facts, dataset, number);
    let counters = listed.map(|job| job.counters).unwrap_or_default();
    let counted = counters.total_labeled + counters.unlabeled + counters.failed;
    let items = batch.items.unwrap_or(0).max(counted);
    let state = phase(batch, listed);
    Job {
        dataset: dataset.to_string(),
        batch: number.get(),
        name: listed.map(|job| job.name.clone()),
        state,
        reason: reason(batch, listed),
        items,
        counters,
        needs: batch.needs.clone().filter(|_| !state.is_terminal()),
        progress: progress(state, counters, items),
        created: listed.map(|job| job.created),
        modified: listed.map(|job| job.modified),
        results: results(facts, dataset, number, listed, output_bucket),
        labels: facts
            .summaries
            .get(&(dataset.clone(), number))
            .map(|summary| Labels {
                per_label: summary.labels.per_label.clone(),
                mean_confidence: summary.labels.mean_confidence,
            }),
    }
}

/// A batch an operator had started again has several jobs: the newest counts.
fn newest_job<'a>(facts: &'a Facts, dataset: &DatasetName, number: BatchNumber) -> Option<&'a ListedJob> {
    let of_batch = facts
        .jobs
        .iter()
        .filter(|job| job.batch.0 == *dataset && job.batch.1 == number);
    of_batch.max_by_key(|job| job.created)
}

fn phase(batch: &Batch, listed: Option<&ListedJob>) -> Phase {
    match (listed, &batch.waiting) {
        (Some(job), _) => job.state.into(),
        (None, Some(waiting)) if !batch.started => waiting.reason.into(),
        _ => Phase::Starting,
    }
}

fn reason(batch: &Batch, listed: Option<&ListedJob>) -> Option<String> {
    match listed {
        Some(job) => job.failure_reason.clone(),
        None if batch.started => None,
        None => batch.waiting.as_ref().map(|waiting| match waiting.reason {
            WaitingReason::Quota => NO_SLOT.to_owned(),
            WaitingReason::Refused | WaitingReason::NameTaken => waiting.message.clone(),
        }),
    }
}

fn progress(state: Phase, counters: JobCounters, items: u64) -> f64 {
    if state == Phase::Completed {
        return 1.0;
    }
    let done = counters.total_labeled + counters.failed;
    if items == 0 {
        0.0
    } else {
        (done as f64 / items as f64).min(1.0)
    }
}

fn results(
    facts: &Facts,
    dataset: &DatasetName,
    number: BatchNumber,
    listed: Option<&ListedJob>,
    output_bucket: &str,
) -> Vec<Link> {
    let folder = layout::results_folder(dataset, number);
    let of_batch = facts
        .results
        .range(folder.clone()..)
        .take_while(|key| key.starts_with(&folder));
    let mut links: Vec<Link> = of_batch
        .map(|key| Link {
            label: key[folder.len()..].to_owned(),
            key: key.clone(),
        })
        .collect();
    links.sort_by_key(|link| link.label != "report.md");
    let output = listed
        .filter(|job| job.state.is_terminal())
        .and_then(|job| job.output_manifest_uri.as_deref());
    let output = output.and_then(|uri| {
        uri.strip_prefix("s3://")?
            .strip_prefix(output_bucket)?
            .strip_prefix('/')
    });
    links.extend(output.map(|key| Link {
        label: "output.manifest".into(),
        key: key.to_owned(),
    }));
    links
}

fn notices(facts: &Facts) -> Vec<NoticeView> {
    let mut notices: Vec<NoticeView> = facts
        .notices
        .iter()
        .map(|said| NoticeView {
            id: said.notice.id.clone(),
            at: said.at,
            kind: said.notice.kind,
            dataset: said.notice.dataset.clone(),
            team: said.notice.team.clone(),
            subject: said.notice.subject.clone(),
            text: said.notice.text.clone(),
        })
        .collect();
    notices.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.id.cmp(&b.id)));
    notices.truncate(NOTICES);
    notices
}

fn misplaced(facts: &Facts) -> Vec<String> {
    let loose = facts.loose.iter().map(|key| {
        format!(
            "`{}` lies in no folder: put it into the folder of a dataset, and delete this one from the bucket",
            key.escape_debug()
        )
    });
    let folders = facts.folders.iter().filter(|folder| *folder != layout::TEAMS);
    let bad = folders.filter_map(|folder| DatasetName::new(folder).err().map(|error| error.to_string()));
    loose
        .chain(bad)
        .chain(facts.crew.misnamed.iter().cloned())
        .collect()
}

#[cfg(test)]
#[path = "assemble_tests.rs"]
mod tests;
