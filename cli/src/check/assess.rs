//! What the functions would make of the files: items, batches, rejects.

use std::path::Path;

use serde::Serialize;
use shared::item::{self, FileKind, Items, Verdict, image};
use shared::layout::{READY_FILE, SPEC_FILE};
use shared::link::LinkSources;
use shared::manifest::Line;
use shared::name::DatasetName;
use shared::spec::Spec;

use super::beside;
use super::files::{Found, part, walk};

/// Manifest lines shown as a sample.
const SAMPLES: usize = 3;
/// Rejects kept; all are counted.
const REJECTS: usize = 1_000;
/// Bytes of a batch's manifest at most.
const MAX_BATCH_BYTES: usize = 32 << 20;
/// S3's limit for a key.
const MAX_KEY: usize = 1_024;

#[derive(Debug, Default, Serialize)]
pub(crate) struct Findings {
    pub(crate) files: u64,
    pub(crate) items: u64,
    pub(crate) batches: u64,
    /// Labelled from manifests made by hand alone.
    pub(crate) manual: bool,
    /// Rows that are neither items nor rejected: there is nothing in them.
    pub(crate) blank_rows: u64,
    /// `.jsonl` files that point to objects, and so are manifests.
    pub(crate) manifests: u64,
    pub(crate) rejected: u64,
    pub(crate) rejected_first: Vec<Reject>,
    /// Left out by `select`.
    pub(crate) not_selected: u64,
    /// Files of the operating system and editors.
    pub(crate) ignored: u64,
    pub(crate) samples: Vec<Sample>,
}

/// An item as a worker would get it.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Sample {
    pub(crate) path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) row: Option<u64>,
    /// Its text; of an image the place it would have in the bucket.
    pub(crate) item: String,
}

/// A file or row that would be in no batch.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Reject {
    pub(crate) path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) row: Option<u64>,
    pub(crate) reason: String,
}

pub(super) fn assess(spec: &Spec, dataset: &DatasetName, folder: &Path) -> anyhow::Result<Findings> {
    let files = walk(folder)?;
    let manual = files
        .iter()
        .any(|file| file.path.as_ref().is_ok_and(|path| path.ends_with(".manifest")));
    let limit = spec.select.limit.unwrap_or(u64::MAX);
    let mut tally = Tally {
        spec,
        dataset,
        limit,
        batch: (0, 0),
        folder,
        found: Findings {
            manual,
            ..Findings::default()
        },
    };
    for file in &files {
        tally.take(file)?;
    }
    Ok(tally.found)
}

struct Tally<'a> {
    spec: &'a Spec,
    dataset: &'a DatasetName,
    folder: &'a Path,
    /// Items of the dataset, at most.
    limit: u64,
    /// Items and bytes of the batch that fills.
    batch: (u64, usize),
    found: Findings,
}

