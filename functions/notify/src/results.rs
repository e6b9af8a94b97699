//! The results of a finished job: `summary.json`, `report.md` and the exports the spec asks for.
//!
//! The output manifest (up to 100,000 lines) is read in parts and never held whole; only what is written is.

use std::collections::BTreeMap;

use futures::stream::{self, StreamExt, TryStreamExt};
use shared::documents;
use shared::export::{Csv, JsonLines};
use shared::layout;
use shared::name::{BatchNumber, DatasetName};
use shared::output::{self, OutputLine};
use shared::port::{Bucket, JobDescription, Labeling, Store, StoreError, Topic};
use shared::spec::{ExportFormat, Spec};
use shared::status::RowsLeftOut;
use shared::summary::JobSummary;
use shared::summary::{Tally, report_markdown};

use crate::deps::Deps;

/// Bytes of the output manifest in memory at a time.
const PART: u64 = 8 << 20;
/// So many files of a batch are compared one by one with what is there now. For more, the dataset's folder is listed, a
/// thousand a request.
const MAX_SINGLE_READS: usize = 20;
const AT_ONCE: usize = 32;

/// Writes everything and gives the summary. Written again, it replaces itself.
pub(crate) async fn write_results<S: Store, L: Labeling, T: Topic>(
    deps: &Deps<S, L, T>,
    dataset: &DatasetName,
    batch: BatchNumber,
    job: &JobDescription,
) -> Result<JobSummary, StoreError> {
    let store = &deps.store;
    let metadata = batch_metadata(store, dataset, batch).await?;
    let spec = spec_of(store, &metadata).await?;
    let mut results = Results::new(spec.as_ref());
    results.tally.set_rows_left_out(rows_left_out(&metadata));
    if let Some(key) = output_key(job, &deps.output_bucket) {
        match read_output(store, key, &job.label_attribute, &mut results).await {
            // Perhaps encrypted with a key the function may not use. The job is announced all the same.
            Err(StoreError::Refused { reason, .. }) => {
                tracing::error!(job = job.name, reason, "failed to read the output");
                results.tally.set_output_error(reason);
            }
            read => read?,
        }
    }
    results.tally.set_counters(&job.counters);
    results.compare(store, dataset).await?;
    let (summary, files) = results.finish(dataset, batch, job);
    let report = report_markdown(&summary, spec.as_ref().map(|spec| spec.title.as_str()));
    let folder = layout::results_folder(dataset, batch);
    for (name, body) in files {
        documents::overwrite(store, &format!("{folder}{name}"), body).await?;
    }
    documents::overwrite(store, &format!("{folder}report.md"), report.into_bytes()).await?;
    documents::overwrite_json(store, &format!("{folder}summary.json"), &summary).await?;
    Ok(summary)
}

fn output_key<'a>(job: &'a JobDescription, output_bucket: &str) -> Option<&'a str> {
    let uri = job.output_manifest_uri.as_deref()?;
    let (bucket, key) = uri.strip_prefix("s3://")?.split_once('/')?;
    (bucket == output_bucket).then_some(key)
}

/// What build-manifest says of the batch; empty if the manifest is gone.
async fn batch_metadata(
    store: &impl Store,
    dataset: &DatasetName,
    batch: BatchNumber,
) -> Result<BTreeMap<String, String>, StoreError> {
    let manifest = documents::head(store, Bucket::Output, &layout::manifest(dataset, batch)).await?;
    Ok(manifest.map(|manifest| manifest.metadata).unwrap_or_default())
}

/// The spec the batch was cut with; without it the summary still says what the labels are.
async fn spec_of(
    store: &impl Store,
    metadata: &BTreeMap<String, String>,
) -> Result<Option<Spec>, StoreError> {
    let Some(sha256) = metadata.get("spec-sha256") else {
        return Ok(None);
    };
    let text = store
        .get(Bucket::Output, &layout::pinned_spec(sha256), None)
        .await?;
    Ok(text.and_then(|text| Spec::parse(&text.bytes).ok()))
}

fn rows_left_out(metadata: &BTreeMap<String, String>) -> RowsLeftOut {
    let number = |name| metadata.get(name).and_then(|rows: &String| rows.parse().ok());
    RowsLeftOut {
        rejected: number("rejected-rows").unwrap_or(0),
        blank: number("blank-rows").unwrap_or(0),
    }
}

/// What is gathered while the output is read.
struct Results {
    tally: Tally,
    csv: Option<Csv<Vec<u8>>>,
    json_lines: Option<JsonLines<Vec<u8>>>,
    /// Files by key with the ETag they were batched with.
    files: BTreeMap<String, String>,
}

