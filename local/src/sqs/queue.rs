//! One standard queue: its settings, readers that wait for messages, and where messages end that failed too often.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::journal::Journal;
use super::message::Message;
use super::shelf::{BadReceipt, Counts, Received, Shelf};

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
    journal: Arc<Journal>,
    shelf: Mutex<Shelf>,
    arrived: Notify,
}

impl Queue {
    pub(super) fn new(config: QueueConfig, dead_letters: Option<Arc<Queue>>, journal: Arc<Journal>) -> Self {
        let created = Timestamp::now();
        Self {
            config,
            created,
            dead_letters,
            journal,
            shelf: Mutex::default(),
            arrived: Notify::new(),
        }
    }

    /// A message from an earlier process: its delay has passed often enough.
    pub(super) fn restore(&self, sequence: u64, message: Message) {
        self.shelf().put(sequence, Instant::now(), message);
    }

    /// With the queue's own delay.
    pub fn send(&self, message: Message) {
        self.send_after(message, self.config.delay);
    }

    pub fn send_after(&self, message: Message, delay: Duration) {
        {
            let mut shelf = self.shelf();
            let sequence = shelf.next();
            self.journal.put(&self.config.name, sequence, &message);
            shelf.put(sequence, Instant::now() + delay, message);
        }
        self.arrived.notify_waiters();
    }

    /// Up to `max` readable messages, hidden from others for `visibility`; waits up to `wait` for the first.
    pub async fn receive(&self, max: usize, visibility: Duration, wait: Duration) -> Vec<Received> {
        let deadline = Instant::now() + wait;
        loop {
            let mut arrived = std::pin::pin!(self.arrived.notified());
            // Registered before looking, so that a message sent in between is not missed.
            arrived.as_mut().enable();
            let received = self.take(max, visibility);
            if !received.is_empty() || Instant::now() >= deadline {
                return received;
            }
            let wake = self
                .shelf()
                .next_change()
                .map_or(deadline, |change| change.min(deadline));
            tokio::select! {
                () = arrived => {}
                () = tokio::time::sleep_until(wake) => {}
            }
        }
    }

    fn take(&self, max: usize, visibility: Duration) -> Vec<Received> {
        loop {
            let now = Instant::now();
            let taken = self
                .shelf()
                .take(max, now, now + visibility, |message| self.is_spent(message));
            let only_spent = taken.received.is_empty() && !taken.spent.is_empty();
            for (sequence, message) in taken.spent {
                self.bury(message);
                // Last, so that a crash in between leaves it twice rather than not at all.
                self.journal.remove(&self.config.name, sequence);
            }
            if !only_spent {
                return taken.received;
            }
        }
    }

    /// Received as often as it may be, or older than the queue keeps messages.
    fn is_spent(&self, message: &Message) -> bool {
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

    fn bury(&self, mut message: Message) {
        if self.is_expired(&message) {
            tracing::warn!(
                queue = self.config.name,
                message = message.id,
                "a message outlived its retention"
            );
        } else if let Some(dead_letters) = &self.dead_letters {
            tracing::warn!(
                queue = self.config.name,
                message = message.id,
                "a message became a dead letter"
            );
            message.dead_from = Some(self.config.name.clone());
            message.receives = 0;
            dead_letters.send_after(message, Duration::ZERO);
        }
    }

    /// Deletes what the receipt stands for. One that was overtaken by a later receive does nothing.
    pub fn delete(&self, receipt: &str) -> Result<(), BadReceipt> {
        let mut shelf = self.shelf();
        if let Some(sequence) = shelf.behind(receipt)? {
            shelf.remove(sequence);
            self.journal.remove(&self.config.name, sequence);
        }
        Ok(())
    }

    /// Hides the message for this long from now on. `false`: the receipt was overtaken, or the message is gone.
    pub fn change_visibility(&self, receipt: &str, visibility: Duration) -> Result<bool, BadReceipt> {
        let sequence = {
            let mut shelf = self.shelf();
            let sequence = shelf.behind(receipt)?;
            if let Some(sequence) = sequence {
                shelf.show_at(sequence, Instant::now() + visibility);
            }
            sequence
        };
        self.arrived.notify_waiters();
        Ok(sequence.is_some())
    }

    /// Removes everything.
    pub fn purge(&self) {
        self.take_out(|_| {});
    }

    /// Takes every message out for good, oldest first, once `keep` has it elsewhere.
    pub(super) fn take_out(&self, keep: impl Fn(Message)) -> usize {
        let messages = self.shelf().clear();
        let taken = messages.len();
        for (sequence, message) in messages {
            keep(message);
            self.journal.remove(&self.config.name, sequence);
        }
        taken
    }

    pub fn counts(&self) -> Counts {
        self.shelf().counts(Instant::now())
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
