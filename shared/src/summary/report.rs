//! `report.md`: a finished job for people, in Markdown that is safe for any key and any label.

use std::fmt::Write;

use super::{LabelCount, Labels, LowConfidence};
use crate::port::JobState;
use crate::status::RowsLeftOut;
use crate::summary::JobSummary;

/// The report of one job. `title` is the spec's.
pub fn report_markdown(summary: &JobSummary, title: Option<&str>) -> String {
    let mut report = String::new();
    // Writing to a String does not fail.
    let _ = write_report(&mut report, summary, title);
    report
}

fn write_report(out: &mut String, summary: &JobSummary, title: Option<&str>) -> std::fmt::Result {
    writeln!(out, "# {}, batch {}\n", code(&summary.dataset), summary.batch)?;
    if let Some(title) = title {
        writeln!(out, "{}\n", plain(title))?;
    }
    writeln!(out, "| | |\n|---|---|")?;
    writeln!(out, "| Labeling job | {} |", cell(&summary.job))?;
    writeln!(out, "| State | {} |", state(summary.state))?;
    if let Some(reason) = &summary.failure_reason {
        writeln!(out, "| Reason | {} |", cell(reason))?;
    }
    writeln!(out, "| Label attribute | {} |", cell(&summary.label_attribute))?;
    if let Some(uri) = &summary.output_manifest {
        writeln!(out, "| Output manifest | {} |", cell(uri))?;
    }
    write_counts(out, &summary.labels)?;
    write_labels(out, &summary.labels)?;
    write_least_sure(out, &summary.labels)?;
    write_changed(out, &summary.labels)
}

fn state(state: JobState) -> &'static str {
    match state {
        JobState::Initializing => "Initializing",
        JobState::InProgress => "InProgress",
        JobState::Completed => "Completed",
        JobState::Failed => "Failed",
        JobState::Stopping => "Stopping",
        JobState::Stopped => "Stopped",
    }
}

fn write_counts(out: &mut String, labels: &Labels) -> std::fmt::Result {
    writeln!(out, "| Items | {} |", labels.total)?;
    writeln!(out, "| Labeled | {} |", labels.labeled)?;
    if labels.unlabeled > 0 {
        writeln!(out, "| Not labeled | {} |", labels.unlabeled)?;
    }
    if labels.unreadable > 0 {
        writeln!(
            out,
            "| Of these, lines of the output that cannot be read | {} |",
            labels.unreadable
        )?;
    }
    if let Some(reason) = &labels.output_error {
        writeln!(out, "| Output | cannot be read: {} |", cell(reason))?;
    }
    let RowsLeftOut { rejected, blank } = labels.rows_left_out;
    if rejected > 0 {
        writeln!(out, "| Rows rejected, not in the batch | {rejected} |")?;
    }
    if blank > 0 {
        writeln!(out, "| Blank rows, not in the batch | {blank} |")?;
    }
    let machine = labels.labeled - labels.human.min(labels.labeled);
    if machine > 0 {
        writeln!(out, "| Labeled by a model | {machine} |")?;
    }
    match labels.mean_confidence {
        Some(mean) => writeln!(out, "| Mean confidence | {mean:.2} |"),
        None => Ok(()),
    }
}

fn write_labels(out: &mut String, labels: &Labels) -> std::fmt::Result {
    writeln!(out, "\n## Labels\n\n| Label | Items | Share |\n|---|---:|---:|")?;
    for LabelCount { label, count } in &labels.per_label {
        let share = 100.0 * *count as f64 / labels.labeled.max(1) as f64;
        writeln!(out, "| {} | {count} | {share:.0} % |", cell(label))?;
    }
    Ok(())
}

