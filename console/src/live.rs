//! The model, kept fresh while a page is open, and sent to every open page when it changes.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::response::sse::Event;
use futures::Stream;
use jiff::Timestamp;
use serde::Serialize;
use shared::port::StoreError;
use tokio::sync::{Mutex, watch};

use crate::config::Hints;
use crate::model::Model;
use crate::model::crew::Person;
use crate::model::team_size::{StaffShortage, StaffingNeeds};
use crate::reader::Reader;

/// What a page gets.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PageData {
    /// The clock that times in the model are to be compared with; a browser's own may be wrong.
    pub(crate) now: Timestamp,
    pub(crate) about: Arc<PageSettings>,
    /// Without the people: there may be thousands, and a page requests those it shows.
    pub(crate) model: Arc<Model>,
    pub(crate) people: usize,
    /// Changes when a person changes: the page has to request them again.
    pub(crate) people_revision: u64,
}

/// What one read gave.
#[derive(Clone, Debug, Default)]
struct ModelSnapshot {
    model: Arc<Model>,
    people: Arc<Vec<Person>>,
    revision: u64,
}

impl ModelSnapshot {
    fn new(mut model: Model, before: &Self) -> Self {
        let people = std::mem::take(&mut model.crew.people);
        let same = *before.people == people;
        Self {
            model: Arc::new(model),
            revision: before.revision + u64::from(!same),
            people: if same {
                before.people.clone()
            } else {
                Arc::new(people)
            },
        }
    }

    fn differs(&self, other: &Self) -> bool {
        self.revision != other.revision || self.model != other.model
    }
}

/// What does not change while the console runs.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PageSettings {
    pub(crate) portal_url: String,
    pub(crate) outbox_url: Option<String>,
    pub(crate) input_bucket: String,
    pub(crate) hints: Hints,
}

#[derive(Debug)]
pub(crate) struct LiveModel {
    reader: Reader,
    settings: Arc<PageSettings>,
    refresh: Duration,
    latest: watch::Sender<Option<ModelSnapshot>>,
    /// Whether a task keeps `latest` fresh.
    is_refreshing: Mutex<bool>,
}

impl LiveModel {
    pub(crate) fn new(reader: Reader, settings: PageSettings, refresh: Duration) -> Arc<Self> {
        let (latest, _) = watch::channel(None);
        Arc::new(Self {
            reader,
            settings: Arc::new(settings),
            refresh,
            latest,
            is_refreshing: Mutex::new(false),
        })
    }

    /// Reads now, whether a page is open or not.
    pub(crate) async fn read(&self) -> Result<PageData, StoreError> {
        let model = self.reader.load().await?;
        Ok(self.page_data(&ModelSnapshot::new(model, &ModelSnapshot::default())))
    }

    /// Everyone, as of the last read; reads now where no page is open.
    pub(crate) async fn people(&self) -> Result<Arc<Vec<Person>>, StoreError> {
        let latest = self
            .latest
            .borrow()
            .as_ref()
            .map(|snapshot| snapshot.people.clone());
        match latest {
            Some(people) => Ok(people),
            None => Ok(Arc::new(self.reader.load().await?.crew.people)),
        }
    }

    /// How many people a team lacks for a spec, as of the last read; nothing is read for this.
    pub(crate) fn shortage(&self, needs: &StaffingNeeds) -> Option<StaffShortage> {
        self.latest.borrow().as_ref()?.model.crew.shortage(needs)
    }

    fn page_data(&self, snapshot: &ModelSnapshot) -> PageData {
        PageData {
            now: Timestamp::now(),
            about: self.settings.clone(),
            model: snapshot.model.clone(),
            people: snapshot.people.len(),
            people_revision: snapshot.revision,
        }
    }

    /// The model now and whenever it changes.
    pub(crate) async fn events(self: Arc<Self>) -> impl Stream<Item = Result<Event, Infallible>> {
        let mut models = self.subscribe().await;
        models.mark_changed();
        futures::stream::unfold((self, models), |(live, mut models)| async move {
            loop {
                models.changed().await.ok()?;
                let Some(snapshot) = models.borrow_and_update().clone() else {
                    continue;
                };
                let event = Event::default()
                    .event("model")
                    .json_data(live.page_data(&snapshot))
                    .ok()?;
                return Some((Ok(event), (live, models)));
            }
        })
    }

    async fn subscribe(self: &Arc<Self>) -> watch::Receiver<Option<ModelSnapshot>> {
        let mut is_refreshing = self.is_refreshing.lock().await;
        let models = self.latest.subscribe();
        if !*is_refreshing {
            *is_refreshing = true;
            tokio::spawn(self.clone().refresh_while_watched());
        }
        models
    }

    /// Reads again and again until the last page is closed.
    async fn refresh_while_watched(self: Arc<Self>) {
        let mut pause = tokio::time::interval(self.refresh);
        pause.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            pause.tick().await;
            let mut is_refreshing = self.is_refreshing.lock().await;
            if self.latest.receiver_count() == 0 {
                self.latest.send_replace(None);
                *is_refreshing = false;
                return;
            }
            drop(is_refreshing);
            self.refresh_once().await;
        }
    }

    async fn refresh_once(&self) {
        let before = self.latest.borrow().clone().unwrap_or_default();
        let now = match self.reader.load().await {
            Ok(model) => ModelSnapshot::new(model, &before),
            // What was read before stays on the page.
            Err(error) => ModelSnapshot {
                model: Arc::new(Model {
                    problems: vec![error.to_string()],
                    ..(*before.model).clone()
                }),
                ..before.clone()
            },
        };
        self.latest.send_if_modified(|latest| {
            let changed = latest.as_ref().is_none_or(|latest| now.differs(latest));
            if changed {
                *latest = Some(now);
            }
            changed
        });
    }
}

#[cfg(test)]
mod tests {
    use shared::crew::MemberState;

    use super::*;

    fn model(emails: &[&str]) -> Model {
        let person = |email: &&str| Person {
            id: (*email).to_owned(),
            email: (*email).to_owned(),
            state: MemberState::Invited,
            since: Timestamp::UNIX_EPOCH,
            problem: None,
            teams: Vec::new(),
            invitations: 1,
            last_seen: None,
            answers: 0,
            seconds: 0.0,
        };
        let mut model = Model::default();
        model.crew.people = emails.iter().map(person).collect();
        model
    }

    #[test]
    fn people_are_not_sent_to_every_page_and_a_change_of_them_is() {
        let first = ModelSnapshot::new(model(&["a@x.org"]), &ModelSnapshot::default());
        assert!(first.model.crew.people.is_empty());
        assert_eq!(first.people.len(), 1);
        let same = ModelSnapshot::new(model(&["a@x.org"]), &first);
        assert!(!same.differs(&first));
        let more = ModelSnapshot::new(model(&["a@x.org", "b@x.org"]), &same);
        assert!(more.differs(&same) && more.model == same.model);
    }
}
