//! What must hold when a batch is written.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use shared::layout;
use shared::spec::Spec;

use super::listings::Look;
use super::{CheckResult, Promise, SpecTruth, Truth, hold, violation};
use crate::time::{Ms, whole_second};
use crate::world::World;
use crate::world::objects::StoredVersion;

/// A batch that was created.
#[derive(Clone, Debug)]
pub(super) struct Batch {
    pub(super) sha256: String,
    pub(super) items: u64,
    /// The last line's file, where its rows did not all fit.
    rest: Option<String>,
}

/// What of a file is in batches.
#[derive(Clone, Debug)]
pub(super) struct BatchedRows {
    pub(super) etag: String,
    pub(super) rows: BTreeSet<Option<u64>>,
}

#[derive(Deserialize)]
struct Line {
    source: String,
    groundcrew: Origin,
}

#[derive(Deserialize)]
struct Origin {
    key: String,
    etag: String,
    row: Option<u64>,
}

impl World {
    /// Something was written to the output bucket; `before` is what lay there.
    pub(crate) fn check_write(&mut self, of: u32, key: &str, before: Option<&StoredVersion>) -> CheckResult {
        if let Some((dataset, number)) = layout::parse_manifest(key) {
            hold(before.is_none(), Promise::BatchFixed, || {
                format!("{key} was written over")
            })?;
            return self.batch_made(of, key, dataset.as_str(), number.get());
        }
        if key.starts_with("specs/") {
            return hold(before.is_none(), Promise::SpecPinned, || {
                format!("{key} was written over")
            });
        }
        if key.ends_with("/started") {
            return self.check_started_marker(key);
        }
        match key.strip_prefix("notified/") {
            Some(id) => hold(
                self.truth.announced.contains_key(id) || self.waits_for_digest(id),
                Promise::NoticeTrue,
                || format!("{id} is marked as announced, was never published and is in no digest"),
            ),
            None => self.crew_written(of, key, before),
        }
    }

    fn batch_made(&mut self, of: u32, key: &str, dataset: &str, number: u32) -> CheckResult {
        let Some(stored) = self.output.get(key) else {
            return Ok(());
        };
        let truth = &self.truth;
        let before = truth.batches.get(dataset).map_or(0, Vec::len);
        hold(number as usize == before + 1, Promise::BatchFixed, || {
            format!("{key} is created after {before} batches")
        })?;
        let lines = lines(key, &stored.bytes)?;
        let sha256 = stored.metadata.get("spec-sha256").cloned().unwrap_or_default();
        let spec = self.pinned_spec(of, key, dataset, &sha256)?;
        let look = truth.looks.get(&(of, format!("{dataset}/")));
        let goes_on = truth.check_items(key, dataset, &lines, look)?;
        truth.check_size(key, dataset, &lines, spec)?;
        if let Some(look) = look.filter(|_| !goes_on) {
            truth.check_cut(key, dataset, &lines, spec, look)?;
        }
        let goes_on_later = stored.metadata.contains_key("resume-after-row");
        let batch = Batch {
            sha256,
            items: lines.len() as u64,
            rest: lines
                .last()
                .map(|line| line.groundcrew.key.clone())
                .filter(|_| goes_on_later),
        };
        self.truth.add_batch(of, dataset, batch, lines);
        Ok(())
    }

    /// The spec the batch names: pinned, usable, and in the dataset at some time while the invocation ran.
    fn pinned_spec(
        &self,
        of: u32,
        key: &str,
        dataset: &str,
        sha256: &str,
    ) -> Result<&SpecTruth, super::Violation> {
        let wrong = |what: &str| super::Violation {
            promise: Promise::SpecPinned,
            detail: format!("{key}: the spec {sha256} {what}"),
        };
        let pinned = self.output.get(&layout::pinned_spec(sha256));
        let pinned = pinned.ok_or_else(|| wrong("is not pinned"))?;
        if Spec::sha256(&pinned.bytes) != sha256 {
            return Err(wrong("is pinned with other bytes"));
        }
        let spec = self.truth.specs.get(sha256).filter(|spec| spec.valid);
        let spec = spec.ok_or_else(|| wrong("cannot be used"))?;
        let history = self
            .truth
            .spec_history
            .get(dataset)
            .map_or(&[][..], Vec::as_slice);
        let begun = self.truth.begun.get(&of).copied().unwrap_or(0);
        let ends = history.iter().skip(1).map(|(at, _)| *at).chain([i64::MAX]);
        let lay_there = history
            .iter()
            .zip(ends)
            .any(|((_, sha), end)| sha == sha256 && end >= begun);
        if lay_there {
            Ok(spec)
        } else {
            Err(wrong("did not lie in the dataset"))
        }
    }
}

fn lines(key: &str, bytes: &[u8]) -> Result<Vec<Line>, super::Violation> {
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let lines = lines
        .map(serde_json::from_slice::<Line>)
        .collect::<Result<Vec<_>, _>>();
    lines.map_err(|error| super::Violation {
        promise: Promise::ItemTrue,
        detail: format!("{key}: {error}"),
    })
}

