//! Calls that are under way: every port call waits for its turn, so that any other invocation, a crash or a person
//! may come in between.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use super::{SharedWorld, World};
use crate::agenda::{Event, Late};
use crate::fault::Fault;
use crate::function::Function;
use crate::time::{MINUTE, Ms};

/// How an invocation's calls fare, drawn when it begins.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fate {
    /// Ends before its call of this number.
    pub(crate) dies_at: Option<u32>,
    pub(crate) throttled: bool,
    /// The services around people refuse some of its calls.
    pub(crate) refused: Vec<Fault>,
    pub(crate) slow: bool,
    pub(crate) about_people: bool,
    /// How far the function's own clock is off.
    pub(crate) skew: Ms,
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(call) = self.dies_at {
            write!(f, ", crashes before its call {call}")?;
        }
        if self.skew != 0 {
            write!(f, ", its clock is {} s off", self.skew / 1_000)?;
        }
        for fault in &self.refused {
            write!(f, ", {fault:?}")?;
        }
        let throttled = if self.throttled { ", throttled" } else { "" };
        let slow = if self.slow { ", slow" } else { "" };
        write!(f, "{throttled}{slow}")
    }
}

#[derive(Default)]
pub(crate) struct Calls {
    /// Whose calls are made now.
    pub(crate) current: u32,
    fates: BTreeMap<u32, (Fate, u32)>,
    tickets: u64,
    open: BTreeMap<u64, Open>,
}

struct Open {
    of: u32,
    waker: Waker,
    turn: bool,
    write: Option<Late>,
}

/// What the run does when a call's turn comes.
pub(crate) enum TurnOutcome {
    /// Poll this invocation.
    Poll(u32),
    /// This invocation ends here.
    Dies(u32),
    /// No invocation waits for it any more.
    Abandoned,
}

impl World {
    pub(crate) fn fate(&mut self, of: Function) -> Fate {
        let dies_at = self
            .strikes(Fault::Crash)
            .then(|| 1 + self.dice.below(of.calls()));
        let skew = match self.strikes(Fault::ClockSkewed) {
            true => self.dice.between(-10 * MINUTE, 10 * MINUTE),
            false => 0,
        };
        Fate {
            dies_at,
            throttled: self.strikes(Fault::Throttled),
            slow: self.strikes(Fault::SlowCalls),
            skew,
            refused: match of.is_about_people() {
                true => [Fault::PoolThrottled, Fault::WorkforceThrottled]
                    .into_iter()
                    .filter(|fault| self.strikes(*fault))
                    .collect(),
                false => Vec::new(),
            },
            about_people: of.is_about_people(),
        }
    }

    pub(crate) fn begin_calls(&mut self, of: u32, fate: Fate) {
        self.calls.fates.insert(of, (fate, 0));
    }

    /// Forgets the invocation; the write it was making may still be carried out.
    pub(crate) fn end_calls(&mut self, of: u32) {
        self.calls.fates.remove(&of);
        let open = std::mem::take(&mut self.calls.open);
        for (ticket, call) in open {
            if call.of != of {
                self.calls.open.insert(ticket, call);
            } else if let Some(write) = call.write
                && self.strikes(Fault::WriteAfterDeath)
            {
                let wait = self.dice.between(1, 120_000);
                self.building += 1;
                self.after(wait, Event::Late(write));
            }
        }
    }

    pub(crate) fn turn(&mut self, ticket: u64) -> TurnOutcome {
        let Some(call) = self.calls.open.get_mut(&ticket) else {
            return TurnOutcome::Abandoned;
        };
        let Some((fate, made)) = self.calls.fates.get_mut(&call.of) else {
            return TurnOutcome::Abandoned;
        };
        *made += 1;
        if fate.dies_at == Some(*made) {
            return TurnOutcome::Dies(call.of);
        }
        call.turn = true;
        call.waker.wake_by_ref();
        TurnOutcome::Poll(call.of)
    }

