//! The batching protocol: one dataset, from what lies in S3 to batches, whatever has happened before.

use std::collections::BTreeMap;

use jiff::Timestamp;
use shared::layout;
use shared::name::{BatchNumber, DatasetName};
use shared::notice::AnnounceError;
use shared::port::{Bucket, Created, Object, Store, StoreError, Topic};
use shared::spec::{self, Spec, SpecError};
use shared::status::DatasetState;
use uuid::Uuid;

use crate::Deps;
use crate::batches::{Batches, BatchesError, Halt, meta};
use crate::cut::{self, Cut, Moment};
use crate::fill::{Candidate, Filled, Recipe, fill};
use crate::look::{Look, look};
use crate::rejects::Rejects;
use crate::report::{Report, Standing};

/// What a reconcile came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub state: DatasetState,
    /// Batches cut by this reconcile.
    pub cut: u32,
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

    // 1. Which batches there are. If they do not fit together, stop.
    if let Err(error) = catch_up(store, dataset, batches, report.batches_before()).await {
        return halt_or_fail(&report, batches, error).await;
    }
    // 2. Open uploads, then everything that is in no batch.
    let look = look(store, dataset, batches).await?;
    // 3. The spec.
    let spec = match read_spec(store, dataset, &look).await? {
        Ok(spec) => spec,
        Err(problem) => return no_spec(&report, batches, &look, problem).await,
    };
    let mut rejects = Rejects::load(store, dataset, &spec.sha256).await?;
    rejects.forget(&look.files, batches);

    let Look {
        date,
        uploads,
        ready,
        by_hand,
        mut files,
        ..
    } = look;
    let mut cut = 0;
    let (waiting, cut_rule) = loop {
        // 4. What waits, and whether it is time.
        let waiting = candidates(&spec.spec, files, by_hand, batches, &rejects);
        let moment = Moment {
            date,
            uploads: &uploads,
            ready,
            latest_event,
            limit: spec.batch_limit(),
        };
        let times: Vec<Timestamp> = waiting
            .iter()
            .map(|candidate| candidate.object.last_modified)
            .collect();
        let cut_rule = cut::decide(&spec.spec.batch, &times, &moment);
        let max_items = spec.room(batches);
        let (now, later) = select(cut_rule, waiting);
        if now.is_empty() || max_items == 0 {
            break (now.len() + later.len(), cut_rule);
        }
        // 5. Read the files, leave out what cannot be labeled, and remember that.
        let recipe = Recipe {
            spec: &spec.spec,
            input_bucket: &deps.input_bucket,
            max_items,
        };
        let filled = fill(store, &recipe, now).await?;
        rejects.record(filled.rejected);
        rejects.save(store).await?;
        let Filled {
            manifest,
            added,
            done,
            mut rest,
            ..
        } = filled;
        rest.extend(later.into_iter().map(|candidate| candidate.object));
        files = rest;
        if manifest.is_empty() {
            continue;
        }
        // 6. Pin the spec, then create the next batch: the first to create it wins.
        let number = match batches.next() {
            Ok(number) => number,
            Err(halt) => return halt_or_fail(&report, batches, halt.into()).await,
        };
        let metadata = metadata(&spec, &added);
        pin(store, &spec).await?;
        if create(store, dataset, number, manifest, metadata).await? {
            tracing::info!(%dataset, batch = number.get(), items = added.items, "cut a batch");
            batches.push(added);
            cut += 1;
            continue;
        }
        // Somebody else was first: what they took is read and left out, the rest is decided again.
        tracing::info!(%dataset, batch = number.get(), "another instance cut the batch first");
        files.splice(0..0, done);
        files.dedup_by(|a, b| a.key == b.key);
        if let Err(error) = catch_up(store, dataset, batches, 0).await {
            return halt_or_fail(&report, batches, error).await;
        }
    };
    rejects.save(store).await?;

    // 7. Say where the dataset stands, and what was rejected.
    let standing = Standing::of(cut_rule, waiting, spec.room(batches) == 0, batches);
    report
        .write(batches, Some(&spec), &rejects, &standing, date)
        .await?;
    report.tell_rejects(&mut rejects, date).await?;
    Ok(Outcome {
        state: standing.state,
        cut,
        check_at: standing.check_at,
    })
}

/// A spec as it lies in the input bucket.
pub(crate) struct ReadSpec {
    pub(crate) spec: Spec,
    pub(crate) sha256: String,
    text: Vec<u8>,
}

impl ReadSpec {
    /// Items one batch may hold.
    fn batch_limit(&self) -> usize {
        let limit = self.spec.batch.max_items.min(self.spec.task.info().max_items);
        usize::try_from(limit).unwrap_or(usize::MAX)
    }

    /// Items the next batch may hold: `select.limit` counts over all batches.
    fn room(&self, batches: &Batches) -> u64 {
        let left = self
            .spec
            .select
            .limit
            .map_or(u64::MAX, |limit| limit.saturating_sub(batches.items));
        left.min(self.batch_limit() as u64)
    }
}

