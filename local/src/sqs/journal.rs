//! Queues on disk. Changes are written by a thread of their own, many to a transaction: a queue takes a hundred
//! thousand events without a hundred thousand waits for the disk. What a killed process loses is the last moment's
//! changes; a lost event is made good by the sweep at the next start, and a message deleted a moment ago comes again,
//! which "at least once" allows.

use std::path::Path;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};

use super::message::Message;

/// (queue, sequence number) -> the message as JSON.
const MESSAGES: TableDefinition<(&str, u64), &[u8]> = TableDefinition::new("messages");
/// Changes in one transaction, at most.
const AT_ONCE: usize = 10_000;

enum Change {
    Put {
        queue: String,
        sequence: u64,
        message: Vec<u8>,
    },
    Remove {
        queue: String,
        sequence: u64,
    },
}

pub(super) struct Journal {
    changes: Mutex<Option<Sender<Change>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

/// A message that was in a queue when the journal was closed.
pub(super) struct Kept {
    pub(super) queue: String,
    pub(super) sequence: u64,
    pub(super) message: Message,
}

impl Journal {
    pub(super) fn open(path: &Path) -> Result<(Self, Vec<Kept>), String> {
        let database = Database::create(path).map_err(|error| error.to_string())?;
        let kept = load(&database).map_err(|error| error.to_string())?;
        let (sender, receiver) = mpsc::channel();
        let writer = std::thread::Builder::new()
            .name("queues".to_owned())
            .spawn(move || write_all(&database, &receiver))
            .map_err(|error| error.to_string())?;
        Ok((
            Self {
                changes: Mutex::new(Some(sender)),
                writer: Mutex::new(Some(writer)),
            },
            kept,
        ))
    }

    pub(super) fn put(&self, queue: &str, sequence: u64, message: &Message) {
        let message = serde_json::to_vec(message).unwrap_or_default();
        self.say(Change::Put {
            queue: queue.to_owned(),
            sequence,
            message,
        });
    }

    pub(super) fn remove(&self, queue: &str, sequence: u64) {
        self.say(Change::Remove {
            queue: queue.to_owned(),
            sequence,
        });
    }

    fn say(&self, change: Change) {
        let sender = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = sender.as_ref() {
            let _writer_gone = sender.send(change);
        }
    }

    /// Writes what is left and closes the file.
    pub(super) fn close(&self) {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).take();
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            let _panicked = writer.join();
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.close();
    }
}

fn load(database: &Database) -> Result<Vec<Kept>, redb::Error> {
    let write = database.begin_write()?;
    write.open_table(MESSAGES)?;
    write.commit()?;
    let mut kept = Vec::new();
    for entry in database.begin_read()?.open_table(MESSAGES)?.iter()? {
        let (key, value) = entry?;
        let (queue, sequence) = key.value();
        match serde_json::from_slice(value.value()) {
            Ok(message) => kept.push(Kept {
                queue: queue.to_owned(),
                sequence,
                message,
            }),
            Err(error) => {
                tracing::error!(queue, sequence, %error, "a kept message cannot be read and is left out");
            }
        }
    }
    Ok(kept)
}

fn write_all(database: &Database, changes: &Receiver<Change>) {
    let mut fails = false;
    while let Ok(first) = changes.recv() {
        let batch: Vec<_> = std::iter::once(first)
            .chain(changes.try_iter().take(AT_ONCE))
            .collect();
        let written = write(database, &batch);
        match &written {
            // Said once: after a failure every further write fails until the file is opened anew.
            Err(error) if !fails => tracing::error!(
                %error,
                "queues cannot be written to disk any more, and go on in memory; make room, then start groundcrew again"
            ),
            _ => {}
        }
        fails = written.is_err();
    }
}

fn write(database: &Database, batch: &[Change]) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    {
        let mut table = transaction.open_table(MESSAGES)?;
        for change in batch {
            match change {
                Change::Put {
                    queue,
                    sequence,
                    message,
                } => {
                    table.insert((queue.as_str(), *sequence), message.as_slice())?;
                }
                Change::Remove { queue, sequence } => {
                    table.remove((queue.as_str(), *sequence))?;
                }
            }
        }
    }
    transaction.commit()?;
    Ok(())
}
