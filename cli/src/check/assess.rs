//! What the functions would make of the files: items, batches, rejects.

use std::collections::BTreeSet;

use serde::Serialize;
use shared::item::{self, FileKind, Items, Verdict, image};
use shared::layout::{READY_FILE, SPEC_FILE};
use shared::manifest::Line;
use shared::manifest::Link;
use shared::name::DatasetName;
use shared::spec::Spec;

use super::files::{LocalFile, read_range, walk};
use super::manifest_link::{self, LineOutcome, LinkRules};

/// Items shown as samples.
const MAX_SAMPLES: usize = 3;
/// Rejects listed; all are counted.
const MAX_REJECTS: usize = 1_000;
/// Links out of the folder that are kept; all are counted.
const MAX_LINKS: usize = 1_000;
/// Bytes of a batch's manifest at most.
const MAX_BATCH_BYTES: usize = 32 << 20;
/// S3's limit for a key.
const MAX_KEY_BYTES: usize = 1_024;

#[derive(Debug, Default, Serialize)]
pub(super) struct FolderContents {
    pub(super) files: u64,
    pub(super) items: u64,
    pub(super) batches: u64,
    /// Only manifests made by hand give items.
    pub(super) manual: bool,
    /// Empty rows, which are neither items nor rejected.
    pub(super) blank_rows: u64,
    /// Items whose objects are not in the folder, and were not checked.
    pub(super) links_elsewhere: u64,
    #[serde(skip)]
    pub(super) links_elsewhere_first: Vec<Link>,
    pub(super) rejected: u64,
    pub(super) rejected_first: Vec<Reject>,
    /// Left out by `select`.
    pub(super) not_selected: u64,
    /// Files of the operating system and editors.
    pub(super) ignored: u64,
    pub(super) samples: Vec<Sample>,
}

/// An item as a worker would get it.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Sample {
    pub(super) path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) row: Option<u64>,
    /// Its text; of an image the place it would have in the bucket.
    pub(super) item: String,
}

/// A file or row that would be in no batch.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Reject {
    pub(super) path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) row: Option<u64>,
    pub(super) reason: String,
}

pub(super) fn assess(
    spec: &Spec,
    dataset: &DatasetName,
    rules: &LinkRules<'_>,
) -> anyhow::Result<FolderContents> {
    let files = walk(rules.folder)?;
    let mut manifests = BTreeSet::new();
    for file in &files {
        if is_manifest(spec, file)? {
            manifests.extend(file.path.as_ref().ok().cloned());
        }
    }
    let manual = !manifests.is_empty();
    let limit = spec.select.limit.unwrap_or(u64::MAX);
    let mut tally = Tally {
        spec,
        dataset,
        limit,
        batch: (0, 0),
        rules,
        manifests,
        contents: FolderContents {
            manual,
            ..FolderContents::default()
        },
    };
    for file in &files {
        tally.add_file(file)?;
    }
    Ok(tally.contents)
}

struct Tally<'a> {
    spec: &'a Spec,
    dataset: &'a DatasetName,
    rules: &'a LinkRules<'a>,
    /// Made by hand, by path.
    manifests: BTreeSet<String>,
    /// Most items of the dataset.
    limit: u64,
    /// Items and bytes of the batch that is being filled.
    batch: (u64, usize),
    contents: FolderContents,
}

