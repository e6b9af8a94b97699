//! The protocols' safeguards, and a world in which one of them is missing: ports that undo it for the functions.
//!
//! A safeguard whose removal no schedule notices is either not needed or not tested.

mod crew;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use shared::layout;
use shared::port::JobRequest;
use shared::port::NoticeMessage;
use shared::port::{
    Bucket, CreateJobOutcome, CreateOutcome, JobDescription, JobListing, Labeling, LabelingError, Object,
    OpenUpload, Page, PublishError, ReplaceOutcome, Store, StoreError, StoredObject, Topic,
};

use crate::scene::Scene;
use crate::world::store::Port;

/// What a function relies on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Safeguard {
    /// `If-None-Match: *` on everything that is created.
    CreateIfAbsent,
    /// After a 412 the other's batch is read before anything is cut again.
    ReadAgainOn412,
    /// The owner token distinguishes one's own batch from another's.
    OwnerToken,
    /// A 412 without one's own token is not one's own batch.
    ForeignOn412,
    /// Open multipart uploads are waited for.
    UploadCheck,
    /// Files have to be quiet before they are cut.
    QuietPeriod,
    /// Both sides of every comparison of times are S3's.
    ClockOfS3,
    /// A listing that did not come whole decides nothing.
    WholeListing,
    /// Batches are numbered without a gap.
    Contiguity,
    /// The status remembers how many batches there were.
    BatchCount,
    /// What others wrote down of the batches is believed only if it names those that are listed.
    SeenAsListed,
    /// The clock asks, whatever events say.
    Sweep,
    /// The job's name holds a hash of the dataset's exact name.
    HashInName,
    /// A taken name is believed only after DescribeLabelingJob.
    DescribeTaken,
    /// A job is made from the spec its batch was cut with.
    PinnedSpec,
    /// The marker of a notice is written after it left.
    MarkerLast,
    /// The marker of a notice is looked for before it leaves.
    MarkerFirstRead,
    /// AdminCreateUser refuses a second account for an address.
    AccountIsLock,
    /// A mail is claimed in the person's document before it goes.
    MailClaim,
    /// The person's document counts the mails.
    MailCount,
    /// A mail is set aside in the day's ledger before it goes.
    MailLedger,
    /// The person's document names the team before anything is done for them.
    ListedFirst,
    /// The roster lists who comes before anything is done for them.
    WriteAhead,
    /// A person who leaves is taken out of the document before the group.
    LeavesListFirst,
    /// A sign-in is believed only with the account, or the verified address, the document names.
    TrustCheck,
    /// assign-worker answers before Cognito's patience ends.
    Budget,
    /// The marker of joining is written after the group was changed.
    JoinedLast,
    /// The sweep looks at all accounts for what events left undone.
    Repair,
    /// The clock asks after teams, whatever events say.
    CrewSweep,
    /// A person's document is replaced only if it is as it was read.
    PersonUnchanged,
    /// So is the roster.
    RosterUnchanged,
    /// A group is the team's own only if its description, or the roster, says so.
    GroupMark,
    /// A work team is the team's own only if its tag, or the roster, says so.
    WorkTeamMark,
}

impl Safeguard {
    /// The schedules it matters in.
    pub fn scene(self) -> Scene {
        match self as usize {
            place if place < Self::AccountIsLock as usize => Scene::Datasets,
            _ => Scene::Crew,
        }
    }

    pub const ALL: [Self; 33] = [
        Self::CreateIfAbsent,
        Self::ReadAgainOn412,
        Self::OwnerToken,
        Self::ForeignOn412,
        Self::UploadCheck,
        Self::QuietPeriod,
        Self::ClockOfS3,
        Self::WholeListing,
        Self::Contiguity,
        Self::BatchCount,
        Self::SeenAsListed,
        Self::Sweep,
        Self::HashInName,
        Self::DescribeTaken,
        Self::PinnedSpec,
        Self::MarkerLast,
        Self::MarkerFirstRead,
        Self::AccountIsLock,
        Self::MailClaim,
        Self::MailCount,
        Self::MailLedger,
        Self::ListedFirst,
        Self::WriteAhead,
        Self::LeavesListFirst,
        Self::TrustCheck,
        Self::Budget,
        Self::JoinedLast,
        Self::Repair,
        Self::CrewSweep,
        Self::PersonUnchanged,
        Self::RosterUnchanged,
        Self::GroupMark,
        Self::WorkTeamMark,
    ];
}

/// The ports, all safeguards in place or but one.
#[derive(Clone)]
pub(crate) struct Ports {
    port: Port,
    without: Option<Safeguard>,
    /// Manifests met with a 412.
    met: Arc<Mutex<BTreeSet<String>>>,
    /// ETags of manifests as they were shown first.
    shown: Arc<Mutex<BTreeMap<String, String>>>,
    /// The dataset whose manifest was read last.
    latest_spec: Arc<Mutex<Option<String>>>,
}