impl Tally<'_> {
    fn take(&mut self, file: &Found) -> anyhow::Result<()> {
        let path = match &file.path {
            Ok(path) if matches!(path.as_str(), SPEC_FILE | READY_FILE) => return Ok(()),
            Ok(path) => path.as_str(),
            Err(unfit) => {
                self.reject(&unfit.shown, None, unfit.reason.to_owned());
                return Ok(());
            }
        };
        self.found.files += 1;
        let key = format!("{}/{path}", self.dataset);
        if key.len() > MAX_KEY {
            let reason = format!(
                "its key is {} bytes long, S3 takes at most {MAX_KEY}: use shorter names",
                key.len()
            );
            self.reject(path, None, reason);
            return Ok(());
        }
        if self.found.manual {
            return self.take_by_hand(file, path, &key);
        }
        match item::classify(self.spec, path, file.size) {
            Verdict::Ignore => self.found.ignored += 1,
            Verdict::NotSelected => self.found.not_selected += 1,
            Verdict::Reject(reason) => self.reject(path, None, reason),
            Verdict::Take(FileKind::Image) => self.take_image(file, path, &key)?,
            Verdict::Take(_) => {
                let bytes = part(&file.on_disk, 0, file.size)?;
                if item::is_manifest(&key, &bytes) {
                    self.found.manifests += 1;
                    return self.take_manifest(path, &key, &bytes);
                }
                self.take_lines(path, item::read_text(self.spec, &key, "", &bytes, 0));
            }
        }
        Ok(())
    }

    /// With a manifest made by hand, other files are data it may point to. Each such manifest gets batches of its own.
    fn take_by_hand(&mut self, file: &Found, path: &str, key: &str) -> anyhow::Result<()> {
        if !path.ends_with(".manifest") {
            self.found.not_selected += 1;
            return Ok(());
        }
        self.batch = (0, 0);
        let bytes = part(&file.on_disk, 0, file.size.min(item::MAX_TEXT_FILE + 1))?;
        self.take_manifest(path, key, &bytes)?;
        self.batch = (0, 0);
        Ok(())
    }

    /// Links into the dataset's folder are looked up beside the manifest, whatever the bucket will be called.
    fn take_manifest(&mut self, path: &str, key: &str, bytes: &[u8]) -> anyhow::Result<()> {
        let sources = LinkSources::own_folder(bucket_of(self.dataset, bytes), "");
        let dataset = self.dataset;
        let rules = item::Rules {
            sources: &sources,
            dataset,
        };
        for item in item::read_manifest(self.spec, rules, key, "", bytes, 0) {
            let item = match item {
                Ok(line) => beside::look(self.spec, dataset, self.folder, line)?,
                Err(rejected) => Err((rejected.row, rejected.reason)),
            };
            match item {
                Ok(line) => self.add(path, &line),
                Err((row, reason)) => self.reject(path, row, reason),
            }
        }
        Ok(())
    }

    fn take_lines(&mut self, path: &str, mut items: Items<'_>) {
        for item in items.by_ref() {
            match item {
                Ok(line) => self.add(path, &line),
                Err(rejected) => self.reject(path, rejected.row, rejected.reason),
            }
        }
        self.found.blank_rows += items.blank();
    }

    fn take_image(&mut self, file: &Found, path: &str, key: &str) -> anyhow::Result<()> {
        match beside::judge_image(&file.on_disk, file.size)? {
            Ok(()) => self.add(path, &image::image_line("groundcrew-input", key, "")),
            Err(reason) => self.reject(path, None, reason),
        }
        Ok(())
    }

    fn add(&mut self, path: &str, line: &Line) {
        if self.found.items >= self.limit {
            self.found.not_selected += 1;
            return;
        }
        let most = u64::from(self.spec.batch.max_items.min(self.spec.task.info().max_items));
        let (items, bytes) = self.batch;
        let full = items >= most || bytes + line.json.len() + 1 > MAX_BATCH_BYTES;
        if items == 0 || full {
            self.found.batches += 1;
            self.batch = (0, 0);
        }
        self.batch = (self.batch.0 + 1, self.batch.1 + line.json.len() + 1);
        self.found.items += 1;
        if self.found.samples.len() < SAMPLES {
            self.found.samples.extend(sample(path, line));
        }
    }

    fn reject(&mut self, path: &str, row: Option<u64>, reason: String) {
        self.found.rejected += 1;
        if self.found.rejected_first.len() < REJECTS {
            self.found.rejected_first.push(Reject {
                path: path.to_owned(),
                row,
                reason,
            });
        }
    }
}

/// The bucket whose `<dataset>/…` a manifest's lines name: the input bucket, if the manifest is meant for this dataset.
fn bucket_of(dataset: &DatasetName, manifest: &[u8]) -> String {
    let text = String::from_utf8_lossy(manifest);
    let own = text.split("s3://").skip(1).find_map(|rest| {
        let (bucket, key) = rest.split_once('/')?;
        let own = key.strip_prefix(dataset.as_str())?.starts_with('/');
        own.then(|| bucket.to_owned())
    });
    own.unwrap_or_else(|| "groundcrew-input".to_owned())
}

fn sample(path: &str, line: &Line) -> Option<Sample> {
    let fields: serde_json::Value = serde_json::from_str(&line.json).ok()?;
    let item = fields
        .get("source")
        .or_else(|| fields.get("source-ref"))?
        .as_str()?;
    Some(Sample {
        path: path.to_owned(),
        row: line.row,
        item: item.to_owned(),
    })
}

#[cfg(test)]
#[path = "assess_tests.rs"]
mod tests;
