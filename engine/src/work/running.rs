//! A job in work: its inputs, its index, and every change of an item document.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::index::{Index, Pick, Rules};
use super::item::{ItemRecord, Standing};
use super::observed::Observed;
use super::settled::{self, Settled};
use super::turns::Turns;
use super::types::{HeldTask, Lease, PortalJob, WorkError, Worker};
use crate::blocking::blocking;
use crate::clock::Clock;
use crate::job::{Answers, Categories, JobSpec, Manifest, task_object};
use crate::state::{Documents, JobRecord, StoreError, Stored, keys};

/// Attempts at one change of an item; each failure means that another engine got through.
const ATTEMPTS: u32 = 20;
/// Item documents read at once.
const READERS: usize = 32;
/// Objects found taken by another engine before the whole list is read again.
const MISSES: u32 = 4;

pub(crate) struct Running {
    pub(crate) spec: JobSpec,
    pub(crate) manifest: Manifest,
    pub(crate) categories: Arc<Categories>,
    /// How answers are read, and written again.
    pub(crate) answers: Arc<Answers>,
    pub(crate) created: Timestamp,
    /// Since when tasks are handed out.
    pub(crate) opened: Timestamp,
    /// An object got done; the job's keeper has something to do.
    pub(crate) wake: Notify,
    /// Tells the job from another that had its name.
    reference: String,
    template: Arc<str>,
    documents: Documents,
    clock: Clock,
    index: Mutex<Index>,
    items: Turns,
    people: Turns,
    observed: Observed,
    /// Objects whose raw answers are to be written to the output.
    done: Mutex<Vec<u32>>,
}

/// What a job was given, read and checked.
pub(crate) struct Inputs {
    pub(crate) manifest: Manifest,
    pub(crate) categories: Categories,
    pub(crate) template: Arc<str>,
}

impl Running {
    pub(crate) fn new(
        job: &JobRecord,
        spec: JobSpec,
        inputs: Inputs,
        documents: Documents,
        clock: Clock,
    ) -> Running {
        let (manifest, template) = (inputs.manifest, inputs.template);
        let total = manifest.len();
        let categories = Arc::new(inputs.categories);
        let answers = Arc::new(Answers::new(spec.task, &template, categories.clone()));
        let rules = Rules {
            workers: spec.workers,
            window: spec.window,
            limit: spec.limit(total),
        };
        Running {
            index: Mutex::new(Index::new(rules, answers.clone(), total, |index| {
                manifest.is_labeled(index)
            })),
            answers,
            created: job.created,
            reference: job.reference_code.clone(),
            opened: job.opened.unwrap_or(job.created),
            wake: Notify::new(),
            items: Turns::new(),
            people: Turns::new(),
            observed: Observed::new(),
            done: Mutex::default(),
            spec,
            manifest,
            categories,
            template,
            documents,
            clock,
        }
    }

    pub(crate) fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Reads the job's document; from then on, what it said counts for answers.
    pub(crate) async fn look(&self) -> Result<Option<Stored<JobRecord>>, StoreError> {
        self.observed.look(&self.documents, &self.spec.name).await
    }

