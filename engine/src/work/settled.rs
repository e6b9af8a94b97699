//! The objects of a job that are done for good, in one object beside their documents: a start reads it instead of a
//! document for each. Only time hangs on it. An object in it counts if its document, by the listing of the start, is the
//! one it was made from; whatever is missing, broken, old or another job's is read from the documents, as ever.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::answers::{Answer, Person};

/// One object that needs no more answers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Settled {
    pub(super) index: u32,
    /// Of the document that says so.
    pub(super) etag: Box<str>,
    pub(super) failed: bool,
    pub(super) answers: Box<[Answer]>,
}

/// As it is stored: the SHA-256 of the rest in hexadecimal, a line break, and this as JSON. People and choices are
/// there once.
#[derive(Default, Serialize, Deserialize)]
struct Stored {
    /// The job's reference code: another job may have had the name.
    job: String,
    people: Vec<Person>,
    /// Classes chosen together.
    choices: Vec<Vec<u16>>,
    objects: Vec<(u32, String, bool, Vec<Given>)>,
}

/// Person and choice by their places, when the task was accepted and when it was handed in.
type Given = (usize, usize, Timestamp, Timestamp);

pub(super) fn write(job: &str, settled: &[Settled]) -> Option<Bytes> {
    let (mut people, mut choices) = (Places::default(), Places::default());
    let mut stored = Stored {
        job: job.to_owned(),
        ..Stored::default()
    };
    for object in settled {
        let given = object.answers.iter().map(|answer| {
            let person = people.of(&answer.person, &*answer.person.id);
            let choice = choices.of(&answer.classes, &*answer.classes);
            (person, choice, answer.accepted, answer.submitted)
        });
        stored.objects.push((
            object.index,
            object.etag.to_string(),
            object.failed,
            given.collect(),
        ));
    }
    stored.people = people.in_order.iter().map(|person| (**person).clone()).collect();
    stored.choices = choices.in_order.iter().map(|classes| classes.to_vec()).collect();
    let body = serde_json::to_string(&stored).ok()?;
    Some(Bytes::from(format!("{}\n{body}", digest(body.as_bytes()))))
}

/// `None` for anything but what [`write`] gave for this job, to the byte.
pub(super) fn read(job: &str, bytes: &[u8]) -> Option<Vec<Settled>> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let (said, body) = (bytes.get(..end)?, bytes.get(end + 1..)?);
    if said != digest(body).as_bytes() {
        return None;
    }
    let stored: Stored = serde_json::from_slice(body).ok()?;
    if stored.job != job {
        return None;
    }
    let people: Vec<Arc<Person>> = stored.people.into_iter().map(Arc::new).collect();
    let choices: Vec<Arc<[u16]>> = stored.choices.into_iter().map(Arc::from).collect();
    let answer = |(person, choice, accepted, submitted): Given| {
        Some(Answer {
            person: people.get(person)?.clone(),
            accepted,
            submitted,
            classes: choices.get(choice)?.clone(),
        })
    };
    let objects = stored.objects.into_iter();
    objects
        .map(|(index, etag, failed, given)| {
            Some(Settled {
                index,
                etag: etag.into(),
                failed,
                answers: given.into_iter().map(answer).collect::<Option<_>>()?,
            })
        })
        .collect()
}

fn digest(body: &[u8]) -> String {
    hex::encode(Sha256::digest(body))
}

/// Values in the order they came, each once.
struct Places<'a, T: ?Sized, N: ?Sized> {
    in_order: Vec<Arc<T>>,
    by_name: HashMap<&'a N, usize>,
}

impl<T: ?Sized, N: ?Sized> Default for Places<'_, T, N> {
    fn default() -> Self {
        Places {
            in_order: Vec::new(),
            by_name: HashMap::new(),
        }
    }
}

impl<'a, T: ?Sized, N: ?Sized + Eq + Hash> Places<'a, T, N> {
    fn of(&mut self, value: &Arc<T>, name: &'a N) -> usize {
        let next = self.in_order.len();
        let place = *self.by_name.entry(name).or_insert(next);
        if place == next {
            self.in_order.push(value.clone());
        }
        place
    }
}

#[cfg(test)]
mod tests;
