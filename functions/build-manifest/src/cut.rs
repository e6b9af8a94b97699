//! Cutting batches: whether it is time, and the part of the protocol that writes.

pub(crate) mod cutter;
pub(crate) mod rule;
