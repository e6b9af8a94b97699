//! What happens when: events in the order of their times, and of their making where times are equal.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use crate::function::Function;
use crate::people::Act;
use crate::queue::Message;
use crate::time::Ms;
use crate::world::World;

/// A write that is carried out although its caller is dead.
pub(crate) type Late = Box<dyn FnOnce(&mut World) + Send>;

pub(crate) enum Event {
    /// The call with this ticket is carried out and answered.
    Turn(u64),
    Late(Late),
    /// A person does something to the buckets.
    Act(Act),
    /// A message becomes visible in the queue of this function.
    Visible(Function, Message),
    /// The function takes what is visible.
    Receive(Function),
    Sweep(Function),
    /// The invocation has run for as long as it may.
    Timeout(u32),
    /// The invocation waits for nothing but time.
    Poll(u32),
    /// The labeling job at this place comes to its end.
    JobEnds(usize),
}

#[derive(Default)]
pub(crate) struct Agenda {
    times: BinaryHeap<Reverse<(Ms, u64)>>,
    events: BTreeMap<u64, Event>,
    made: u64,
}

impl Agenda {
    pub(crate) fn add(&mut self, at: Ms, event: Event) {
        self.times.push(Reverse((at, self.made)));
        self.events.insert(self.made, event);
        self.made += 1;
    }

    /// The next event, unless it comes after `until`.
    pub(crate) fn next(&mut self, until: Ms) -> Option<(Ms, Event)> {
        let Reverse((at, number)) = *self.times.peek().filter(|Reverse((at, _))| *at <= until)?;
        self.times.pop();
        Some((at, self.events.remove(&number)?))
    }
}
