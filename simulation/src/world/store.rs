//! S3 as the functions see it through the port, faults and all.

use std::collections::BTreeMap;
use std::ops::Range;

use jiff::{SignedDuration, Timestamp};
use shared::layout;
use shared::port::{
    Bucket, CreateOutcome, OpenUpload, Page, ReplaceOutcome, Store, StoreError, StoredObject,
};

use super::calls::Turn;
use super::{SharedWorld, World};
use crate::OUTPUT;
use crate::fault::Fault;
use crate::function::Function;
use crate::queue::object_created;
use crate::time::{timestamp, whole_second};

fn unavailable(operation: &'static str, what: &str, reason: &str) -> StoreError {
    StoreError::Transient {
        operation,
        what: what.to_owned(),
        reason: reason.to_owned(),
    }
}

/// A conditional write that was carried out, or found its condition unmet.
enum WriteOutcome {
    Done(String),
    Unmet,
}

/// No ETag is asked for: whatever lies there is replaced.
pub(crate) const ANY: &str = "*";

impl World {
    /// The write as the bucket carries it out, whether or not its caller still waits for the answer.
    fn write(
        &mut self,
        of: u32,
        key: &str,
        body: &[u8],
        metadata: &BTreeMap<String, String>,
        etag: Option<&str>,
    ) -> WriteOutcome {
        let there = self.output.get(key);
        if etag != Some(ANY) && there.map(|there| there.etag.as_str()) != etag {
            return WriteOutcome::Unmet;
        }
        self.writes += 1;
        let before = there.cloned();
        let etag = self.output.put(key, body.to_vec(), metadata.clone(), self.now);
        let held = self.check_write(of, key, before.as_ref());
        self.check(held);
        if key.starts_with(layout::MANIFESTS) {
            let body = object_created(OUTPUT, key, "Put", self.now);
            self.send(Function::StartJob, &body);
        }
        if key.starts_with(layout::JOINED) {
            let body = object_created(OUTPUT, key, "Put", self.now);
            self.send(Function::SyncTeam, &body);
        }
        WriteOutcome::Done(etag)
    }

    /// The write with what may happen to it and to its answer.
    fn write_with_faults(
        &mut self,
        of: u32,
        key: &str,
        body: &[u8],
        metadata: &BTreeMap<String, String>,
        etag: Option<&str>,
    ) -> Result<WriteOutcome, StoreError> {
        self.cost.writes += 1;
        let failed = |reason| Err(unavailable("PutObject", key, reason));
        if self.throttles(of) {
            return failed("503 SlowDown, or 409 ConditionalRequestConflict");
        }
        let lost = self.strikes(Fault::ResponseLost);
        let again = self.strikes(Fault::ConflictWithItself);
        match self.write(of, key, body, metadata, etag) {
            _ if lost => {
                self.truth.crew.trouble(of);
                failed("the answer was lost")
            }
            WriteOutcome::Done(_) if again => Ok(WriteOutcome::Unmet),
            written => Ok(written),
        }
    }

    fn page(
        &mut self,
        of: u32,
        bucket: Bucket,
        prefix: &str,
        folders: bool,
        token: Option<&str>,
    ) -> Result<Page, StoreError> {
        self.cost.lists += 1;
        let failed = |reason| Err(unavailable("ListObjectsV2", prefix, reason));
        if self.throttles(of) {
            return failed("503 SlowDown");
        }
        if token.is_some() && self.strikes(Fault::PageFails) {
            return failed("a page did not come");
        }
        let objects = match bucket {
            Bucket::Input => &self.input,
            Bucket::Output => &self.output,
        };
        let part = objects.list(prefix, folders, token, self.page_size);
        if bucket == Bucket::Input && !folders {
            self.truth
                .saw_page(of, prefix, &part.objects, &self.uploads, self.now);
        }
        Ok(Page {
            objects: part.objects,
            folders: part.folders,
            next: part.next,
            date: timestamp(whole_second(self.now)),
        })
    }

