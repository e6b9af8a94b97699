//! The messages of one queue and when each can be read: delay, visibility, receive counts. The time is handed in.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use tokio::time::Instant;

use super::message::Message;

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

#[derive(Default)]
pub(super) struct Shelf {
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

/// What a receive finds.
#[derive(Default)]
pub(super) struct Taken {
    pub(super) received: Vec<Received>,
    /// Messages that are not handed out any more, taken off the shelf.
    pub(super) spent: Vec<(u64, Message)>,
}

impl Shelf {
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    pub(super) fn put(&mut self, sequence: u64, visible_at: Instant, message: Message) {
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

    /// Looks at up to `max` readable messages; what is handed out is hidden until `hidden_until`.
    pub(super) fn take(
        &mut self,
        max: usize,
        now: Instant,
        hidden_until: Instant,
        is_spent: impl Fn(&Message) -> bool,
    ) -> Taken {
        let mut taken = Taken::default();
        let readable = self
            .order
            .range(..=(now, u64::MAX))
            .map(|(_, sequence)| *sequence);
        let readable: Vec<u64> = readable.take(max).collect();
        for sequence in readable {
            if self
                .messages
                .get(&sequence)
                .is_some_and(|held| is_spent(&held.message))
            {
                taken
                    .spent
                    .extend(self.remove(sequence).map(|message| (sequence, message)));
                continue;
            }
            self.show_at(sequence, hidden_until);
            taken.received.extend(
                self.messages
                    .get_mut(&sequence)
                    .map(|held| held.hand_out(sequence)),
            );
        }
        taken
    }

    /// The message a receipt stands for; `None` when a later receive overtook it or the message is gone.
    pub(super) fn behind(&self, receipt: &str) -> Result<Option<u64>, BadReceipt> {
        let sequence = receipt
            .split_once('.')
            .and_then(|(sequence, _)| sequence.parse().ok())
            .ok_or(BadReceipt)?;
        let current = self
            .messages
            .get(&sequence)
            .and_then(|held| held.receipt.as_deref());
        Ok((current == Some(receipt)).then_some(sequence))
    }

    pub(super) fn remove(&mut self, sequence: u64) -> Option<Message> {
        let held = self.messages.remove(&sequence)?;
        self.order.remove(&(held.visible_at, sequence));
        Some(held.message)
    }

    pub(super) fn show_at(&mut self, sequence: u64, visible_at: Instant) {
        if let Some(held) = self.messages.get_mut(&sequence) {
            self.order.remove(&(held.visible_at, sequence));
            held.visible_at = visible_at;
            self.order.insert((visible_at, sequence));
        }
    }

    /// Everything, oldest first.
    pub(super) fn clear(&mut self) -> Vec<(u64, Message)> {
        self.order.clear();
        std::mem::take(&mut self.messages)
            .into_iter()
            .map(|(sequence, held)| (sequence, held.message))
            .collect()
    }

    pub(super) fn counts(&self, now: Instant) -> Counts {
        let mut counts = Counts::default();
        for held in self.messages.values() {
            match (held.visible_at <= now, &held.receipt) {
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

impl Held {
    fn hand_out(&mut self, sequence: u64) -> Received {
        let receipt = format!("{sequence}.{}", uuid::Uuid::new_v4().simple());
        self.receipt = Some(receipt.clone());
        self.message.receives += 1;
        self.message.first_received.get_or_insert_with(Timestamp::now);
        Received {
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

    fn take(shelf: &mut Shelf, now: Instant) -> Vec<Received> {
        shelf.take(10, now, now + HIDDEN, |_| false).received
    }

    fn shelf(start: Instant) -> Shelf {
        let mut shelf = Shelf::default();
        shelf.put(0, start, Message::new("a"));
        shelf
    }

    #[test]
    fn a_delayed_message_is_read_when_its_delay_is_over_and_no_sooner() {
        let start = Instant::now();
        let mut shelf = shelf(start + seconds(60));
        assert_eq!(
            shelf.counts(start),
            Counts {
                delayed: 1,
                ..Counts::default()
            }
        );
        assert_eq!(shelf.next_change(), Some(start + seconds(60)));
        assert!(take(&mut shelf, start + seconds(59)).is_empty());
        assert_eq!(take(&mut shelf, start + seconds(60))[0].message.body, "a");
    }

    #[test]
    fn a_message_in_flight_is_hidden_and_comes_again_with_a_higher_count() {
        let start = Instant::now();
        let mut shelf = shelf(start);
        assert_eq!(take(&mut shelf, start)[0].message.receives, 1);
        assert!(take(&mut shelf, start + seconds(29)).is_empty());
        assert_eq!(shelf.counts(start + seconds(29)).in_flight, 1);
        assert_eq!(take(&mut shelf, start + HIDDEN)[0].message.receives, 2);
    }

    #[test]
    fn an_overtaken_receipt_stands_for_nothing() {
        let start = Instant::now();
        let mut shelf = shelf(start);
        let old = take(&mut shelf, start).remove(0).receipt;
        let new = take(&mut shelf, start + HIDDEN).remove(0).receipt;
        assert_eq!(shelf.behind(&old), Ok(None));
        assert_eq!(shelf.behind(&new), Ok(Some(0)));
        assert_eq!(shelf.behind("nonsense"), Err(BadReceipt));
    }

    #[test]
    fn spent_messages_are_taken_off_instead_of_handed_out() {
        let start = Instant::now();
        let mut shelf = shelf(start);
        shelf.put(1, start, Message::new("b"));
        let taken = shelf.take(2, start, start + HIDDEN, |message| message.body == "a");
        assert_eq!(
            (
                taken.spent[0].1.body.as_str(),
                taken.received[0].message.body.as_str()
            ),
            ("a", "b")
        );
        assert_eq!(
            shelf.counts(start),
            Counts {
                in_flight: 1,
                ..Counts::default()
            }
        );
    }

    #[test]
    fn numbers_are_not_used_twice_even_when_everything_was_cleared() {
        let start = Instant::now();
        let mut shelf = shelf(start);
        assert_eq!(shelf.clear().len(), 1);
        assert_eq!(shelf.next(), 1);
        assert_eq!(shelf.next_change(), None);
    }
}
