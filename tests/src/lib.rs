//! What the journeys share: a real browser to drive, and bounded waiting.

pub mod browser;
pub mod wait;
