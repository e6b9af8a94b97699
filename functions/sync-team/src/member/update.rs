//! What changes for one member of a team in this invocation, and how it is written into the roster.

use jiff::Timestamp;
use shared::crew::{Member, MemberState, Roster};

const ACCOUNT_DELETED: &str = "the account was deleted in the user pool; take the address out of the file, or take it out \
                               and put it back to invite the person again";

/// A member's next state. It is written if the member is still in the state it was decided from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct MemberUpdate {
    pub(crate) person: String,
    pub(crate) from: MemberState,
    pub(crate) to: NextState,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NextState {
    pub(crate) state: MemberState,
    /// When it was entered.
    pub(crate) since: Timestamp,
    pub(crate) sub: Option<String>,
    /// Mails sent, where it is known.
    pub(crate) invitations: Option<u32>,
    pub(crate) problem: Option<String>,
    pub(crate) account_deleted: bool,
}

impl NextState {
    pub(crate) fn new(state: MemberState, since: Timestamp) -> Self {
        Self {
            state,
            since,
            sub: None,
            invitations: None,
            problem: None,
            account_deleted: false,
        }
    }

    pub(crate) fn with_sub(self, sub: &str) -> Self {
        Self {
            sub: Some(sub.to_owned()),
            ..self
        }
    }

    pub(crate) fn with_invitations(self, times: u32) -> Self {
        Self {
            invitations: Some(times),
            ..self
        }
    }

    pub(crate) fn unreachable(problem: &str, now: Timestamp) -> Self {
        Self {
            problem: Some(problem.to_owned()),
            ..Self::new(MemberState::Unreachable, now)
        }
    }

    /// An admin deleted the account in the user pool.
    pub(crate) fn account_deleted(now: Timestamp) -> Self {
        Self {
            account_deleted: true,
            ..Self::unreachable(ACCOUNT_DELETED, now)
        }
    }
}

/// Writes the updates into the roster. `updates` are sorted by person.
pub(crate) fn apply(roster: &mut Roster, updates: &[MemberUpdate]) {
    for member in &mut roster.members {
        let found = updates.binary_search_by(|update| update.person.cmp(&member.person));
        let Some(update) = found.ok().and_then(|place| updates.get(place)) else {
            continue;
        };
        if member.state == update.from {
            set_state(member, &update.to);
        }
    }
}

fn set_state(member: &mut Member, to: &NextState) {
    if member.state != to.state {
        member.state = to.state;
        member.since = to.since;
    }
    if let Some(sub) = &to.sub {
        member.sub = Some(sub.clone());
    }
    if let Some(times) = to.invitations {
        if times > member.invitations && to.state == MemberState::Invited {
            member.since = to.since;
        }
        member.invitations = times;
    }
    member.problem.clone_from(&to.problem);
    member.account_deleted = to.account_deleted;
}
