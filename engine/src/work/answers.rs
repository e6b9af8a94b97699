//! Answers held compactly: a job may have hundreds of thousands, of few people and with few different contents.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::item::AnswerRecord;
use super::types::IdentityProvider;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) person: Arc<Person>,
    pub(crate) accepted: Timestamp,
    pub(crate) submitted: Timestamp,
    /// JSON.
    pub(crate) content: Arc<str>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) sub: String,
    pub(crate) issuer: String,
    pub(crate) provider: IdentityProvider,
}

/// Keeps each person and each content once.
#[derive(Default)]
pub(super) struct Interner {
    people: HashMap<String, Arc<Person>>,
    contents: HashSet<Arc<str>>,
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
        match self.contents.get(&answer.content) {
            Some(content) => answer.content = content.clone(),
            None => drop(self.contents.insert(answer.content.clone())),
        }
        answer
    }
}

pub(super) fn compact(answer: &AnswerRecord) -> Answer {
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
        content: answer.content.to_string().into(),
    }
}
