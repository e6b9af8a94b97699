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
use crate::model::crew::Person;
use crate::model::enough::{Lacking, Needs};
use crate::reader::{LoadError, Reader};

/// What a page gets.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct View {
    /// The clock that times in the model are to be compared with; a browser's own may be wrong.
    pub(crate) now: Timestamp,
    pub(crate) about: Arc<About>,
    /// Without the people: there may be thousands, and a page asks for those it shows.
    pub(crate) model: Arc<Model>,
    pub(crate) people: usize,
    /// Another number, other people: time to ask again.
    pub(crate) people_revision: u64,
}

/// One look.
#[derive(Clone, Debug, Default)]
struct Seen {
    model: Arc<Model>,
    people: Arc<Vec<Person>>,
    revision: u64,
}

impl Seen {
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
    latest: watch::Sender<Option<Seen>>,
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
        let model = self.reader.load().await?;
        Ok(self.wrap(&Seen::new(model, &Seen::default())))
    }

    /// Everyone, as of the last look; looks now where nobody is watching.
    pub(crate) async fn people(&self) -> Result<Arc<Vec<Person>>, LoadError> {
        let latest = self.latest.borrow().as_ref().map(|seen| seen.people.clone());
        match latest {
            Some(people) => Ok(people),
            None => Ok(Arc::new(self.reader.load().await?.crew.people)),
        }
    }

    /// How a team known by the last look falls short of what a spec asks for; nobody looks for this alone.
    pub(crate) fn lacking(&self, needs: &Needs) -> Option<Lacking> {
        self.latest.borrow().as_ref()?.model.crew.lacking(needs)
    }

    fn wrap(&self, seen: &Seen) -> View {
        View {
            now: Timestamp::now(),
            about: self.about.clone(),
            model: seen.model.clone(),
            people: seen.people.len(),
            people_revision: seen.revision,
        }
    }

    /// The model now and whenever it changes.
    pub(crate) async fn events(self: Arc<Self>) -> impl Stream<Item = Result<Event, Infallible>> {
        let mut models = self.subscribe().await;
        models.mark_changed();
        futures::stream::unfold((self, models), |(live, mut models)| async move {
            loop {
                models.changed().await.ok()?;
                let Some(seen) = models.borrow_and_update().clone() else {
                    continue;
                };
                let event = Event::default().event("model").json_data(live.wrap(&seen)).ok()?;
                return Some((Ok(event), (live, models)));
            }
        })
    }

    async fn subscribe(self: &Arc<Self>) -> watch::Receiver<Option<Seen>> {
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
        let before = self.latest.borrow().clone().unwrap_or_default();
        let now = match self.reader.load().await {
            Ok(model) => Seen::new(model, &before),
            // What is shown is from before.
            Err(error) => Seen {
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
    fn the_people_stay_out_of_what_every_page_gets_and_a_change_of_them_is_told() {
        let first = Seen::new(model(&["a@x.org"]), &Seen::default());
        assert!(first.model.crew.people.is_empty());
        assert_eq!(first.people.len(), 1);
        let same = Seen::new(model(&["a@x.org"]), &first);
        assert!(!same.differs(&first));
        let more = Seen::new(model(&["a@x.org", "b@x.org"]), &same);
        assert!(more.differs(&same) && more.model == same.model);
    }
}
