//! The model as text: a paragraph for each dataset, a line for each job; then teams, and a line for each person.

use std::fmt::Write as _;

use console::model::{Dataset, Job, LabelSummary, Model, Phase};

use super::crew::write_crew;
use super::mark::mark;
use crate::paint::{Paint, Style, one_line};
use crate::progress::bar;

const BAR_WIDTH: usize = 24;
const MAX_JOBS: usize = 5;
const MAX_REJECTS: usize = 5;
const MAX_NOTICES: usize = 5;

/// `everyone`: list all people, not only the first.
pub(super) fn text(model: &Model, everyone: bool, paint: Paint) -> String {
    let mut text = String::new();
    let problems = model.problems.iter().chain(&model.incomplete);
    for problem in problems.chain(&model.misplaced) {
        let _infallible = writeln!(
            text,
            "{} {}",
            paint.word(Style::Warn, "!"),
            one_line(problem, 400)
        );
    }
    if model.datasets.is_empty() {
        text.push_str(
            "No dataset yet. Drop a folder of files into the drop folder that groundcrew up names.\n",
        );
    }
    for dataset in &model.datasets {
        write_dataset(&mut text, dataset, paint);
    }
    write_crew(&mut text, &model.crew, everyone, paint);
    write_dead_letters(&mut text, model, paint);
    write_notices(&mut text, model, paint);
    text
}

fn write_dataset(text: &mut String, dataset: &Dataset, paint: Paint) {
    let (mark, style) = mark(dataset.tone);
    let name = paint.word(Style::Strong, &one_line(&dataset.name, 120));
    let facts = paint.word(Style::Dim, &facts(dataset));
    let _infallible = writeln!(text, "{} {name}  {facts}", paint.word(style, mark));
    for line in dataset.message.lines() {
        let _infallible = writeln!(text, "  {}", one_line(line, 400));
    }
    for job in dataset.jobs.iter().take(MAX_JOBS) {
        write_job(text, job, &dataset.message, paint);
    }
    if dataset.jobs.len() > MAX_JOBS {
        let older = dataset.jobs.len() - MAX_JOBS;
        let batches = if older == 1 { "batch" } else { "batches" };
        let _infallible = writeln!(text, "  … and {older} older {batches}");
    }
    write_rejects(text, dataset, paint);
    write_blank_rows(text, dataset);
    text.push('\n');
}

fn facts(dataset: &Dataset) -> String {
    let mut parts: Vec<String> = Vec::new();
    parts.extend(dataset.task.clone());
    parts.extend(
        dataset
            .team
            .as_ref()
            .map(|team| format!("team {}", one_line(team, 100))),
    );
    if dataset.pending_files > 0 {
        let files = if dataset.pending_files == 1 {
            "file"
        } else {
            "files"
        };
        parts.push(format!("{} {files} waiting", dataset.pending_files));
    }
    if dataset.left_out > 0 {
        parts.push(format!("{} beyond the limit", dataset.left_out));
    }
    parts.join(", ")
}

/// `message`: the dataset's, which is not repeated for the job.
fn write_job(text: &mut String, job: &Job, message: &str, paint: Paint) {
    let style = match job.state {
        Phase::Completed => Style::Good,
        Phase::Failed | Phase::Refused => Style::Bad,
        Phase::InProgress | Phase::Initializing => Style::Place,
        Phase::Starting
        | Phase::WaitingForSlot
        | Phase::WaitingForNextDay
        | Phase::Stopping
        | Phase::Stopped => Style::Dim,
    };
    let bar = paint.word(style, &bar(job.progress, BAR_WIDTH));
    let done = job.counters.total_labeled;
    let failed = if job.counters.failed > 0 {
        format!(", {} failed", job.counters.failed)
    } else {
        String::new()
    };
    let _infallible = writeln!(
        text,
        "  batch {:<4} {bar} {done} of {} labeled{failed}, {}{}",
        job.batch,
        job.items,
        job.state.word(),
        answers_needed(job)
    );
    if let Some(labels) = &job.labels {
        let _infallible = writeln!(text, "             {}", one_line(&label_counts(labels), 200));
    }
    if let Some(reason) = job
        .reason
        .as_ref()
        .filter(|reason| !message.contains(reason.as_str()))
    {
        let _infallible = writeln!(text, "             {}", one_line(reason, 400));
    }
}

/// An item that needs several people is not labeled when one of them has answered it.
fn answers_needed(job: &Job) -> String {
    match &job.needs {
        Some(needs) if needs.people > 1 => format!(", {} answers an item", needs.people),
        _ => String::new(),
    }
}

