//! How many people the items of open batches need, from the specs the batches were cut with: neither ever changes.

use std::collections::{BTreeMap, BTreeSet};

use aws::s3::Buckets;
use shared::layout;
use shared::name::{BatchNumber, DatasetName};
use shared::port::{Bucket, Store as _, StoreError};
use shared::spec::Spec;

use crate::documents::ManifestMetadata;
use crate::model::team_size::StaffingNeeds;
use crate::model::{Facts, Phase};

/// By the spec's SHA-256; `None` for one that cannot be read as a spec.
pub(super) type Cache = BTreeMap<String, Option<StaffingNeeds>>;

type Key = (DatasetName, BatchNumber);

/// Adds what batches need whose jobs have not ended; of the others it is of no interest any more.
pub(super) async fn add(
    store: &Buckets,
    manifests: &BTreeMap<String, ManifestMetadata>,
    cache: &mut Cache,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    let ended = ended_batches(facts);
    let open = facts.batches.iter_mut().filter(|(key, _)| !ended.contains(*key));
    for ((dataset, number), batch) in open {
        let metadata = manifests.get(&layout::manifest(dataset, *number));
        let Some(sha256) = metadata.and_then(|metadata| metadata.spec_sha256.as_ref()) else {
            continue;
        };
        batch.needs = match cache.get(sha256) {
            Some(known) => known.clone(),
            None => {
                let needs = read_needs(store, &layout::pinned_spec(sha256)).await?;
                cache.insert(sha256.clone(), needs.clone());
                needs
            }
        };
    }
    Ok(())
}

/// Batches that have jobs, none of which still runs.
fn ended_batches(facts: &Facts) -> BTreeSet<Key> {
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

async fn read_needs(store: &Buckets, key: &str) -> Result<Option<StaffingNeeds>, StoreError> {
    let object = store.get(Bucket::Output, key, None).await?;
    let spec = object.and_then(|object| Spec::parse(&object.bytes).ok());
    Ok(spec.map(|spec| StaffingNeeds::of(&spec)))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use shared::port::{JobCounters, JobState};

    use super::*;
    use crate::model::ListedJob;

    fn listed_job(batch: &Key, state: JobState) -> ListedJob {
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
                listed_job(&batch(1), JobState::Completed),
                listed_job(&batch(2), JobState::Failed),
                listed_job(&batch(2), JobState::InProgress),
            ],
            ..Facts::default()
        };
        assert_eq!(ended_batches(&facts), [batch(1)].into());
    }
}
