//! Queues in the process, kept on disk, with SQS's JSON protocol in front for standard clients.

mod api;
pub(crate) mod attributes;
mod journal;
mod message;
mod queue;
mod requests;
mod shelf;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

pub(crate) use api::{Address, md5, router};
use journal::Journal;
pub use message::{Attribute, Message};
pub use queue::{Queue, QueueConfig, Redrive};
pub use shelf::{BadReceipt, Counts, Received};

/// The queues of one stack; which there are is settled at its start.
#[derive(Clone)]
pub struct Queues {
    queues: Arc<BTreeMap<String, Arc<Queue>>>,
    journal: Arc<Journal>,
}

impl Queues {
    /// Opens the file and makes these queues, with what was in them. A dead-letter queue stands before the queues
    /// that point to it.
    pub fn open(path: &Path, configs: Vec<QueueConfig>) -> Result<Self, String> {
        let (journal, kept) = Journal::open(path)?;
        let journal = Arc::new(journal);
        let mut queues: BTreeMap<String, Arc<Queue>> = BTreeMap::new();
        for config in configs {
            let dead_letters = match &config.redrive {
                Some(redrive) => Some(
                    queues
                        .get(&redrive.to)
                        .cloned()
                        .ok_or("a dead-letter queue is missing")?,
                ),
                None => None,
            };
            queues.insert(
                config.name.clone(),
                Arc::new(Queue::new(config, dead_letters, journal.clone())),
            );
        }
        for kept in kept {
            if let Some(queue) = queues.get(&kept.queue) {
                queue.restore(kept.sequence, kept.message);
            }
        }
        Ok(Self {
            queues: Arc::new(queues),
            journal,
        })
    }

    pub fn get(&self, name: &str) -> Option<&Arc<Queue>> {
        self.queues.get(name)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arc<Queue>> {
        self.queues.values()
    }

    /// Sends the dead letters of a queue back to where each came from; how many.
    pub fn redrive(&self, dead_letters: &Queue) -> usize {
        dead_letters.take_out(|mut message| {
            let home = message
                .dead_from
                .as_deref()
                .and_then(|home| self.get(home))
                .cloned();
            match home {
                // SQS makes a redriven message anew: delayed again, with a receive count of zero.
                Some(home) => {
                    message.dead_from = None;
                    home.send(message);
                }
                None => dead_letters.send(message),
            }
        })
    }

    /// Writes everything to disk.
    pub(crate) fn close(&self) {
        self.journal.close();
    }
}
