//! Queues on disk. Changes are written by a thread of their own, many to a transaction: a queue takes a hundred
//! thousand events without a hundred thousand waits for the disk. What a killed process loses is the last moment's
//! changes; a lost event is made good by the sweep at the next start, and a message deleted a moment ago comes again,
//! which "at least once" allows. While the disk fails, the queues go on in memory, and what changed is written when it works.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use redb::{ReadableTable, TableDefinition, WriteTransaction};

use super::message::Message;
use crate::database::Ledger;

/// (queue, sequence number) -> the message as JSON.
const MESSAGES: TableDefinition<(&str, u64), &[u8]> = TableDefinition::new("messages");
/// Changes in one transaction, at most.
const AT_ONCE: usize = 10_000;
/// Memory for the file's pages.
const CACHE: usize = 32 << 20;
/// Between two attempts at a disk that fails.
const PAUSE: Duration = Duration::from_secs(1);

/// What a message in a queue has become: its JSON, or nothing.
struct Change {
    queue: String,
    sequence: u64,
    message: Option<Vec<u8>>,
}

/// What is not on disk yet. Of a message only its last state counts, so this grows no further than the queues do.
type Pending = BTreeMap<(String, u64), Option<Vec<u8>>>;

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
        let database = Ledger::open_or_begin(path, CACHE, make_table).map_err(|error| error.to_string())?;
        let kept = load(&database)?;
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
        self.say(queue, sequence, Some(message));
    }

    pub(super) fn remove(&self, queue: &str, sequence: u64) {
        self.say(queue, sequence, None);
    }

    fn say(&self, queue: &str, sequence: u64, message: Option<Vec<u8>>) {
        let change = Change {
            queue: queue.to_owned(),
            sequence,
            message,
        };
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

fn make_table(transaction: &WriteTransaction) -> Result<(), redb::Error> {
    transaction.open_table(MESSAGES)?;
    Ok(())
}

fn load(database: &Ledger) -> Result<Vec<Kept>, String> {
    let read = database.read().map_err(|error| error.to_string())?;
    let table = read.open_table(MESSAGES).map_err(|error| error.to_string())?;
    let mut kept = Vec::new();
    for entry in table.iter().map_err(|error| error.to_string())? {
        let (key, value) = entry.map_err(|error| error.to_string())?;
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

/// Until nobody is left who could change anything; then once more, for what could not be written before.
fn write_all(database: &Ledger, changes: &Receiver<Change>) {
    let mut pending = Pending::new();
    let mut works = true;
    loop {
        let heard = if pending.is_empty() {
            changes.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            changes.recv_timeout(PAUSE)
        };
        let is_over = matches!(heard, Err(RecvTimeoutError::Disconnected));
        let more = heard.into_iter().chain(changes.try_iter().take(AT_ONCE));
        pending.extend(more.map(|change| ((change.queue, change.sequence), change.message)));
        let written = if pending.is_empty() {
            Ok(())
        } else {
            write(database, &pending)
        };
        match &written {
            Err(error) if works => tracing::error!(
                error,
                "the queues cannot be written to disk, and go on in memory; make room on it"
            ),
            Ok(()) if !works => tracing::warn!("the queues are on disk again"),
            _ => {}
        }
        works = written.is_ok();
        if works {
            pending.clear();
        }
        if is_over {
            return;
        }
    }
}

fn write(database: &Ledger, pending: &Pending) -> Result<(), String> {
    let transaction = database.write().map_err(|error| error.to_string())?;
    put(&transaction, pending).map_err(|error| error.to_string())?;
    transaction.commit().map_err(|error| error.to_string())
}

fn put(transaction: &WriteTransaction, pending: &Pending) -> Result<(), redb::Error> {
    let mut table = transaction.open_table(MESSAGES)?;
    for ((queue, sequence), message) in pending {
        match message {
            Some(message) => drop(table.insert((queue.as_str(), *sequence), message.as_slice())?),
            None => drop(table.remove((queue.as_str(), *sequence))?),
        }
    }
    Ok(())
}