impl Ports {
    pub(crate) fn new(port: Port, without: Option<Safeguard>) -> Self {
        Self {
            port,
            without,
            met: Arc::default(),
            shown: Arc::default(),
            latest_spec: Arc::default(),
        }
    }

    fn is_without(&self, safeguard: Safeguard) -> bool {
        self.without == Some(safeguard)
    }

    fn meet(&self, key: &str) {
        let mut met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        met.insert(key.to_owned());
    }

    fn has_met(&self, key: &str) -> bool {
        self.met
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(key)
    }

    /// What was written down of some batches says that it is of all there are.
    fn name_what_is_there(&self, key: &str, bytes: &mut Vec<u8>) {
        let dataset = key
            .strip_prefix(layout::STATUS)
            .and_then(|name| name.strip_suffix(SEEN));
        let end = bytes.iter().position(|&byte| byte == b'\n');
        let (Some(dataset), Some(end)) = (dataset, end) else {
            return;
        };
        let rest = bytes.split_off(end);
        if let Ok(mut head) = serde_json::from_slice::<serde_json::Value>(bytes) {
            head["manifests"] = self.port.batches(dataset).into();
            *bytes = head.to_string().into_bytes();
        }
        bytes.extend(rest);
    }

    /// A gap looks as if a batch lay there that adds nothing, and goes on looking so.
    fn fill_gaps(&self, prefix: &str, after: Option<&str>, page: &mut Page) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let last = page
            .objects
            .last()
            .and_then(|object| layout::parse_manifest(&object.key));
        let after = after
            .and_then(layout::parse_manifest)
            .map_or(0, |(_, number)| number.get());
        for number in after + 1..=last.map_or(0, |(_, number)| number.get()) {
            let key = format!("{prefix}{number:06}.manifest");
            let there = page.objects.iter_mut().find(|object| object.key == key);
            let etag = there.as_ref().map_or(MADE_UP, |object| &object.etag);
            let etag = shown
                .entry(key.clone())
                .or_insert_with(|| etag.to_owned())
                .clone();
            match there {
                Some(object) => object.etag = etag,
                None => page.objects.push(Object {
                    key,
                    etag,
                    size: 0,
                    last_modified: page.date,
                }),
            }
        }
        page.objects.sort_by(|a, b| a.key.cmp(&b.key));
    }
}

const MADE_UP: &str = "made-up";
const SEEN: &str = ".seen";

/// The name without the part that only the exact name of the dataset has.
fn without_hash(name: &str) -> String {
    let mut parts: Vec<&str> = name.split('-').collect();
    if parts.len() > 2 {
        parts.remove(parts.len() - 2);
    }
    parts.join("-")
}

fn empty_object() -> StoredObject {
    StoredObject {
        bytes: Vec::new(),
        etag: MADE_UP.to_owned(),
        size: 0,
        last_modified: Timestamp::UNIX_EPOCH,
        metadata: BTreeMap::new(),
    }
}

impl Store for Ports {
    async fn open_uploads(&self, prefix: &str) -> Result<Vec<OpenUpload>, StoreError> {
        let mut open = self.port.open_uploads(prefix).await?;
        if self.is_without(Safeguard::UploadCheck) {
            open.clear();
        }
        Ok(open)
    }

    async fn list(
        &self,
        bucket: Bucket,
        prefix: &str,
        folders: bool,
        token: Option<&str>,
    ) -> Result<Page, StoreError> {
        let page = Store::list(&self.port, bucket, prefix, folders, token).await;
        let mut page = match page {
            Err(_) if self.is_without(Safeguard::WholeListing) && token.is_some() => Page {
                objects: Vec::new(),
                folders: Vec::new(),
                next: None,
                date: self.port.date(),
            },
            page => page?,
        };
        match self.without {
            Some(Safeguard::QuietPeriod) if bucket == Bucket::Input => {
                for object in &mut page.objects {
                    object.last_modified -= SignedDuration::from_secs(600);
                }
            }
            Some(Safeguard::ClockOfS3) => page.date += self.port.skew(),
            Some(Safeguard::Contiguity)
                if prefix.starts_with(layout::MANIFESTS) && prefix != layout::MANIFESTS =>
            {
                self.fill_gaps(prefix, token, &mut page);
            }
            _ => {}
        }
        Ok(page)
    }