/// Why there is no spec to go by.
pub(crate) enum NoSpec {
    Absent,
    Bad { error: SpecError, sha256: String },
}

async fn read_spec(
    store: &impl Store,
    dataset: &DatasetName,
    look: &Look,
) -> Result<Result<ReadSpec, NoSpec>, StoreError> {
    if !look.spec_there {
        return Ok(Err(NoSpec::Absent));
    }
    // One byte more than a spec may have: enough to see that it has too many.
    let range = 0..spec::MAX_BYTES as u64 + 1;
    let Some(file) = store
        .get(Bucket::Input, &layout::spec_input(dataset), Some(range))
        .await?
    else {
        return Ok(Err(NoSpec::Absent));
    };
    let sha256 = Spec::sha256(&file.bytes);
    Ok(match Spec::parse(&file.bytes) {
        Ok(spec) => Ok(ReadSpec {
            spec,
            sha256,
            text: file.bytes,
        }),
        Err(error) => Err(NoSpec::Bad { error, sha256 }),
    })
}

/// Batches may only ever become more; `before` is how many a status document has told of.
async fn catch_up(
    store: &impl Store,
    dataset: &DatasetName,
    batches: &mut Batches,
    before: usize,
) -> Result<(), BatchesError> {
    batches.catch_up(store, dataset).await?;
    if batches.count() < before {
        return Err(Halt::Deleted {
            before,
            now: batches.count(),
        }
        .into());
    }
    Ok(())
}

/// The rest of a file whose other rows are in the last batch comes first.
fn candidates(
    spec: &Spec,
    files: Vec<Object>,
    by_hand: bool,
    batches: &Batches,
    rejects: &Rejects,
) -> Vec<Candidate> {
    let resume = batches.resume.as_ref();
    let in_a_batch =
        |file: &Object| batches.has(&file.key) && resume.is_none_or(|resume| resume.key != file.key);
    let waiting = files
        .into_iter()
        .filter(|file| !in_a_batch(file) && !rejects.has(file));
    let mut waiting: Vec<_> = waiting
        .filter_map(|file| Candidate::new(spec, file, by_hand, resume))
        .collect();
    waiting.sort_by_key(|candidate| candidate.after_row == 0);
    waiting
}

/// What is cut now, and what is left. The rest of a file goes on at once: only the last batch says where it ended.
fn select(cut: Cut, waiting: Vec<Candidate>) -> (Vec<Candidate>, Vec<Candidate>) {
    waiting.into_iter().partition(|candidate| match cut {
        Cut::All => true,
        Cut::UpTo(ready) => candidate.object.last_modified <= ready || candidate.after_row > 0,
        Cut::Wait { .. } | Cut::Nothing => candidate.after_row > 0,
    })
}

fn metadata(spec: &ReadSpec, added: &crate::batches::Added) -> BTreeMap<String, String> {
    let mut metadata = BTreeMap::from([
        (meta::OWNER.to_owned(), Uuid::new_v4().to_string()),
        (meta::SPEC.to_owned(), spec.sha256.clone()),
        (meta::ITEMS.to_owned(), added.items.to_string()),
    ]);
    if let Some(resume) = &added.resume {
        metadata.insert(meta::RESUME.to_owned(), resume.after_row.to_string());
    }
    metadata
}

/// Named by its own hash: whoever was there first wrote the same bytes.
async fn pin(store: &impl Store, spec: &ReadSpec) -> Result<(), StoreError> {
    store
        .create(
            &layout::pinned_spec(&spec.sha256),
            spec.text.clone(),
            &BTreeMap::new(),
        )
        .await?;
    Ok(())
}

/// Whether the batch is ours. A 412 may be the answer to the SDK's own second try after the first one's response was
/// lost; then the manifest that is there carries our owner token.
async fn create(
    store: &impl Store,
    dataset: &DatasetName,
    number: BatchNumber,
    manifest: Vec<u8>,
    metadata: BTreeMap<String, String>,
) -> Result<bool, StoreError> {
    let key = layout::manifest(dataset, number);
    match store.create(&key, manifest, &metadata).await? {
        Created::New => Ok(true),
        Created::AlreadyThere => {
            let there = store.get(Bucket::Output, &key, Some(0..1)).await?;
            Ok(there.is_some_and(|there| there.metadata.get(meta::OWNER) == metadata.get(meta::OWNER)))
        }
    }
}

async fn halt_or_fail<S: Store, T: Topic>(
    report: &Report<'_, S, T>,
    batches: &Batches,
    error: BatchesError,
) -> Result<Outcome, ReconcileError> {
    match error {
        BatchesError::Store(error) => Err(error.into()),
        BatchesError::Halt(halt) => {
            report.halted(batches, &halt).await?;
            Ok(Outcome {
                state: DatasetState::Halted,
                cut: 0,
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
) -> Result<Outcome, ReconcileError> {
    let state = report.no_spec(batches, look, &problem).await?;
    Ok(Outcome {
        state,
        cut: 0,
        check_at: None,
    })
}
