//! SQS on one machine: the stack's queues, with SQS's JSON protocol in front for standard clients. The queues are in
//! memory: the sweep at every start finds what their messages were about. Dead letters are also on disk, because people
//! look at them.

mod api;
pub(crate) mod attributes;
mod backlog;
mod dead_letters;
mod message;
mod queue;
mod requests;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

pub(crate) use api::{Address, router};
pub(crate) use attributes::md5_hex;
pub use backlog::{InvalidReceipt, QueueCounts, ReceivedMessage};
use dead_letters::DeadLetterFolder;
pub use message::{Attribute, Message};
pub use queue::{Queue, QueueConfig, Redrive};

use crate::error::StackError;

/// The queues of one stack. The set is fixed when it starts.
#[derive(Clone)]
pub struct Queues {
    queues: Arc<BTreeMap<String, Arc<Queue>>>,
}

impl Queues {
    /// Makes these queues; a dead-letter queue is listed before the queues that point to it. `folder` holds the dead
    /// letters of earlier processes, and takes new ones.
    pub(crate) fn open(folder: &Path, configs: Vec<QueueConfig>) -> Result<Self, StackError> {
        let targets: BTreeSet<String> = configs
            .iter()
            .filter_map(|config| Some(config.redrive.as_ref()?.to.clone()))
            .collect();
        let mut queues: BTreeMap<String, Arc<Queue>> = BTreeMap::new();
        for config in configs {
            let name = config.name.clone();
            let queue = if targets.contains(&name) {
                let (files, letters) = DeadLetterFolder::open(&folder.join(&name))?;
                let queue = Queue::of_dead_letters(config, files);
                letters.into_iter().for_each(|letter| queue.restore(letter));
                queue
            } else {
                let dead_letters = config
                    .redrive
                    .as_ref()
                    .and_then(|redrive| queues.get(&redrive.to).cloned());
                Queue::new(config, dead_letters)
            };
            queues.insert(name, Arc::new(queue));
        }
        Ok(Self {
            queues: Arc::new(queues),
        })
    }

    pub fn get(&self, name: &str) -> Option<&Arc<Queue>> {
        self.queues.get(name)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arc<Queue>> {
        self.queues.values()
    }

    /// Moves each dead letter back to the queue it came from. Returns how many were in the dead-letter queue.
    pub fn redrive(&self, dead_letters: &Queue) -> usize {
        dead_letters.drain(|mut message| {
            let source = message
                .dead_from
                .as_deref()
                .and_then(|source| self.get(source))
                .cloned();
            match source {
                // SQS delays a moved message again, and counts its receives from zero.
                Some(source) => {
                    message.dead_from = None;
                    source.send(message);
                }
                None => dead_letters.send(message),
            }
        })
    }
}
