//! The end of a job: no more answers, everything written, and only then the document says so.

use std::sync::Arc;

use crate::core::Core;
use crate::output::{Rest, counters, write_end, write_raw_answers};
use crate::state::{Address, Counters, JobRecord, JobStatus, StoreError, Stored, UpdateError, keys};
use crate::work::Running;

/// "FailureReason" has at most so many characters.
const MAX_REASON: usize = 1024;

/// Completes or stops the job, as its document says. Can be done again after a crash at any point, and by two engines at
/// once: what they write is the same, and one of them gets the last word in.
pub(super) async fn finish(
    core: &Core,
    record: &Stored<JobRecord>,
    job: &Arc<Running>,
    rest: Rest,
) -> Result<(), StoreError> {
    if job.index().left() > 0 {
        close(core, record, job).await?;
    }
    let decisions = super::decisions(job, rest).await?;
    let written = write(core, job, &decisions).await;
    let counters = counters(&decisions);
    let decided = |record: &mut JobRecord| -> Result<(), ()> {
        if record.status.is_terminal() {
            return Err(());
        }
        record.modified = (core.clock)();
        record.counters = counters;
        conclude(record, &written, counters);
        Ok(())
    };
    if let Err(error @ (StoreError::Failed(_) | StoreError::Changed)) = &written {
        return Err(error.clone());
    }
    match core.documents.update(&keys::job(&job.spec.name), decided).await {
        Ok(Some(ended)) => {
            core.set_running(&job.spec.name, None);
            super::event::announce(core, &ended.value).await
        }
        Ok(None) | Err(UpdateError::No(())) => Ok(()),
        Err(UpdateError::Store(error)) => Err(error),
    }
}

pub(super) fn fail(record: &mut JobRecord, reason: &str) {
    record.status = JobStatus::Failed;
    record.failure_reason = Some(
        format!("ClientError: {reason}")
            .chars()
            .take(MAX_REASON)
            .collect(),
    );
}

/// From here on no engine takes an answer that would not be in the output: first the job says that it is closing, then
/// every object in work is closed.
async fn close(core: &Core, record: &Stored<JobRecord>, job: &Running) -> Result<(), StoreError> {
    if record.value.is_open() {
        let mut closing = record.value.clone();
        closing.closing = true;
        core.documents
            .replace(&keys::job(&job.spec.name), &closing, &record.etag)
            .await?;
    }
    job.close().await
}

async fn write(
    core: &Core,
    job: &Running,
    decisions: &[crate::output::Decision],
) -> Result<Address, StoreError> {
    let unwritten = [job.take_done(), job.index().active()].concat();
    if let Err(left) = write_raw_answers(core.objects.as_ref(), job, &unwritten).await {
        job.give_back_done(left.objects);
        return Err(left.error);
    }
    write_end(core.objects.as_ref(), job, decisions).await
}

fn conclude(record: &mut JobRecord, written: &Result<Address, StoreError>, counters: Counters) {
    match written {
        Err(error) => fail(record, &format!("The output could not be written: {error}.")),
        Ok(manifest) => {
            record.output = Some(manifest.to_string());
            if record.status == JobStatus::Stopping {
                record.status = JobStatus::Stopped;
            } else if counters.total_labeled == 0 {
                fail(
                    record,
                    "No data object was labeled: every task expired or was declined.",
                );
            } else {
                record.status = JobStatus::Completed;
            }
        }
    }
}
