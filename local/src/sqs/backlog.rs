//! The messages of one queue and when each can be read: delay, visibility, receive counts. The time is handed in.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use tokio::time::Instant;

use super::message::Message;

/// A message handed out; the receipt deletes it or changes its visibility.
#[derive(Clone, Debug)]
pub struct ReceivedMessage {
    pub receipt: String,
    pub message: Message,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueCounts {
    pub visible: usize,
    pub in_flight: usize,
    pub delayed: usize,
}

/// The text is no receipt of this queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidReceipt;

#[derive(Default)]
pub(super) struct Backlog {
    next: u64,
    messages: BTreeMap<u64, QueuedMessage>,
    /// When each message can be read, earliest first.
    order: BTreeSet<(Instant, u64)>,
}

struct QueuedMessage {
    visible_at: Instant,
    /// Of the last receive; an older receipt is no longer good.
    receipt: Option<String>,
    message: Message,
}

/// What a receive finds.
#[derive(Default)]
pub(super) struct ReceiveOutcome {
    pub(super) received: Vec<ReceivedMessage>,
    /// Messages that are not handed out any more; removed.
    pub(super) exhausted: Vec<Message>,
}

impl Backlog {
    pub(super) fn add(&mut self, visible_at: Instant, message: Message) {
        let sequence = self.next;
        self.next += 1;
        self.order.insert((visible_at, sequence));
        self.messages.insert(
            sequence,
            QueuedMessage {
                visible_at,
                receipt: None,
                message,
            },
        );
    }

    /// Looks at up to `max` readable messages; what is handed out is hidden until `hidden_until`.
    pub(super) fn receive(
        &mut self,
        max: usize,
        now: Instant,
        hidden_until: Instant,
        is_exhausted: impl Fn(&Message) -> bool,
    ) -> ReceiveOutcome {
        let mut outcome = ReceiveOutcome::default();
        let readable = self
            .order
            .range(..=(now, u64::MAX))
            .map(|(_, sequence)| *sequence);
        let readable: Vec<u64> = readable.take(max).collect();
        for sequence in readable {
            if self
                .messages
                .get(&sequence)
                .is_some_and(|queued| is_exhausted(&queued.message))
            {
                outcome.exhausted.extend(self.remove(sequence));
                continue;
            }
            self.set_visible_at(sequence, hidden_until);
            outcome.received.extend(
                self.messages
                    .get_mut(&sequence)
                    .map(|queued| queued.hand_out(sequence)),
            );
        }
        outcome
    }

    /// The message a receipt is for; `None` when a later receive replaced it or the message is gone.
    pub(super) fn sequence_of(&self, receipt: &str) -> Result<Option<u64>, InvalidReceipt> {
        let sequence = receipt
            .split_once('.')
            .and_then(|(sequence, _)| sequence.parse().ok())
            .ok_or(InvalidReceipt)?;
        let current = self
            .messages
            .get(&sequence)
            .and_then(|queued| queued.receipt.as_deref());
        Ok((current == Some(receipt)).then_some(sequence))
    }

    pub(super) fn remove(&mut self, sequence: u64) -> Option<Message> {
        let queued = self.messages.remove(&sequence)?;
        self.order.remove(&(queued.visible_at, sequence));
        Some(queued.message)
    }

    pub(super) fn set_visible_at(&mut self, sequence: u64, visible_at: Instant) {
        if let Some(queued) = self.messages.get_mut(&sequence) {
            self.order.remove(&(queued.visible_at, sequence));
            queued.visible_at = visible_at;
            self.order.insert((visible_at, sequence));
        }
    }

    /// Everything, oldest first.
    pub(super) fn clear(&mut self) -> Vec<Message> {
        self.order.clear();
        std::mem::take(&mut self.messages)
            .into_values()
            .map(|queued| queued.message)
            .collect()
    }

