//! The ports in memory, with the faults real ones have: lost responses, throttling, a second writer in between.
//! For tests alone; time is handed in.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use shared::job::JobRequest;
use shared::notice::Message;
use shared::port::{
    Bucket, CreateJob, Created, Fetched, JobCounters, JobDescription, JobListing, JobState, Labeling,
    LabelingError, Object, OpenUpload, Page, PublishError, Replaced, Store, StoreError, Topic,
};

/// What goes wrong with a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is done, 503.
    Throttled,
    /// It is done, and the caller never hears of it.
    ResponseLost,
    /// It is done, the response is lost, the SDK tries again and gets 412 against itself.
    ConflictWithItself,
}

/// Something another process does just before a write arrives.
type Meanwhile = Box<dyn FnOnce(&FakeStore) + Send>;

#[derive(Clone, Default)]
pub struct FakeStore(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    objects: BTreeMap<(Bucket, String), Stored>,
    uploads: Vec<OpenUpload>,
    now: Timestamp,
    page_size: Option<usize>,
    writes: u64,
    gets: Vec<String>,
    faults: VecDeque<(String, Fault)>,
    meanwhile: VecDeque<(String, Meanwhile)>,
    broken_lists: Vec<String>,
    vanishing: Vec<String>,
}

#[derive(Clone)]
struct Stored {
    bytes: Vec<u8>,
    etag: String,
    last_modified: Timestamp,
    metadata: BTreeMap<String, String>,
}

