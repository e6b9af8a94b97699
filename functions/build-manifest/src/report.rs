//! What people see of a dataset: its status document, and notices, each once per cause.

use jiff::Timestamp;
use shared::daily::{DailyBudget, DailyUnit};
use shared::layout;
use shared::misnamed;
use shared::name::DatasetName;
use shared::notice::{Notice, announce};
use shared::port::{Bucket, Store, StoreError, Topic};
use shared::status::{DatasetState, DatasetStatus};

use crate::batches::{Batches, Halt};
use crate::cut::{Cut, Why};
use crate::look::{Changed, Look};
use crate::reconcile::ReconcileError;
use crate::rejects::Rejects;
use crate::spec::{NoSpec, ReadSpec};

/// Rejects named in the status document.
const NAMED: usize = 20;

/// The status as it was found, and where the new one goes.
pub(crate) struct Report<'a, S, T> {
    store: &'a S,
    topic: &'a T,
    dataset: &'a DatasetName,
    before: Option<DatasetStatus>,
    etag: Option<String>,
}

/// Where a dataset stands.
#[derive(Debug)]
pub(crate) struct Standing {
    pub(crate) state: DatasetState,
    pub(crate) message: String,
    pub(crate) check_at: Option<Timestamp>,
    pub(crate) pending: usize,
}

