//! What a job writes to its output path, in Ground Truth's layout and forms (developer guide, "Labeling job output data").
//! Everything is a function of the job and its answers alone, down to file names and dates: two engines that finish the
//! same job write the same bytes.

mod decision;
mod files;
mod line;

use bytes::Bytes;
use futures::{StreamExt, stream};
use jiff::Timestamp;

pub(crate) use decision::{Decision, Rest, counters, decide};
pub(crate) use files::Files;

use crate::state::{Address, Objects, StoreError, When};
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
        completed(&answers).map(|at| (index, files.raw(index, at), files::raw_answers(&answers)))
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
    job: &Running,
    indices: Vec<u32>,
) -> Result<Vec<u32>, StoreError> {
    if indices.is_empty() {
        return Ok(indices);
    }
    let files = Files::of(&job.spec);
    let folder = files.raw_folder();
    let listed = objects.list(&folder.bucket, &folder.key).await?;
    let there: std::collections::HashSet<&str> = listed.iter().map(|file| file.key.as_str()).collect();
    let is_missing = |index: &u32| {
        let answers = job.index().answers(*index);
        completed(&answers).is_some_and(|at| !there.contains(files.raw(*index, at).key.as_str()))
    };
    Ok(indices.into_iter().filter(is_missing).collect())
}

/// The manifest as it stands, while the job runs.
pub(crate) async fn write_snapshot(
    objects: &dyn Objects,
    job: &Running,
    decisions: &[Decision],
) -> Result<(), StoreError> {
    let at = Files::of(&job.spec).snapshot();
    objects
        .put(&at, Bytes::from(line::manifest(job, decisions)), When::Always)
        .await
        .map(drop)
}

/// What the consolidation took in and gave out, and the output manifest, which comes last. Where it lies.
pub(crate) async fn write_end(
    objects: &dyn Objects,
    job: &Running,
    decisions: &[Decision],
) -> Result<Address, StoreError> {
    let files = Files::of(&job.spec);
    for (request, response) in files::consolidation(job, decisions, &files) {
        objects
            .put(&request.0, Bytes::from(request.1), When::Always)
            .await?;
        objects
            .put(&response.0, Bytes::from(response.1), When::Always)
            .await?;
    }
    let at = files.manifest();
    objects
        .put(&at, Bytes::from(line::manifest(job, decisions)), When::Always)
        .await?;
    Ok(at)
}

#[cfg(test)]
mod tests;
