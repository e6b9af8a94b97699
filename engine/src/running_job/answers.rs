//! Answers in memory, in a compact form: a job may have hundreds of thousands, from few people and with few different
//! annotations.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::item::AnswerRecord;
use crate::answer::{Annotation, AnswerReader};
use crate::worker::IdentityProvider;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct WorkerAnswer {
    pub(crate) person: Arc<Person>,
    pub(crate) accepted: Timestamp,
    pub(crate) submitted: Timestamp,
    pub(crate) annotation: Annotation,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) sub: String,
    pub(crate) issuer: String,
    pub(crate) provider: IdentityProvider,
}

impl WorkerAnswer {
    pub(super) fn from_record(record: &AnswerRecord, reader: &AnswerReader) -> WorkerAnswer {
        let person = Person {
            id: record.worker.clone(),
            sub: record.sub.clone(),
            issuer: record.issuer.clone(),
            provider: record.provider.unwrap_or_default(),
        };
        WorkerAnswer {
            person: Arc::new(person),
            accepted: record.accepted,
            submitted: record.submitted,
            annotation: reader.read_stored(&record.content),
        }
    }
}

/// When the last of the answers was submitted.
pub(crate) fn last_submission(answers: &[WorkerAnswer]) -> Option<Timestamp> {
    answers.iter().map(|answer| answer.submitted).max()
}

/// Keeps each person and each annotation once.
#[derive(Default)]
pub(super) struct Interner {
    people: HashMap<String, Arc<Person>>,
    annotations: HashSet<Annotation>,
}

impl Interner {
    pub(super) fn intern(&mut self, mut answer: WorkerAnswer) -> WorkerAnswer {
        match self.people.get(&answer.person.id) {
            Some(person) => answer.person = person.clone(),
            None => drop(
                self.people
                    .insert(answer.person.id.clone(), answer.person.clone()),
            ),
        }
        match self.annotations.get(&answer.annotation) {
            Some(annotation) => answer.annotation = annotation.clone(),
            None => drop(self.annotations.insert(answer.annotation.clone())),
        }
        answer
    }
}
