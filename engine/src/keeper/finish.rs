//! The end of a job: no more answers, everything written, and only then the document says so.

use std::sync::Arc;

use crate::core::Core;
use crate::output::{Decision, End, Files, Rest, counters, write_end, write_raw_answers};
use crate::state::{Counters, JobRecord, JobStatus, StoreError, Stored, UpdateError, keys};
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
    let replaces = close(core, record, job).await?;
    let decisions = super::decisions(job, rest).await?;
    let written = match write(core, job, &decisions, replaces).await {
        Err(error @ (StoreError::Failed(_) | StoreError::Changed)) => return Err(error),
        written => written,
    };
    let counted = match &written {
        Ok(end) => end.counters,
        Err(_) => counters(&decisions),
    };
    let decided = |record: &mut JobRecord| -> Result<(), ()> {
        if record.status.is_terminal() {
            return Err(());
        }
        record.modified = (core.clock)();
        record.counters = counted;
        conclude(record, &written, counted);
        Ok(())
    };
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
/// every object in work is closed. The manifest that the output may replace.
async fn close(core: &Core, record: &Stored<JobRecord>, job: &Running) -> Result<Option<String>, StoreError> {
    let replaces = match record.value.closing {
        true => record.value.replaces.clone(),
        false => {
            let mut closing = record.value.clone();
            closing.closing = true;
            closing.replaces = match core.objects.get(&Files::of(&job.spec).manifest()).await {
                Ok(there) => there.map(|manifest| manifest.etag),
                // The job ends all the same, and says that its output could not be written.
                Err(StoreError::Refused(_)) => None,
                Err(error) => return Err(error),
            };
            let at = keys::job(&job.spec.name);
            core.documents.replace(&at, &closing, &record.etag).await?;
            closing.replaces
        }
    };
    if job.index().left() > 0 {
        job.close().await?;
    }
    Ok(replaces)
}

async fn write(
    core: &Core,
    job: &Arc<Running>,
    decisions: &Arc<Vec<Decision>>,
    replaces: Option<String>,
) -> Result<End, StoreError> {
    let unwritten = [job.take_done(), job.index().active()].concat();
    if let Err(left) = write_raw_answers(core.objects.as_ref(), job, &unwritten).await {
        job.give_back_done(left.objects);
        return Err(left.error);
    }
    write_end(core.objects.as_ref(), job, decisions, replaces).await
}

fn conclude(record: &mut JobRecord, written: &Result<End, StoreError>, counters: Counters) {
    match written {
        Err(error) => fail(record, &format!("The output could not be written: {error}.")),
        Ok(end) => {
            record.output = Some(end.manifest.to_string());
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