impl Truth {
    /// Whether the batch begins with the rest of a file.
    fn check_items(
        &self,
        batch: &str,
        dataset: &str,
        lines: &[Line],
        look: Option<&Look>,
    ) -> Result<bool, super::Violation> {
        let mut seen: BTreeSet<(&str, Option<u64>)> = BTreeSet::new();
        let mut goes_on = false;
        let rest_of = self.rest_of(dataset);
        for (place, Line { source, groundcrew }) in lines.iter().enumerate() {
            let Origin { key, etag, row } = groundcrew;
            let item = || format!("{batch}: {key:?} row {row:?}");
            hold(seen.insert((key, *row)), Promise::ItemOnce, || {
                format!("{} is in it twice", item())
            })?;
            self.check_true(dataset, source, groundcrew)
                .or_else(|what| violation(Promise::ItemTrue, format!("{} {what}", item())))?;
            let Some(before) = self.files.get(key) else {
                let by_hand = look.is_some_and(|look| look.by_hand) && !key.ends_with(".manifest");
                hold(!by_hand, Promise::ItemTrue, || {
                    format!(
                        "{} is data: the dataset is labeled from manifests made by hand",
                        item()
                    )
                })?;
                continue;
            };
            let rest =
                rest_of == Some(key) && before.etag == *etag && before.rows.iter().all(|there| there < row);
            hold(rest, Promise::ItemOnce, || {
                format!("{} is in a batch already", item())
            })?;
            goes_on |= place == 0;
        }
        Ok(goes_on)
    }

    fn rest_of(&self, dataset: &str) -> Option<&String> {
        self.batches.get(dataset)?.last()?.rest.as_ref()
    }

    fn check_true(&self, dataset: &str, source: &str, origin: &Origin) -> Result<(), String> {
        let Origin { key, etag, row } = origin;
        let name = key.strip_prefix(&format!("{dataset}/"));
        let name = name.ok_or("is not of this dataset")?;
        if ["labeling.yaml", "_READY"].contains(&name) || name.starts_with("skip/") {
            return Err("is not to be labeled".to_owned());
        }
        let content = self.contents.get(&(key.clone(), etag.clone()));
        let content = content.ok_or_else(|| format!("with ETag {etag} was never dropped"))?;
        let there = content
            .items()
            .into_iter()
            .any(|(number, text)| number == *row && text == source);
        if there {
            Ok(())
        } else {
            Err(format!("does not say {source:?}"))
        }
    }

    fn check_size(&self, batch: &str, dataset: &str, lines: &[Line], spec: &SpecTruth) -> CheckResult {
        hold(
            (1..=spec.max_items).contains(&lines.len()),
            Promise::ItemTrue,
            || format!("{batch} has {} items", lines.len()),
        )?;
        let before: u64 = self
            .batches
            .get(dataset)
            .into_iter()
            .flatten()
            .map(|batch| batch.items)
            .sum();
        let all = before + lines.len() as u64;
        hold(
            spec.limit.is_none_or(|limit| all <= limit),
            Promise::ItemTrue,
            || format!("{batch}: {all} items are more than the limit {:?}", spec.limit),
        )
    }

    /// The cut rule, asked of what truly lay there when the invocation's last page was listed. A file that cannot
    /// be labeled, or is gone since, may count as waiting and may not: so this allows a little more than the rule.
    fn check_cut(
        &self,
        batch: &str,
        dataset: &str,
        lines: &[Line],
        spec: &SpecTruth,
        look: &Look,
    ) -> CheckResult {
        let rest = self.rest_of(dataset);
        let waiting = look.files.iter().filter(|(key, _)| {
            let name = key.strip_prefix(&format!("{dataset}/")).unwrap_or(key);
            !name.starts_with("skip/") && (!self.files.contains_key(*key) || rest == Some(*key))
        });
        let waiting: BTreeMap<&String, &(Ms, String)> = waiting.collect();
        let counts = |key: &str, etag: &str| {
            let current = self.current.get(key).map(String::as_str) == Some(etag);
            let content = self.contents.get(&(key.to_owned(), etag.to_owned()));
            let good = content.is_some_and(|content| !content.items().is_empty());
            let changed = self.files.get(key).is_some_and(|batched| batched.etag != etag);
            current && good && !changed && (!look.by_hand || key.ends_with(".manifest"))
        };
        let overdue = waiting.values().any(|(at, _)| *at + spec.max_wait <= look.date);
        let full = waiting.len() >= spec.max_items;
        let quiet = waiting
            .iter()
            .all(|(key, (at, etag))| *at + spec.quiet <= look.date || !counts(key, etag));
        let uploading = look
            .uploads
            .iter()
            .any(|(_, upload)| whole_second(upload.initiated) + spec.max_wait > look.date);
        let listed = |line: &Line| waiting.get(&line.groundcrew.key).map(|(at, _)| *at);
        let ready = look
            .ready
            .is_some_and(|ready| lines.iter().all(|line| listed(line).is_none_or(|at| at <= ready)));
        hold(
            overdue || full || (quiet && !uploading) || ready,
            Promise::CutInTime,
            || {
                format!(
                    "{batch} was cut early: quiet {quiet}, uploads open {uploading}, {} wait",
                    waiting.len()
                )
            },
        )
    }

    fn add_batch(&mut self, of: u32, dataset: &str, batch: Batch, lines: Vec<Line>) {
        *self.made.entry(of).or_default() += 1;
        self.batches.entry(dataset.to_owned()).or_default().push(batch);
        for Line { groundcrew, .. } in lines {
            let Origin { key, etag, row } = groundcrew;
            let file = self.files.entry(key).or_insert_with(|| BatchedRows {
                etag,
                rows: BTreeSet::new(),
            });
            file.rows.insert(row);
        }
    }
}
