//! The model, kept fresh for as long as somebody looks, and sent to every open page when it changes.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::response::sse::Event;
use futures::Stream;
use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::{Mutex, watch};

use crate::config::Hints;
use crate::model::Model;
use crate::reader::{LoadError, Reader};

/// What a page gets.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct View {
    /// The clock that times in the model are to be compared with; a browser's own may be wrong.
    pub(crate) now: Timestamp,
    pub(crate) about: Arc<About>,
    pub(crate) model: Arc<Model>,
}

/// What does not change while the console runs.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct About {
    pub(crate) portal_url: String,
    pub(crate) outbox_url: Option<String>,
    pub(crate) input_bucket: String,
    pub(crate) hints: Hints,
}

#[derive(Debug)]
pub(crate) struct Live {
    reader: Reader,
    about: Arc<About>,
    refresh: Duration,
    latest: watch::Sender<Option<Arc<Model>>>,
    /// Whether a task is at it.
    looking: Mutex<bool>,
}

impl Live {
    pub(crate) fn new(reader: Reader, about: About, refresh: Duration) -> Arc<Self> {
        let (latest, _) = watch::channel(None);
        Arc::new(Self {
            reader,
            about: Arc::new(about),
            refresh,
            latest,
            looking: Mutex::new(false),
        })
    }

    pub(crate) async fn view(&self) -> Result<View, LoadError> {
        self.reader.load().await.map(|model| self.wrap(Arc::new(model)))
    }

    fn wrap(&self, model: Arc<Model>) -> View {
        View {
            now: Timestamp::now(),
            about: self.about.clone(),
            model,
        }
    }

    /// The model now and whenever it changes.
    pub(crate) async fn events(self: Arc<Self>) -> impl Stream<Item = Result<Event, Infallible>> {
        let mut models = self.subscribe().await;
        models.mark_changed();
        futures::stream::unfold((self, models), |(live, mut models)| async move {
            loop {
                models.changed().await.ok()?;
                let Some(model) = models.borrow_and_update().clone() else {
                    continue;
                };
                let event = Event::default().event("model").json_data(live.wrap(model)).ok()?;
                return Some((Ok(event), (live, models)));
            }
        })
    }

    async fn subscribe(self: &Arc<Self>) -> watch::Receiver<Option<Arc<Model>>> {
        let mut looking = self.looking.lock().await;
        let models = self.latest.subscribe();
        if !*looking {
            *looking = true;
            tokio::spawn(self.clone().look());
        }
        models
    }

    /// Looks again and again until nobody watches.
    async fn look(self: Arc<Self>) {
        let mut pause = tokio::time::interval(self.refresh);
        pause.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            pause.tick().await;
            let mut looking = self.looking.lock().await;
            if self.latest.receiver_count() == 0 {
                self.latest.send_replace(None);
                *looking = false;
                return;
            }
            drop(looking);
            self.look_once().await;
        }
    }

    async fn look_once(&self) {
        let model = self.reader.load().await.unwrap_or_else(|error| {
            let last = self.latest.borrow().as_deref().cloned().unwrap_or_default();
            Model {
                problems: vec![error.to_string()],
                ..last
            }
        });
        self.latest.send_if_modified(|latest| {
            let changed = latest.as_deref() != Some(&model);
            if changed {
                *latest = Some(Arc::new(model));
            }
            changed
        });
    }
}
