//! What a job writes to its output path, in Ground Truth's layout and forms (developer guide, "Labeling job output data").
//! Everything depends only on the job and its answers, file names and dates included: two engines that finish the same job
//! at the same moment write the same bytes, and where they do not, the first output stays.

mod classes;
mod files;
mod item_result;
mod label;
mod line;

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt, stream};

pub(crate) use files::Files;
pub(crate) use item_result::{IncompletePolicy, ItemResult, counters, item_results};

use crate::run_blocking::run_blocking;
use crate::running_job::{RunningJob, last_submission};
use crate::state::{Address, Counters, ObjectStore, StoreError, WriteCondition};

/// Files written at once.
const WRITERS: usize = 16;

/// Some items' raw answers could not be written.
pub(crate) struct RawWriteError {
    pub(crate) error: StoreError,
    /// Those items; the files of the others are written.
    pub(crate) items: Vec<u32>,
}

/// Writes the raw answers to these items, a file for each. A file that fails does not stop the others: with a store that
/// fails now and then, many files would never all be written.
pub(crate) async fn write_raw_answers(
    objects: &dyn ObjectStore,
    job: &RunningJob,
    indices: &[u32],
) -> Result<(), RawWriteError> {
    let files = Files::of(&job.spec);
    let raw = |index: u32| {
        let answers = job.index().answers(index);
        last_submission(&answers).map(|at| (index, files.raw(index, at), files::raw_answers(job, &answers)))
    };
    let failed: Vec<(u32, StoreError)> = stream::iter(indices.iter().copied().filter_map(raw))
        .map(|(index, at, body)| async move {
            let written = objects.put(&at, Bytes::from(body), WriteCondition::Always).await;
            written.err().map(|error| (index, error))
        })
        .buffer_unordered(WRITERS)
        .filter_map(std::future::ready)
        .collect()
        .await;
    match failed.first() {
        None => Ok(()),
        Some((_, error)) => Err(RawWriteError {
            error: error.clone(),
            items: failed.iter().map(|(index, _)| *index).collect(),
        }),
    }
}

/// Of these items, those whose raw answers are not in the output.
pub(crate) async fn without_raw_answers(
    objects: &dyn ObjectStore,
    job: &Arc<RunningJob>,
    indices: Vec<u32>,
) -> Result<Vec<u32>, StoreError> {
    if indices.is_empty() {
        return Ok(indices);
    }
    let folder = Files::of(&job.spec).raw_folder();
    let listed = objects.list(&folder.bucket, &folder.key).await?;
    let job = job.clone();
    run_blocking(move || {
        let files = Files::of(&job.spec);
        let written: HashSet<&str> = listed.iter().map(|file| file.key.as_str()).collect();
        let is_missing = |index: &u32| {
            let answers = job.index().answers(*index);
            last_submission(&answers).is_some_and(|at| !written.contains(files.raw(*index, at).key.as_str()))
        };
        indices.into_iter().filter(is_missing).collect()
    })
    .await
}

/// Writes the manifest as it is while the job runs.
pub(crate) async fn write_snapshot(
    objects: &dyn ObjectStore,
    job: &Arc<RunningJob>,
    results: Arc<Vec<ItemResult>>,
) -> Result<(), StoreError> {
    let at = Files::of(&job.spec).snapshot();
    let text = manifest(job, &results).await?;
    objects.put(&at, text, WriteCondition::Always).await.map(drop)
}

/// The output manifest of a job, and its counters.
pub(crate) struct JobOutput {
    pub(crate) manifest: Address,
    pub(crate) counters: Counters,
}

/// Writes the input and result of the consolidation, and last, once, the output manifest. `replaces` is the ETag of an older
/// manifest that may be overwritten. If two engines write the output of a job, the first manifest stays and the second
/// engine takes its counters from it: a reader who was notified of the end finds what was there then.
pub(crate) async fn write_output(
    objects: &dyn ObjectStore,
    job: &Arc<RunningJob>,
    results: &Arc<Vec<ItemResult>>,
    replaces: Option<String>,
) -> Result<JobOutput, StoreError> {
    write_consolidation(objects, job, results).await?;
    let at = Files::of(&job.spec).manifest();
    let text = manifest(job, results).await?;
    let when = replaces.map_or(WriteCondition::IfAbsent, WriteCondition::IfMatch);
    let counters = match objects.put(&at, text.clone(), when).await {
        Ok(_) => counters(results),
        Err(StoreError::Changed) => match objects.get(&at).await? {
            // Most likely this engine wrote it, in an attempt that was interrupted.
            Some(first) if first.body == text => counters(results),
            Some(first) => {
                tracing::warn!(
                    job = job.spec.name,
                    "another engine wrote the output first; its output is kept"
                );
                let job = job.clone();
                run_blocking(move || line::counters(&job, &first.body)).await?
            }
            // The older manifest is gone.
            None => {
                objects.put(&at, text, WriteCondition::IfAbsent).await?;
                counters(results)
            }
        },
        Err(error) => return Err(error),
    };
    Ok(JobOutput {
        manifest: at,
        counters,
    })
}

async fn write_consolidation(
    objects: &dyn ObjectStore,
    job: &Arc<RunningJob>,
    results: &Arc<Vec<ItemResult>>,
) -> Result<(), StoreError> {
    for nth in 0..files::consolidation_count(results) {
        let (job, results) = (job.clone(), results.clone());
        let (request, response) = run_blocking(move || files::consolidation(&job, &results, nth)).await?;
        for (at, text) in [request, response] {
            objects
                .put(&at, Bytes::from(text), WriteCondition::Always)
                .await?;
        }
    }
    Ok(())
}

async fn manifest(job: &Arc<RunningJob>, results: &Arc<Vec<ItemResult>>) -> Result<Bytes, StoreError> {
    let (job, results) = (job.clone(), results.clone());
    run_blocking(move || Bytes::from(line::manifest(&job, &results))).await
}

#[cfg(test)]
mod tests;
