//! Answers held compactly: a job may have hundreds of thousands, of few people and with few different contents.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;

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

#[derive(Clone, Debug, PartialEq, Eq)]
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
    pub(super) fn intern(&mut self, answer: &AnswerRecord) -> Answer {
        let mut compact = compact(answer);
        match self.people.get(&answer.worker) {
            Some(person) => compact.person = person.clone(),
            None => drop(self.people.insert(answer.worker.clone(), compact.person.clone())),
        }
        match self.contents.get(&compact.content) {
            Some(content) => compact.content = content.clone(),
            None => drop(self.contents.insert(compact.content.clone())),
        }
        compact
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
