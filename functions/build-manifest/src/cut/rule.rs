//! Whether it is time to cut a batch. Pure: all times are S3's and handed in.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use shared::port::OpenUpload;
use shared::spec::BatchRules;

/// What the decision is made from, beside the waiting files.
#[derive(Debug)]
pub(crate) struct CutInputs<'a> {
    pub(crate) date: Timestamp,
    pub(crate) uploads: &'a [OpenUpload],
    pub(crate) ready: Option<Timestamp>,
    /// Latest completion in an event: for a multipart upload it is later than the object's LastModified.
    pub(crate) latest_event: Option<Timestamp>,
    /// Items one batch may hold.
    pub(crate) limit: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Nothing waits.
    Nothing,
    /// Everything that waits.
    All(CutReason),
    /// Only what was there when `_READY` was.
    UpTo(Timestamp),
    /// Not before this time, unless more files arrive.
    Wait { until: Timestamp, reason: WaitReason },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CutReason {
    MaxWait,
    Limit,
    Quiet,
}

impl Cut {
    /// In the words of the spec, for the log.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::All(CutReason::MaxWait) => "max_wait",
            Self::All(CutReason::Limit) => "limit",
            Self::All(CutReason::Quiet) => "quiet",
            Self::UpTo(_) => "ready",
            Self::Wait { .. } | Self::Nothing => "rest of a file",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WaitReason {
    /// Files arrived less than the quiet period ago.
    NotQuiet,
    /// An upload in parts has begun and not finished.
    Uploading,
    /// Manifests made by hand point to what is not there yet.
    Missing,
    /// The day's items, so many, are used up.
    DailyBound(u64),
}

/// The cut rule: something waits, and
/// - the oldest of it has waited for `max_wait`, or
/// - there is enough for a full batch, or
/// - it has settled: nothing newer than the quiet period, and no upload open (one open for longer than `max_wait`
///   counts as abandoned), or
/// - `_READY` says so, for what was there before it.
pub(crate) fn decide(rules: &BatchRules, waiting: &[Timestamp], inputs: &CutInputs<'_>) -> Cut {
    let (Some(oldest), Some(newest)) = (waiting.iter().min(), waiting.iter().max()) else {
        return Cut::Nothing;
    };
    let overdue = after(*oldest, rules.max_wait);
    if overdue <= inputs.date {
        return Cut::All(CutReason::MaxWait);
    }
    if waiting.len() >= inputs.limit {
        return Cut::All(CutReason::Limit);
    }
    let quiet = after((*newest).max(inputs.latest_event.unwrap_or(*newest)), rules.quiet);
    let abandoned = inputs
        .uploads
        .iter()
        .map(|upload| after(upload.initiated, rules.max_wait))
        .max();
    let uploading = abandoned.filter(|abandoned| *abandoned > inputs.date);
    if quiet <= inputs.date && uploading.is_none() {
        return Cut::All(CutReason::Quiet);
    }
    match inputs.ready {
        Some(ready) if *oldest <= ready => Cut::UpTo(ready),
        _ => Cut::Wait {
            until: overdue.min(uploading.map_or(quiet, |upload| upload.max(quiet))),
            reason: if uploading.is_some() {
                WaitReason::Uploading
            } else {
                WaitReason::NotQuiet
            },
        },
    }
}

/// When a file of this time has waited as long as it may.
pub(crate) fn overdue(rules: &BatchRules, since: Timestamp) -> Timestamp {
    after(since, rules.max_wait)
}

/// Up to a whole second, as S3's clock is.
fn after(time: Timestamp, wait: Duration) -> Timestamp {
    let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
    let end = time.saturating_add(wait).unwrap_or(Timestamp::MAX);
    let part = i64::from(end.subsec_nanosecond() > 0);
    Timestamp::from_second(end.as_second().saturating_add(part)).unwrap_or(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> BatchRules {
        BatchRules {
            quiet: Duration::from_secs(120),
            max_wait: Duration::from_secs(3600),
            max_items: 10,
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn inputs(date: i64) -> CutInputs<'static> {
        CutInputs {
            date: at(date),
            uploads: &[],
            ready: None,
            latest_event: None,
            limit: 10,
        }
    }

    #[test]
    fn a_batch_is_cut_when_files_are_quiet_overdue_or_enough() {
        let wait = |until| Cut::Wait {
            until: at(until),
            reason: WaitReason::NotQuiet,
        };
        for (date, waiting, cut) in [
            (0, vec![], Cut::Nothing),
            (1_119, vec![1_000], wait(1_120)),
            (1_120, vec![1_000], Cut::All(CutReason::Quiet)),
            (1_120, vec![1_000, 1_010], wait(1_130)),
            (4_599, vec![1_000, 4_590], wait(4_600)),
            (4_600, vec![1_000, 4_590], Cut::All(CutReason::MaxWait)),
            (1_001, vec![1_000; 9], wait(1_120)),
            (1_001, vec![1_000; 10], Cut::All(CutReason::Limit)),
        ] {
            let waiting: Vec<_> = waiting.into_iter().map(at).collect();
            assert_eq!(
                decide(&rules(), &waiting, &inputs(date)),
                cut,
                "{date} {waiting:?}"
            );
        }
    }

    #[test]
    fn an_open_upload_is_waited_for_until_it_counts_as_abandoned() {
        let uploads = [OpenUpload {
            key: "d/x".into(),
            initiated: at(900),
        }];
        let with = |date| {
            decide(
                &rules(),
                &[at(1_000)],
                &CutInputs {
                    uploads: &uploads,
                    ..inputs(date)
                },
            )
        };
        assert_eq!(
            with(2_000),
            Cut::Wait {
                until: at(4_500),
                reason: WaitReason::Uploading
            }
        );
        assert_eq!(with(4_500), Cut::All(CutReason::Quiet));
    }

    #[test]
    fn an_upload_in_parts_is_as_new_as_its_completion() {
        let event = Some("1970-01-01T00:20:00.5Z".parse().unwrap());
        let with = |date| {
            decide(
                &rules(),
                &[at(100)],
                &CutInputs {
                    latest_event: event,
                    ..inputs(date)
                },
            )
        };
        assert_eq!(
            with(1_320),
            Cut::Wait {
                until: at(1_321),
                reason: WaitReason::NotQuiet
            }
        );
        assert_eq!(with(1_321), Cut::All(CutReason::Quiet));
    }

    #[test]
    fn ready_cuts_what_was_there_before_it_and_nothing_newer() {
        let with = |waiting: &[Timestamp]| {
            decide(
                &rules(),
                waiting,
                &CutInputs {
                    ready: Some(at(1_000)),
                    ..inputs(1_010)
                },
            )
        };
        assert_eq!(with(&[at(990), at(1_005)]), Cut::UpTo(at(1_000)));
        assert_eq!(
            with(&[at(1_005)]),
            Cut::Wait {
                until: at(1_125),
                reason: WaitReason::NotQuiet
            }
        );
    }
}
