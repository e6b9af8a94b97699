//! What workers submit: a task's answer, read into the annotation it makes. Each kind of annotation has a file here. A new
//! kind is a file, a variant in both enums, and a line in each `match`.
//!
//! A worker's browser can send anything. Only the annotation is kept: everything else in an answer would be stored and read
//! again for the whole life of the job.

mod classes;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::job::{AnnotationKind, Categories, TaskType};
use classes::ClassReader;

/// What one worker says about one item.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Annotation {
    /// Numbers of the chosen classes, ascending.
    Classes(Arc<[u16]>),
}

/// Reads the answers to one job's tasks, and writes them in the form of the task's element.
#[derive(Clone, Debug)]
pub(crate) enum AnswerReader {
    Classes(ClassReader),
}

impl AnswerReader {
    pub(crate) fn new(task: TaskType, template: &str, categories: Arc<Categories>) -> AnswerReader {
        match task.kind() {
            AnnotationKind::Classes => AnswerReader::Classes(ClassReader::new(task, template, categories)),
        }
    }

    /// Checks a submitted answer; the part of it that is stored. The message is for the worker.
    pub(crate) fn check(&self, answer: &Value) -> Result<Value, String> {
        let size = answer.to_string().len();
        let max = self.max_bytes();
        if size > max {
            return Err(format!(
                "it has {size} bytes, and an answer to this task has at most {max}; submit the choice alone"
            ));
        }
        Ok(self.write(&self.read(answer)?))
    }

    /// The part that is kept of an answer stored earlier; null if the answer cannot be read any more.
    pub(crate) fn keep(&self, stored: &Value) -> Value {
        self.read(stored)
            .map_or(Value::Null, |annotation| self.write(&annotation))
    }

    /// The annotation in an answer that was stored. It was checked before; one that cannot be read any more is empty.
    pub(crate) fn read_stored(&self, stored: &Value) -> Annotation {
        self.read(stored).unwrap_or(match self {
            AnswerReader::Classes(_) => Annotation::Classes(Arc::default()),
        })
    }

    /// The message is for the worker.
    pub(crate) fn read(&self, answer: &Value) -> Result<Annotation, String> {
        match self {
            AnswerReader::Classes(reader) => Ok(Annotation::Classes(reader.read(answer)?.into())),
        }
    }

    /// The answer that makes this annotation.
    pub(crate) fn write(&self, annotation: &Annotation) -> Value {
        match (self, annotation) {
            (AnswerReader::Classes(reader), Annotation::Classes(classes)) => reader.write(classes),
        }
    }

    /// The largest answer of a worker who uses the task's own page, in bytes of JSON.
    fn max_bytes(&self) -> usize {
        match self {
            AnswerReader::Classes(reader) => reader.max_bytes(),
        }
    }
}

#[cfg(test)]
mod tests;
