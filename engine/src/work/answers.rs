//! Answers held compactly: a job may have hundreds of thousands, of few people and with few different choices.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::item::AnswerRecord;
use super::types::IdentityProvider;
use crate::job::Answers;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) person: Arc<Person>,
    pub(crate) accepted: Timestamp,
    pub(crate) submitted: Timestamp,
    /// The classes it chooses, ascending: all that is kept of it in memory.
    pub(crate) classes: Arc<[u16]>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) sub: String,
    pub(crate) issuer: String,
    pub(crate) provider: IdentityProvider,
}

/// Keeps each person and each choice once.
#[derive(Default)]
pub(super) struct Interner {
    people: HashMap<String, Arc<Person>>,
    choices: HashSet<Arc<[u16]>>,
}

impl Interner {
    pub(super) fn intern(&mut self, mut answer: Answer) -> Answer {
        match self.people.get(&answer.person.id) {
            Some(person) => answer.person = person.clone(),
            None => drop(
                self.people
                    .insert(answer.person.id.clone(), answer.person.clone()),
            ),
        }
        match self.choices.get(&answer.classes) {
            Some(classes) => answer.classes = classes.clone(),
            None => drop(self.choices.insert(answer.classes.clone())),
        }
        answer
    }
}

pub(super) fn compact(answer: &AnswerRecord, reading: &Answers) -> Answer {
    let person = Person {
        id: answer.worker.clone(),
        sub: answer.sub.clone(),
        issuer: answer.issuer.clone(),
        provider: answer.provider.unwrap_or_default(),
    };
    Answer {
        person: Arc::new(person),
        accepted: answer.accepted,
        submitted: answer.submitted,
        // It was read when it was taken; one that cannot be read again says nothing.
        classes: reading.classes(&answer.content).unwrap_or_default().into(),
    }
}
