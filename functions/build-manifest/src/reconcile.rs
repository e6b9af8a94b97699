//! The batching protocol: one dataset, from what lies in S3 to batches, whatever has happened before.

use jiff::Timestamp;
use shared::name::DatasetName;
use shared::notice::AnnounceError;
use shared::port::{Store, StoreError, Topic};
use shared::status::DatasetState;

use crate::Deps;
use crate::batches::{Batches, BatchesError, Halt};
use crate::cutting::{Cutting, Left};
use crate::look::{Look, look};
use crate::memory;
use crate::rejects::Rejects;
use crate::report::{Report, Standing};
use crate::spec::{self, NoSpec};

/// What a reconcile came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub state: DatasetState,
    /// Batches cut by this reconcile.
    pub cut: u32,
    /// Files that nobody had looked at although an event should have told of them long ago.
    pub untold: usize,
    /// When looking again can change something, if time alone can.
    pub check_at: Option<Timestamp>,
}

/// Why a reconcile did not come to its end. Everything written before is true and stays.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Announce(#[from] AnnounceError),
}

/// Brings one dataset up to date. Called by events and by the clock alike; calling it again changes nothing.
///
/// Why no item is in two batches: batch k+1 is created only by somebody who read exactly the batches 1 to k and left
/// their items out, the first to create it wins, and batches are never changed or deleted (the bucket's policy).
/// Why none is forgotten: whatever is in no batch is found by the next listing, and the clock asks for one.
///
/// `latest_event` is the latest completion an event told of.
pub async fn reconcile<S: Store, T: Topic>(
    deps: &Deps<S, T>,
    dataset: &DatasetName,
    latest_event: Option<Timestamp>,
) -> Result<Outcome, ReconcileError> {
    let mut batches = deps.take_known(dataset);
    let outcome = steps(deps, dataset, latest_event, &mut batches).await;
    deps.keep_known(dataset, batches);
    if let Ok(Outcome { state, cut, .. }) = &outcome {
        tracing::info!(%dataset, ?state, cut, "looked at a dataset");
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
    if let Err(error) = catch_up(deps, dataset, batches, report.batches_before()).await {
        return halt_or_fail(&report, batches, error, 0).await;
    }
    let (mut cut, mut untold) = (0, 0);
    let (spec, mut look, waiting, rule) = loop {
        // 2. Open uploads, then everything that is in no batch.
        let mut look = look(store, dataset, batches).await?;
        // 3. The spec.
        let spec = match spec::read(store, &deps.bounds, dataset, &look).await? {
            Ok(spec) => spec,
            Err(problem) => {
                look.leave_data_out(batches);
                return no_spec(&report, batches, &look, problem, cut).await;
            }
        };
        look.find_json_manifests(store, &spec.spec, batches).await?;
        look.leave_data_out(batches);
        rejects.forget(&spec.sha256, &look.files, batches);
        // 4. to 7. Batches, as long as it is time for one and nobody else cuts them.
        let files = std::mem::take(&mut look.files);
        let cutting = Cutting {
            deps,
            dataset,
            spec: &spec,
            look: &look,
            latest_event,
        };
        untold = untold.max(cutting.untold(&files, report.looked_at(), batches, &rejects));
        match cutting.cut_all(files, batches, &mut rejects, &mut cut).await {
            Ok(Left::Waiting { files, rule }) => break (spec, look, files, rule),
            Ok(Left::Overtaken) => {}
            Err(error) => return halt_or_fail(&report, batches, error, cut).await,
        }
    };
    rejects.settle(batches);
    look.settle(batches);
    rejects.save(store).await?;
    // 8. Say where the dataset stands, and what was rejected.
    let limit_reached = spec.room(batches) == 0;
    let standing = Standing::of(rule, waiting, limit_reached, rejects.count(), batches);
    report.write(batches, &spec, &rejects, &look, &standing).await?;
    report.tell_rejects(&mut rejects, look.date).await?;
    if standing.state == DatasetState::DailyBound {
        report.announce_daily_bound(deps.items_per_day, look.date).await?;
    }
    // 9. Spare other processes what this one has read.
    remember(deps, dataset, batches).await?;
    Ok(Outcome {
        state: standing.state,
        cut,
        untold,
        check_at: standing.check_at,
    })
}

/// Batches may only ever become more; `before` is how many a status document has told of.
async fn catch_up<S: Store, T>(
    deps: &Deps<S, T>,
    dataset: &DatasetName,
    batches: &mut Batches,
    before: usize,
) -> Result<(), BatchesError> {
    batches
        .catch_up(&deps.store, dataset, deps.remember_every)
        .await?;
    if batches.count() < before {
        return Err(Halt::Deleted {
            before,
            now: batches.count(),
        }
        .into());
    }
    Ok(())
}

/// Spares other processes the batches that have come since this was done last. What was cut just now is listed first:
/// only a listing tells its ETag. What else the listing shows is the next round's.
async fn remember<S: Store, T>(
    deps: &Deps<S, T>,
    dataset: &DatasetName,
    batches: &mut Batches,
) -> Result<(), StoreError> {
    let (store, every) = (&deps.store, deps.remember_every);
    if batches.count() < batches.kept.batches + every {
        return Ok(());
    }
    if batches.listed().is_none() {
        match batches.catch_up(store, dataset, every).await {
            Ok(()) => {}
            Err(BatchesError::Store(error)) => return Err(error),
            Err(BatchesError::Halt(_)) => return Ok(()),
        }
    }
    memory::keep(store, dataset, batches).await
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
            report.halted(batches, &halt).await?;
            Ok(Outcome {
                state: DatasetState::Halted,
                cut,
                untold: 0,
                check_at: None,
            })
        }
    }
}

async fn no_spec<S: Store, T: Topic>(
    report: &Report<'_, S, T>,
    batches: &Batches,
    look: &Look,
    problem: NoSpec,
    cut: u32,
) -> Result<Outcome, ReconcileError> {
    let state = report.no_spec(batches, look, &problem).await?;
    Ok(Outcome {
        state,
        cut,
        untold: 0,
        check_at: None,
    })
}
