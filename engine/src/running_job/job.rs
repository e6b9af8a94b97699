//! A running job: its inputs, and what workers can do with its items.

use std::sync::{Arc, MutexGuard};

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::index::{HandOutRules, Index, Pick};
use super::item::{ItemProgress, ItemRecord};
use super::items::Items;
use crate::answer::AnswerReader;
use crate::clock::Clock;
use crate::desk::{HeldTask, Lease, PortalJob, WorkError};
use crate::job::{Categories, JobSpec, Manifest, task_object};
use crate::keyed_locks::KeyedLocks;
use crate::state::{Documents, JobRecord};
use crate::worker::Worker;

/// Attempts to find an item for a worker. Each failed attempt means that another engine handed out the item.
const ATTEMPTS: u32 = 20;
/// Items lost to other engines before all items are read again.
const LOST_BEFORE_REFRESH: u32 = 4;

pub(crate) struct RunningJob {
    pub(crate) spec: JobSpec,
    pub(crate) manifest: Manifest,
    pub(crate) categories: Arc<Categories>,
    pub(crate) answers: Arc<AnswerReader>,
    pub(crate) created: Timestamp,
    /// Since when tasks are handed out.
    pub(crate) opened: Timestamp,
    pub(crate) items: Arc<Items>,
    /// Wakes the job's keeper: an item was finished, or the job's document was changed here.
    pub(crate) wake: Arc<Notify>,
    template: Arc<str>,
    /// By worker: a double click must take one task.
    leasing: KeyedLocks,
}

/// The inputs of a job, read and checked.
pub(crate) struct Inputs {
    pub(crate) manifest: Manifest,
    pub(crate) categories: Categories,
    pub(crate) template: Arc<str>,
}

impl RunningJob {
    pub(crate) fn new(
        job: &JobRecord,
        spec: JobSpec,
        inputs: Inputs,
        documents: Documents,
        clock: Clock,
    ) -> RunningJob {
        let Inputs {
            manifest,
            categories,
            template,
        } = inputs;
        let categories = Arc::new(categories);
        let answers = Arc::new(AnswerReader::new(spec.task, &template, categories.clone()));
        let total = manifest.len();
        let rules = HandOutRules {
            workers: spec.workers,
            window: spec.window,
            limit: spec.limit(total),
        };
        let index = Index::new(rules, answers.clone(), total, |index| manifest.is_labeled(index));
        let wake = Arc::new(Notify::new());
        let items = Items::new(job, index, answers.clone(), documents, clock, wake.clone());
        RunningJob {
            items: Arc::new(items),
            wake,
            answers,
            created: job.created,
            opened: job.opened.unwrap_or(job.created),
            leasing: KeyedLocks::new(),
            spec,
            manifest,
            categories,
            template,
        }
    }

