//! What is said of a dataset: what it waits for, who is to act, or that it is done; and what else its people should know.

use shared::change;
use shared::layout;
use shared::status::{DatasetState, DatasetStatus};

use super::crew::Crew;
use super::enough::Needs;
use super::{Job, Phase, Tone};

/// With every file in a batch that is to be in one, those that still wait are beyond the spec's limit.
pub(super) fn left_out(status: &DatasetStatus) -> u64 {
    match status.state {
        DatasetState::UpToDate => status.pending_files,
        _ => 0,
    }
}

/// The headline, and what goes beside it however far the jobs are.
pub(super) fn all_there_is_to_say(
    status: Option<&DatasetStatus>,
    jobs: &[Job],
    crew: &Crew,
) -> (Tone, String) {
    let (mut tone, mut message) = headline(status, jobs);
    let mut add = |line: &str| {
        if !message.contains(line) {
            message = format!("{message}\n{line}");
        }
    };
    if let Some((lasting, line)) = too_few(jobs, crew) {
        add(&line);
        if lasting {
            tone = Tone::Attention;
        }
    }
    if let Some(status) = status.filter(|status| left_out(status) > 0) {
        add(&status.message);
    }
    if let Some(line) = status.and_then(changed) {
        add(&line);
    }
    (tone, message)
}

/// Of the oldest batch whose team is smaller than what its items ask for, and whether it stays so unless somebody acts:
/// such a batch counts before others.
fn too_few(jobs: &[Job], crew: &Crew) -> Option<(bool, String)> {
    let open = jobs.iter().rev().filter(|job| job.state != Phase::Stopping);
    let short = |needs: &Needs| Some((needs.team.clone()?, crew.lacking(needs)?));
    let short = open.filter_map(|job| job.needs.as_ref()).filter_map(short);
    let (team, lacking) = short.min_by_key(|(_, lacking)| !lacking.is_lasting())?;
    let said = format!("Team `{team}`: {lacking}.");
    if !lacking.is_lasting() {
        return Some((false, said));
    }
    let file = format!("{}/{team}.yaml", layout::TEAMS);
    Some((
        true,
        format!("{said} Add people to `{file}`; a new `workers_per_item` is for new batches only."),
    ))
}

fn changed(status: &DatasetStatus) -> Option<String> {
    let (all, unclear) = (status.changed_since_batch, status.reuploaded_since_batch);
    change::sentence(&status.changed_first, all, unclear)
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
    let running: Vec<&Job> = jobs.iter().filter(|job| job.state.is_running()).collect();
    let done: u64 = running
        .iter()
        .map(|job| job.counters.total_labeled + job.counters.failed)
        .sum();
    let items: u64 = running.iter().map(|job| job.items).sum();
    let each = answers_each(&running, items);
    match (done, items) {
        (0, 1) => format!("Ready for workers: 1 item waits in the portal{each}."),
        (0, _) => format!("Ready for workers: {items} items wait in the portal{each}."),
        _ => format!("Workers are labeling: {done} of {items} items done{each}."),
    }
}

/// Without it, answers that do not make an item done yet would look lost.
fn answers_each(jobs: &[&Job], items: u64) -> String {
    let needs = |job: &&Job| job.needs.as_ref().map_or(1, |needs| needs.people);
    let (least, most) = (jobs.iter().map(needs).min(), jobs.iter().map(needs).max());
    let each = if items == 1 { "it" } else { "each" };
    match most {
        Some(most) if most > 1 && least == Some(most) => format!("; {each} is done after {most} answers"),
        Some(most) if most > 1 => format!("; {each} is done after {most} answers at most"),
        _ => String::new(),
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