    async fn get(
        &self,
        bucket: Bucket,
        key: &str,
        range: Option<Range<u64>>,
    ) -> Result<Option<StoredObject>, StoreError> {
        let whole = range.is_none();
        let mut fetched = self.port.get(bucket, key, range).await?;
        if crew::is_about_people(bucket, key) {
            if let Some(fetched) = &mut fetched {
                self.crew_shown(key, fetched);
            }
            return Ok(fetched);
        }
        match self.without {
            Some(Safeguard::ReadAgainOn412) if whole && self.has_met(key) => {
                if let Some(fetched) = &mut fetched {
                    fetched.bytes.clear();
                }
            }
            Some(Safeguard::Contiguity) if fetched.is_none() && key.starts_with(layout::MANIFESTS) => {
                fetched = Some(empty_object());
            }
            Some(Safeguard::OwnerToken) => {
                if let Some(fetched) = &mut fetched {
                    fetched.metadata.remove("owner");
                }
            }
            Some(Safeguard::BatchCount) if self.port.lacks_a_batch(key) => {
                if let Some(fetched) = &mut fetched {
                    fetched.bytes.clear();
                }
            }
            Some(Safeguard::SeenAsListed) if key.ends_with(SEEN) => {
                if let Some(fetched) = &mut fetched {
                    self.name_what_is_there(key, &mut fetched.bytes);
                }
            }
            Some(Safeguard::MarkerFirstRead) if key.starts_with("notified/") => fetched = None,
            Some(Safeguard::PinnedSpec) if key.starts_with("specs/") => {
                let latest = self
                    .latest_spec
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .clone();
                if let Some(text) = latest.and_then(|title| self.port.spec_now(&title)) {
                    return Ok(Some(StoredObject {
                        bytes: text,
                        ..fetched.unwrap_or_else(empty_object)
                    }));
                }
            }
            _ => {}
        }
        if self.is_without(Safeguard::PinnedSpec)
            && let Some((dataset, _)) = layout::parse_manifest(key)
        {
            let mut latest = self.latest_spec.lock().unwrap_or_else(PoisonError::into_inner);
            *latest = Some(dataset.to_string());
        }
        Ok(fetched)
    }

    async fn create(
        &self,
        key: &str,
        body: Vec<u8>,
        metadata: &BTreeMap<String, String>,
    ) -> Result<CreateOutcome, StoreError> {
        if self.is_without(Safeguard::CreateIfAbsent) {
            let etag = self.port.etag(key);
            if let Some(etag) = etag {
                self.port.replace(key, body, Some(&etag)).await?;
                return Ok(CreateOutcome::New);
            }
        }
        let created = Store::create(&self.port, key, body, metadata).await?;
        if created == CreateOutcome::AlreadyThere && key.starts_with(layout::MANIFESTS) {
            self.meet(key);
            if self.is_without(Safeguard::ForeignOn412) {
                return Ok(CreateOutcome::New);
            }
        }
        Ok(created)
    }

    async fn replace(
        &self,
        key: &str,
        body: Vec<u8>,
        etag: Option<&str>,
    ) -> Result<ReplaceOutcome, StoreError> {
        match crew::is_about_people(Bucket::Output, key) {
            true if self.without.is_some() => self.crew_replace(key, body, etag).await,
            _ => self.port.replace(key, body, etag).await,
        }
    }
}

impl Labeling for Ports {
    async fn create(&self, request: &JobRequest) -> Result<CreateJobOutcome, LabelingError> {
        match self.without {
            Some(Safeguard::HashInName) => {
                let mut request = request.clone();
                request.name = without_hash(&request.name);
                Labeling::create(&self.port, &request).await
            }
            Some(Safeguard::DescribeTaken) => {
                let arn = format!(
                    "arn:aws:sagemaker:us-east-1:111122223333:labeling-job/{}",
                    request.name
                );
                Ok(match Labeling::create(&self.port, request).await? {
                    CreateJobOutcome::NameTaken => CreateJobOutcome::Created { arn },
                    created => created,
                })
            }
            _ => Labeling::create(&self.port, request).await,
        }
    }

    async fn describe(&self, name: &str) -> Result<Option<JobDescription>, LabelingError> {
        let shortened = without_hash(name);
        let is_ours = self.is_without(Safeguard::HashInName) && self.port.has_job(&shortened);
        self.port.describe(if is_ours { &shortened } else { name }).await
    }

    async fn list(
        &self,
        name_contains: &str,
        since: Option<Timestamp>,
    ) -> Result<Vec<JobListing>, LabelingError> {
        Labeling::list(&self.port, name_contains, since).await
    }
}

impl Topic for Ports {
    fn hourly_limit(&self) -> usize {
        self.port.hourly_limit()
    }

    async fn publish(&self, message: &NoticeMessage) -> Result<(), PublishError> {
        if self.is_without(Safeguard::MarkerLast) {
            let id = message.attributes.get("id").cloned().unwrap_or_default();
            let marker = layout::notice_marker(&id);
            let written = Store::create(&self.port, &marker, Vec::new(), &BTreeMap::new()).await;
            written.map_err(|error| PublishError {
                reason: error.to_string(),
            })?;
        }
        self.port.publish(message).await
    }
}