    pub(crate) fn index(&self) -> MutexGuard<'_, Index> {
        self.items.index()
    }

    pub(crate) fn current_time(&self) -> Timestamp {
        self.items.current_time()
    }

    pub(crate) fn portal_job(&self, worker: &Worker) -> PortalJob {
        let now = self.current_time();
        let index = self.index();
        PortalJob {
            name: self.spec.name.clone(),
            team: self.spec.team.clone(),
            title: self.spec.title.clone(),
            description: self.spec.description.clone(),
            total: u64::from(index.total()),
            done: u64::from(index.counters().human_labeled),
            done_by_you: u64::from(index.answered_by(&worker.id)),
            available: u64::from(index.available_to(&worker.id, now)),
            held: index.held_by(&worker.id, now).is_some(),
            seconds_per_task: self.spec.time_limit,
            created: self.created,
        }
    }

    pub(crate) async fn lease(&self, worker: &Worker) -> Result<Option<Lease>, WorkError> {
        let _lock = self.leasing.lock(&worker.id).await;
        let mut is_index_current = true;
        for attempt in 1..=ATTEMPTS {
            let picked = self.index().pick(&worker.id, self.current_time());
            let index = match picked {
                Pick::Nothing if is_index_current => return Ok(None),
                // Other engines were faster, so the index is outdated: there may be an item after all.
                Pick::Nothing => {
                    self.items.refresh_for_worker().await?;
                    is_index_current = true;
                    continue;
                }
                Pick::Held(index) => index,
                Pick::Reserved(index) => {
                    let leased = self.write_lease(index, worker).await;
                    self.index().unreserve(index, &worker.id, self.current_time());
                    if let Err(error @ (WorkError::Unavailable | WorkError::JobOver)) = leased {
                        return Err(error);
                    }
                    index
                }
            };
            if let Some(lease) = self.lease_on(index, &worker.id) {
                return Ok(Some(lease));
            }
            is_index_current = false;
            if attempt % LOST_BEFORE_REFRESH == 0 {
                self.items.refresh_for_worker().await?;
            }
        }
        // There are items, and each went to another worker. `None` would mean that there are no more.
        Err(WorkError::Unavailable)
    }

    pub(crate) async fn held_task(&self, worker: &Worker, index: u32) -> Result<HeldTask, WorkError> {
        if self.lease_on(index, &worker.id).is_none() {
            self.items.reload_for_worker(index).await?;
        }
        let lease = self.lease_on(index, &worker.id).ok_or(WorkError::NotHeld)?;
        Ok(HeldTask {
            job: lease.job,
            template: self.template.clone(),
            task_input: self.task_input(index),
            title: lease.title,
            seconds_left: lease.seconds_left,
        })
    }

    pub(crate) async fn submit(&self, worker: &Worker, index: u32, answer: &Value) -> Result<(), WorkError> {
        let answer = self.answers.check(answer).map_err(WorkError::BadAnswer)?;
        let submit = |item: &mut ItemRecord| item.submit(worker, self.current_time(), answer.clone());
        self.items.change(index, &worker.id, true, submit).await
    }

    pub(crate) async fn decline(&self, worker: &Worker, index: u32) -> Result<(), WorkError> {
        let decline = |item: &mut ItemRecord| item.decline(&worker.id, self.current_time());
        self.items.change(index, &worker.id, true, decline).await
    }

    pub(crate) async fn release(&self, worker: &Worker, index: u32) -> Result<(), WorkError> {
        let release = |item: &mut ItemRecord| item.release(&worker.id, self.current_time());
        self.items.change(index, &worker.id, false, release).await
    }

    async fn write_lease(&self, index: u32, worker: &Worker) -> Result<(), WorkError> {
        let lease = |item: &mut ItemRecord| {
            let now = self.current_time();
            let progress = item.progress(self.spec.workers, now);
            let is_free = matches!(progress, ItemProgress::Open { free } if free > 0);
            if !is_free || item.was_given_to(&worker.id, now) {
                return Err(WorkError::NotHeld);
            }
            item.lease(&worker.id, now, self.spec.time_limit);
            Ok(true)
        };
        self.items.change(index, &worker.id, false, lease).await
    }

    fn lease_on(&self, index: u32, worker: &str) -> Option<Lease> {
        let now = self.current_time();
        let known = self.index();
        let (item, _, _) = known.record(index)?;
        let lease = item.lease_of(worker, now).filter(|_| !item.closed)?;
        Some(Lease {
            token: format!("{}.{index}", self.spec.name),
            job: self.spec.name.clone(),
            index,
            title: self.spec.title.clone(),
            expires: lease.until,
            seconds_left: u32::try_from(lease.until.duration_since(now).as_secs()).unwrap_or_default(),
        })
    }

    /// What Ground Truth's own pre-annotation functions give to the template.
    fn task_input(&self, index: u32) -> Value {
        let line = self.manifest.line(index);
        json!({"taskObject": task_object(&line), "labels": self.categories.names(), "manifestLine": line})
    }
}
