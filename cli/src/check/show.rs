//! What `check` says, for people and for programs.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};
use shared::spec::{Spec, SpecError};

use super::Outcome;
use super::assess::Findings;
use crate::paint::{Look, Paint, lines, one_line};

/// Rejects listed on a terminal; `--json` has more.
const LISTED: usize = 20;

pub(super) fn text(outcome: &Outcome, paint: Paint) -> String {
    let mut text = String::new();
    match &outcome.spec {
        Err(error) => {
            let mark = paint.word(Look::Bad, "✗");
            let _infallible = write!(
                text,
                "{mark} {}\n\nNothing would be labeled: fix labeling.yaml first.\n",
                lines(&error.to_string())
            );
        }
        Ok(spec) => {
            about_spec(&mut text, &outcome.dataset, spec, paint);
            if let Some(found) = &outcome.findings {
                about_files(&mut text, found, spec, paint);
            }
        }
    }
    text
}

fn about_spec(text: &mut String, dataset: &str, spec: &Spec, paint: Paint) {
    let labels: Vec<&str> = spec.labels.iter().map(|label| label.name.as_str()).collect();
    let name = paint.word(Look::Strong, &one_line(dataset, 255));
    let mark = paint.word(Look::Good, "✓");
    let people = match spec.workers_per_item {
        1 => "1 person".to_owned(),
        count => format!("{count} different people"),
    };
    let _infallible = write!(
        text,
        "{mark} {name}: labeling.yaml is fine\n  {}, labels: {}\n  “{}”, each item for {people} of team {}\n",
        spec.task.name(),
        one_line(&labels.join(", "), 200),
        one_line(&spec.title, 128),
        one_line(spec.team.as_str(), 128),
    );
}

fn about_files(text: &mut String, found: &Findings, spec: &Spec, paint: Paint) {
    let mark = if found.items > 0 {
        paint.word(Look::Good, "✓")
    } else {
        paint.word(Look::Bad, "✗")
    };
    let items = counted(found.items, "item");
    let batches = match found.batches {
        1 => "1 batch".to_owned(),
        count => format!("{count} batches"),
    };
    let _infallible = writeln!(text, "{mark} {items} in {batches}, from {}", sources(found));
    for sample in &found.samples {
        let place = paint.word(Look::Place, &place(&sample.path, sample.row));
        let _infallible = writeln!(text, "  {place}: {}", one_line(sample.item.trim(), 100));
    }
    let more = found.items.saturating_sub(found.samples.len() as u64);
    if more > 0 {
        let _infallible = writeln!(text, "  {}", paint.word(Look::Dim, &format!("… and {more} more")));
    }
    about_rejects(text, found, paint);
    let what_next = if found.items > 0 {
        format!(
            "Dropped, it would start after {} without a new file.",
            span(spec.batch.quiet)
        )
    } else {
        "There is nothing to label here.".to_owned()
    };
    let _infallible = writeln!(text, "\n{what_next}");
}

fn sources(found: &Findings) -> String {
    let by_hand = if found.manual {
        " (from manifests made by hand alone)".to_owned()
    } else if found.manifests > 0 {
        let many = if found.manifests == 1 {
            "is a manifest"
        } else {
            "are manifests"
        };
        format!(
            " ({} of them {many}: what its lines point to is labelled)",
            found.manifests
        )
    } else {
        String::new()
    };
    let mut parts = vec![counted(found.files, "file") + &by_hand];
    match found.blank_rows {
        0 => {}
        1 => parts.push("1 blank row passed over".to_owned()),
        rows => parts.push(format!("{rows} blank rows passed over")),
    }
    if found.not_selected > 0 {
        parts.push(format!("{} not selected", found.not_selected));
    }
    if found.ignored > 0 {
        parts.push(format!("{} ignored", found.ignored));
    }
    parts.join(", ")
}

fn about_rejects(text: &mut String, found: &Findings, paint: Paint) {
    if found.rejected == 0 {
        return;
    }
    let mark = paint.word(Look::Warn, "!");
    let _infallible = writeln!(text, "{mark} {} would be rejected:", found.rejected);
    for reject in found.rejected_first.iter().take(LISTED) {
        let place = paint.word(Look::Place, &place(&reject.path, reject.row));
        let _infallible = writeln!(text, "  {place}: {}", one_line(&reject.reason, 400));
    }
    let more = found.rejected.saturating_sub(LISTED as u64);
    if more > 0 {
        let _infallible = writeln!(text, "  … and {more} more; --json lists them");
    }
    if found.rejected_first.iter().any(|reject| reject.row.is_some()) {
        // Once the others are in a batch, the file is not read again.
        let _infallible = writeln!(
            text,
            "  Fix rows and lines before the file is dropped. After that, put the fixed ones alone into a file of another name."
        );
    }
}

fn place(path: &str, row: Option<u64>) -> String {
    let path = one_line(path, 200);
    row.map_or(path.clone(), |row| format!("{path}, row {row}"))
}

fn counted(count: u64, what: &str) -> String {
    if count == 1 {
        format!("1 {what}")
    } else {
        format!("{count} {what}s")
    }
}

pub(crate) fn span(duration: Duration) -> String {
    match duration.as_secs() {
        seconds if seconds < 60 || seconds % 60 != 0 => format!("{seconds} s"),
        seconds => format!("{} min", seconds / 60),
    }
}

pub(super) fn json(outcome: &Outcome) -> Value {
    let spec = match &outcome.spec {
        Ok(spec) => about(spec),
        Err(error) => json!({ "error": problem(error) }),
    };
    json!({
        "dataset": outcome.dataset,
        "ok": outcome.is_good(),
        "spec": spec,
        "found": outcome.findings,
    })
}

fn about(spec: &Spec) -> Value {
    json!({
        "task": spec.task.name(),
        "labels": spec.labels.iter().map(|label| &label.name).collect::<Vec<_>>(),
        "team": spec.team.as_str(),
        "title": spec.title,
        "workers_per_item": spec.workers_per_item,
    })
}

fn problem(error: &SpecError) -> Value {
    json!({ "line": error.line, "column": error.column, "message": error.message, "hint": error.hint })
}