    fn fetch(
        &mut self,
        of: u32,
        bucket: Bucket,
        key: &str,
        range: Option<Range<u64>>,
    ) -> Result<Option<StoredObject>, StoreError> {
        self.cost.gets += 1;
        if self.throttles(of) {
            return Err(unavailable("GetObject", key, "503 SlowDown"));
        }
        let objects = match bucket {
            Bucket::Input => &self.input,
            Bucket::Output => &self.output,
        };
        let fetched = objects.get(key).map(|stored| stored.read_range(range));
        self.cost.bytes_read += fetched.as_ref().map_or(0, |fetched| fetched.bytes.len() as u64);
        if bucket == Bucket::Output && key.starts_with("notified/") {
            self.truth.saw_marker(of, key, fetched.is_some());
        }
        Ok(fetched)
    }

    fn open_uploads(&mut self, of: u32, prefix: &str) -> Result<Vec<OpenUpload>, StoreError> {
        self.cost.lists += 1;
        if self.throttles(of) {
            return Err(unavailable("ListMultipartUploads", prefix, "503 SlowDown"));
        }
        let open = self
            .uploads
            .iter()
            .filter(|(_, upload)| upload.key.starts_with(prefix));
        let open: Vec<_> = open.map(|(id, upload)| (*id, upload.clone())).collect();
        let listed = open.iter().map(|(_, upload)| OpenUpload {
            key: upload.key.clone(),
            initiated: timestamp(whole_second(upload.initiated)),
        });
        let listed = listed.collect();
        self.truth.saw_uploads(of, prefix, open);
        Ok(listed)
    }
}

/// The ports of one function, as the world answers them.
#[derive(Clone)]
pub(crate) struct Port(pub(crate) SharedWorld);

/// What a port that undoes a safeguard has to know.
impl Port {
    pub(crate) fn date(&self) -> Timestamp {
        timestamp(whole_second(self.0.lock().now))
    }

    /// How far the clock of the current caller is off.
    pub(crate) fn skew(&self) -> SignedDuration {
        SignedDuration::from_millis(self.0.lock().skew())
    }

    pub(crate) fn etag(&self, key: &str) -> Option<String> {
        Some(self.0.lock().output.get(key)?.etag.clone())
    }

    pub(crate) fn current(&self, key: &str) -> Option<Vec<u8>> {
        Some(self.0.lock().output.get(key)?.bytes.clone())
    }

    /// Whose sign-in the invocation that asks now answers.
    pub(crate) fn current_call(&self) -> Option<String> {
        let world = self.0.lock();
        world.current_call.get(&world.calls.current).cloned()
    }

    /// Whether the invocation that asks now has sent a mail.
    pub(crate) fn has_mailed(&self) -> bool {
        let world = self.0.lock();
        world.truth.crew.has_mailed(world.calls.current)
    }

    /// The id of the person with this account.
    pub(crate) fn person_of(&self, username: &str) -> Option<String> {
        let world = self.0.lock();
        Some(layout::person_id(&world.pool.by_name(username)?.email))
    }

    /// ETags of the dataset's batches.
    pub(crate) fn batches(&self, dataset: &str) -> Vec<String> {
        let prefix = format!("{}{dataset}/", layout::MANIFESTS);
        let world = self.0.lock();
        let batches = world.output.under(&prefix);
        batches.map(|(_, batch)| batch.etag.clone()).collect()
    }

    pub(crate) fn spec_now(&self, dataset: &str) -> Option<Vec<u8>> {
        Some(
            self.0
                .lock()
                .input
                .get(&format!("{dataset}/labeling.yaml"))?
                .bytes
                .clone(),
        )
    }

    /// Whether this status names more batches than there are.
    pub(crate) fn lacks_a_batch(&self, status: &str) -> bool {
        let world = self.0.lock();
        let deleted = world.truth.deleted.as_ref().map(|(manifest, _)| manifest);
        let dataset = status
            .strip_prefix(layout::STATUS)
            .and_then(|name| name.strip_suffix(".json"));
        dataset.zip(deleted).is_some_and(|(dataset, manifest)| {
            manifest.starts_with(&format!("{}{dataset}/", layout::MANIFESTS))
        })
    }

    pub(crate) fn has_job(&self, name: &str) -> bool {
        self.0.lock().service.jobs.iter().any(|job| job.name == name)
    }
}

