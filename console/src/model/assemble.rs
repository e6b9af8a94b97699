//! Makes the model from the facts: which batch has which job, and how far it is.

use std::collections::BTreeSet;

use shared::layout;
use shared::name::{BatchNumber, DatasetName};
use shared::notice::reject_advice;
use shared::port::JobCounters;
use shared::status::{DatasetState, DatasetStatus, WaitingReason};

use super::crew::Crew;
use super::dataset::Dataset;
use super::facts::{Batch, Facts, ListedJob};
use super::headline::{left_out, message};
use super::job::{Job, LabelSummary, ObjectLink, Phase};
use super::messages::NoticeView;
use super::people;
use super::stack::{Model, NOTICES};
use super::tone::Tone;

/// True of the account's quota of jobs and of one machine's.
const NO_SLOT: &str = "Waits for a slot: no more labeling jobs can run at once. It starts when one ends.";

/// Reads nothing. `output_bucket` is needed to recognise links into it.
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
        misplaced: misplaced_files(facts),
        problems: Vec::new(),
        incomplete: Vec::new(),
    }
}

/// A dataset has files, a status or a batch; one whose files were deleted still has its labels.
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
    let (tone, message) = message(status, &jobs, crew);
    let rejected = status.map_or(0, |s| s.rejected);
    let left_out = status.map_or(0, left_out);
    Dataset {
        name: name.to_string(),
        state: status.map(|s| s.state),
        tone,
        message,
        check_at: status
            .filter(|s| matches!(s.state, DatasetState::Settling | DatasetState::DailyBound))
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
        rejected_advice: status.and_then(rejected_advice),
        rejected_list: (rejected > 0).then(|| layout::rejects(name)).and_then(|key| {
            facts.results.contains(&key).then(|| ObjectLink {
                label: "all rejected files".into(),
                key,
            })
        }),
        jobs,
    }
}

/// On one line, as a page breaks lines itself.
fn rejected_advice(status: &DatasetStatus) -> Option<String> {
    let advice = reject_advice(&status.rejected_first);
    let lines: Vec<&str> = advice.lines().collect();
    (!lines.is_empty()).then(|| lines.join(" "))
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
            .map(|summary| LabelSummary {
                per_label: summary.labels.per_label.clone(),
                mean_confidence: summary.labels.mean_confidence,
            }),
    }
}

/// A batch that an operator started again has several jobs: the newest counts.
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
            WaitingReason::DailyBound => format!("Waits for the next day: {}.", waiting.message),
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
) -> Vec<ObjectLink> {
    let folder = layout::results_folder(dataset, number);
    let of_batch = facts
        .results
        .range(folder.clone()..)
        .take_while(|key| key.starts_with(&folder));
    let mut links: Vec<ObjectLink> = of_batch
        .map(|key| ObjectLink {
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
    links.extend(output.map(|key| ObjectLink {
        label: "output.manifest".into(),
        key: key.to_owned(),
    }));
    links
}

fn notices(facts: &Facts) -> Vec<NoticeView> {
    let mut notices: Vec<NoticeView> = facts
        .notices
        .iter()
        .map(|notified| NoticeView {
            id: notified.notice.id.clone(),
            at: notified.at,
            kind: notified.notice.kind,
            dataset: notified.notice.dataset.clone(),
            team: notified.notice.team.clone(),
            subject: notified.notice.subject.clone(),
            text: notified.notice.text.clone(),
        })
        .collect();
    notices.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.id.cmp(&b.id)));
    notices.truncate(NOTICES);
    notices
}

fn misplaced_files(facts: &Facts) -> Vec<String> {
    let loose = facts.loose.iter().map(|key| {
        format!(
            "`{}` is in no folder: put it into the folder of a dataset, and delete this one from the bucket",
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
mod tests;
