//! A notice is published once, even if a call in between fails.

use std::ops::Range;
use std::sync::Mutex;

use super::*;
use crate::port::{CreateOutcome, OpenUpload, Page, ReplaceOutcome, StoredObject};

/// The output bucket's markers, and a topic that can fail.
#[derive(Default)]
struct World {
    objects: Mutex<BTreeMap<String, Vec<u8>>>,
    published: Mutex<Vec<NoticeMessage>>,
    topic_down: bool,
    store_down_for_writes: bool,
}

impl World {
    fn ids(&self) -> Vec<String> {
        self.published
            .lock()
            .unwrap()
            .iter()
            .map(|m| m.attributes["id"].clone())
            .collect()
    }

    fn markers(&self) -> Vec<String> {
        let objects = self.objects.lock().unwrap();
        objects
            .keys()
            .filter(|key| key.starts_with("notified/"))
            .cloned()
            .collect()
    }
}

fn etag_of(bytes: &[u8]) -> String {
    crate::spec::Spec::sha256(bytes)
}

fn store_failure<T>() -> Result<T, StoreError> {
    Err(StoreError::Transient {
        operation: "PutObject",
        what: "marker".into(),
        reason: "down".into(),
    })
}

impl Store for World {
    async fn open_uploads(&self, _: &str) -> Result<Vec<OpenUpload>, StoreError> {
        store_failure()
    }

    async fn list(&self, _: Bucket, _: &str, _: bool, _: Option<&str>) -> Result<Page, StoreError> {
        store_failure()
    }

    async fn get(
        &self,
        _: Bucket,
        key: &str,
        _: Option<Range<u64>>,
    ) -> Result<Option<StoredObject>, StoreError> {
        let found = self.objects.lock().unwrap().get(key).cloned();
        Ok(found.map(|bytes| StoredObject {
            size: bytes.len() as u64,
            etag: etag_of(&bytes),
            bytes,
            last_modified: Timestamp::UNIX_EPOCH,
            metadata: BTreeMap::new(),
        }))
    }

    async fn create(
        &self,
        key: &str,
        body: Vec<u8>,
        _: &BTreeMap<String, String>,
    ) -> Result<CreateOutcome, StoreError> {
        if self.store_down_for_writes {
            return store_failure();
        }
        match self.objects.lock().unwrap().insert(key.to_owned(), body) {
            None => Ok(CreateOutcome::New),
            Some(_) => Ok(CreateOutcome::AlreadyThere),
        }
    }

    async fn replace(
        &self,
        key: &str,
        body: Vec<u8>,
        etag: Option<&str>,
    ) -> Result<ReplaceOutcome, StoreError> {
        let mut objects = self.objects.lock().unwrap();
        if objects.get(key).map(|there| etag_of(there)).as_deref() != etag {
            return Ok(ReplaceOutcome::Changed);
        }
        let etag = etag_of(&body);
        objects.insert(key.to_owned(), body);
        Ok(ReplaceOutcome::Done { etag })
    }
}

impl Topic for World {
    async fn publish(&self, message: &NoticeMessage) -> Result<(), PublishError> {
        if self.topic_down {
            return Err(PublishError {
                reason: "down".into(),
            });
        }
        self.published.lock().unwrap().push(message.clone());
        Ok(())
    }
}

#[tokio::test]
async fn a_notice_goes_out_once() {
    let world = World::default();
    let notice = Notice::job_finished(&summary(JobState::Completed), &Links::default());
    let now = Timestamp::UNIX_EPOCH;
    assert_eq!(
        announce(&world, &world, &notice, now).await.unwrap(),
        AnnounceOutcome::Now
    );
    assert_eq!(
        announce(&world, &world, &notice, now).await.unwrap(),
        AnnounceOutcome::Before
    );
    assert_eq!(world.ids(), ["jobs/gc00-numbers-3f2a-000001/completed"]);
    let marker = world.objects.lock().unwrap().values().next().cloned().unwrap();
    assert_eq!(
        serde_json::from_slice::<NoticeMarker>(&marker).unwrap().notice,
        notice
    );
}

#[tokio::test]
async fn a_notice_that_did_not_leave_has_no_marker_and_leaves_later() {
    let mut world = World {
        topic_down: true,
        ..World::default()
    };
    let notice = Notice::dataset_halted(&dataset("d"), "batch 3 is missing");
    assert!(
        announce(&world, &world, &notice, Timestamp::UNIX_EPOCH)
            .await
            .is_err()
    );
    assert!(world.markers().is_empty(), "{:?}", world.markers());
    world.topic_down = false;
    assert_eq!(
        announce(&world, &world, &notice, Timestamp::UNIX_EPOCH)
            .await
            .unwrap(),
        AnnounceOutcome::Now
    );
}

#[tokio::test]
async fn a_crash_between_notice_and_marker_says_it_twice_with_the_same_id() {
    let mut world = World {
        store_down_for_writes: true,
        ..World::default()
    };
    let notice = Notice::dataset_halted(&dataset("d"), "batch 3 is missing");
    assert!(
        announce(&world, &world, &notice, Timestamp::UNIX_EPOCH)
            .await
            .is_err()
    );
    world.store_down_for_writes = false;
    assert_eq!(
        announce(&world, &world, &notice, Timestamp::UNIX_EPOCH)
            .await
            .unwrap(),
        AnnounceOutcome::Now
    );
    let ids = world.ids();
    assert_eq!((ids.len(), &ids[0]), (2, &ids[1]));
}

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 / 3_600 * 3_600 + minute * 60).unwrap()
}

