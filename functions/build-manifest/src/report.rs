//! What people see of a dataset: its status document, and notices, each once per cause.

use jiff::Timestamp;
use shared::daily::{DailyBudget, DailyUnit};
use shared::documents::{self, Snapshot};
use shared::layout;
use shared::misnamed_spec;
use shared::name::DatasetName;
use shared::notice::{Notice, announce};
use shared::port::{Bucket, Store, StoreError, Topic};
use shared::status::{DatasetState, DatasetStatus};

use crate::batches::{Batches, Halt};
use crate::cut::rule::{Cut, WaitReason};
use crate::folder_listing::{ChangedFiles, FolderListing};
use crate::outcome::ReconcileError;
use crate::rejects::Rejects;
use crate::spec::{NoSpec, ReadSpec};

/// Rejects named in the status document.
const NAMED: usize = 20;

/// The status as it was read, and where the new one is written.
pub(crate) struct Report<'a, S, T> {
    store: &'a S,
    topic: &'a T,
    dataset: &'a DatasetName,
    snapshot: Snapshot<DatasetStatus>,
}

/// The state of a dataset, as its status shows it.
#[derive(Debug)]
pub(crate) struct DatasetStanding {
    pub(crate) state: DatasetState,
    pub(crate) message: String,
    pub(crate) check_at: Option<Timestamp>,
    pub(crate) pending: usize,
}

impl DatasetStanding {
    pub(crate) fn of(
        cut: Cut,
        pending: usize,
        limit_reached: bool,
        rejected: u64,
        batches: &Batches,
    ) -> Self {
        let (state, message, check_at) = match cut {
            _ if limit_reached => {
                let items = match batches.items {
                    1 => "1 item is".to_owned(),
                    items => format!("{items} items are"),
                };
                let message = format!(
                    "The limit of the spec (select.limit) is reached: {items} in batches; what waits is not labeled."
                );
                (DatasetState::UpToDate, message, None)
            }
            Cut::Wait {
                until,
                reason: WaitReason::DailyBound(most),
            } => {
                let message = format!(
                    "{} for the next day: the {most} items that this stack labels a day (UTC) are in batches. It goes on by \
                     itself after {until}; for more today, raise the stack's parameter {}.",
                    waiting_files(pending),
                    DailyUnit::Items.parameter()
                );
                (DatasetState::DailyBound, message, Some(until))
            }
            Cut::Wait { until, reason } => {
                let reason = match reason {
                    WaitReason::NotQuiet => "for the quiet period to pass",
                    WaitReason::Uploading => "for an upload in parts to finish",
                    WaitReason::Missing => "for objects it points to that are not there",
                    WaitReason::DailyBound(_) => "for the next day",
                };
                let message = format!(
                    "{} {reason}; a batch is cut at {until}, unless more files arrive before.",
                    waiting_files(pending)
                );
                (DatasetState::Settling, message, Some(until))
            }
            _ if batches.count() == 0 && rejected > 0 => (
                DatasetState::UpToDate,
                format!(
                    "Nothing here can be labeled: {} rejected, each for its reason.",
                    if rejected == 1 {
                        "1 file or row is".to_owned()
                    } else {
                        format!("{rejected} files or rows are")
                    }
                ),
                None,
            ),
            _ if batches.count() == 0 => (
                DatasetState::UpToDate,
                "There is nothing to label yet: drop files in.".to_owned(),
                None,
            ),
            _ => (
                DatasetState::UpToDate,
                "Every file is in a batch.".to_owned(),
                None,
            ),
        };
        Self {
            state,
            message,
            check_at,
            pending,
        }
    }
}

fn add_changed_files(status: &mut DatasetStatus, changed: &ChangedFiles) {
    status.changed_since_batch = changed.count;
    status.reuploaded_since_batch = changed.unclear;
    status.changed_first = changed.first();
}

fn waiting_files(files: usize) -> String {
    if files == 1 {
        "1 file waits".to_owned()
    } else {
        format!("{files} files wait")
    }
}

impl<'a, S: Store, T: Topic> Report<'a, S, T> {
    pub(crate) async fn begin(
        store: &'a S,
        topic: &'a T,
        dataset: &'a DatasetName,
    ) -> Result<Self, StoreError> {
        let snapshot = documents::load_if_readable(store, &layout::status(dataset)).await?;
        Ok(Self {
            store,
            topic,
            dataset,
            snapshot,
        })
    }

    fn before(&self) -> Option<&DatasetStatus> {
        self.snapshot.document.as_ref()
    }

    /// Batches in the last status.
    pub(crate) fn batches_before(&self) -> usize {
        self.before()
            .map_or(0, |before| usize::try_from(before.batches).unwrap_or(0))
    }

    /// When a process last looked and found something new.
    pub(crate) fn looked_at(&self) -> Option<Timestamp> {
        self.before().map(|before| before.at)
    }

    pub(crate) async fn write(
        &self,
        batches: &Batches,
        spec: &ReadSpec,
        rejects: &Rejects,
        listing: &FolderListing,
        standing: &DatasetStanding,
    ) -> Result<(), StoreError> {
        let mut status = self.status(batches, standing, listing.date);
        add_changed_files(&mut status, &listing.changed);
        let ReadSpec { spec, sha256, .. } = spec;
        status.task = Some(spec.task.name().to_owned());
        status.title = Some(spec.title.clone());
        status.team = Some(spec.team.as_str().to_owned());
        status.spec_sha256 = Some(sha256.clone());
        status.rejected = rejects.count();
        status.rejected_first = rejects.first(NAMED);
        self.replace(&status).await
    }