impl Tally<'_> {
    fn add_file(&mut self, file: &LocalFile) -> anyhow::Result<()> {
        let path = match &file.path {
            Ok(path) if matches!(path.as_str(), SPEC_FILE | READY_FILE) => return Ok(()),
            Ok(path) => path.as_str(),
            Err(unusable) => {
                self.reject(&unusable.shown, None, unusable.reason.to_owned());
                return Ok(());
            }
        };
        self.contents.files += 1;
        let key = format!("{}/{path}", self.dataset);
        if key.len() > MAX_KEY_BYTES {
            let reason = format!(
                "its key is {} bytes long, S3 takes at most {MAX_KEY_BYTES}: use shorter names",
                key.len()
            );
            self.reject(path, None, reason);
            return Ok(());
        }
        if self.contents.manual {
            return self.add_data_or_manifest(file, path, &key);
        }
        match item::classify(self.spec, path, file.size) {
            Verdict::Ignore => self.contents.ignored += 1,
            Verdict::NotSelected => self.contents.not_selected += 1,
            Verdict::Reject(reason) => self.reject(path, None, reason),
            Verdict::Take(FileKind::Image) => self.add_image(file, path, &key)?,
            Verdict::Take(_) => {
                let bytes = read_range(&file.on_disk, 0, file.size)?;
                self.add_text_items(path, item::read_text(self.spec, &key, "", &bytes, 0));
            }
        }
        Ok(())
    }

    /// In a folder with a manifest made by hand, other files are data that it may point to. Each manifest gets batches of its
    /// own.
    fn add_data_or_manifest(&mut self, file: &LocalFile, path: &str, key: &str) -> anyhow::Result<()> {
        if !self.manifests.contains(path) {
            self.contents.not_selected += 1;
            return Ok(());
        }
        self.batch = (0, 0);
        let bytes = read_range(&file.on_disk, 0, file.size.min(item::MAX_TEXT_FILE + 1))?;
        self.add_manifest(path, key, &bytes)?;
        self.batch = (0, 0);
        Ok(())
    }

    /// Links into the dataset's folder are read from this folder, whatever the bucket's name is.
    fn add_manifest(&mut self, path: &str, key: &str, bytes: &[u8]) -> anyhow::Result<()> {
        let sources = self.rules.sources(bucket_of(self.dataset, bytes));
        let dataset = self.dataset;
        let rules = item::Rules {
            sources: &sources,
            dataset,
        };
        for item in item::read_manifest(self.spec, rules, key, "", bytes, 0) {
            let outcome = match item {
                Ok(line) => manifest_link::resolve(self.spec, dataset, self.rules, line)?,
                Err(rejected) => LineOutcome::Rejected((rejected.row, rejected.reason)),
            };
            match outcome {
                LineOutcome::Item(line) => self.add(path, &line),
                LineOutcome::Rejected((row, reason)) => self.reject(path, row, reason),
                LineOutcome::Elsewhere(line, link) => {
                    self.add(path, &line);
                    self.contents.links_elsewhere += 1;
                    if self.contents.links_elsewhere_first.len() < MAX_LINKS {
                        self.contents.links_elsewhere_first.push(link);
                    }
                }
            }
        }
        Ok(())
    }

    fn add_text_items(&mut self, path: &str, mut items: Items<'_>) {
        for item in items.by_ref() {
            match item {
                Ok(line) => self.add(path, &line),
                Err(rejected) => self.reject(path, rejected.row, rejected.reason),
            }
        }
        self.contents.blank_rows += items.blank_rows();
    }

    fn add_image(&mut self, file: &LocalFile, path: &str, key: &str) -> anyhow::Result<()> {
        match manifest_link::check_image(&file.on_disk, file.size)? {
            Ok(()) => self.add(path, &image::image_line("groundcrew-input", key, "")),
            Err(reason) => self.reject(path, None, reason),
        }
        Ok(())
    }

    fn add(&mut self, path: &str, line: &Line) {
        if self.contents.items >= self.limit {
            self.contents.not_selected += 1;
            return;
        }
        let most = u64::from(self.spec.batch.max_items.min(self.spec.task.info().max_items));
        let (items, bytes) = self.batch;
        let full = items >= most || bytes + line.json.len() + 1 > MAX_BATCH_BYTES;
        if items == 0 || full {
            self.contents.batches += 1;
            self.batch = (0, 0);
        }
        self.batch = (self.batch.0 + 1, self.batch.1 + line.json.len() + 1);
        self.contents.items += 1;
        if self.contents.samples.len() < MAX_SAMPLES {
            self.contents.samples.extend(sample(path, line));
        }
    }

    fn reject(&mut self, path: &str, row: Option<u64>, reason: String) {
        self.contents.rejected += 1;
        if self.contents.rejected_first.len() < MAX_REJECTS {
            self.contents.rejected_first.push(Reject {
                path: path.to_owned(),
                row,
                reason,
            });
        }
    }
}

/// Whether the dataset gets items only from this file and others like it.
fn is_manifest(spec: &Spec, file: &LocalFile) -> anyhow::Result<bool> {
    let Ok(path) = &file.path else { return Ok(false) };
    if path.ends_with(".manifest") {
        return Ok(true);
    }
    if file.size == 0 || !item::may_be_manifest(spec, path) {
        return Ok(false);
    }
    let head = read_range(&file.on_disk, 0, file.size.min(item::MANIFEST_HEAD))?;
    Ok(item::is_manifest(&head))
}

/// The bucket in which the manifest's lines name `<dataset>/…`: the input bucket, if the manifest is for this dataset.
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
mod tests;