fn broken_spec(number: usize) -> Notice {
    let error = SpecError {
        file: "labeling.yaml".into(),
        line: None,
        column: None,
        message: "the file is empty".into(),
        hint: None,
        excerpt: None,
    };
    Notice::spec_rejected(&dataset(&format!("d{number}")), &error, "ab")
}

/// What the digest sent last names.
fn notice_ids(world: &World) -> Vec<String> {
    let published = world.published.lock().unwrap();
    let forms: Value = serde_json::from_str(&published.last().unwrap().body).unwrap();
    let json: Value = serde_json::from_str(forms["default"].as_str().unwrap()).unwrap();
    assert_eq!(json["kind"], "digest");
    let notices = json["detail"]["notices"].as_array().unwrap();
    notices
        .iter()
        .map(|notice| notice["id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn of_a_hundred_and_twenty_broken_specs_ten_leave_alone_and_the_rest_in_one_digest() {
    let world = World::default();
    for number in 0..120 {
        // Every one is looked at twice, by an event and by the sweep.
        for _ in 0..2 {
            announce(&world, &world, &broken_spec(number), at(30))
                .await
                .unwrap();
        }
    }
    assert_eq!((world.ids().len(), world.markers().len()), (10, 120));
    assert!(
        !send_digest(&world, &world, DigestGroup::Datasets, at(59))
            .await
            .unwrap(),
        "the hour is not over"
    );
    for _ in 0..2 {
        send_digest(&world, &world, DigestGroup::Datasets, at(60))
            .await
            .unwrap();
    }
    assert_eq!(world.ids().len(), 11);
    let expected: Vec<String> = (10..120).map(|number| broken_spec(number).id).collect();
    assert_eq!(notice_ids(&world), expected);
    let text = world.published.lock().unwrap().last().unwrap().body.clone();
    assert!(text.contains("110 more notices have come since"), "{text}");
    assert!(
        text.contains("Groundcrew: labeling.yaml of d10 cannot be used"),
        "{text}"
    );
    // The next hour counts again.
    let next = announce(&world, &world, &broken_spec(200), at(61)).await.unwrap();
    assert_eq!(next, AnnounceOutcome::Now);
}

#[tokio::test]
async fn the_end_of_a_job_and_another_desk_wait_for_nobody() {
    let world = World::default();
    for number in 0..20 {
        announce(&world, &world, &broken_spec(number), at(0))
            .await
            .unwrap();
    }
    let ended = Notice::job_finished(&summary(JobState::Completed), &Links::default());
    let team = Notice::team_refused(&crate::name::TeamName::new("cats").unwrap(), "no");
    for notice in [ended, team] {
        assert_eq!(
            announce(&world, &world, &notice, at(0)).await.unwrap(),
            AnnounceOutcome::Now
        );
    }
}

#[tokio::test]
async fn a_digest_that_did_not_leave_leaves_later_with_the_same_id_and_nothing_is_lost() {
    let mut world = World::default();
    for number in 0..12 {
        announce(&world, &world, &broken_spec(number), at(0))
            .await
            .unwrap();
    }
    world.topic_down = true;
    assert!(
        send_digest(&world, &world, DigestGroup::Datasets, at(61))
            .await
            .is_err()
    );
    world.topic_down = false;
    // What comes meanwhile is in the next one.
    for number in 12..30 {
        announce(&world, &world, &broken_spec(number), at(62))
            .await
            .unwrap();
    }
    world.store_down_for_writes = true;
    assert!(
        send_digest(&world, &world, DigestGroup::Datasets, at(63))
            .await
            .is_err()
    );
    world.store_down_for_writes = false;
    assert!(
        send_digest(&world, &world, DigestGroup::Datasets, at(64))
            .await
            .unwrap()
    );
    let ids = world.ids();
    let digests: Vec<&String> = ids.iter().filter(|id| id.starts_with("digest/")).collect();
    assert_eq!(
        (digests.len(), digests[0]),
        (2, digests[1]),
        "twice after a crash, with one id"
    );
    let first: Vec<String> = (10..12).map(|number| broken_spec(number).id).collect();
    assert_eq!(notice_ids(&world), first);
    assert!(
        send_digest(&world, &world, DigestGroup::Datasets, at(121))
            .await
            .unwrap()
    );
    let second: Vec<String> = (22..30).map(|number| broken_spec(number).id).collect();
    assert_eq!(notice_ids(&world), second);
    assert_eq!(
        world
            .markers()
            .iter()
            .filter(|key| key.contains("/specs/"))
            .count(),
        30
    );
}

#[tokio::test]
async fn a_clock_that_is_behind_counts_in_the_hour_others_have_begun() {
    let world = World::default();
    for number in 0..10 {
        announce(&world, &world, &broken_spec(number), at(61))
            .await
            .unwrap();
    }
    let late = announce(&world, &world, &broken_spec(10), at(59)).await.unwrap();
    assert_eq!(late, AnnounceOutcome::InDigest);
}
