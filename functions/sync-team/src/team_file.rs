//! What a team file may ask for, beside what its own rules say.

pub(crate) mod allowed_domains;
pub(crate) mod name_spelling;
