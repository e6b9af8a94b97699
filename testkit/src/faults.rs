//! What goes wrong with the calls of a port, and what was called.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use shared::port::crew::CrewError;

/// What goes wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrewFault {
    /// Nothing is done; it may work later.
    Throttled,
    /// Nothing is done, and will not be.
    Refused,
    /// It is done, and the caller never hears of it.
    ResponseLost,
    /// Nothing is done and nothing answers: the caller has been killed before it. Drop the future.
    Hangs,
    /// It is done and nothing answers: the caller has been killed after it.
    HangsAfterwards,
}

/// One call: AWS's operation, and the address, account, group, team or topic it was about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub operation: &'static str,
    pub about: String,
}

/// A fake's faults and calls; clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    calls: Vec<Call>,
    next: VecDeque<(&'static str, CrewFault)>,
    numbered: Vec<(usize, CrewFault)>,
    from: Option<(usize, CrewFault)>,
    delay: Duration,
}

impl Faults {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next call of this operation (AWS's name for it; empty: of any) goes wrong. More than one wait in line.
    pub fn fail_next(&self, operation: &'static str, fault: CrewFault) {
        self.state().next.push_back((operation, fault));
    }

    /// The n-th call from now goes wrong, whichever it is; 1 is the next.
    pub fn fail_call(&self, n: usize, fault: CrewFault) {
        let mut state = self.state();
        let number = state.calls.len() + n;
        state.numbered.push((number, fault));
    }

    /// The n-th call from now and all after it go wrong, until [`Faults::clear`].
    pub fn fail_from(&self, n: usize, fault: CrewFault) {
        let mut state = self.state();
        state.from = Some((state.calls.len() + n, fault));
    }

    /// Nothing goes wrong any more.
    pub fn clear(&self) {
        let mut state = self.state();
        state.next.clear();
        state.numbered.clear();
        state.from = None;
        state.delay = Duration::ZERO;
    }

    /// Every call takes this long, in tokio's time.
    pub fn slow(&self, each: Duration) {
        self.state().delay = each;
    }

    /// Everything that was called, in order, what went wrong included.
    pub fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    /// How often this operation was called.
    pub fn count(&self, operation: &str) -> usize {
        self.state()
            .calls
            .iter()
            .filter(|call| call.operation == operation)
            .count()
    }

    pub(super) async fn before(
        &self,
        operation: &'static str,
        about: &str,
    ) -> Result<Option<CrewFault>, CrewError> {
        let (fault, delay) = {
            let mut state = self.state();
            let fault = state.begin(operation, about);
            (fault, state.delay)
        };
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        match fault {
            Some(CrewFault::Throttled) => Err(throttling_error(operation)),
            Some(CrewFault::Refused) => Err(CrewError::Refused {
                operation,
                reason: "AccessDeniedException: not authorized".to_owned(),
            }),
            Some(CrewFault::Hangs) => std::future::pending().await,
            fault => Ok(fault),
        }
    }

    pub(super) async fn after(operation: &'static str, fault: Option<CrewFault>) -> Result<(), CrewError> {
        match fault {
            Some(CrewFault::ResponseLost) => Err(CrewError::Transient {
                operation,
                reason: "timed out".to_owned(),
            }),
            Some(CrewFault::HangsAfterwards) => std::future::pending().await,
            _ => Ok(()),
        }
    }
}

impl State {
    fn begin(&mut self, operation: &'static str, about: &str) -> Option<CrewFault> {
        self.calls.push(Call {
            operation,
            about: about.to_owned(),
        });
        let number = self.calls.len();
        if let Some(place) = self.numbered.iter().position(|(n, _)| *n == number) {
            return Some(self.numbered.swap_remove(place).1);
        }
        if let Some((_, fault)) = self.from.filter(|(n, _)| number >= *n) {
            return Some(fault);
        }
        let of_this = |(name, _): &(&str, CrewFault)| name.is_empty() || *name == operation;
        let place = self.next.iter().position(of_this)?;
        self.next.remove(place).map(|(_, fault)| fault)
    }
}

pub(super) fn throttling_error(operation: &'static str) -> CrewError {
    CrewError::Transient {
        operation,
        reason: "TooManyRequestsException: Rate exceeded".to_owned(),
    }
}