    pub(crate) async fn report_halt(&self, batches: &Batches, halt: &Halt) -> Result<(), ReconcileError> {
        let prefix = layout::dataset_prefix(self.dataset);
        let at = self.store.list(Bucket::Input, &prefix, true, None).await?.date;
        let message = format!("Halted: {halt}. Nothing more is cut until then.");
        let standing = DatasetStanding {
            state: DatasetState::Halted,
            message,
            check_at: None,
            pending: 0,
        };
        let mut status = self.status(batches, &standing, at);
        // The earlier count stays the measure of what is missing now.
        if let Some(before) = self.before() {
            status.batches = before.batches.max(status.batches);
            status.items = before.items.max(status.items);
        }
        tracing::error!(dataset = %self.dataset, %halt, "dataset halted");
        self.replace(&status).await?;
        let notice = Notice::dataset_halted(self.dataset, &halt.to_string());
        announce(self.store, self.topic, &notice, at).await?;
        Ok(())
    }

    fn looks_like_misnamed_spec(&self, key: &str) -> bool {
        let path = key.strip_prefix(&layout::dataset_prefix(self.dataset));
        path.is_some_and(misnamed_spec::looks_like_misnamed_spec)
    }

    pub(crate) async fn report_no_spec(
        &self,
        batches: &Batches,
        listing: &FolderListing,
        problem: &NoSpec,
    ) -> Result<DatasetState, ReconcileError> {
        let misnamed = listing
            .files
            .iter()
            .find(|file| self.looks_like_misnamed_spec(&file.key));
        let pending = listing.files.len() - usize::from(misnamed.is_some());
        let (state, message) = match problem {
            NoSpec::Absent => match misnamed {
                Some(file) => (DatasetState::NoSpec, misnamed_spec::advice(&file.key)),
                None if pending == 0 => {
                    let message = format!(
                        "Nothing waits. New files need a {} in the folder.",
                        layout::SPEC_FILE
                    );
                    (DatasetState::UpToDate, message)
                }
                None => {
                    let message = format!(
                        "{} for {}: put one into the folder.",
                        waiting_files(pending),
                        layout::SPEC_FILE
                    );
                    (DatasetState::NoSpec, message)
                }
            },
            NoSpec::Bad { error, .. } => (DatasetState::BadSpec, error.to_string()),
        };
        let standing = DatasetStanding {
            state,
            message,
            check_at: None,
            pending,
        };
        let mut status = self.status(batches, &standing, listing.date);
        add_changed_files(&mut status, &listing.changed);
        if let NoSpec::Bad { sha256, .. } = problem {
            status.spec_sha256 = Some(sha256.clone());
        }
        if let Some(before) = self.before() {
            status.rejected = before.rejected;
            status.rejected_first.clone_from(&before.rejected_first);
        }
        tracing::info!(dataset = %self.dataset, ?state, pending, "dataset waits for a spec");
        self.replace(&status).await?;
        if let NoSpec::Bad { error, sha256 } = problem {
            let notice = Notice::spec_rejected(self.dataset, error, sha256);
            announce(self.store, self.topic, &notice, listing.date).await?;
        }
        Ok(state)
    }

    /// Announced after the batches are cut, so that a closed topic delays nothing. Marked after the announcement, so that a
    /// crash in between repeats it and does not lose it.
    pub(crate) async fn announce_rejects(
        &self,
        rejects: &mut Rejects,
        at: Timestamp,
    ) -> Result<(), ReconcileError> {
        let new = rejects.to_announce();
        if new.is_empty() {
            return Ok(());
        }
        tracing::info!(dataset = %self.dataset, rejected = new.len(), "files or rows rejected");
        announce(
            self.store,
            self.topic,
            &Notice::files_rejected(self.dataset, &new),
            at,
        )
        .await?;
        rejects.mark_announced();
        Ok(rejects.save(self.store).await?)
    }

    /// Announced once a day, by the first dataset that waits.
    pub(crate) async fn announce_daily_bound(
        &self,
        most: Option<u64>,
        at: Timestamp,
    ) -> Result<(), ReconcileError> {
        if let Some(budget) = DailyBudget::new(DailyUnit::Items, most, at) {
            let notice = Notice::daily_bound(&budget, self.dataset);
            announce(self.store, self.topic, &notice, at).await?;
        }
        Ok(())
    }

    fn status(&self, batches: &Batches, standing: &DatasetStanding, at: Timestamp) -> DatasetStatus {
        DatasetStatus {
            dataset: self.dataset.to_string(),
            state: standing.state,
            message: standing.message.clone(),
            at,
            check_at: standing.check_at,
            task: None,
            title: None,
            team: None,
            spec_sha256: None,
            pending_files: standing.pending as u64,
            batches: u32::try_from(batches.count()).unwrap_or(u32::MAX),
            items: batches.items,
            rows_left_out: batches.left_out,
            rejected: 0,
            rejected_first: Vec::new(),
            changed_since_batch: self.before().map_or(0, |before| before.changed_since_batch),
            reuploaded_since_batch: self.before().map_or(0, |before| before.reuploaded_since_batch),
            changed_first: self
                .before()
                .map_or_else(Vec::new, |before| before.changed_first.clone()),
        }
    }

    /// Only if it says something new. If another process has written since, its listing is the newer one.
    async fn replace(&self, status: &DatasetStatus) -> Result<(), StoreError> {
        let says_the_same = |before: &DatasetStatus| {
            DatasetStatus {
                at: status.at,
                ..before.clone()
            } == *status
        };
        if !self.before().is_some_and(says_the_same) {
            self.snapshot.replace(self.store, status).await?;
        }
        Ok(())
    }
}
