//! The clock: every dataset, even if no event named it.

use std::collections::BTreeSet;

use futures::stream::{self, StreamExt};
use jiff::Timestamp;
use lambda::HandlerError;
use lambda::event::Sweep;
use lambda::metric::Metric;
use serde_json::{Value, json};
use shared::documents;
use shared::layout::{self, InputKey, TEAMS};
use shared::name::DatasetName;
use shared::notice::{DigestGroup, send_digest};
use shared::port::{Bucket, Store, StoreError, Topic};

use crate::deps::Deps;
use crate::misplaced_files::MisplacedFiles;
use crate::reconcile::reconcile;

/// Datasets looked at side by side. Each may hold a manifest of 32 MiB in memory while it is made.
pub(crate) const AT_ONCE: usize = 4;
/// So many take a round seconds; with very many more it may be killed before its end.
const FEW: usize = 1_000;

pub(crate) async fn sweep<S: Store, T: Topic>(
    deps: &Deps<S, T>,
    which: Sweep,
) -> Result<Value, HandlerError> {
    let all = which == Sweep::All;
    let (datasets, misplaced, date) = match which {
        Sweep::Datasets(names) => (names, Vec::new(), Timestamp::UNIX_EPOCH),
        Sweep::All => folders(&deps.store, deps.items_per_day.is_some())
            .await
            .map_err(|error| sweep_error(1, 1, error.to_string()))?,
    };
    let (of, mut errors, mut cut) = (datasets.len() + misplaced.len(), Vec::new(), 0);
    let mut without_event = 0;
    let mut reconciled = stream::iter(datasets)
        .map(|dataset| async move { (reconcile(deps, &dataset, None).await, dataset) })
        .buffer_unordered(AT_ONCE);
    while let Some((outcome, dataset)) = reconciled.next().await {
        match outcome {
            Ok(outcome) => {
                cut += outcome.cut;
                without_event += outcome.without_event;
                if outcome.without_event > 0 {
                    tracing::warn!(%dataset, files = outcome.without_event, "sweep found files that had no S3 event");
                }
            }
            Err(error) => {
                tracing::error!(%dataset, %error, "reconcile failed; the next sweep tries again");
                errors.push(error.to_string());
            }
        }
    }
    if all {
        deps.metrics
            .put(&[(Metric::FoundWithoutEvent, without_event as u64)]);
    }
    for files in misplaced {
        if let Err(error) = files.announce(deps).await {
            tracing::error!(%error, "failed to publish notice; the next sweep tries again");
            errors.push(error.to_string());
        }
    }
    if all && let Err(error) = send_digest(&deps.store, &deps.topic, DigestGroup::Datasets, date).await {
        tracing::error!(%error, "failed to publish the digest of notices; the next sweep tries again");
        errors.push(error.to_string());
    }
    match errors.first() {
        Some(first) => Err(sweep_error(errors.len(), of, first.clone())),
        None => Ok(json!({ "datasets": of, "batches": cut })),
    }
}

fn sweep_error(failed: usize, of: usize, first: String) -> HandlerError {
    HandlerError::Sweep { failed, of, first }
}

/// The folders at the top of the input bucket, what is there that cannot be a dataset, and S3's time.
async fn folders(
    store: &impl Store,
    bounded: bool,
) -> Result<(Vec<DatasetName>, Vec<MisplacedFiles>, Timestamp), StoreError> {
    let (mut datasets, mut misplaced) = (Vec::new(), Vec::new());
    let mut date = Timestamp::UNIX_EPOCH;
    let mut pages = documents::list_by_folder(store, Bucket::Input, "");
    while let Some(page) = pages.next_page().await? {
        date = date.max(page.date);
        let loose = page.objects.first();
        misplaced.extend(loose.map(|object| MisplacedFiles::loose(&object.key)));
        for folder in &page.folders {
            let name = folder.trim_end_matches('/');
            match DatasetName::new(name) {
                Ok(dataset) => datasets.push(dataset),
                Err(_) if name == TEAMS => misplaced.extend(among_teams(store, folder).await?),
                Err(error) => misplaced.push(MisplacedFiles::folder(folder, &error)),
            }
        }
    }
    datasets.extend(deleted_datasets(store, &datasets).await?);
    let first = first(date, datasets.len(), bounded);
    datasets.rotate_left(first);
    misplaced.sort();
    misplaced.dedup();
    Ok((datasets, misplaced, date))
}

/// Where the round over very many datasets begins: each time elsewhere, so that one which is always killed before its
/// end leaves none of them out for long. Steps of the golden ratio are spread evenly, however many there are.
///
/// Where a day has a bound, the first of the day may use it up: each day it is another one.
fn first(date: Timestamp, datasets: usize, bounded: bool) -> usize {
    const ROUND: u64 = 15 * 60;
    const DAY: u64 = 24 * 60 * 60;
    const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
    let period = match bounded {
        _ if datasets > FEW => ROUND,
        true => DAY,
        false => return 0,
    };
    let round = u64::try_from(date.as_second()).unwrap_or(0) / period;
    let place = (u128::from(round.wrapping_mul(GOLDEN)) * datasets as u128) >> 64;
    usize::try_from(place).unwrap_or(0)
}

/// A file among the team files that is none, if the first page shows one: one cause, announced once.
async fn among_teams(store: &impl Store, folder: &str) -> Result<Option<MisplacedFiles>, StoreError> {
    let page = store.list(Bucket::Input, folder, false, None).await?;
    Ok(page
        .objects
        .iter()
        .find_map(|object| match InputKey::parse(&object.key) {
            InputKey::BadDataset(error) => Some(MisplacedFiles::folder(&object.key, &error)),
            _ => None,
        }))
}

/// Datasets with a status and without a file: what the status waits for never arrives.
async fn deleted_datasets(store: &impl Store, there: &[DatasetName]) -> Result<Vec<DatasetName>, StoreError> {
    let there: BTreeSet<&str> = there.iter().map(DatasetName::as_str).collect();
    let objects = documents::list_all(store, Bucket::Output, layout::STATUS).await?;
    let names = objects.iter().filter_map(|object| {
        let name = object.key.strip_prefix(layout::STATUS)?.strip_suffix(".json")?;
        (!there.contains(name)).then(|| DatasetName::new(name).ok())?
    });
    Ok(names.collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn rounds_that_are_always_interrupted_leave_no_dataset_out() {
        let (all, done_in_one) = (20_000, 5_000);
        let at = |round: i64| Timestamp::from_second(1_790_000_000 + round * 900).unwrap();
        let begun = (0..12).map(|round| first(at(round), all, false));
        let looked_at: BTreeSet<usize> = begun
            .flat_map(|first| (first..first + done_in_one).map(move |n| n % all))
            .collect();
        assert_eq!(looked_at.len(), all);
    }

    #[test]
    fn a_round_that_finishes_begins_at_the_beginning() {
        assert_eq!(
            first(Timestamp::from_second(1_790_000_000).unwrap(), FEW, false),
            0
        );
    }

    #[test]
    fn where_a_day_has_a_bound_each_dataset_is_the_first_on_some_day() {
        let at =
            |day: i64, hour: i64| Timestamp::from_second(86_400 * (20_000 + day) + 3_600 * hour).unwrap();
        let begun: BTreeSet<usize> = (0..15).map(|day| first(at(day, 0), 5, true)).collect();
        assert_eq!(begun, (0..5).collect());
        assert_eq!(first(at(3, 0), 5, true), first(at(3, 23), 5, true));
    }
}
