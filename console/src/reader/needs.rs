//! What the items of open batches ask for, of the specs the batches were cut with: neither ever changes.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_s3::Client;
use shared::layout;
use shared::name::{BatchNumber, DatasetName};
use shared::spec::Spec;

use crate::documents::{About, LoadError};
use crate::model::enough::Needs;
use crate::model::{Facts, Phase};

/// By the spec's SHA-256; `None` for one that cannot be read as a spec.
pub(super) type Memory = BTreeMap<String, Option<Needs>>;

type Key = (DatasetName, BatchNumber);

/// Of batches whose jobs have ended nobody needs to know any more.
pub(super) async fn fill(
    s3: &Client,
    bucket: &str,
    manifests: &BTreeMap<String, About>,
    memory: &mut Memory,
    facts: &mut Facts,
) -> Result<(), LoadError> {
    let ended = ended(facts);
    let open = facts.batches.iter_mut().filter(|(key, _)| !ended.contains(*key));
    for ((dataset, number), batch) in open {
        let about = manifests.get(&layout::manifest(dataset, *number));
        let Some(sha256) = about.and_then(|about| about.spec.as_ref()) else {
            continue;
        };
        batch.needs = match memory.get(sha256) {
            Some(known) => known.clone(),
            None => {
                let needs = read(s3, bucket, &layout::pinned_spec(sha256)).await?;
                memory.insert(sha256.clone(), needs.clone());
                needs
            }
        };
    }
    Ok(())
}

/// Batches that have jobs, none of which still runs.
fn ended(facts: &Facts) -> BTreeSet<Key> {
    let is_over = |state| Phase::from(state).is_terminal();
    let running: BTreeSet<&Key> = facts
        .jobs
        .iter()
        .filter(|job| !is_over(job.state))
        .map(|job| &job.batch)
        .collect();
    let over = facts.jobs.iter().map(|job| &job.batch);
    over.filter(|batch| !running.contains(batch)).cloned().collect()
}

async fn read(s3: &Client, bucket: &str, key: &str) -> Result<Option<Needs>, LoadError> {
    let failed = |error: &(dyn std::error::Error + 'static)| LoadError {
        what: format!("s3://{bucket}/{key}"),
        reason: crate::reason::reason(error),
    };
    let object = match s3.get_object().bucket(bucket).key(key).send().await {
        Ok(object) => object,
        Err(error) if error.as_service_error().is_some_and(|e| e.is_no_such_key()) => return Ok(None),
        Err(error) => return Err(failed(&error)),
    };
    let text = object.body.collect().await.map_err(|error| failed(&error))?;
    Ok(Spec::parse(&text.to_vec()).ok().map(|spec| Needs::of(&spec)))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use shared::port::{JobCounters, JobState};

    use super::*;
    use crate::model::ListedJob;

    fn listed(batch: &Key, state: JobState) -> ListedJob {
        ListedJob {
            name: format!("{state:?}"),
            batch: batch.clone(),
            state,
            failure_reason: None,
            output_manifest_uri: None,
            created: Timestamp::UNIX_EPOCH,
            modified: Timestamp::UNIX_EPOCH,
            counters: JobCounters::default(),
        }
    }

    #[test]
    fn a_batch_that_was_started_again_has_not_ended() {
        let batch = |n| (DatasetName::new("d").unwrap(), BatchNumber::new(n).unwrap());
        let facts = Facts {
            jobs: vec![
                listed(&batch(1), JobState::Completed),
                listed(&batch(2), JobState::Failed),
                listed(&batch(2), JobState::InProgress),
            ],
            ..Facts::default()
        };
        assert_eq!(ended(&facts), [batch(1)].into());
    }
}
