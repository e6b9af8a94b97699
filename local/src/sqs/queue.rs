//! One standard queue: delay, visibility, receive count, dead letters. Time is tokio's, so that tests can turn it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::journal::Journal;
use super::message::Message;

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

/// A message handed out; the receipt deletes it or changes its visibility.
#[derive(Clone, Debug)]
pub struct Received {
    pub receipt: String,
    pub message: Message,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub visible: usize,
    pub in_flight: usize,
    pub delayed: usize,
}

/// The receipt is not one of this queue's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadReceipt;

pub struct Queue {
    pub config: QueueConfig,
    pub created: Timestamp,
    dead_letters: Option<Arc<Queue>>,
    journal: Arc<Journal>,
    state: Mutex<State>,
    arrived: Notify,
}

#[derive(Default)]
struct State {
    next: u64,
    messages: BTreeMap<u64, Held>,
    /// When each message can be read, earliest first.
    order: BTreeSet<(Instant, u64)>,
}

struct Held {
    visible_at: Instant,
    /// Of the last receive; an older receipt is no longer good.
    receipt: Option<String>,
    message: Message,
}

impl State {
    fn hold(&mut self, sequence: u64, visible_at: Instant, message: Message) {
        self.next = self.next.max(sequence + 1);
        self.order.insert((visible_at, sequence));
        self.messages.insert(
            sequence,
            Held {
                visible_at,
                receipt: None,
                message,
            },
        );
    }

    fn remove(&mut self, sequence: u64) -> Option<Message> {
        let held = self.messages.remove(&sequence)?;
        self.order.remove(&(held.visible_at, sequence));
        Some(held.message)
    }

    fn show_at(&mut self, sequence: u64, visible_at: Instant) {
        if let Some(held) = self.messages.get_mut(&sequence) {
            self.order.remove(&(held.visible_at, sequence));
            held.visible_at = visible_at;
            self.order.insert((visible_at, sequence));
        }
    }

    fn first_readable(&self, now: Instant) -> Option<u64> {
        self.order
            .first()
            .filter(|(visible_at, _)| *visible_at <= now)
            .map(|(_, sequence)| *sequence)
    }
}

impl Queue {
    pub(super) fn new(config: QueueConfig, dead_letters: Option<Arc<Queue>>, journal: Arc<Journal>) -> Self {
        Self {
            config,
            created: Timestamp::now(),
            dead_letters,
            journal,
            state: Mutex::default(),
            arrived: Notify::new(),
        }
    }

    /// A message from an earlier process: its delay has passed often enough.
    pub(super) fn restore(&self, sequence: u64, message: Message) {
        self.state().hold(sequence, Instant::now(), message);
    }

    /// With the queue's own delay.
    pub fn send(&self, message: Message) {
        self.send_after(message, self.config.delay);
    }

    pub fn send_after(&self, message: Message, delay: Duration) {
        {
            let mut state = self.state();
            let sequence = state.next;
            self.journal.put(&self.config.name, sequence, &message);
            state.hold(sequence, Instant::now() + delay, message);
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
            let wake = self.next_change().map_or(deadline, |change| change.min(deadline));
            tokio::select! {
                () = arrived => {}
                () = tokio::time::sleep_until(wake) => {}
            }
        }
    }

    fn take(&self, max: usize, visibility: Duration) -> Vec<Received> {
        let now = Instant::now();
        let mut received = Vec::new();
        let mut dead = Vec::new();
        let mut state = self.state();
        while received.len() < max {
            let Some(sequence) = state.first_readable(now) else {
                break;
            };
            if self.is_spent(&state, sequence) {
                dead.extend(state.remove(sequence).map(|message| (sequence, message)));
                continue;
            }
            state.show_at(sequence, now + visibility);
            if let Some(held) = state.messages.get_mut(&sequence) {
                received.push(hand_out(sequence, held));
            }
            // With no visibility timeout the same message would be first again.
            if visibility.is_zero() {
                break;
            }
        }
        drop(state);
        for (sequence, message) in dead {
            self.bury(message);
            // Last, so that a crash in between leaves it twice rather than not at all.
            self.journal.remove(&self.config.name, sequence);
        }
        received
    }

    /// Received as often as it may be, or older than the queue keeps messages.
    fn is_spent(&self, state: &State, sequence: u64) -> bool {
        let Some(held) = state.messages.get(&sequence) else {
            return false;
        };
        let too_often = self
            .config
            .redrive
            .as_ref()
            .is_some_and(|to| held.message.receives >= to.max_receive);
        too_often || self.is_expired(&held.message)
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
        let mut state = self.state();
        if let Some(sequence) = valid(&state, receipt)? {
            state.remove(sequence);
            self.journal.remove(&self.config.name, sequence);
        }
        Ok(())
    }

    /// Hides the message for this long from now on. `false`: the receipt was overtaken, or the message is gone.
    pub fn change_visibility(&self, receipt: &str, visibility: Duration) -> Result<bool, BadReceipt> {
        let changed = {
            let mut state = self.state();
            let sequence = valid(&state, receipt)?;
            if let Some(sequence) = sequence {
                state.show_at(sequence, Instant::now() + visibility);
            }
            sequence.is_some()
        };
        self.arrived.notify_waiters();
        Ok(changed)
    }

    /// Removes everything.
    pub fn purge(&self) {
        self.take_out(|_| {});
    }

    /// Takes every message out for good, oldest first, once `keep` has it elsewhere.
    pub(super) fn take_out(&self, keep: impl Fn(Message)) -> usize {
        let messages = {
            let mut state = self.state();
            state.order.clear();
            std::mem::take(&mut state.messages)
        };
        let taken = messages.len();
        for (sequence, held) in messages {
            keep(held.message);
            self.journal.remove(&self.config.name, sequence);
        }
        taken
    }

    pub fn counts(&self) -> Counts {
        let now = Instant::now();
        let mut counts = Counts::default();
        for held in self.state().messages.values() {
            match (held.visible_at <= now, &held.receipt) {
                (true, _) => counts.visible += 1,
                (false, Some(_)) => counts.in_flight += 1,
                (false, None) => counts.delayed += 1,
            }
        }
        counts
    }

    fn next_change(&self) -> Option<Instant> {
        self.state().order.first().map(|(visible_at, _)| *visible_at)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn hand_out(sequence: u64, held: &mut Held) -> Received {
    let receipt = format!("{sequence}.{}", uuid::Uuid::new_v4().simple());
    held.receipt = Some(receipt.clone());
    held.message.receives += 1;
    held.message.first_received.get_or_insert_with(Timestamp::now);
    Received {
        receipt,
        message: held.message.clone(),
    }
}

/// The message a receipt still stands for.
fn valid(state: &State, receipt: &str) -> Result<Option<u64>, BadReceipt> {
    let sequence = receipt
        .split_once('.')
        .and_then(|(sequence, _)| sequence.parse().ok())
        .ok_or(BadReceipt)?;
    let current = state
        .messages
        .get(&sequence)
        .and_then(|held| held.receipt.as_deref());
    Ok((current == Some(receipt)).then_some(sequence))
}