impl FakeStore {
    pub fn at(now: &str) -> Self {
        let store = Self::default();
        store.state().now = now.parse().unwrap_or(Timestamp::UNIX_EPOCH);
        store
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn now(&self) -> Timestamp {
        self.state().now
    }

    pub fn pass(&self, seconds: i64) {
        let mut state = self.state();
        state.now = state
            .now
            .saturating_add(SignedDuration::from_secs(seconds))
            .unwrap_or(state.now);
    }

    /// Somebody drops a file into the input bucket.
    pub fn drop_file(&self, key: &str, bytes: impl Into<Vec<u8>>) {
        self.state()
            .put(Bucket::Input, key, bytes.into(), BTreeMap::new());
    }

    /// Somebody writes to the output bucket past every rule.
    pub fn put_output(&self, key: &str, bytes: impl Into<Vec<u8>>, metadata: &[(&str, &str)]) {
        let metadata = metadata
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        self.state().put(Bucket::Output, key, bytes.into(), metadata);
    }

    pub fn remove(&self, bucket: Bucket, key: &str) {
        self.state().objects.remove(&(bucket, key.to_owned()));
    }

    pub fn open_upload(&self, key: &str) {
        let mut state = self.state();
        let initiated = state.now;
        state.uploads.push(OpenUpload {
            key: key.to_owned(),
            initiated,
        });
    }

    /// The upload is finished; its LastModified is the time it was begun.
    pub fn finish_upload(&self, key: &str, bytes: impl Into<Vec<u8>>) {
        let mut state = self.state();
        let begun = state.uploads.iter().find(|u| u.key == key).map(|u| u.initiated);
        state.uploads.retain(|u| u.key != key);
        state.put(Bucket::Input, key, bytes.into(), BTreeMap::new());
        if let (Some(begun), Some(object)) = (begun, state.objects.get_mut(&(Bucket::Input, key.to_owned())))
        {
            object.last_modified = begun;
        }
    }

    /// Few entries a page, to have pages.
    pub fn page_size(&self, entries: usize) {
        self.state().page_size = Some(entries);
    }

    /// The next write to a key with this prefix goes wrong.
    pub fn fail_next(&self, key_prefix: &str, fault: Fault) {
        self.state().faults.push_back((key_prefix.to_owned(), fault));
    }

    /// The object is listed, and gone when somebody reads it.
    pub fn vanish_at_read(&self, key: &str) {
        self.state().vanishing.push(key.to_owned());
    }

    /// Every listing of this prefix fails on its last page.
    pub fn break_list(&self, prefix: &str) {
        self.state().broken_lists.push(prefix.to_owned());
    }

    pub fn mend_lists(&self) {
        self.state().broken_lists.clear();
    }

    /// Just before the next write to a key with this prefix arrives, this happens.
    pub fn meanwhile(&self, key_prefix: &str, then: impl FnOnce(&FakeStore) + Send + 'static) {
        self.state()
            .meanwhile
            .push_back((key_prefix.to_owned(), Box::new(then)));
    }

    pub fn text(&self, bucket: Bucket, key: &str) -> Option<String> {
        let state = self.state();
        let stored = state.objects.get(&(bucket, key.to_owned()))?;
        Some(String::from_utf8_lossy(&stored.bytes).into_owned())
    }

    pub fn output(&self, key: &str) -> Option<String> {
        self.text(Bucket::Output, key)
    }

    pub fn metadata(&self, key: &str) -> BTreeMap<String, String> {
        let state = self.state();
        state
            .objects
            .get(&(Bucket::Output, key.to_owned()))
            .map(|s| s.metadata.clone())
            .unwrap_or_default()
    }

    pub fn outputs(&self, prefix: &str) -> Vec<String> {
        let state = self.state();
        let keys = state
            .objects
            .keys()
            .filter(|(b, key)| *b == Bucket::Output && key.starts_with(prefix));
        keys.map(|(_, key)| key.clone()).collect()
    }

    /// Writes that reached the store, ever.
    pub fn writes(&self) -> u64 {
        self.state().writes
    }

    /// Keys read, in order.
    pub fn reads(&self) -> Vec<String> {
        self.state().gets.clone()
    }

    fn write(
        &self,
        key: &str,
        body: Vec<u8>,
        metadata: &BTreeMap<String, String>,
        etag: Option<&str>,
    ) -> Result<bool, StoreError> {
        let meanwhile = self.state().take_meanwhile(key);
        if let Some(then) = meanwhile {
            then(self);
        }
        let mut state = self.state();
        let fault = state.take_fault(key);
        let transient = || StoreError::Transient {
            operation: "PutObject",
            what: key.to_owned(),
            reason: format!("{fault:?}"),
        };
        if fault == Some(Fault::Throttled) {
            return Err(transient());
        }
        let there = state
            .objects
            .get(&(Bucket::Output, key.to_owned()))
            .map(|s| s.etag.as_str());
        let applies = there == etag;
        if applies {
            state.put(Bucket::Output, key, body, metadata.clone());
        }
        match fault {
            Some(Fault::ResponseLost) => Err(transient()),
            Some(Fault::ConflictWithItself) => Ok(false),
            _ => Ok(applies),
        }
    }
}

impl State {
    fn put(&mut self, bucket: Bucket, key: &str, bytes: Vec<u8>, metadata: BTreeMap<String, String>) {
        self.writes += 1;
        let etag = format!("{:032x}", self.writes);
        let last_modified = Timestamp::from_second(self.now.as_second()).unwrap_or(self.now);
        self.objects.insert(
            (bucket, key.to_owned()),
            Stored {
                bytes,
                etag,
                last_modified,
                metadata,
            },
        );
    }

    fn take_fault(&mut self, key: &str) -> Option<Fault> {
        let place = self
            .faults
            .iter()
            .position(|(prefix, _)| key.starts_with(prefix.as_str()))?;
        self.faults.remove(place).map(|(_, fault)| fault)
    }

    fn take_meanwhile(&mut self, key: &str) -> Option<Meanwhile> {
        let place = self
            .meanwhile
            .iter()
            .position(|(prefix, _)| key.starts_with(prefix.as_str()))?;
        self.meanwhile.remove(place).map(|(_, then)| then)
    }

