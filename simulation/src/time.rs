//! Simulated time: milliseconds since the schedule began. Nothing here reads a clock.

use jiff::Timestamp;

/// Milliseconds since the beginning of the schedule.
pub(crate) type Ms = i64;

pub(crate) const SECOND: Ms = 1_000;
pub(crate) const MINUTE: Ms = 60 * SECOND;
pub(crate) const HOUR: Ms = 60 * MINUTE;
pub(crate) const DAY: Ms = 24 * HOUR;

/// 2026-01-05T09:00:00Z, a Monday.
const BEGIN: Ms = 1_767_603_600 * SECOND;

pub(crate) fn timestamp(at: Ms) -> Timestamp {
    Timestamp::from_millisecond(BEGIN + at).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// S3 gives times in whole seconds, in LastModified as in the `Date` header.
pub(crate) fn whole_second(at: Ms) -> Ms {
    at.div_euclid(SECOND) * SECOND
}