    /// Objects done since this was asked last.
    pub(crate) fn take_done(&self) -> Vec<u32> {
        std::mem::take(&mut *self.done.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// For what could not be written yet.
    pub(crate) fn give_back_done(&self, objects: Vec<u32>) {
        self.done
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(objects);
    }

    pub(crate) fn portal_job(&self, worker: &Worker) -> PortalJob {
        let now = self.now();
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

    pub(super) async fn lease(&self, worker: &Worker) -> Result<Option<Lease>, WorkError> {
        let _turn = self.people.take(&worker.id).await;
        let mut is_sure = true;
        for miss in 1..=ATTEMPTS {
            let picked = self.index().pick(&worker.id, self.now());
            let index = match picked {
                Pick::Nothing if is_sure => return Ok(None),
                // Others were faster: what is known here is old, and perhaps there is something after all.
                Pick::Nothing => {
                    self.refresh().await.map_err(|error| self.unavailable(&error))?;
                    is_sure = true;
                    continue;
                }
                Pick::Held(index) => index,
                Pick::Take(index) => {
                    let taken = self.take(index, worker).await;
                    self.index().unreserve(index, &worker.id, self.now());
                    if let Err(other @ (WorkError::Unavailable | WorkError::JobOver)) = taken {
                        return Err(other);
                    }
                    index
                }
            };
            if let Some(lease) = self.lease_on(index, &worker.id) {
                return Ok(Some(lease));
            }
            is_sure = false;
            if miss % MISSES == 0 {
                self.refresh().await.map_err(|error| self.unavailable(&error))?;
            }
        }
        // There is work, and it went to others each time. To say that there is none would send the person home.
        Err(WorkError::Unavailable)
    }

    pub(super) async fn held(&self, worker: &Worker, index: u32) -> Result<HeldTask, WorkError> {
        if self.lease_on(index, &worker.id).is_none() {
            let _turn = self.items.take(index).await;
            self.reload(index).await?;
        }
        let lease = self.lease_on(index, &worker.id).ok_or(WorkError::NotHeld)?;
        Ok(HeldTask {
            job: lease.job,
            template: self.template.clone(),
            task_input: self.task_input(index),
            title: lease.title,
            expires: lease.expires,
            seconds_left: lease.seconds_left,
        })
    }

    pub(super) async fn submit(&self, worker: &Worker, index: u32, content: &Value) -> Result<(), WorkError> {
        let content = self.answers.checked(content).map_err(WorkError::BadAnswer)?;
        self.change(index, &worker.id, true, |item| {
            item.submit(worker, self.now(), content.clone())
        })
        .await
    }

    pub(super) async fn decline(&self, worker: &Worker, index: u32) -> Result<(), WorkError> {
        self.change(index, &worker.id, true, |item| {
            item.decline(&worker.id, self.now())
        })
        .await
    }

    pub(super) async fn release(&self, worker: &Worker, index: u32) -> Result<(), WorkError> {
        self.change(index, &worker.id, false, |item| {
            item.release(&worker.id, self.now())
        })
        .await
    }

    /// The job is ending: closes every object that somebody was given and that is not done. After this the index is
    /// what the output is made of.
    pub(crate) async fn close(&self) -> Result<(), StoreError> {
        self.refresh().await?;
        let active = self.index().active();
        stream::iter(active)
            .map(|index| self.close_one(index))
            .buffer_unordered(READERS)
            .try_collect::<()>()
            .await
    }

    /// Reads what there is, once, before anybody is given anything.
    pub(crate) async fn resume(&self) -> Result<(), StoreError> {
        let settled = self.read_settled().await;
        let listed = self.listed().await?;
        self.restore(settled, &listed);
        self.read_changed(&listed).await
    }

    /// Reads the item documents that are not as this engine knows them: what other engines did.
    pub(crate) async fn refresh(&self) -> Result<(), StoreError> {
        let listed = self.listed().await?;
        self.read_changed(&listed).await
    }

    /// Writes down which objects are done for good, for the next start.
    pub(crate) async fn write_settled(self: &Arc<Self>) -> Result<(), StoreError> {
        let job = self.clone();
        let written = blocking(move || {
            let settled = job.index().settled();
            settled::write(&job.reference, &settled)
        });
        match written.await? {
            Some(bytes) => {
                let key = keys::settled(&self.spec.name);
                self.documents.put_bytes(&key, bytes).await
            }
            None => Ok(()),
        }
    }

    /// Nothing, whatever is wrong with it: then the documents are read.
    async fn read_settled(&self) -> Vec<Settled> {
        match self.documents.bytes(&keys::settled(&self.spec.name)).await {
            Ok(Some(bytes)) => {
                let reference = self.reference.clone();
                let read = blocking(move || settled::read(&reference, &bytes).unwrap_or_default());
                read.await.unwrap_or_default()
            }
            Ok(None) | Err(_) => Vec::new(),
        }
    }

    fn restore(&self, settled: Vec<Settled>, listed: &HashMap<u32, String>) {
        let is_as_it_was = |object: &Settled| {
            listed
                .get(&object.index)
                .is_some_and(|etag| **etag == *object.etag)
        };
        let mut index = self.index();
        let mut done = Vec::new();
        for object in settled.into_iter().filter(is_as_it_was) {
            let number = object.index;
            if index.restore(object) {
                done.push(number);
            }
        }
        drop(index);
        self.give_back_done(done);
    }

    /// The item documents there are, by object, with their ETags.
    async fn listed(&self) -> Result<HashMap<u32, String>, StoreError> {
        let prefix = keys::items(&self.spec.name);
        let listed = self.documents.list(&prefix).await?;
        let numbered = listed.into_iter().filter_map(|item| {
            let number = item.key.strip_prefix(&prefix)?.strip_suffix(".json")?;
            Some((number.parse().ok()?, item.etag))
        });
        Ok(numbered.collect())
    }

    async fn read_changed(&self, listed: &HashMap<u32, String>) -> Result<(), StoreError> {
        let changed: Vec<u32> = {
            let index = self.index();
            let is_new = |(i, etag): &(&u32, &String)| {
                !index.is_settled(**i) && index.etag(**i) != Some(etag.as_str())
            };
            listed.iter().filter(is_new).map(|(i, _)| *i).collect()
        };
        stream::iter(changed)
            .map(|index| async move {
                let _turn = self.items.take(index).await;
                self.read(index).await
            })
            .buffer_unordered(READERS)
            .try_collect::<()>()
            .await
    }

    async fn take(&self, index: u32, worker: &Worker) -> Result<(), WorkError> {
        let lease = |item: &mut ItemRecord| {
            let now = self.now();
            let is_free =
                matches!(item.standing(self.spec.workers, now), Standing::Open { free } if free > 0);
            if !is_free || item.knows(&worker.id, now) {
                return Err(WorkError::NotHeld);
            }
            item.lease(&worker.id, now, self.spec.time_limit);
            Ok(true)
        };
        self.change(index, &worker.id, false, lease).await
    }

    /// Lets `decide` change the newest version of an item and stores it; again if another engine was first. What is
    /// decided against on a remembered version is decided again on the stored one: another engine may know more, or this
    /// one may have missed the answer to its own write.
    async fn change(
        &self,
        index: u32,
        worker: &str,
        counts: bool,
        decide: impl Fn(&mut ItemRecord) -> Result<bool, WorkError>,
    ) -> Result<(), WorkError> {
        let _turn = self.items.take(index).await;
        let mut is_fresh = false;
        for _ in 0..ATTEMPTS {
            let Some((mut item, etag, since)) = self.remembered(index, worker)? else {
                return Ok(());
            };
            match decide(&mut item) {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(no) if is_fresh => return Err(no),
                Err(_) => {
                    self.reload(index).await?;
                    is_fresh = true;
                    continue;
                }
            }
            if counts {
                self.observed
                    .open_after(since, &self.documents, &self.spec.name)
                    .await?;
            }
            match self.write(index, &item, etag.as_deref()).await {
                Ok(etag) => {
                    self.absorb(index, item, etag);
                    return Ok(());
                }
                Err(StoreError::Changed) => self.reload(index).await?,
                Err(error) => {
                    // It may have been written: know the truth before the next attempt, if the store can tell it.
                    let _ = self.reload(index).await;
                    return Err(self.unavailable(&error));
                }
            }
            is_fresh = true;
        }
        Err(WorkError::Unavailable)
    }

    /// `None` if the worker's answer is among those of a finished object; an error if the object is finished without.
    #[allow(clippy::type_complexity)]
    fn remembered(
        &self,
        index: u32,
        worker: &str,
    ) -> Result<Option<(ItemRecord, Option<String>, u64)>, WorkError> {
        let known = self.index();
        if known.has_answered(index, worker) {
            return Ok(None);
        }
        if known.is_settled(index) {
            return Err(WorkError::NotHeld);
        }
        Ok(Some(match known.record(index) {
            Some((item, etag, since)) => (item.clone(), etag.map(str::to_owned), since),
            None => (ItemRecord::default(), None, self.observed.now()),
        }))
    }

    async fn write(&self, index: u32, item: &ItemRecord, etag: Option<&str>) -> Result<String, StoreError> {
        let key = keys::item(&self.spec.name, index);
        match etag {
            Some(etag) => self.documents.replace(&key, item, etag).await,
            None => self.documents.create(&key, item).await,
        }
    }

    async fn reload(&self, index: u32) -> Result<(), WorkError> {
        self.read(index).await.map_err(|error| self.unavailable(&error))
    }

    async fn read(&self, index: u32) -> Result<(), StoreError> {
        let key = keys::item(&self.spec.name, index);
        match self.documents.load::<ItemRecord>(&key).await {
            Ok(Some(stored)) => self.absorb(index, stored.value, stored.etag),
            Ok(None) => {}
            Err(StoreError::Unreadable(reason)) => {
                tracing::error!(
                    job = self.spec.name,
                    index,
                    reason,
                    "an object has failed: its document cannot be read"
                );
                self.index().damage(index);
                self.wake.notify_one();
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn absorb(&self, index: u32, mut item: ItemRecord, etag: String) {
        // Of what earlier versions took, too, only the choice is kept.
        for answer in &mut item.answers {
            answer.content = self.answers.choice(&answer.content);
        }
        let is_done = self
            .index()
            .absorb(index, item, etag, self.now(), self.observed.now());
        if is_done {
            self.give_back_done(vec![index]);
            self.wake.notify_one();
        }
    }

    async fn close_one(&self, index: u32) -> Result<(), StoreError> {
        let _turn = self.items.take(index).await;
        for _ in 0..ATTEMPTS {
            let known = self
                .index()
                .record(index)
                .map(|(item, etag, _)| (item.clone(), etag.map(str::to_owned)));
            let Some((mut item, Some(etag))) = known else {
                return Ok(());
            };
            if item.closed {
                return Ok(());
            }
            item.close();
            match self.write(index, &item, Some(&etag)).await {
                Ok(etag) => {
                    self.absorb(index, item, etag);
                    return Ok(());
                }
                Err(StoreError::Changed) => self.read(index).await?,
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::Failed(format!(
            "item {index} of {} keeps changing",
            self.spec.name
        )))
    }

    fn lease_on(&self, index: u32, worker: &str) -> Option<Lease> {
        let now = self.now();
        let known = self.index();
        let (item, _, _) = known.record(index)?;
        let lease = item.held(worker, now).filter(|_| !item.closed)?;
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

    fn unavailable(&self, error: &StoreError) -> WorkError {
        tracing::warn!(job = self.spec.name, %error, "the state store failed");
        WorkError::Unavailable
    }
}
