//! The message of a dataset: what it waits for, who has to act, or that it is done; and what else the admin should know.

use shared::change;
use shared::layout;
use shared::status::{DatasetState, DatasetStatus};

use super::crew::Crew;
use super::job::{Job, Phase};
use super::team_size::StaffingNeeds;
use super::tone::Tone;

/// Once every file that gets into a batch is in one, those that still wait are beyond the spec's limit.
pub(super) fn left_out(status: &DatasetStatus) -> u64 {
    match status.state {
        DatasetState::UpToDate => status.pending_files,
        _ => 0,
    }
}

/// The headline, and the lines that are added to it in any state.
pub(super) fn message(status: Option<&DatasetStatus>, jobs: &[Job], crew: &Crew) -> (Tone, String) {
    let (mut tone, mut message) = headline(status, jobs);
    let mut add = |line: &str| {
        if !message.contains(line) {
            message = format!("{message}\n{line}");
        }
    };
    if let Some((needs_more_people, line)) = shortage_line(jobs, crew) {
        add(&line);
        if needs_more_people {
            tone = Tone::Attention;
        }
    }
    let is_bounded =
        |status: &&DatasetStatus| left_out(status) > 0 || status.state == DatasetState::DailyBound;
    if let Some(status) = status.filter(is_bounded) {
        add(&status.message);
    }
    if let Some(line) = status.and_then(changed_files_line) {
        add(&line);
    }
    (tone, message)
}

/// Of the oldest batch whose team is too small for its items, and whether the admin has to add people: such a batch comes
/// before others.
fn shortage_line(jobs: &[Job], crew: &Crew) -> Option<(bool, String)> {
    let open = jobs.iter().rev().filter(|job| job.state != Phase::Stopping);
    let shortage = |needs: &StaffingNeeds| Some((needs.team.clone()?, crew.shortage(needs)?));
    let shortages = open.filter_map(|job| job.needs.as_ref()).filter_map(shortage);
    let (team, shortage) = shortages.min_by_key(|(_, shortage)| !shortage.needs_more_people())?;
    let line = format!("Team `{team}`: {shortage}.");
    if !shortage.needs_more_people() {
        return Some((false, line));
    }
    let file = format!("{}/{team}.yaml", layout::TEAMS);
    Some((
        true,
        format!("{line} Add people to `{file}`; a new `workers_per_item` is for new batches only."),
    ))
}

fn changed_files_line(status: &DatasetStatus) -> Option<String> {
    let (all, unclear) = (status.changed_since_batch, status.reuploaded_since_batch);
    change::sentence(&status.changed_first, all, unclear)
}

/// The most urgent first: what the admin has to do, then what workers do, then what continues by itself.
fn headline(status: Option<&DatasetStatus>, jobs: &[Job]) -> (Tone, String) {
    let Some(status) = status else {
        return (
            Tone::Waiting,
            "Files have arrived. Groundcrew reads them in a few seconds.".into(),
        );
    };
    match status.state {
        DatasetState::NoSpec | DatasetState::BadSpec | DatasetState::Halted => {
            return (Tone::Attention, status.message.clone());
        }
        DatasetState::Settling => return (Tone::Waiting, status.message.clone()),
        DatasetState::UpToDate | DatasetState::DailyBound => {}
    }
    let waits_for_next_day = status.state == DatasetState::DailyBound;
    let of_jobs = jobs_headline(jobs).map(|(tone, message)| match tone {
        Tone::Done if waits_for_next_day => (Tone::Waiting, message),
        tone => (tone, message),
    });
    of_jobs.unwrap_or_else(|| {
        let tone = if status.rejected > 0 {
            Tone::Attention
        } else {
            Tone::Waiting
        };
        (tone, status.message.clone())
    })
}

fn jobs_headline(jobs: &[Job]) -> Option<(Tone, String)> {
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
            format!("The job of batch {} failed: {reason}", job.batch),
        ));
    }
    if jobs.iter().any(|job| job.state.is_running()) {
        return Some((Tone::Working, running_line(jobs)));
    }
    let waits = |job: &&Job| matches!(job.state, Phase::WaitingForSlot | Phase::WaitingForNextDay);
    if let Some(job) = jobs.iter().find(waits) {
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
    (!jobs.is_empty()).then(|| (Tone::Done, finished_line(jobs)))
}

fn running_line(jobs: &[Job]) -> String {
    let running: Vec<&Job> = jobs.iter().filter(|job| job.state.is_running()).collect();
    let done: u64 = running
        .iter()
        .map(|job| job.counters.total_labeled + job.counters.failed)
        .sum();
    let items: u64 = running.iter().map(|job| job.items).sum();
    let each = answers_needed(&running, items);
    match (done, items) {
        (0, 1) => format!("Ready for workers: 1 item waits in the portal{each}."),
        (0, _) => format!("Ready for workers: {items} items wait in the portal{each}."),
        _ => format!("Workers are labeling: {done} of {items} items done{each}."),
    }
}

/// Without this, answers that do not complete an item yet would seem lost.
fn answers_needed(jobs: &[&Job], items: u64) -> String {
    let needs = |job: &&Job| job.needs.as_ref().map_or(1, |needs| needs.people);
    let (least, most) = (jobs.iter().map(needs).min(), jobs.iter().map(needs).max());
    let each = if items == 1 { "it" } else { "each" };
    match most {
        Some(most) if most > 1 && least == Some(most) => format!("; {each} is done after {most} answers"),
        Some(most) if most > 1 => format!("; {each} is done after {most} answers at most"),
        _ => String::new(),
    }
}

fn finished_line(jobs: &[Job]) -> String {
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
