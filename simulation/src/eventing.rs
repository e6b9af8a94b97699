//! What events cost: so many uploads into one dataset, through build-manifest as it is, with a queue that hands messages over as
//! the template sets it, and a store that counts. Nothing goes wrong here; that is what the schedules are for.

mod queue;
mod store;

use std::task::{Context, Poll, Waker};

use build_manifest::{Deps, HandlerError, handle};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use shared::port::{PublishError, Topic};

pub use self::queue::Settings;
use self::queue::{Delivery, Queue, object_created};
use self::store::CountingStore;

/// Requests of one run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    pub uploads: u64,
    /// SQS: one a message that S3 sends, and those Lambda's pollers make for batches of ten.
    pub sent: u64,
    pub received: u64,
    pub deleted: u64,
    /// EventBridge gets every event of the bucket.
    pub bus: u64,
    pub invocations: u64,
    /// Messages of the fullest of them: what 6 MB hold, where files come fast enough.
    pub fullest: u64,
    /// Pages of the dataset's own listing.
    pub pages: u64,
    /// All other LISTs: open uploads, batches.
    pub other_lists: u64,
    pub gets: u64,
    /// Of which the files' own: what stands in a text stands in the batch.
    pub reads: u64,
    pub puts: u64,
    pub batches: u64,
}

/// us-east-1, dollars a million; docs/DEPLOY.md reckons with the same.
const SQS: f64 = 0.40;
const BUS: f64 = 1.00;
const LIST: f64 = 5.00;
/// A GB-second, x 1 GB, and at most so many seconds an invocation.
const GB_SECOND: f64 = 13.33;
const SECONDS: f64 = 100.0;
const KEYS_A_PAGE: f64 = 1_000.0;

/// Dollars, by what they are for.
#[derive(Clone, Copy, Debug)]
pub struct Bill {
    pub uploads: f64,
    pub sqs_requests: f64,
    pub invocations: f64,
    pub lists: f64,
    pub sqs: f64,
    pub bus: f64,
    pub listing: f64,
    pub lambda: f64,
}

impl Bill {
    pub fn sum(&self) -> f64 {
        self.sqs + self.bus + self.listing + self.lambda
    }
}

impl Requests {
    pub fn sqs(&self) -> u64 {
        self.sent + self.received + self.deleted
    }

    /// So many uploads instead, as fast and into one dataset. Messages, polls and events grow with the uploads; each invocation but
    /// the last is as full as the fullest. A look lists everything there is: half of it on average, since looks are spread evenly
    /// over the uploads; the other LISTs are so many a look.
    pub fn at(&self, uploads: u64) -> Bill {
        let times = uploads as f64 / self.uploads as f64;
        let invocations = uploads.div_ceil(self.fullest.max(1)) as f64;
        let pages = uploads as f64 / KEYS_A_PAGE / 2.0;
        let others = self.other_lists as f64 / self.invocations as f64;
        let (sqs_requests, lists) = (self.sqs() as f64 * times, invocations * (pages + others));
        let dollars = |count: f64, a_million: f64| count / 1e6 * a_million;
        Bill {
            uploads: uploads as f64,
            sqs_requests,
            invocations,
            lists,
            sqs: dollars(sqs_requests, SQS),
            bus: dollars(self.bus as f64 * times, BUS),
            listing: dollars(lists, LIST),
            lambda: dollars(invocations * SECONDS, GB_SECOND),
        }
    }
}

/// Publishes nothing.
struct NoTopic;

impl Topic for NoTopic {
    async fn publish(&self, _: &shared::port::NoticeMessage) -> Result<(), PublishError> {
        Ok(())
    }
}

const SPEC: &str = "task: text-classification\nlabels: [Even, Odd]\nteam: t\ntitle: T\ndescription: D\n";

/// So many files, so many a second.
pub fn count(uploads: u64, a_second: u64, settings: Settings) -> Result<Requests, HandlerError> {
    // Nothing here waits for anything but its own turn.
    let mut counted = std::pin::pin!(requests_for(uploads, a_second, settings));
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(counted) = counted.as_mut().poll(&mut context) {
            return counted;
        }
    }
}

async fn requests_for(uploads: u64, a_second: u64, settings: Settings) -> Result<Requests, HandlerError> {
    let begin = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * 365 * 50);
    let store = CountingStore::at(begin);
    let deps = Deps::new(store.clone(), NoTopic, "in".to_owned());
    store.put("d/labeling.yaml", SPEC.as_bytes(), begin);
    let mut queue = Queue::new(settings);
    for upload in 0..uploads {
        let at = begin + SignedDuration::from_millis(i64::try_from(upload * 1_000 / a_second).unwrap_or(0));
        let key = format!("d/{upload:07}.txt");
        queue.send(at, object_created(&key, at));
    }
    let mut counted = Requests {
        uploads,
        sent: uploads,
        bus: uploads,
        ..Requests::default()
    };
    let mut put = 0;
    while let Some(Delivery { at, messages }) = queue.next() {
        // What had been uploaded by then is there, also what the queue still keeps back.
        let there = uploads
            .min(u64::try_from(at.duration_since(begin).as_millis()).unwrap_or(0) * a_second / 1_000 + 1);
        for upload in put..there {
            let at =
                begin + SignedDuration::from_millis(i64::try_from(upload * 1_000 / a_second).unwrap_or(0));
            store.put(&format!("d/{upload:07}.txt"), upload.to_string().as_bytes(), at);
        }
        put = there;
        store.set_time(at);
        let requests = (messages.len() as u64).div_ceil(10);
        counted.invocations += 1;
        counted.fullest = counted.fullest.max(messages.len() as u64);
        let reply = handle(&deps, json!({ "Records": messages })).await?;
        let failed = reply["batchItemFailures"].as_array().map_or(0, Vec::len);
        counted.received += requests;
        counted.deleted += if failed == 0 { requests } else { 0 };
    }
    store.add_to(&mut counted);
    Ok(counted)
}

/// Of a message as Lambda hands it over: what the limit of 6 MB is counted in.
fn size(message: &Value) -> usize {
    message.to_string().len()
}