impl Results {
    fn new(spec: Option<&Spec>) -> Self {
        let is_wanted = |format| spec.is_some_and(|spec| spec.export.contains(&format));
        Self {
            tally: Tally::new(
                spec.into_iter()
                    .flat_map(|spec| spec.labels.iter().map(|l| l.name.as_str())),
            ),
            csv: is_wanted(ExportFormat::Csv)
                .then(|| Csv::new(Vec::new()).ok())
                .flatten(),
            json_lines: is_wanted(ExportFormat::JsonLines).then(|| JsonLines::new(Vec::new())),
            files: BTreeMap::new(),
        }
    }

    fn add(&mut self, line: &OutputLine) {
        self.tally.add(line);
        // Writing to memory does not fail, and every value of a line is a string or a number.
        let csv = self.csv.as_mut().map_or(Ok(()), |csv| csv.add(line));
        let json = self.json_lines.as_mut().map_or(Ok(()), |json| json.add(line));
        if csv.and(json).is_err() {
            tracing::error!("failed to export a line of the output");
        }
        if let Some(origin) = &line.origin {
            self.files.insert(origin.key.clone(), origin.etag.clone());
        }
    }

    /// A file overwritten or deleted since it was batched: its label may describe other bytes.
    async fn compare(&mut self, store: &impl Store, dataset: &DatasetName) -> Result<(), StoreError> {
        let there = match self.files.len() {
            0..=MAX_SINGLE_READS => read_etags(store, &self.files).await?,
            _ => list_etags(store, dataset, &self.files).await?,
        };
        for (key, etag) in &self.files {
            self.tally.compare(key, etag, there.get(key).map(String::as_str));
        }
        Ok(())
    }

    fn finish(
        self,
        dataset: &DatasetName,
        batch: BatchNumber,
        job: &JobDescription,
    ) -> (JobSummary, Vec<(&'static str, Vec<u8>)>) {
        let csv = self
            .csv
            .and_then(|csv| csv.finish().ok())
            .map(|body| ("labels.csv", body));
        let json = self
            .json_lines
            .and_then(|json| json.finish().ok())
            .map(|body| ("labels.jsonl", body));
        let summary = JobSummary {
            dataset: dataset.to_string(),
            batch: batch.get(),
            job: job.name.clone(),
            arn: job.arn.clone(),
            state: job.state,
            failure_reason: job.failure_reason.clone(),
            label_attribute: job.label_attribute.clone(),
            output_manifest: job.output_manifest_uri.clone(),
            labels: self.tally.finish(),
        };
        (summary, csv.into_iter().chain(json).collect())
    }
}

/// The ETags of those of the files that are there, by asking for each.
async fn read_etags(
    store: &impl Store,
    files: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, StoreError> {
    let heads = stream::iter(files.keys())
        .map(|key| async move {
            match documents::head(store, Bucket::Input, key).await {
                Ok(there) => Ok(there.map(|there| (key.clone(), there.etag))),
                // An unreadable file is not what it was when it was batched.
                Err(StoreError::Refused { .. }) => Ok(Some((key.clone(), String::new()))),
                Err(error) => Err(error),
            }
        })
        .buffered(AT_ONCE);
    let there: Vec<Option<(String, String)>> = heads.try_collect().await?;
    Ok(there.into_iter().flatten().collect())
}

/// The same by a listing of the dataset's folder.
async fn list_etags(
    store: &impl Store,
    dataset: &DatasetName,
    files: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, StoreError> {
    let prefix = layout::dataset_prefix(dataset);
    let mut pages = documents::list(store, Bucket::Input, &prefix);
    let mut etags = BTreeMap::new();
    while let Some(page) = pages.next_page().await? {
        let of_batch = page
            .objects
            .into_iter()
            .filter(|object| files.contains_key(&object.key));
        etags.extend(of_batch.map(|object| (object.key, object.etag)));
    }
    Ok(etags)
}

/// Part by part; a line that spans two parts is put together.
async fn read_output(
    store: &impl Store,
    key: &str,
    attribute: &str,
    results: &mut Results,
) -> Result<(), StoreError> {
    let (mut from, mut broken_line) = (0, Vec::new());
    loop {
        let Some(part) = store.get(Bucket::Output, key, Some(from..from + PART)).await? else {
            return Ok(());
        };
        from += part.bytes.len() as u64;
        let last = from >= part.size || part.bytes.is_empty();
        broken_line.extend(part.bytes);
        let end = if last {
            broken_line.len()
        } else {
            broken_line.iter().rposition(|b| *b == b'\n').map_or(0, |n| n + 1)
        };
        for line in broken_line
            .get(..end)
            .unwrap_or_default()
            .split(|byte| *byte == b'\n')
        {
            match output::parse(line, attribute) {
                _ if line.trim_ascii().is_empty() => {}
                Ok(line) => results.add(&line),
                Err(_) => results.tally.add_unreadable(),
            }
        }
        broken_line.drain(..end);
        if last {
            return Ok(());
        }
    }
}
