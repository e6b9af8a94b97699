//! One piece of work for each of many members, side by side.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures::stream::{self, StreamExt};
use shared::crew::Member;

use crate::error::SyncError;
use crate::member::update::{MemberUpdate, NextState};
use crate::ports::Ports;
use crate::run::Run;

/// Members at once. The user pool sets the pace; this keeps it busy over slow answers.
pub(crate) const AT_ONCE: usize = 32;
/// After so many failures no further member is begun: it is not these people's fault.
const MAX_FAILURES: usize = 64;

/// How the work for a list of members ended.
#[derive(Debug, Default)]
pub(crate) struct MembersOutcome {
    pub(crate) updates: Vec<MemberUpdate>,
    pub(crate) errors: Vec<SyncError>,
    /// Some members were not begun, for want of time or after too many failures.
    pub(crate) unfinished: bool,
    of: usize,
}

impl MembersOutcome {
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.updates.extend(other.updates);
        self.errors.extend(other.errors);
        self.unfinished |= other.unfinished;
        self.of += other.of;
        self
    }

    /// As [`crate::member::update::apply`] needs them.
    pub(crate) fn sorted_updates(&self) -> Vec<MemberUpdate> {
        let mut updates = self.updates.clone();
        updates.sort_by(|a, b| a.person.cmp(&b.person));
        updates
    }

    /// The failure of one member fails the message, after all the others have been dealt with.
    pub(crate) fn first_failure(&self) -> Result<(), SyncError> {
        self.errors.first().map_or(Ok(()), |first| {
            Err(SyncError::People {
                failed: self.errors.len(),
                of: self.of,
                first: first.to_string(),
            })
        })
    }
}

pub(crate) async fn for_each<P, F>(
    run: &Run<'_, P>,
    members: Vec<Member>,
    work: impl Fn(Member) -> F,
) -> MembersOutcome
where
    P: Ports,
    F: Future<Output = Result<Option<NextState>, SyncError>>,
{
    let (of, failed) = (members.len(), AtomicUsize::new(0));
    let failed = &failed;
    let mut results = stream::iter(members)
        .map(|member| {
            let (person, from) = (member.person.clone(), member.state);
            let stop = run.is_out_of_time() || failed.load(Ordering::Relaxed) >= MAX_FAILURES;
            let work = (!stop).then(|| work(member));
            async move {
                let result = work?.await;
                if result.is_err() {
                    failed.fetch_add(1, Ordering::Relaxed);
                }
                Some(result.map(|to| to.map(|to| MemberUpdate { person, from, to })))
            }
        })
        .buffer_unordered(AT_ONCE);
    let mut outcome = MembersOutcome {
        of,
        ..MembersOutcome::default()
    };
    while let Some(result) = results.next().await {
        match result {
            Some(Ok(update)) => outcome.updates.extend(update),
            Some(Err(error)) => outcome.errors.push(error),
            None => outcome.unfinished = true,
        }
    }
    outcome
}
