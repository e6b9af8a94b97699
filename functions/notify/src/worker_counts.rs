//! How much each worker answered: counted after a job has been announced, from the worker responses beside its output.
//! Nothing waits for it: a failure is logged, and the next sweep tries again.

use std::collections::BTreeSet;

use futures::stream::{self, StreamExt};
use shared::documents;
use shared::layout;
use shared::name::{BatchNumber, DatasetName};
use shared::port::{Bucket, Labeling, Store, StoreError, Topic};
use shared::summary::JobSummary;
use shared::summary::workers::{MOST_RESPONSES, WORKERS_FILE, WorkTally};

use crate::deps::Deps;
use crate::reconcile::{ReconcileError, batch_of};

type Batch = (DatasetName, BatchNumber);

/// Responses read at once, and the largest one read: 32 times 1 MiB fit into the function's memory.
const AT_ONCE: usize = 32;
const MAX_RESPONSE: u64 = 1 << 20;
const SUMMARY: &str = "summary.json";
const RESULTS: &str = "results/";

/// Counts the jobs that have just been announced.
pub(crate) async fn count_announced<S: Store, L: Labeling, T: Topic>(deps: &Deps<S, L, T>, jobs: &[String]) {
    let mut batches = Vec::new();
    for job in jobs {
        match find_batch(deps, job).await {
            Ok(batch) => batches.extend(batch),
            Err(error) => {
                tracing::error!(job, %error, "failed to count answers; the next sweep tries again");
            }
        }
    }
    count_all(&deps.store, batches).await;
}

/// Counts every batch that has been summarised and not counted.
pub(crate) async fn count_uncounted(store: &impl Store) {
    match uncounted_batches(store).await {
        Ok(batches) => count_all(store, batches).await,
        Err(error) => tracing::error!(%error, "failed to list uncounted batches; the next sweep tries again"),
    }
}

async fn find_batch<S: Store, L: Labeling, T: Topic>(
    deps: &Deps<S, L, T>,
    job: &str,
) -> Result<Option<Batch>, ReconcileError> {
    let job = deps.labeling.describe(job).await?;
    Ok(job.and_then(|job| batch_of(deps, &job)))
}

/// Batches with a summary and without a count.
async fn uncounted_batches(store: &impl Store) -> Result<Vec<Batch>, StoreError> {
    let (mut summarised, mut counted) = (BTreeSet::new(), BTreeSet::new());
    let mut pages = documents::list(store, Bucket::Output, RESULTS);
    while let Some(page) = pages.next_page().await? {
        for object in &page.objects {
            match parse_result_key(&object.key) {
                Some((batch, SUMMARY)) => summarised.insert(batch),
                Some((batch, WORKERS_FILE)) => counted.insert(batch),
                _ => false,
            };
        }
    }
    Ok(summarised.difference(&counted).cloned().collect())
}

fn parse_result_key(key: &str) -> Option<(Batch, &str)> {
    let mut parts = key.strip_prefix(RESULTS)?.splitn(3, '/');
    let dataset = DatasetName::new(parts.next()?).ok()?;
    let batch = BatchNumber::parse(parts.next()?)?;
    Some(((dataset, batch), parts.next()?))
}

/// One after the other, until as much has been read as one job may have: what is left is the next sweep's, and the
/// invocation ends in time.
async fn count_all(store: &impl Store, batches: Vec<Batch>) {
    let mut read = 0;
    for (dataset, batch) in batches {
        if read >= MOST_RESPONSES {
            return;
        }
        match count(store, &dataset, batch, MOST_RESPONSES).await {
            Ok(responses) => read += responses,
            Err(error) => {
                tracing::error!(%dataset, batch = batch.get(), %error, "failed to count answers; the next sweep tries again");
            }
        }
    }
}

/// Counts one batch and writes the count once; gives the responses read.
pub(crate) async fn count(
    store: &impl Store,
    dataset: &DatasetName,
    batch: BatchNumber,
    most: u64,
) -> Result<u64, StoreError> {
    let folder = layout::results_folder(dataset, batch);
    let Some(job) = summarised_job(store, &folder).await? else {
        return Ok(0);
    };
    let key = format!("{folder}{WORKERS_FILE}");
    if documents::exists(store, Bucket::Output, &key).await? {
        return Ok(0);
    }
    let (tally, read, cut) = tally(store, &job, most).await?;
    documents::create_json(store, &key, &tally.finish(&job, cut)).await?;
    tracing::info!(%dataset, batch = batch.get(), responses = read, cut, "answers of every worker counted");
    Ok(read)
}

async fn summarised_job(store: &impl Store, folder: &str) -> Result<Option<String>, StoreError> {
    let key = format!("{folder}{SUMMARY}");
    let summary = documents::load_if_readable::<JobSummary>(store, &key).await?;
    Ok(summary.document.map(|summary| summary.job))
}

/// Every worker response of the job, a page of the listing at a time.
async fn tally(store: &impl Store, job: &str, most: u64) -> Result<(WorkTally, u64, bool), StoreError> {
    let prefix = format!("{}{job}/annotations/worker-response/", layout::LABELS);
    let mut pages = documents::list(store, Bucket::Output, &prefix);
    let (mut tally, mut read) = (WorkTally::default(), 0);
    while let Some(page) = pages.next_page().await? {
        let keys = page.objects.into_iter().map(|object| object.key);
        let mut keys: Vec<String> = keys.filter(|key| key.ends_with(".json")).collect();
        let room = usize::try_from(most - read).unwrap_or(usize::MAX);
        let is_cut = keys.len() > room || (keys.len() == room && page.next.is_some());
        keys.truncate(room);
        read += keys.len() as u64;
        add_responses(store, &mut tally, keys).await?;
        if is_cut {
            return Ok((tally, read, true));
        }
    }
    Ok((tally, read, false))
}

/// In their order, so that the files of an item stay together.
async fn add_responses(
    store: &impl Store,
    tally: &mut WorkTally,
    keys: Vec<String>,
) -> Result<(), StoreError> {
    let fetched = stream::iter(keys).map(|key| async move {
        let response = store.get(Bucket::Output, &key, Some(0..MAX_RESPONSE)).await;
        (key, response)
    });
    let mut fetched = fetched.buffered(AT_ONCE);
    while let Some((key, response)) = fetched.next().await {
        let item = key.rsplit_once('/').map_or(key.as_str(), |(item, _)| item);
        match response {
            Ok(Some(response)) => tally.add(item, &response.bytes),
            // Deleted since it was listed, or encrypted with a key the function may not use.
            Ok(None) | Err(StoreError::Refused { .. }) => tally.add_unreadable(),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
