//! What people and administrators do with accounts, whichever door they come through: the hosted pages or the API.

pub(super) mod codes;
pub(super) mod invite;
pub(super) mod password;
