//! One standard queue: its settings, readers that wait for messages, and where messages go that failed too often.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::backlog::{Backlog, InvalidReceipt, QueueCounts, ReceivedMessage};
use super::dead_letters::DeadLetterFolder;
use super::message::Message;
use crate::lock::lock;

#[derive(Clone, Debug)]
pub struct QueueConfig {
    pub name: String,
    pub delay: Duration,
    pub visibility: Duration,
    pub retention: Duration,
    pub redrive: Option<Redrive>,
}

/// Where a message goes that was received this many times and never deleted.
#[derive(Clone, Debug)]
pub struct Redrive {
    pub to: String,
    pub max_receive: u32,
}

pub struct Queue {
    pub config: QueueConfig,
    pub created: Timestamp,
    dead_letters: Option<Arc<Queue>>,
    /// Of a dead-letter queue: where its messages are on disk.
    files: Option<DeadLetterFolder>,
    backlog: Mutex<Backlog>,
    arrived: Notify,
}

impl Queue {
    pub(super) fn new(config: QueueConfig, dead_letters: Option<Arc<Queue>>) -> Self {
        Self {
            config,
            created: Timestamp::now(),
            dead_letters,
            files: None,
            backlog: Mutex::default(),
            arrived: Notify::new(),
        }
    }

    pub(super) fn of_dead_letters(config: QueueConfig, files: DeadLetterFolder) -> Self {
        Self {
            files: Some(files),
            ..Self::new(config, None)
        }
    }

    /// A dead letter of an earlier process.
    pub(super) fn restore(&self, letter: Message) {
        lock(&self.backlog).add(Instant::now(), letter);
    }

    /// With the queue's own delay.
    pub fn send(&self, message: Message) {
        self.send_after(message, self.config.delay);
    }

    pub fn send_after(&self, message: Message, delay: Duration) {
        if let Some(files) = &self.files {
            files.write(&message);
        }
        lock(&self.backlog).add(Instant::now() + delay, message);
        self.arrived.notify_waiters();
    }

    /// Up to `max` readable messages, hidden from others for `visibility`; waits up to `wait` for the first.
    pub async fn receive(&self, max: usize, visibility: Duration, wait: Duration) -> Vec<ReceivedMessage> {
        let deadline = Instant::now() + wait;
        loop {
            let mut arrived = std::pin::pin!(self.arrived.notified());
            // Registered before looking, so that a message sent in between is not missed.
            arrived.as_mut().enable();
            let received = self.receive_now(max, visibility);
            if !received.is_empty() || Instant::now() >= deadline {
                return received;
            }
            let wake = lock(&self.backlog)
                .next_change()
                .map_or(deadline, |change| change.min(deadline));
            tokio::select! {
                () = arrived => {}
                () = tokio::time::sleep_until(wake) => {}
            }
        }
    }

    /// Looks again when all it found was exhausted: there may be others behind.
    fn receive_now(&self, max: usize, visibility: Duration) -> Vec<ReceivedMessage> {
        loop {
            let now = Instant::now();
            let found =
                lock(&self.backlog).receive(max, now, now + visibility, |message| self.is_exhausted(message));
            let only_exhausted = found.received.is_empty() && !found.exhausted.is_empty();
            for message in found.exhausted {
                self.put_aside(message);
            }
            if !only_exhausted {
                return found.received;
            }
        }
    }

    /// Received as often as it may be, or older than the queue keeps messages.
    fn is_exhausted(&self, message: &Message) -> bool {
        let too_often = self
            .config
            .redrive
            .as_ref()
            .is_some_and(|to| message.receives >= to.max_receive);
        too_often || self.is_expired(message)
    }

    fn is_expired(&self, message: &Message) -> bool {
        Timestamp::now().duration_since(message.sent).unsigned_abs() > self.config.retention
    }

    /// Drops an expired message; moves one that failed too often to the dead letters.
    fn put_aside(&self, mut message: Message) {
        let (queue, id) = (&self.config.name, &message.id);
        if self.is_expired(&message) {
            tracing::warn!(queue, message = id, "message expired; dropped");
            self.remove_file(&message);
        } else if let Some(dead_letters) = &self.dead_letters {
            tracing::warn!(queue, message = id, "message moved to the dead letters");
            message.dead_from = Some(self.config.name.clone());
            message.receives = 0;
            dead_letters.send_after(message, Duration::ZERO);
        }
    }

    /// Deletes the message a receipt is for. A receipt that a later receive replaced does nothing.
    pub fn delete(&self, receipt: &str) -> Result<(), InvalidReceipt> {
        let deleted = {
            let mut backlog = lock(&self.backlog);
            let sequence = backlog.sequence_of(receipt)?;
            sequence.and_then(|sequence| backlog.remove(sequence))
        };
        if let Some(message) = deleted {
            self.remove_file(&message);
        }
        Ok(())
    }

    /// Hides the message for this long from now on. `false`: a later receive replaced the receipt, or the message is gone.
    pub fn change_visibility(&self, receipt: &str, visibility: Duration) -> Result<bool, InvalidReceipt> {
        let sequence = {
            let mut backlog = lock(&self.backlog);
            let sequence = backlog.sequence_of(receipt)?;
            if let Some(sequence) = sequence {
                backlog.set_visible_at(sequence, Instant::now() + visibility);
            }
            sequence
        };
        self.arrived.notify_waiters();
        Ok(sequence.is_some())
    }

    /// Removes everything.
    pub fn purge(&self) {
        self.drain(|_| {});
    }

    /// Removes every message, oldest first, and hands each over. Returns how many there were.
    pub(super) fn drain(&self, take: impl Fn(Message)) -> usize {
        let messages = lock(&self.backlog).clear();
        let drained = messages.len();
        for message in messages {
            // First, because a message that comes back to this queue is written again.
            self.remove_file(&message);
            take(message);
        }
        drained
    }

    pub fn counts(&self) -> QueueCounts {
        lock(&self.backlog).counts(Instant::now())
    }

    fn remove_file(&self, message: &Message) {
        if let Some(files) = &self.files {
            files.remove(message);
        }
    }
}