impl Store for Port {
    async fn open_uploads(&self, prefix: &str) -> Result<Vec<OpenUpload>, StoreError> {
        let of = Turn::of(&self.0).await;
        let mut world = self.0.lock();
        let open = world.open_uploads(of, prefix);
        world.note(|| match &open {
            Ok(open) => format!("#{of} ListMultipartUploads {prefix:?}: {}", open.len()),
            Err(error) => format!("#{of} {error}"),
        });
        open
    }

    async fn list(
        &self,
        bucket: Bucket,
        prefix: &str,
        folders: bool,
        token: Option<&str>,
    ) -> Result<Page, StoreError> {
        let of = Turn::of(&self.0).await;
        let mut world = self.0.lock();
        let page = world.page(of, bucket, prefix, folders, token);
        world.note(|| match &page {
            Ok(page) => {
                let more = if page.next.is_some() { ", more" } else { "" };
                let entries = page.objects.len() + page.folders.len();
                format!("#{of} LIST {bucket:?} {prefix:?}: {entries}{more}")
            }
            Err(error) => format!("#{of} {error}"),
        });
        page
    }

    async fn get(
        &self,
        bucket: Bucket,
        key: &str,
        range: Option<Range<u64>>,
    ) -> Result<Option<StoredObject>, StoreError> {
        let of = Turn::of(&self.0).await;
        let mut world = self.0.lock();
        let fetched = world.fetch(of, bucket, key, range);
        world.note(|| match &fetched {
            Ok(Some(fetched)) => format!("#{of} GET {key:?}: {}", fetched.etag),
            Ok(None) => format!("#{of} GET {key:?}: 404"),
            Err(error) => format!("#{of} {error}"),
        });
        fetched
    }

    async fn create(
        &self,
        key: &str,
        body: Vec<u8>,
        metadata: &BTreeMap<String, String>,
    ) -> Result<CreateOutcome, StoreError> {
        let written = self.conditional(key, body, metadata, None).await;
        Ok(match written? {
            WriteOutcome::Done(_) => CreateOutcome::New,
            WriteOutcome::Unmet => CreateOutcome::AlreadyThere,
        })
    }

    async fn replace(
        &self,
        key: &str,
        body: Vec<u8>,
        etag: Option<&str>,
    ) -> Result<ReplaceOutcome, StoreError> {
        let written = self.conditional(key, body, &BTreeMap::new(), etag).await;
        Ok(match written? {
            WriteOutcome::Done(etag) => ReplaceOutcome::Done { etag },
            WriteOutcome::Unmet => ReplaceOutcome::Changed,
        })
    }
}

impl Port {
    async fn conditional(
        &self,
        key: &str,
        body: Vec<u8>,
        metadata: &BTreeMap<String, String>,
        etag: Option<&str>,
    ) -> Result<WriteOutcome, StoreError> {
        let (late_key, late_body, late_metadata) = (key.to_owned(), body.clone(), metadata.clone());
        let late_etag = etag.map(str::to_owned);
        let who = self.0.lock().calls.current;
        let late = move |world: &mut World| {
            let etag = late_etag.as_deref();
            let written = world.write(who, &late_key, &late_body, &late_metadata, etag);
            let done = matches!(written, WriteOutcome::Done(_));
            world.note(|| format!("#{who} PUT {late_key:?} after its end: {}", status(done)));
        };
        let of = Turn::to_write(&self.0, Box::new(late)).await;
        let mut world = self.0.lock();
        let written = world.write_with_faults(of, key, &body, metadata, etag);
        world.note(|| match &written {
            Ok(written) => format!(
                "#{of} PUT {key:?}{}: {}",
                document_text(key, &body),
                status(matches!(written, WriteOutcome::Done(_)))
            ),
            Err(error) => format!("#{of} {error}"),
        });
        written
    }
}

/// What is written about a person says more than that it was written.
fn document_text(key: &str, body: &[u8]) -> String {
    match key.starts_with(layout::PEOPLE) {
        true => format!(" {}", String::from_utf8_lossy(body)),
        false => String::new(),
    }
}

fn status(done: bool) -> &'static str {
    if done { "200" } else { "412" }
}
