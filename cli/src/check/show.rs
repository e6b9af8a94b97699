//! What `check` says, for people and for programs.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};
use shared::spec::{Spec, SpecError};

use super::assess::FolderContents;
use super::folder::FolderCheck;
use crate::paint::{Paint, Style, lines, one_line};

/// Rejects listed on a terminal; `--json` has more.
const MAX_LISTED: usize = 20;

pub(super) fn text(folder: &FolderCheck, paint: Paint) -> String {
    let mut text = String::new();
    match &folder.spec {
        Err(error) => {
            let mark = paint.word(Style::Bad, "✗");
            let _infallible = write!(
                text,
                "{mark} {}\n\nNothing would be labeled: fix labeling.yaml first.\n",
                lines(&error.to_string())
            );
        }
        Ok(spec) => {
            write_spec(&mut text, &folder.dataset, spec, paint);
            if let Some(contents) = &folder.contents {
                write_contents(&mut text, contents, spec, paint);
            }
        }
    }
    text
}

fn write_spec(text: &mut String, dataset: &str, spec: &Spec, paint: Paint) {
    let labels: Vec<&str> = spec.labels.iter().map(|label| label.name.as_str()).collect();
    let name = paint.word(Style::Strong, &one_line(dataset, 255));
    let mark = paint.word(Style::Good, "✓");
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

fn write_contents(text: &mut String, contents: &FolderContents, spec: &Spec, paint: Paint) {
    let mark = if contents.items > 0 {
        paint.word(Style::Good, "✓")
    } else {
        paint.word(Style::Bad, "✗")
    };
    let items = count_text(contents.items, "item");
    let batches = match contents.batches {
        1 => "1 batch".to_owned(),
        count => format!("{count} batches"),
    };
    let _infallible = writeln!(text, "{mark} {items} in {batches}, from {}", sources(contents));
    for sample in &contents.samples {
        let place = paint.word(Style::Place, &place(&sample.path, sample.row));
        let _infallible = writeln!(text, "  {place}: {}", one_line(sample.item.trim(), 100));
    }
    let more = contents.items.saturating_sub(contents.samples.len() as u64);
    if more > 0 {
        let _infallible = writeln!(
            text,
            "  {}",
            paint.word(Style::Dim, &format!("… and {more} more"))
        );
    }
    write_rejects(text, contents, paint);
    write_links(text, contents, paint);
    let next_step = if contents.items > 0 {
        format!(
            "Dropped, it would start after {} without a new file.",
            span(spec.batch.quiet)
        )
    } else {
        "There is nothing to label here.".to_owned()
    };
    let _infallible = writeln!(text, "\n{next_step}");
}

fn sources(contents: &FolderContents) -> String {
    let by_hand = if contents.manual {
        " (from manifests made by hand alone)".to_owned()
    } else {
        String::new()
    };
    let mut parts = vec![count_text(contents.files, "file") + &by_hand];
    match contents.blank_rows {
        0 => {}
        1 => parts.push("1 blank row skipped".to_owned()),
        rows => parts.push(format!("{rows} blank rows skipped")),
    }
    if contents.not_selected > 0 {
        parts.push(format!("{} not selected", contents.not_selected));
    }
    if contents.ignored > 0 {
        parts.push(format!("{} ignored", contents.ignored));
    }
    parts.join(", ")
}

fn write_rejects(text: &mut String, contents: &FolderContents, paint: Paint) {
    if contents.rejected == 0 {
        return;
    }
    let mark = paint.word(Style::Warn, "!");
    let _infallible = writeln!(text, "{mark} {} would be rejected:", contents.rejected);
    for reject in contents.rejected_first.iter().take(MAX_LISTED) {
        let place = paint.word(Style::Place, &place(&reject.path, reject.row));
        let _infallible = writeln!(text, "  {place}: {}", one_line(&reject.reason, 400));
    }
    let more = contents.rejected.saturating_sub(MAX_LISTED as u64);
    if more > 0 {
        let _infallible = writeln!(text, "  … and {more} more; --json lists them");
    }
    if contents.rejected_first.iter().any(|reject| reject.row.is_some()) {
        // Once the others are in a batch, the file is not read again.
        let _infallible = writeln!(
            text,
            "  Fix rows and lines before the file is dropped. After that, put the fixed ones alone into a file of another name."
        );
    }
}

/// What is elsewhere can be checked only with credentials.
fn write_links(text: &mut String, contents: &FolderContents, paint: Paint) {
    if contents.links_elsewhere == 0 {
        return;
    }
    let mark = paint.word(Style::Warn, "?");
    let links = match contents.links_elsewhere {
        1 => "1 link leads".to_owned(),
        count => format!("{count} links lead"),
    };
    let _infallible = writeln!(
        text,
        "{mark} {links} out of this folder. What is there is not checked here: --stack NAME, or --data DIR, checks it."
    );
}

fn place(path: &str, row: Option<u64>) -> String {
    let path = one_line(path, 200);
    row.map_or(path.clone(), |row| format!("{path}, row {row}"))
}

fn count_text(count: u64, what: &str) -> String {
    if count == 1 {
        format!("1 {what}")
    } else {
        format!("{count} {what}s")
    }
}

fn span(duration: Duration) -> String {
    match duration.as_secs() {
        seconds if seconds < 60 || seconds % 60 != 0 => format!("{seconds} s"),
        seconds => format!("{} min", seconds / 60),
    }
}

pub(super) fn json(folder: &FolderCheck) -> Value {
    let spec = match &folder.spec {
        Ok(spec) => spec_json(spec),
        Err(error) => json!({ "error": error_json(error) }),
    };
    json!({
        "dataset": folder.dataset,
        "ok": folder.is_good(),
        "spec": spec,
        "found": folder.contents,
    })
}

fn spec_json(spec: &Spec) -> Value {
    json!({
        "task": spec.task.name(),
        "labels": spec.labels.iter().map(|label| &label.name).collect::<Vec<_>>(),
        "team": spec.team.as_str(),
        "title": spec.title,
        "workers_per_item": spec.workers_per_item,
    })
}

fn error_json(error: &SpecError) -> Value {
    json!({ "line": error.line, "column": error.column, "message": error.message, "hint": error.hint })
}