impl Standing {
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
                why: Why::DailyBound(most),
            } => {
                let message = format!(
                    "{} for the next day: the {most} items that this stack labels a day (UTC) are in batches. It goes on by \
                     itself after {until}; for more today, raise the stack's parameter {}.",
                    count_wait(pending),
                    DailyUnit::Items.parameter()
                );
                (DatasetState::DailyBound, message, Some(until))
            }
            Cut::Wait { until, why } => {
                let reason = match why {
                    Why::NotQuiet => "for the quiet period to pass",
                    Why::Uploading => "for an upload in parts to finish",
                    Why::Missing => "for objects it points to that are not there",
                    Why::DailyBound(_) => "for the next day",
                };
                let message = format!(
                    "{} {reason}; a batch is cut at {until}, unless more comes before.",
                    count_wait(pending)
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

fn say_changed(status: &mut DatasetStatus, changed: &Changed) {
    status.changed_since_batch = changed.count;
    status.reuploaded_since_batch = changed.unclear;
    status.changed_first = changed.first();
}

fn count_wait(files: usize) -> String {
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
        let there = store.get(Bucket::Output, &layout::status(dataset), None).await?;
        let before = there
            .as_ref()
            .and_then(|there| serde_json::from_slice(&there.bytes).ok());
        Ok(Self {
            store,
            topic,
            dataset,
            before,
            etag: there.map(|there| there.etag),
        })
    }

    /// Batches the last status told of.
    pub(crate) fn batches_before(&self) -> usize {
        self.before
            .as_ref()
            .map_or(0, |before| usize::try_from(before.batches).unwrap_or(0))
    }

    /// When somebody last looked and found something new.
    pub(crate) fn looked_at(&self) -> Option<Timestamp> {
        self.before.as_ref().map(|before| before.at)
    }

    pub(crate) async fn write(
        &self,
        batches: &Batches,
        spec: &ReadSpec,
        rejects: &Rejects,
        look: &Look,
        standing: &Standing,
    ) -> Result<(), StoreError> {
        let mut status = self.status(batches, standing, look.date);
        say_changed(&mut status, &look.changed);
        let ReadSpec { spec, sha256, .. } = spec;
        status.task = Some(spec.task.name().to_owned());
        status.title = Some(spec.title.clone());
        status.team = Some(spec.team.as_str().to_owned());
        status.spec_sha256 = Some(sha256.clone());
        status.rejected = rejects.count();
        status.rejected_first = rejects.first(NAMED);
        self.replace(&status).await
    }

    pub(crate) async fn halted(&self, batches: &Batches, halt: &Halt) -> Result<(), ReconcileError> {
        let prefix = layout::dataset_prefix(self.dataset);
        let at = self.store.list(Bucket::Input, &prefix, true, None).await?.date;
        let message = format!("Halted: {halt}. Nothing more is cut until then.");
        let standing = Standing {
            state: DatasetState::Halted,
            message,
            check_at: None,
            pending: 0,
        };
        let mut status = self.status(batches, &standing, at);
        // What was there before stays the measure of what is missing now.
        if let Some(before) = &self.before {
            status.batches = before.batches.max(status.batches);
            status.items = before.items.max(status.items);
        }
        tracing::error!(dataset = %self.dataset, %halt, "halted");
        self.replace(&status).await?;
        let notice = Notice::dataset_halted(self.dataset, &halt.to_string());
        announce(self.store, self.topic, &notice, at).await?;
        Ok(())
    }

    fn looks_like_misnamed_spec(&self, key: &str) -> bool {
        let path = key.strip_prefix(&layout::dataset_prefix(self.dataset));
        path.is_some_and(misnamed::looks_like_misnamed_spec)
    }

    pub(crate) async fn no_spec(
        &self,
        batches: &Batches,
        look: &Look,
        problem: &NoSpec,
    ) -> Result<DatasetState, ReconcileError> {
        let misnamed = look
            .files
            .iter()
            .find(|file| self.looks_like_misnamed_spec(&file.key));
        let pending = look.files.len() - usize::from(misnamed.is_some());
        let (state, message) = match problem {
            NoSpec::Absent => match misnamed {
                Some(file) => (DatasetState::NoSpec, misnamed::advice(&file.key)),
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
                        count_wait(pending),
                        layout::SPEC_FILE
                    );
                    (DatasetState::NoSpec, message)
                }
            },
            NoSpec::Bad { error, .. } => (DatasetState::BadSpec, error.to_string()),
        };
        let standing = Standing {
            state,
            message,
            check_at: None,
            pending,
        };
        let mut status = self.status(batches, &standing, look.date);
        say_changed(&mut status, &look.changed);
        if let NoSpec::Bad { sha256, .. } = problem {
            status.spec_sha256 = Some(sha256.clone());
        }
        if let Some(before) = &self.before {
            status.rejected = before.rejected;
            status.rejected_first.clone_from(&before.rejected_first);
        }
        tracing::info!(dataset = %self.dataset, ?state, pending, "waits for a spec");
        self.replace(&status).await?;
        if let NoSpec::Bad { error, sha256 } = problem {
            let notice = Notice::spec_rejected(self.dataset, error, sha256);
            announce(self.store, self.topic, &notice, look.date).await?;
        }
        Ok(state)
    }

    /// Told after the batches are cut, so that a closed topic holds nothing up, and marked after it is told, so that
    /// a crash in between tells it again and not never.
    pub(crate) async fn tell_rejects(
        &self,
        rejects: &mut Rejects,
        at: Timestamp,
    ) -> Result<(), ReconcileError> {
        let untold = rejects.untold();
        if untold.is_empty() {
            return Ok(());
        }
        tracing::info!(dataset = %self.dataset, rejected = untold.len(), "rejected files or rows");
        announce(
            self.store,
            self.topic,
            &Notice::files_rejected(self.dataset, &untold),
            at,
        )
        .await?;
        rejects.mark_told();
        Ok(rejects.save(self.store).await?)
    }

    /// Said once a day, by whichever dataset is the first to wait.
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

    fn status(&self, batches: &Batches, standing: &Standing, at: Timestamp) -> DatasetStatus {
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
            changed_since_batch: self
                .before
                .as_ref()
                .map_or(0, |before| before.changed_since_batch),
            reuploaded_since_batch: self
                .before
                .as_ref()
                .map_or(0, |before| before.reuploaded_since_batch),
            changed_first: self
                .before
                .as_ref()
                .map_or_else(Vec::new, |before| before.changed_first.clone()),
        }
    }

    /// Only if it says something new; and if somebody else has said something since, theirs is the newer look.
    async fn replace(&self, status: &DatasetStatus) -> Result<(), StoreError> {
        let same = |before: &DatasetStatus| {
            DatasetStatus {
                at: status.at,
                ..before.clone()
            } == *status
        };
        if self.before.as_ref().is_some_and(same) {
            return Ok(());
        }
        let body = serde_json::to_vec_pretty(status).unwrap_or_default();
        self.store
            .replace(&layout::status(self.dataset), body, self.etag.as_deref())
            .await?;
        Ok(())
    }
}
