//! From facts to the model: which batch has which job, how far it is, and the one sentence that says what a
//! dataset waits for.

use std::collections::BTreeSet;

use shared::layout;
use shared::name::{BatchNumber, DatasetName};
use shared::port::JobCounters;
use shared::status::{DatasetState, DatasetStatus};

use super::{
    Batch, Dataset, Facts, Job, Labels, Link, ListedJob, Model, NOTICES, NoticeView, Phase, Tone, people,
};

/// Concludes; reads nothing. `output_bucket` tells links into it from others.
pub fn assemble(facts: &Facts, output_bucket: &str) -> Model {
    Model {
        datasets: dataset_names(facts)
            .iter()
            .map(|name| dataset(facts, name, output_bucket))
            .collect(),
        notices: notices(facts),
        dead_letters: facts.dead_letters.clone(),
        crew: people::assemble(&facts.crew),
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

fn dataset(facts: &Facts, name: &DatasetName, output_bucket: &str) -> Dataset {
    let status = facts.statuses.get(name.as_str()).map(AsRef::as_ref);
    let mut jobs: Vec<Job> = batches_of(facts, name)
        .map(|(number, batch)| job(facts, name, number, batch, output_bucket))
        .collect();
    jobs.reverse();
    let (tone, message) = headline(status, &jobs);
    let rejected = status.map_or(0, |s| s.rejected);
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
        pending_files: status.map_or(0, |s| s.pending_files),
        batches: u32::try_from(jobs.len()).unwrap_or(u32::MAX),
        items: jobs.iter().map(|job| job.items).sum(),
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
        None => batch.waiting.as_ref().map(|waiting| waiting.message.clone()),
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

/// The most urgent thing first: what somebody must do, then what workers do, then what goes by itself.
fn headline(status: Option<&DatasetStatus>, jobs: &[Job]) -> (Tone, String) {
    let Some(status) = status else {
        return (
            Tone::Waiting,
            "Files have arrived. Groundcrew looks at them in a few seconds.".into(),
        );
    };
    match status.state {
        DatasetState::NoSpec | DatasetState::BadSpec | DatasetState::Halted => {
            return (Tone::Attention, status.message.clone());
        }
        DatasetState::Settling => return (Tone::Waiting, status.message.clone()),
        DatasetState::UpToDate => {}
    }
    of_jobs(jobs).unwrap_or_else(|| {
        let tone = if status.rejected > 0 {
            Tone::Attention
        } else {
            Tone::Waiting
        };
        (tone, status.message.clone())
    })
}

fn of_jobs(jobs: &[Job]) -> Option<(Tone, String)> {
    if let Some(job) = jobs
        .iter()
        .find(|job| matches!(job.state, Phase::Refused | Phase::Failed))
    {
        let reason = job
            .reason
            .as_deref()
            .unwrap_or("the labeling service gave no reason");
        return Some((
            Tone::Attention,
            format!("The job of batch {} did not go through: {reason}", job.batch),
        ));
    }
    if jobs.iter().any(|job| job.state.is_running()) {
        return Some((Tone::Working, labelling(jobs)));
    }
    if let Some(job) = jobs.iter().find(|job| job.state == Phase::WaitingForSlot) {
        let reason = job
            .reason
            .as_deref()
            .unwrap_or("waits for a running job to finish");
        return Some((Tone::Waiting, reason.to_owned()));
    }
    if let Some(job) = jobs.iter().find(|job| job.state == Phase::Starting) {
        return Some((
            Tone::Waiting,
            format!("Starting the labeling job of batch {}.", job.batch),
        ));
    }
    (!jobs.is_empty()).then(|| (Tone::Done, finished(jobs)))
}

fn labelling(jobs: &[Job]) -> String {
    let running = jobs.iter().filter(|job| job.state.is_running());
    let (done, items) = running.fold((0, 0), |(done, items), job| {
        (
            done + job.counters.total_labeled + job.counters.failed,
            items + job.items,
        )
    });
    match (done, items) {
        (0, 1) => "Ready for workers: 1 item waits in the portal.".into(),
        (0, _) => format!("Ready for workers: {items} items wait in the portal."),
        _ => format!("Workers are labeling: {done} of {items} items done."),
    }
}

fn finished(jobs: &[Job]) -> String {
    let labeled: u64 = jobs.iter().map(|job| job.counters.total_labeled).sum();
    let items: u64 = jobs.iter().map(|job| job.items).sum();
    if labeled >= items {
        return match items {
            1 => "Done: the item is labeled.".into(),
            _ => format!("Done: all {items} items are labeled."),
        };
    }
    let open = items - labeled;
    format!("Finished: {labeled} of {items} items are labeled, {open} got no label.")
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
            "`{}` lies in no folder: put it into the folder of a dataset",
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