fn write_least_sure(out: &mut String, labels: &Labels) -> std::fmt::Result {
    if labels.low_confidence.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "\n## Least sure\n\nWorth a second look: the items whose workers agreed least.\n"
    )?;
    writeln!(out, "| Item | Row | Labels | Confidence |\n|---|---:|---|---:|")?;
    for LowConfidence {
        key,
        row,
        labels,
        confidence,
    } in &labels.low_confidence
    {
        let row = row.map(|row| row.to_string()).unwrap_or_default();
        let labels: Vec<String> = labels.iter().map(|label| cell(label)).collect();
        writeln!(
            out,
            "| {} | {row} | {} | {confidence:.2} |",
            cell(key),
            labels.join(", ")
        )?;
    }
    Ok(())
}

fn write_changed(out: &mut String, labels: &Labels) -> std::fmt::Result {
    write_unlike(out, labels)?;
    if labels.changed_since_batch == 0 {
        return Ok(());
    }
    let files = labels.changed_since_batch;
    writeln!(
        out,
        "\n## Changed since the batch was cut\n\nTheir labels ({files} files) belong to what was there before.\n"
    )?;
    for key in &labels.changed_first {
        writeln!(out, "- {}", code(key))?;
    }
    match files - labels.changed_first.len() as u64 {
        0 => Ok(()),
        more => writeln!(out, "- and {more} more"),
    }
}

/// Files of which it is not known, or known in another way, that they are not what was batched.
fn write_unlike(out: &mut String, labels: &Labels) -> std::fmt::Result {
    if labels.deleted_since_batch > 0 {
        let files = labels.deleted_since_batch;
        writeln!(out, "\nFiles deleted since the batch was cut: {files}.")?;
    }
    if labels.reuploaded_since_batch > 0 {
        let files = labels.reuploaded_since_batch;
        writeln!(
            out,
            "\nFiles uploaded again in another way, in parts or in one piece: {files}. Whether their bytes are others cannot \
             be seen."
        )?;
    }
    Ok(())
}

/// Text in which nothing is Markdown.
fn plain(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, c| {
        match c {
            c if c.is_control() => out.push(' '),
            c if c.is_ascii_punctuation() && !".,?!-'".contains(c) => out.extend(['\\', c]),
            c => out.push(c),
        }
        out
    })
}

/// A code span, safe for any key and any label.
fn code(text: &str) -> String {
    let visible = text.chars().fold(String::new(), |mut out, c| {
        match c.is_control() {
            true => out.extend(c.escape_default()),
            false => out.push(c),
        }
        out
    });
    let longest = visible.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if visible.starts_with('`') || visible.ends_with('`') {
        " "
    } else {
        ""
    };
    format!("{fence}{pad}{visible}{pad}{fence}")
}

/// The same in a table, where a bar ends the cell even within code.
fn cell(text: &str) -> String {
    code(text).replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::Tally;
    use crate::summary::tests::{line, summary};

    #[test]
    fn the_report_holds_names_with_markdown_in_them() {
        let mut tally = Tally::new(["Even", "Odd"]);
        tally.add(&line("a\n|b`", "Odd", 0.5));
        tally.compare("a\n|b`", "a", Some("b"));
        let report = report_markdown(&summary(tally.finish()), Some("Even or odd? *really*"));
        insta::assert_snapshot!(report, @r#"
        # ``my | num`bers``, batch 3

        Even or odd? \*really\*

        | | |
        |---|---|
        | Labeling job | `gc00-numbers-000003` |
        | State | Completed |
        | Label attribute | `parity` |
        | Output manifest | `s3://out/labels/x/manifests/output/output.manifest` |
        | Items | 1 |
        | Labeled | 1 |
        | Mean confidence | 0.50 |

        ## Labels

        | Label | Items | Share |
        |---|---:|---:|
        | `Even` | 0 | 0 % |
        | `Odd` | 1 | 100 % |

        ## Least sure

        Worth a second look: the items whose workers agreed least.

        | Item | Row | Labels | Confidence |
        |---|---:|---|---:|
        | `` a\n\|b` `` |  | `Odd` | 0.50 |

        ## Changed since the batch was cut

        Their labels (1 files) belong to what was there before.

        - `` a\n|b` ``
        "#);
    }
}
