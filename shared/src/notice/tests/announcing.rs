//! What is told is told once, whatever fails in between.

use std::ops::Range;
use std::sync::Mutex;

use super::*;
use crate::port::{Bucket, Fetched, OpenUpload, Page, Replaced};

/// The output bucket's markers, and a topic that can fail.
#[derive(Default)]
struct World {
    objects: Mutex<BTreeMap<String, Vec<u8>>>,
    published: Mutex<Vec<Message>>,
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
        self.objects.lock().unwrap().keys().cloned().collect()
    }
}

fn refused<T>() -> Result<T, StoreError> {
    Err(StoreError::Transient {
        operation: "PutObject",
        what: "marker".into(),
        reason: "down".into(),
    })
}

impl Store for World {
    async fn open_uploads(&self, _: &str) -> Result<Vec<OpenUpload>, StoreError> {
        refused()
    }

    async fn list(&self, _: Bucket, _: &str, _: bool, _: Option<&str>) -> Result<Page, StoreError> {
        refused()
    }

    async fn get(&self, _: Bucket, key: &str, _: Option<Range<u64>>) -> Result<Option<Fetched>, StoreError> {
        let found = self.objects.lock().unwrap().get(key).cloned();
        Ok(found.map(|bytes| Fetched {
            size: bytes.len() as u64,
            bytes,
            etag: "e".into(),
            last_modified: Timestamp::UNIX_EPOCH,
            metadata: BTreeMap::new(),
        }))
    }

    async fn create(
        &self,
        key: &str,
        body: Vec<u8>,
        _: &BTreeMap<String, String>,
    ) -> Result<Created, StoreError> {
        if self.store_down_for_writes {
            return refused();
        }
        match self.objects.lock().unwrap().insert(key.to_owned(), body) {
            None => Ok(Created::New),
            Some(_) => Ok(Created::AlreadyThere),
        }
    }

    async fn replace(&self, _: &str, _: Vec<u8>, _: Option<&str>) -> Result<Replaced, StoreError> {
        refused()
    }
}

impl Topic for World {
    async fn publish(&self, message: &Message) -> Result<(), PublishError> {
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
        Announced::Now
    );
    assert_eq!(
        announce(&world, &world, &notice, now).await.unwrap(),
        Announced::Before
    );
    assert_eq!(world.ids(), ["jobs/gc00-numbers-3f2a-000001/completed"]);
    let marker = world.objects.lock().unwrap().values().next().cloned().unwrap();
    assert_eq!(
        serde_json::from_slice::<Notified>(&marker).unwrap().notice,
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
        Announced::Now
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
        Announced::Now
    );
    let ids = world.ids();
    assert_eq!((ids.len(), &ids[0]), (2, &ids[1]));
}