    fn ask(&mut self, waker: Waker, write: Option<Late>) -> u64 {
        let of = self.calls.current;
        self.calls.tickets += 1;
        let ticket = self.calls.tickets;
        let slow = self.calls.fates.get(&of).is_some_and(|(fate, _)| fate.slow);
        let call = Open {
            of,
            waker,
            turn: false,
            write,
        };
        self.calls.open.insert(ticket, call);
        let wait = self.latency(slow);
        self.after(wait, Event::Turn(ticket));
        ticket
    }

    fn latency(&mut self, slow: bool) -> Ms {
        let usual = self.dice.between(5, 60);
        match slow {
            true => usual << self.dice.below(13),
            false => usual,
        }
    }

    /// It did everything, and the answer is lost.
    pub(crate) fn dies_before_reply(&self, of: u32) -> bool {
        let fate = self.calls.fates.get(&of);
        fate.is_some_and(|(fate, made)| fate.dies_at.is_some_and(|dies_at| dies_at > *made))
    }

    pub(crate) fn skew(&self) -> Ms {
        let fate = self.calls.fates.get(&self.calls.current);
        fate.map_or(0, |(fate, _)| fate.skew)
    }

    /// Whether this call is one of those that are not carried out. An invocation about people makes many more calls,
    /// and would never come to its end.
    pub(crate) fn throttles(&mut self, of: u32) -> bool {
        let fate = self.calls.fates.get(&of).map(|(fate, _)| fate);
        let chance = match fate {
            Some(fate) if fate.throttled && fate.about_people => 4,
            Some(fate) if fate.throttled => 20,
            _ => return false,
        };
        let throttled = !self.faults.is_calm() && self.dice.percent(chance);
        if throttled {
            self.truth.crew.trouble(of);
        }
        throttled
    }

    /// The same of a service around people.
    pub(crate) fn refuses(&mut self, of: u32, fault: Fault) -> bool {
        let fate = self.calls.fates.get(&of).map(|(fate, _)| fate);
        let refused = fate.is_some_and(|fate| fate.refused.contains(&fault))
            && !self.faults.is_calm()
            && self.dice.percent(6);
        if refused {
            self.truth.crew.trouble(of);
        }
        refused
    }

    /// Nothing was drawn for it that could keep it from its end.
    pub(crate) fn fares_well(&self, of: u32) -> bool {
        let fate = self.calls.fates.get(&of).map(|(fate, _)| fate);
        fate.is_some_and(|fate| {
            fate.dies_at.is_none() && !fate.throttled && !fate.slow && fate.refused.is_empty()
        })
    }

    /// Whether it waits for a call; otherwise it waits for time to pass.
    pub(crate) fn has_calls(&self, of: u32) -> bool {
        self.calls.open.values().any(|call| call.of == of)
    }
}

/// Waits for the call's turn and says whose call it is.
pub(crate) struct Turn<'a> {
    world: &'a SharedWorld,
    ticket: Option<u64>,
    write: Option<Late>,
}

impl<'a> Turn<'a> {
    pub(crate) fn of(world: &'a SharedWorld) -> Self {
        Self {
            world,
            ticket: None,
            write: None,
        }
    }

    pub(crate) fn to_write(world: &'a SharedWorld, write: Late) -> Self {
        Self {
            world,
            ticket: None,
            write: Some(write),
        }
    }
}

impl Future for Turn<'_> {
    type Output = u32;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<u32> {
        let shared = self.world;
        let mut world = shared.lock();
        let Some(ticket) = self.ticket else {
            let write = self.write.take();
            self.ticket = Some(world.ask(context.waker().clone(), write));
            return Poll::Pending;
        };
        let calls = &mut world.calls;
        match calls.open.get_mut(&ticket) {
            Some(call) if !call.turn => {
                call.waker.clone_from(context.waker());
                Poll::Pending
            }
            _ => {
                calls.open.remove(&ticket);
                Poll::Ready(calls.current)
            }
        }
    }
}
