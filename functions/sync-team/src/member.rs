//! The members of a team, one by one: invited, joined, left.

pub(crate) mod each;
pub(crate) mod invitation;
pub(crate) mod invite;
pub(crate) mod join;
pub(crate) mod join_notice;
pub(crate) mod leave;
pub(crate) mod newcomer;
pub(crate) mod person;
pub(crate) mod reinvite;
pub(crate) mod unlisted_account;
pub(crate) mod update;
