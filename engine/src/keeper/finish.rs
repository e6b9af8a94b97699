//! The end of a job: no more answers are taken, everything is written, and only then the job's document says so.

use std::sync::Arc;

use super::announce::announce;
use crate::core::Core;
use crate::output::{
    Files, IncompletePolicy, ItemResult, JobOutput, counters, item_results, write_output, write_raw_answers,
};
use crate::running_job::RunningJob;
use crate::state::{Counters, JobRecord, JobStatus, StoreError, StoredDocument, UpdateError, keys};

/// The most characters of "FailureReason".
const MAX_REASON: usize = 1024;

/// Completes or stops the job, as its document says. Can be repeated after a crash at any point, and by two engines at once:
/// they write the same, and one of them writes the job's document.
pub(super) async fn finish(
    core: &Core,
    record: &StoredDocument<JobRecord>,
    job: &Arc<RunningJob>,
    policy: IncompletePolicy,
) -> Result<(), StoreError> {
    let replaces = close(core, record, job).await?;
    let results = item_results(job, policy).await?;
    let written = match write(core, job, &results, replaces).await {
        Err(error @ (StoreError::Failed(_) | StoreError::Changed)) => return Err(error),
        written => written,
    };
    let counted = match &written {
        Ok(output) => output.counters,
        Err(_) => counters(&results),
    };
    let conclude = |record: &mut JobRecord| -> Result<(), ()> {
        if record.status.is_terminal() {
            return Err(());
        }
        record.modified = (core.clock)();
        record.counters = counted;
        set_final_status(record, &written, counted);
        Ok(())
    };
    match core.documents.update(&keys::job(&job.spec.name), conclude).await {
        Ok(Some(ended)) => {
            core.running_jobs.remove(&job.spec.name);
            announce(core, &ended.value).await
        }
        Ok(None) | Err(UpdateError::Rejected(())) => Ok(()),
        Err(UpdateError::Store(error)) => Err(error),
    }
}

pub(super) fn mark_failed(record: &mut JobRecord, reason: &str) {
    record.status = JobStatus::Failed;
    record.failure_reason = Some(
        format!("ClientError: {reason}")
            .chars()
            .take(MAX_REASON)
            .collect(),
    );
}

/// Stores a change of the job's document, and announces the end if the job has ended by it. If another engine changed the
/// document first, its change stays.
pub(super) async fn store_and_announce(core: &Core, job: &JobRecord, etag: &str) -> Result<(), StoreError> {
    match core.documents.replace(&keys::job(&job.name), job, etag).await {
        Ok(_) if job.status.is_terminal() => announce(core, job).await,
        Ok(_) | Err(StoreError::Changed) => Ok(()),
        Err(error) => Err(error),
    }
}

/// After this no engine takes an answer that would not be in the output: first the job's document says that the job is
/// closing, then every item in work is closed. The result is the ETag of the manifest that the output may replace.
async fn close(
    core: &Core,
    record: &StoredDocument<JobRecord>,
    job: &RunningJob,
) -> Result<Option<String>, StoreError> {
    let replaces = match record.value.closing {
        true => record.value.replaces.clone(),
        false => {
            let mut closing = record.value.clone();
            closing.closing = true;
            closing.replaces = match core.objects.get(&Files::of(&job.spec).manifest()).await {
                Ok(existing) => existing.map(|manifest| manifest.etag),
                // The job ends anyway, and reports that its output could not be written.
                Err(StoreError::Refused(_)) => None,
                Err(error) => return Err(error),
            };
            let key = keys::job(&job.spec.name);
            core.documents.replace(&key, &closing, &record.etag).await?;
            closing.replaces
        }
    };
    if job.index().remaining_count() > 0 {
        job.items.close().await?;
    }
    Ok(replaces)
}

async fn write(
    core: &Core,
    job: &Arc<RunningJob>,
    results: &Arc<Vec<ItemResult>>,
    replaces: Option<String>,
) -> Result<JobOutput, StoreError> {
    let unwritten = [job.items.take_finished(), job.index().active()].concat();
    if let Err(failed) = write_raw_answers(core.objects.as_ref(), job, &unwritten).await {
        job.items.return_finished(failed.items);
        return Err(failed.error);
    }
    write_output(core.objects.as_ref(), job, results, replaces).await
}

fn set_final_status(record: &mut JobRecord, written: &Result<JobOutput, StoreError>, counters: Counters) {
    match written {
        Err(error) => mark_failed(record, &format!("The output could not be written: {error}.")),
        Ok(output) => {
            record.output = Some(output.manifest.to_string());
            if record.status == JobStatus::Stopping {
                record.status = JobStatus::Stopped;
            } else if counters.total_labeled == 0 {
                mark_failed(
                    record,
                    "No data object was labeled: every task expired or was declined.",
                );
            } else {
                record.status = JobStatus::Completed;
            }
        }
    }
}
