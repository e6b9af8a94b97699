//! How much each person answered: counted when everything else about a job's end is done, from the worker responses
//! beside its output. Nobody waits for it: whatever goes wrong is logged, and the next sweep tries again.

use std::collections::{BTreeMap, BTreeSet};

use futures::stream::{self, StreamExt};
use shared::layout;
use shared::name::{BatchNumber, DatasetName};
use shared::port::{Bucket, Labeling, Store, StoreError, Topic};
use shared::summary::JobSummary;
use shared::summary::workers::{MOST_RESPONSES, WORKERS_FILE, WorkTally};

use crate::Deps;
use crate::ended::{EndError, batch_of};

type Batch = (DatasetName, BatchNumber);

/// Responses under way at once, and the largest one read: 32 times 1 MiB fit into the function's memory.
const AT_ONCE: usize = 32;
const LARGEST: u64 = 1 << 20;
const SUMMARY: &str = "summary.json";

/// Counts the jobs that have just been told.
pub(crate) async fn count_told<S: Store, L: Labeling, T: Topic>(deps: &Deps<S, L, T>, jobs: &[String]) {
    let mut batches = Vec::new();
    for job in jobs {
        match batch_with(deps, job).await {
            Ok(batch) => batches.extend(batch),
            Err(error) => {
                tracing::error!(job, %error, "its answers are not counted; the next sweep tries again");
            }
        }
    }
    count_all(&deps.store, batches).await;
}

/// Counts whatever has been summarised and not counted.
pub(crate) async fn catch_up(store: &impl Store) {
    match uncounted(store).await {
        Ok(batches) => count_all(store, batches).await,
        Err(error) => tracing::error!(%error, "no answers are counted; the next sweep tries again"),
    }
}

async fn batch_with<S: Store, L: Labeling, T: Topic>(
    deps: &Deps<S, L, T>,
    job: &str,
) -> Result<Option<Batch>, EndError> {
    let job = deps.labeling.describe(job).await?;
    Ok(job.and_then(|job| batch_of(deps, &job)))
}

/// Batches with a summary and without a count.
async fn uncounted(store: &impl Store) -> Result<Vec<Batch>, StoreError> {
    let (mut summarised, mut counted) = (BTreeSet::new(), BTreeSet::new());
    let mut token = None::<String>;
    loop {
        let page = store
            .list(Bucket::Output, "results/", false, token.as_deref())
            .await?;
        for object in &page.objects {
            match of_batch(&object.key) {
                Some((batch, SUMMARY)) => summarised.insert(batch),
                Some((batch, WORKERS_FILE)) => counted.insert(batch),
                _ => false,
            };
        }
        token = page.next;
        if token.is_none() {
            return Ok(summarised.difference(&counted).cloned().collect());
        }
    }
}

fn of_batch(key: &str) -> Option<(Batch, &str)> {
    let mut parts = key.strip_prefix("results/")?.splitn(3, '/');
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
                tracing::error!(%dataset, batch = batch.get(), %error, "its answers are not counted; the next sweep tries again");
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
    if store.get(Bucket::Output, &key, Some(0..1)).await?.is_some() {
        return Ok(0);
    }
    let (tally, read, cut) = tally(store, &job, most).await?;
    let body = serde_json::to_vec_pretty(&tally.finish(&job, cut)).unwrap_or_default();
    store.create(&key, body, &BTreeMap::new()).await?;
    tracing::info!(%dataset, batch = batch.get(), responses = read, cut, "counted the answers of every person");
    Ok(read)
}

async fn summarised_job(store: &impl Store, folder: &str) -> Result<Option<String>, StoreError> {
    let summary = store
        .get(Bucket::Output, &format!("{folder}{SUMMARY}"), None)
        .await?;
    let summary = summary.and_then(|summary| serde_json::from_slice::<JobSummary>(&summary.bytes).ok());
    Ok(summary.map(|summary| summary.job))
}

/// Every worker response of the job, a page of the listing at a time.
async fn tally(store: &impl Store, job: &str, most: u64) -> Result<(WorkTally, u64, bool), StoreError> {
    let prefix = format!("{}{job}/annotations/worker-response/", layout::LABELS);
    let (mut tally, mut read, mut token) = (WorkTally::default(), 0, None::<String>);
    loop {
        let page = store
            .list(Bucket::Output, &prefix, false, token.as_deref())
            .await?;
        let keys = page.objects.into_iter().map(|object| object.key);
        let mut keys: Vec<String> = keys.filter(|key| key.ends_with(".json")).collect();
        let room = usize::try_from(most - read).unwrap_or(usize::MAX);
        let cut = keys.len() > room || (keys.len() == room && page.next.is_some());
        keys.truncate(room);
        read += keys.len() as u64;
        add(store, &mut tally, keys).await?;
        token = page.next;
        if cut || token.is_none() {
            return Ok((tally, read, cut));
        }
    }
}

/// In their order, so that the files of an item stay together.
async fn add(store: &impl Store, tally: &mut WorkTally, keys: Vec<String>) -> Result<(), StoreError> {
    let fetched = stream::iter(keys).map(|key| async move {
        let response = store.get(Bucket::Output, &key, Some(0..LARGEST)).await;
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