    fn list(&self, bucket: Bucket, prefix: &str, folders: bool, after: &str) -> Page {
        let size = self.page_size.unwrap_or(1000);
        let mut page = Page {
            objects: Vec::new(),
            folders: Vec::new(),
            next: None,
            date: self.now,
        };
        let from = (bucket, prefix.to_owned());
        let keys = self
            .objects
            .range(from..)
            .take_while(|((b, key), _)| *b == bucket && key.starts_with(prefix));
        for ((_, key), stored) in keys {
            let folder = folders.then(|| key[prefix.len()..].split_once('/')).flatten();
            let entry = folder.map_or_else(|| key.clone(), |(folder, _)| format!("{prefix}{folder}/"));
            if entry.as_str() <= after || page.folders.last() == Some(&entry) {
                continue;
            }
            if page.objects.len() + page.folders.len() == size {
                let last = page.objects.last().map(|o| &o.key).max(page.folders.last());
                page.next = last.cloned();
                break;
            }
            match folder {
                Some(_) => page.folders.push(entry),
                None => page.objects.push(stored.listed(entry)),
            }
        }
        page
    }
}

impl Stored {
    fn listed(&self, key: String) -> Object {
        let size = self.bytes.len() as u64;
        Object {
            key,
            etag: self.etag.clone(),
            size,
            last_modified: self.last_modified,
        }
    }

    fn fetched(&self, range: Option<Range<u64>>) -> Fetched {
        let size = self.bytes.len() as u64;
        let (from, to) = range.map_or((0, size), |r| (r.start.min(size), r.end.min(size)));
        let at = |place: u64| usize::try_from(place).unwrap_or(usize::MAX);
        Fetched {
            bytes: self.bytes.get(at(from)..at(to)).unwrap_or_default().to_vec(),
            etag: self.etag.clone(),
            size,
            last_modified: self.last_modified,
            metadata: self.metadata.clone(),
        }
    }
}

impl Store for FakeStore {
    async fn open_uploads(&self, prefix: &str) -> Result<Vec<OpenUpload>, StoreError> {
        Ok(self
            .state()
            .uploads
            .iter()
            .filter(|u| u.key.starts_with(prefix))
            .cloned()
            .collect())
    }

    async fn list(
        &self,
        bucket: Bucket,
        prefix: &str,
        folders: bool,
        token: Option<&str>,
    ) -> Result<Page, StoreError> {
        let state = self.state();
        let page = state.list(bucket, prefix, folders, token.unwrap_or_default());
        if page.next.is_none() && state.broken_lists.iter().any(|broken| broken == prefix) {
            let reason = "SlowDown".to_owned();
            return Err(StoreError::Transient {
                operation: "ListObjectsV2",
                what: prefix.to_owned(),
                reason,
            });
        }
        Ok(page)
    }

    async fn get(
        &self,
        bucket: Bucket,
        key: &str,
        range: Option<Range<u64>>,
    ) -> Result<Option<Fetched>, StoreError> {
        let mut state = self.state();
        state.gets.push(key.to_owned());
        if state.vanishing.iter().any(|vanishing| vanishing == key) {
            state.objects.remove(&(bucket, key.to_owned()));
        }
        Ok(state
            .objects
            .get(&(bucket, key.to_owned()))
            .map(|stored| stored.fetched(range)))
    }

    async fn create(
        &self,
        key: &str,
        body: Vec<u8>,
        metadata: &BTreeMap<String, String>,
    ) -> Result<Created, StoreError> {
        Ok(if self.write(key, body, metadata, None)? {
            Created::New
        } else {
            Created::AlreadyThere
        })
    }

    async fn replace(&self, key: &str, body: Vec<u8>, etag: Option<&str>) -> Result<Replaced, StoreError> {
        Ok(if self.write(key, body, &BTreeMap::new(), etag)? {
            Replaced::Done
        } else {
            Replaced::Changed
        })
    }
}

/// A labeling service with a quota and no workers.
#[derive(Clone)]
pub struct FakeLabeling(Arc<Mutex<Jobs>>);

struct Jobs {
    jobs: Vec<JobDescription>,
    quota: usize,
    answers: VecDeque<Answer>,
    created: Vec<JobRequest>,
}

/// What the service says to the next CreateLabelingJob.
pub enum Answer {
    Invalid(&'static str),
    Throttled,
    /// The job is made; nobody hears of it.
    ResponseLost,
}

impl Default for FakeLabeling {
    fn default() -> Self {
        let jobs = Jobs {
            jobs: Vec::new(),
            quota: usize::MAX,
            answers: VecDeque::new(),
            created: Vec::new(),
        };
        Self(Arc::new(Mutex::new(jobs)))
    }
}

impl FakeLabeling {
    fn state(&self) -> MutexGuard<'_, Jobs> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn quota(&self, running: usize) {
        self.state().quota = running;
    }

