//! The finished items of a job, in one object beside their documents: an engine that starts reads it instead of a document
//! for each. It only saves time. A row counts if the item's document still has the ETag the row was made from; items that
//! are missing, damaged or outdated here are read from their documents.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::answers::{Person, WorkerAnswer};
use crate::answer::Annotation;

/// An item that needs no more answers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FinishedItem {
    pub(super) index: u32,
    /// Of the item's document.
    pub(super) etag: Box<str>,
    pub(super) failed: bool,
    pub(super) answers: Box<[WorkerAnswer]>,
}

/// The stored form: the SHA-256 of the rest in hexadecimal, a line break, and this as JSON. Each person and each annotation
/// is in it once.
#[derive(Default, Serialize, Deserialize)]
struct FinishedFile {
    /// The job's reference code: another job may have had the name.
    job: String,
    people: Vec<Arc<Person>>,
    #[serde(rename = "choices")]
    annotations: Vec<Annotation>,
    objects: Vec<(u32, String, bool, Vec<AnswerRow>)>,
}

/// Positions of person and annotation, when the task was accepted and when the answer was submitted.
type AnswerRow = (usize, usize, Timestamp, Timestamp);

pub(super) fn write(job: &str, items: &[FinishedItem]) -> Option<Bytes> {
    let (mut people, mut annotations) = (DistinctValues::default(), DistinctValues::default());
    let objects = items.iter().map(|item| {
        let rows = item.answers.iter().map(|answer| {
            let person = people.position(&*answer.person.id, &answer.person);
            let annotation = annotations.position(&answer.annotation, &answer.annotation);
            (person, annotation, answer.accepted, answer.submitted)
        });
        (item.index, item.etag.to_string(), item.failed, rows.collect())
    });
    let objects = objects.collect();
    let file = FinishedFile {
        job: job.to_owned(),
        people: people.in_order,
        annotations: annotations.in_order,
        objects,
    };
    let body = serde_json::to_string(&file).ok()?;
    Some(Bytes::from(format!("{}\n{body}", digest(body.as_bytes()))))
}

/// `None` unless these are exactly the bytes that [`write`] made for this job.
pub(super) fn read(job: &str, bytes: &[u8]) -> Option<Vec<FinishedItem>> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let (stated, body) = (bytes.get(..end)?, bytes.get(end + 1..)?);
    if stated != digest(body).as_bytes() {
        return None;
    }
    let file: FinishedFile = serde_json::from_slice(body).ok()?;
    if file.job != job {
        return None;
    }
    let answer = |(person, annotation, accepted, submitted): AnswerRow| {
        Some(WorkerAnswer {
            person: file.people.get(person)?.clone(),
            accepted,
            submitted,
            annotation: file.annotations.get(annotation)?.clone(),
        })
    };
    let objects = file.objects.into_iter();
    objects
        .map(|(index, etag, failed, rows)| {
            Some(FinishedItem {
                index,
                etag: etag.into(),
                failed,
                answers: rows.into_iter().map(answer).collect::<Option<_>>()?,
            })
        })
        .collect()
}

fn digest(body: &[u8]) -> String {
    hex::encode(Sha256::digest(body))
}

/// Values in the order in which they came, each once.
struct DistinctValues<'a, K: ?Sized, V> {
    in_order: Vec<V>,
    positions: HashMap<&'a K, usize>,
}

impl<K: ?Sized, V> Default for DistinctValues<'_, K, V> {
    fn default() -> Self {
        DistinctValues {
            in_order: Vec::new(),
            positions: HashMap::new(),
        }
    }
}

impl<'a, K: ?Sized + Eq + Hash, V: Clone> DistinctValues<'a, K, V> {
    fn position(&mut self, key: &'a K, value: &V) -> usize {
        let next = self.in_order.len();
        let position = *self.positions.entry(key).or_insert(next);
        if position == next {
            self.in_order.push(value.clone());
        }
        position
    }
}

#[cfg(test)]
mod tests;
