//! What becomes of one member of a team in this invocation, and how it is written into the roster.

use jiff::Timestamp;
use shared::crew::{Member, MemberState, Roster};

/// The member's new place, if it was still in the old one when it is written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Moved {
    pub(crate) person: String,
    pub(crate) from: MemberState,
    pub(crate) to: Standing,
}

/// Where a person stands with a team.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Standing {
    pub(crate) state: MemberState,
    /// When it was entered.
    pub(crate) since: Timestamp,
    pub(crate) sub: Option<String>,
    /// Mails sent, where it is known.
    pub(crate) invitations: Option<u32>,
    pub(crate) problem: Option<String>,
}

impl Standing {
    pub(crate) fn new(state: MemberState, since: Timestamp) -> Self {
        Self {
            state,
            since,
            sub: None,
            invitations: None,
            problem: None,
        }
    }

    pub(crate) fn sub(self, sub: &str) -> Self {
        Self {
            sub: Some(sub.to_owned()),
            ..self
        }
    }

    pub(crate) fn invitations(self, times: u32) -> Self {
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
}

/// Writes what has become of the members; `moved` is sorted by person.
pub(crate) fn apply(roster: &mut Roster, moved: &[Moved]) {
    for member in &mut roster.members {
        let found = moved.binary_search_by(|moved| moved.person.cmp(&member.person));
        let Some(moved) = found.ok().and_then(|place| moved.get(place)) else {
            continue;
        };
        if member.state == moved.from {
            put(member, &moved.to);
        }
    }
}

fn put(member: &mut Member, to: &Standing) {
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
}