    pub(super) fn counts(&self, now: Instant) -> QueueCounts {
        let mut counts = QueueCounts::default();
        for queued in self.messages.values() {
            match (queued.visible_at <= now, &queued.receipt) {
                (true, _) => counts.visible += 1,
                (false, Some(_)) => counts.in_flight += 1,
                (false, None) => counts.delayed += 1,
            }
        }
        counts
    }

    pub(super) fn next_change(&self) -> Option<Instant> {
        self.order.first().map(|(visible_at, _)| *visible_at)
    }
}

impl QueuedMessage {
    fn hand_out(&mut self, sequence: u64) -> ReceivedMessage {
        let receipt = format!("{sequence}.{}", uuid::Uuid::new_v4().simple());
        self.receipt = Some(receipt.clone());
        self.message.receives += 1;
        self.message.first_received.get_or_insert_with(Timestamp::now);
        ReceivedMessage {
            receipt,
            message: self.message.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const HIDDEN: Duration = Duration::from_secs(30);

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn receive(backlog: &mut Backlog, now: Instant) -> Vec<ReceivedMessage> {
        backlog.receive(10, now, now + HIDDEN, |_| false).received
    }

    fn backlog(start: Instant) -> Backlog {
        let mut backlog = Backlog::default();
        backlog.add(start, Message::new("a"));
        backlog
    }

    #[test]
    fn a_delayed_message_is_read_when_its_delay_is_over_and_no_sooner() {
        let start = Instant::now();
        let mut backlog = backlog(start + seconds(60));
        assert_eq!(
            backlog.counts(start),
            QueueCounts {
                delayed: 1,
                ..QueueCounts::default()
            }
        );
        assert_eq!(backlog.next_change(), Some(start + seconds(60)));
        assert!(receive(&mut backlog, start + seconds(59)).is_empty());
        assert_eq!(receive(&mut backlog, start + seconds(60))[0].message.body, "a");
    }

    #[test]
    fn a_message_in_flight_is_hidden_and_received_again_with_a_higher_count() {
        let start = Instant::now();
        let mut backlog = backlog(start);
        assert_eq!(receive(&mut backlog, start)[0].message.receives, 1);
        assert!(receive(&mut backlog, start + seconds(29)).is_empty());
        assert_eq!(backlog.counts(start + seconds(29)).in_flight, 1);
        assert_eq!(receive(&mut backlog, start + HIDDEN)[0].message.receives, 2);
    }

    #[test]
    fn a_receipt_is_void_once_a_later_receive_replaced_it() {
        let start = Instant::now();
        let mut backlog = backlog(start);
        let old = receive(&mut backlog, start).remove(0).receipt;
        let new = receive(&mut backlog, start + HIDDEN).remove(0).receipt;
        assert_eq!(backlog.sequence_of(&old), Ok(None));
        assert_eq!(backlog.sequence_of(&new), Ok(Some(0)));
        assert_eq!(backlog.sequence_of("nonsense"), Err(InvalidReceipt));
    }

    #[test]
    fn exhausted_messages_are_removed_instead_of_handed_out() {
        let start = Instant::now();
        let mut backlog = backlog(start);
        backlog.add(start, Message::new("b"));
        let outcome = backlog.receive(2, start, start + HIDDEN, |message| message.body == "a");
        assert_eq!(
            (
                outcome.exhausted[0].body.as_str(),
                outcome.received[0].message.body.as_str()
            ),
            ("a", "b")
        );
        assert_eq!(
            backlog.counts(start),
            QueueCounts {
                in_flight: 1,
                ..QueueCounts::default()
            }
        );
    }

    #[test]
    fn a_receipt_from_before_everything_was_cleared_is_for_no_later_message() {
        let start = Instant::now();
        let mut backlog = backlog(start);
        let old = receive(&mut backlog, start).remove(0).receipt;
        assert_eq!(backlog.clear().len(), 1);
        assert_eq!(backlog.next_change(), None);
        backlog.add(start, Message::new("b"));
        assert_eq!(backlog.sequence_of(&old), Ok(None));
    }
}