    pub fn answer_next(&self, answer: Answer) {
        self.state().answers.push_back(answer);
    }

    /// A job, ours or somebody else's, in whatever state.
    pub fn put(&self, job: JobDescription) {
        let mut state = self.state();
        state.jobs.retain(|other| other.name != job.name);
        state.jobs.push(job);
    }

    /// A job as a request makes it.
    pub fn job(name: &str, manifest_uri: &str, state: JobState) -> JobDescription {
        JobDescription {
            name: name.to_owned(),
            arn: format!("arn:aws:sagemaker:us-east-1:000000000000:labeling-job/{name}"),
            state,
            manifest_uri: manifest_uri.to_owned(),
            label_attribute: "label".to_owned(),
            output_manifest_uri: None,
            failure_reason: None,
            created: Timestamp::UNIX_EPOCH,
            modified: Timestamp::UNIX_EPOCH,
            counters: JobCounters::default(),
        }
    }

    pub fn finish(&self, name: &str, end: JobState) {
        if let Some(job) = self.state().jobs.iter_mut().find(|job| job.name == name) {
            job.state = end;
        }
    }

    /// Requests that made a job, in order.
    pub fn created(&self) -> Vec<JobRequest> {
        self.state().created.clone()
    }
}

impl Labeling for FakeLabeling {
    async fn create(&self, request: &JobRequest) -> Result<CreateJob, LabelingError> {
        let mut state = self.state();
        let lost = || LabelingError::Transient {
            operation: "CreateLabelingJob",
            reason: "timed out".to_owned(),
        };
        let answer = state.answers.pop_front();
        match answer {
            Some(Answer::Throttled) => return Err(lost()),
            Some(Answer::Invalid(reason)) => {
                return Ok(CreateJob::Invalid {
                    reason: reason.to_owned(),
                });
            }
            _ => {}
        }
        if state.jobs.iter().any(|job| job.name == request.name) {
            return Ok(CreateJob::NameTaken);
        }
        if state.jobs.iter().filter(|job| !job.state.is_terminal()).count() >= state.quota {
            return Ok(CreateJob::QuotaFull);
        }
        let mut job = Self::job(&request.name, &request.manifest_uri, JobState::InProgress);
        job.label_attribute.clone_from(&request.label_attribute);
        let arn = job.arn.clone();
        state.jobs.push(job);
        state.created.push(request.clone());
        if answer.is_some() {
            Err(lost())
        } else {
            Ok(CreateJob::Created { arn })
        }
    }

    async fn describe(&self, name: &str) -> Result<Option<JobDescription>, LabelingError> {
        Ok(self.state().jobs.iter().find(|job| job.name == name).cloned())
    }

    async fn list(
        &self,
        name_contains: &str,
        since: Option<Timestamp>,
    ) -> Result<Vec<JobListing>, LabelingError> {
        let state = self.state();
        let jobs = state.jobs.iter().rev();
        let jobs =
            jobs.filter(|j| j.name.contains(name_contains) && since.is_none_or(|since| j.created >= since));
        let listing = |j: &JobDescription| JobListing {
            name: j.name.clone(),
            arn: j.arn.clone(),
            state: j.state,
            created: j.created,
            modified: j.modified,
        };
        Ok(jobs.map(listing).collect())
    }
}

/// A topic that keeps what was said.
#[derive(Clone, Default)]
pub struct FakeTopic(Arc<Mutex<(Vec<Message>, bool)>>);

impl FakeTopic {
    fn state(&self) -> MutexGuard<'_, (Vec<Message>, bool)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn said(&self) -> Vec<Message> {
        self.state().0.clone()
    }

    pub fn close(&self, closed: bool) {
        self.state().1 = closed;
    }
}

impl Topic for FakeTopic {
    async fn publish(&self, message: &Message) -> Result<(), PublishError> {
        let mut state = self.state();
        if state.1 {
            return Err(PublishError {
                reason: "closed".to_owned(),
            });
        }
        state.0.push(message.clone());
        Ok(())
    }
}
