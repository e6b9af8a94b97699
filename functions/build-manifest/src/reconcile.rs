//! The batching protocol: one dataset, from what is in S3 to batches, whatever has happened before.

use jiff::Timestamp;
use shared::name::DatasetName;
use shared::port::{Store, StoreError, Topic};
use shared::status::DatasetState;

use crate::batches::{Batches, BatchesError, Halt};
use crate::catch_up;
use crate::cut::cutter::{BatchCutter, CutOutcome};
use crate::deps::Deps;
use crate::folder_listing::{FolderListing, list_folder};
use crate::memory;
use crate::outcome::{Outcome, ReconcileError};
use crate::rejects::Rejects;
use crate::report::{DatasetStanding, Report};
use crate::spec::{self, NoSpec};

/// Brings one dataset up to date. Called by events and by the clock alike; calling it again changes nothing.
///
/// Why no item is in two batches: batch k+1 is created only by a process that has read exactly the batches 1 to k and left
/// their items out, the first to create it wins, and batches are never changed or deleted (the bucket's policy).
/// Why none is forgotten: what is in no batch is found by the next listing, and the clock asks for one.
///
/// `latest_event` is the latest completion in an event.
pub async fn reconcile<S: Store, T: Topic>(
    deps: &Deps<S, T>,
    dataset: &DatasetName,
    latest_event: Option<Timestamp>,
) -> Result<Outcome, ReconcileError> {
    let mut batches = deps.take_known(dataset);
    let outcome = steps(deps, dataset, latest_event, &mut batches).await;
    deps.keep_known(dataset, batches);
    if let Ok(Outcome { state, cut, .. }) = &outcome {
        tracing::info!(%dataset, ?state, cut, "dataset reconciled");
    }
    outcome
}

async fn steps<S: Store, T: Topic>(
    deps: &Deps<S, T>,
    dataset: &DatasetName,
    latest_event: Option<Timestamp>,
    batches: &mut Batches,
) -> Result<Outcome, ReconcileError> {
    let store = &deps.store;
    let report = Report::begin(store, &deps.topic, dataset).await?;
    let mut rejects = Rejects::load(store, dataset).await?;

    // 1. Which batches there are. If they do not fit together, stop.
    if let Err(error) = read_batches(deps, dataset, batches, report.batches_before()).await {
        return halt_or_fail(&report, batches, error, 0).await;
    }
    let (mut cut, mut without_event) = (0, 0);
    let (spec, mut listing, waiting, rule) = loop {
        // 2. Open uploads, then everything that is in no batch.
        let mut listing = list_folder(store, dataset, batches).await?;
        // 3. The spec.
        let spec = match spec::read(store, &deps.bounds, dataset, &listing).await? {
            Ok(spec) => spec,
            Err(problem) => {
                listing.leave_data_out(batches);
                return end_without_spec(&report, batches, &listing, problem, cut).await;
            }
        };
        listing.find_json_manifests(store, &spec.spec, batches).await?;
        listing.leave_data_out(batches);
        rejects.forget(&spec.sha256, &listing.files, batches);
        // 4. to 7. Batches, as long as it is time for one and no other process cuts them.
        let files = std::mem::take(&mut listing.files);
        let cutter = BatchCutter {
            deps,
            dataset,
            spec: &spec,
            listing: &listing,
            latest_event,
        };
        let lost = cutter.files_without_event(&files, report.looked_at(), batches, &rejects);
        without_event = without_event.max(lost);
        match cutter.cut_all(files, batches, &mut rejects, &mut cut).await {
            Ok(CutOutcome::Waiting { files, cut }) => break (spec, listing, files, cut),
            Ok(CutOutcome::Overtaken) => {}
            Err(error) => return halt_or_fail(&report, batches, error, cut).await,
        }
    };
    rejects.settle(batches);
    listing.settle(batches);
    rejects.save(store).await?;
    // 8. The dataset's status, and notices of what was rejected.
    let limit_reached = spec.room(batches) == 0;
    let standing = DatasetStanding::of(rule, waiting, limit_reached, rejects.count(), batches);
    report
        .write(batches, &spec, &rejects, &listing, &standing)
        .await?;
    report.announce_rejects(&mut rejects, listing.date).await?;
    if standing.state == DatasetState::DailyBound {
        report
            .announce_daily_bound(deps.items_per_day, listing.date)
            .await?;
    }
    // 9. What this process has read, written for others.
    remember(deps, dataset, batches).await?;
    Ok(Outcome {
        state: standing.state,
        cut,
        without_event,
        check_at: standing.check_at,
    })
}

/// There may only ever be more batches; `before` is how many the status document counts.
async fn read_batches<S: Store, T>(
    deps: &Deps<S, T>,
    dataset: &DatasetName,
    batches: &mut Batches,
    before: usize,
) -> Result<(), BatchesError> {
    catch_up::catch_up(batches, &deps.store, dataset, deps.remember_every).await?;
    if batches.count() < before {
        return Err(Halt::Deleted {
            before,
            now: batches.count(),
        }
        .into());
    }
    Ok(())
}

/// Spares other processes the batches since the last time. A batch that was just cut is listed first: only a listing shows
/// its ETag. What else the listing shows is for the next round.
async fn remember<S: Store, T>(
    deps: &Deps<S, T>,
    dataset: &DatasetName,
    batches: &mut Batches,
) -> Result<(), StoreError> {
    let (store, every) = (&deps.store, deps.remember_every);
    if batches.count() < batches.memory.batches + every {
        return Ok(());
    }
    if batches.manifest_etags().is_none() {
        match catch_up::catch_up(batches, store, dataset, every).await {
            Ok(()) => {}
            Err(BatchesError::Store(error)) => return Err(error),
            Err(BatchesError::Halt(_)) => return Ok(()),
        }
    }
    memory::write(store, dataset, batches).await
}

async fn halt_or_fail<S: Store, T: Topic>(
    report: &Report<'_, S, T>,
    batches: &Batches,
    error: BatchesError,
    cut: u32,
) -> Result<Outcome, ReconcileError> {
    match error {
        BatchesError::Store(error) => Err(error.into()),
        BatchesError::Halt(halt) => {
            report.report_halt(batches, &halt).await?;
            Ok(Outcome {
                state: DatasetState::Halted,
                cut,
                without_event: 0,
                check_at: None,
            })
        }
    }
}

async fn end_without_spec<S: Store, T: Topic>(
    report: &Report<'_, S, T>,
    batches: &Batches,
    listing: &FolderListing,
    problem: NoSpec,
    cut: u32,
) -> Result<Outcome, ReconcileError> {
    let state = report.report_no_spec(batches, listing, &problem).await?;
    Ok(Outcome {
        state,
        cut,
        without_event: 0,
        check_at: None,
    })
}