fn label_counts(labels: &LabelSummary) -> String {
    let counts = labels
        .per_label
        .iter()
        .map(|counted| format!("{} {}", counted.label, counted.count));
    let confidence = labels
        .mean_confidence
        .map(|mean| format!("mean confidence {mean:.2}"));
    counts.chain(confidence).collect::<Vec<_>>().join(", ")
}

fn write_rejects(text: &mut String, dataset: &Dataset, paint: Paint) {
    if dataset.rejected == 0 {
        return;
    }
    let _infallible = writeln!(
        text,
        "  {} {} rejected:",
        paint.word(Style::Warn, "!"),
        dataset.rejected
    );
    for reject in dataset.rejected_first.iter().take(MAX_REJECTS) {
        let row = reject.row.map(|row| format!(", row {row}")).unwrap_or_default();
        let place = paint.word(Style::Place, &format!("{}{row}", one_line(&reject.key, 200)));
        let _infallible = writeln!(text, "    {place}: {}", one_line(&reject.reason, 400));
    }
    if let Some(advice) = &dataset.rejected_advice {
        let _infallible = writeln!(text, "    {}", one_line(advice, 400));
    }
    if dataset.rejected > MAX_REJECTS as u64 {
        let _infallible = writeln!(
            text,
            "    … all of them in results/{}/rejected.jsonl",
            dataset.name
        );
    }
}

fn write_blank_rows(text: &mut String, dataset: &Dataset) {
    let rows = match dataset.blank_rows {
        0 => return,
        1 => "1 blank row was".to_owned(),
        rows => format!("{rows} blank rows were"),
    };
    let _infallible = writeln!(text, "  {rows} skipped");
}

fn write_dead_letters(text: &mut String, model: &Model, paint: Paint) {
    for letters in model.dead_letters.iter().filter(|letters| letters.count > 0) {
        let mark = paint.word(Style::Bad, "✗");
        let _infallible = writeln!(
            text,
            "{mark} {} of {} failed repeatedly; send them back in the console",
            if letters.count == 1 {
                "1 message".to_owned()
            } else {
                format!("{} messages", letters.count)
            },
            letters.queue
        );
    }
}

fn write_notices(text: &mut String, model: &Model, paint: Paint) {
    if model.notices.is_empty() {
        return;
    }
    let _infallible = writeln!(text, "{}", paint.word(Style::Strong, "Notices"));
    for notice in model.notices.iter().take(MAX_NOTICES) {
        let at = notice.at.strftime("%Y-%m-%d %H:%M UTC").to_string();
        let _infallible = writeln!(
            text,
            "  {}  {}",
            paint.word(Style::Dim, &at),
            one_line(&notice.subject, 120)
        );
    }
}

#[cfg(test)]
mod tests {
    use console::model::Tone;
    use console::model::team_size::StaffingNeeds;
    use shared::port::JobCounters;

    use super::*;

    #[test]
    fn a_running_job_shows_how_far_it_is() {
        let job = Job {
            dataset: "numbers".into(),
            batch: 1,
            name: Some("gc00-numbers".into()),
            state: Phase::InProgress,
            reason: None,
            items: 10,
            counters: JobCounters {
                total_labeled: 5,
                unlabeled: 5,
                ..JobCounters::default()
            },
            needs: Some(StaffingNeeds {
                people: 3,
                team: Some("numbers-team".into()),
            }),
            progress: 0.5,
            created: None,
            modified: None,
            results: Vec::new(),
            labels: None,
        };
        let dataset = Dataset {
            name: "numbers".into(),
            state: None,
            tone: Tone::Working,
            message: "Workers are labeling: 5 of 10 items done.".into(),
            check_at: None,
            task: Some("text-classification".into()),
            title: None,
            team: Some("numbers-team".into()),
            pending_files: 0,
            left_out: 2,
            batches: 1,
            items: 10,
            blank_rows: 3,
            rejected: 0,
            rejected_first: Vec::new(),
            rejected_advice: None,
            rejected_list: None,
            jobs: vec![job],
        };
        let model = Model {
            datasets: vec![dataset],
            ..Model::default()
        };
        assert_eq!(
            text(&model, false, Paint::none()),
            "● numbers  text-classification, team numbers-team, 2 beyond the limit\n  Workers are labeling: 5 of 10 items done.\n  \
             batch 1    ████████████ ··········· 5 of 10 labeled, in progress, 3 answers an item\n  \
             3 blank rows were skipped\n\n"
        );
    }

    #[test]
    fn an_empty_groundcrew_says_what_to_do() {
        assert!(text(&Model::default(), false, Paint::none()).contains("Drop a folder"));
    }
}
