//! What a job writes to its output path, in Ground Truth's layout and forms (developer guide, "Labeling job output data").
//! Everything is a function of the job and its answers alone, down to file names and dates: two engines that finish the
//! same job at the same moment write the same bytes, and where they do not, the first one's output stays.

mod decision;
mod files;
mod line;

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt, stream};
use jiff::Timestamp;

pub(crate) use decision::{Decision, Rest, counters, decide};
pub(crate) use files::Files;

use crate::blocking::blocking;
use crate::state::{Address, Counters, Objects, StoreError, When};
use crate::work::{Answer, Running};

/// Files written at once.
const WRITERS: usize = 16;

/// `2018-10-18T22:18:13.527256`: the dates in output manifests have no zone; they are UTC here.
fn creation_date(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.6f").to_string()
}

/// When the last of the answers came in.
fn completed(answers: &[Answer]) -> Option<Timestamp> {
    answers.iter().map(|answer| answer.submitted).max()
}

/// Some objects' files could not be written.
pub(crate) struct Unwritten {
    pub(crate) error: StoreError,
    /// Those objects; the others' files are there.
    pub(crate) objects: Vec<u32>,
}

/// The raw answers to these objects, a file for each. One that fails does not hold up the others: with a store that fails
/// now and then, many files would never be written all at once.
pub(crate) async fn write_raw_answers(
    objects: &dyn Objects,
    job: &Running,
    indices: &[u32],
) -> Result<(), Unwritten> {
    let files = Files::of(&job.spec);
    let raw = |index: u32| {
        let answers = job.index().answers(index);
        completed(&answers).map(|at| (index, files.raw(index, at), files::raw_answers(job, &answers)))
    };
    let failed: Vec<(u32, StoreError)> = stream::iter(indices.iter().copied().filter_map(raw))
        .map(|(index, at, body)| async move {
            let written = objects.put(&at, Bytes::from(body), When::Always).await;
            written.err().map(|error| (index, error))
        })
        .buffer_unordered(WRITERS)
        .filter_map(std::future::ready)
        .collect()
        .await;
    match failed.first() {
        None => Ok(()),
        Some((_, error)) => Err(Unwritten {
            error: error.clone(),
            objects: failed.iter().map(|(index, _)| *index).collect(),
        }),
    }
}

/// Of these objects, those whose raw answers are not in the output.
pub(crate) async fn without_raw_answers(
    objects: &dyn Objects,
    job: &Arc<Running>,
    indices: Vec<u32>,
) -> Result<Vec<u32>, StoreError> {
    if indices.is_empty() {
        return Ok(indices);
    }
    let folder = Files::of(&job.spec).raw_folder();
    let listed = objects.list(&folder.bucket, &folder.key).await?;
    let job = job.clone();
    blocking(move || {
        let files = Files::of(&job.spec);
        let there: HashSet<&str> = listed.iter().map(|file| file.key.as_str()).collect();
        let is_missing = |index: &u32| {
            let answers = job.index().answers(*index);
            completed(&answers).is_some_and(|at| !there.contains(files.raw(*index, at).key.as_str()))
        };
        indices.into_iter().filter(is_missing).collect()
    })
    .await
}

/// The manifest as it is while the job runs.
pub(crate) async fn write_snapshot(
    objects: &dyn Objects,
    job: &Arc<Running>,
    decisions: Arc<Vec<Decision>>,
) -> Result<(), StoreError> {
    let at = Files::of(&job.spec).snapshot();
    let text = manifest(job, &decisions).await?;
    objects.put(&at, text, When::Always).await.map(drop)
}

/// What a job came to.
pub(crate) struct End {
    pub(crate) manifest: Address,
    pub(crate) counters: Counters,
}

/// What the consolidation took in and gave out, and the output manifest, which comes last and is written once: `replaces`
/// is the ETag of an older one that gives way. Of two engines that write the end of a job one is first with the manifest,
/// and the other takes that one as it is: who has been told of the end finds what was there then.
pub(crate) async fn write_end(
    objects: &dyn Objects,
    job: &Arc<Running>,
    decisions: &Arc<Vec<Decision>>,
    replaces: Option<String>,
) -> Result<End, StoreError> {
    for nth in 0..files::consolidations(decisions) {
        let (job, decisions) = (job.clone(), decisions.clone());
        let (request, response) = blocking(move || files::consolidation(&job, &decisions, nth)).await?;
        for (at, text) in [request, response] {
            objects.put(&at, Bytes::from(text), When::Always).await?;
        }
    }
    let at = Files::of(&job.spec).manifest();
    let text = manifest(job, decisions).await?;
    let when = replaces.map_or(When::Absent, When::Unchanged);
    let counters = match objects.put(&at, text.clone(), when).await {
        Ok(_) => counters(decisions),
        Err(StoreError::Changed) => match objects.get(&at).await? {
            // Written by an attempt that broke off, most likely this engine's own.
            Some(first) if first.body == text => counters(decisions),
            Some(first) => {
                tracing::warn!(
                    job = job.spec.name,
                    "another engine wrote the output first; its output stays"
                );
                let job = job.clone();
                blocking(move || line::counters(&job, &first.body)).await?
            }
            // What was to give way went away by itself.
            None => {
                objects.put(&at, text, When::Absent).await?;
                counters(decisions)
            }
        },
        Err(error) => return Err(error),
    };
    Ok(End {
        manifest: at,
        counters,
    })
}

async fn manifest(job: &Arc<Running>, decisions: &Arc<Vec<Decision>>) -> Result<Bytes, StoreError> {
    let (job, decisions) = (job.clone(), decisions.clone());
    blocking(move || Bytes::from(line::manifest(&job, &decisions))).await
}

#[cfg(test)]
mod tests;
