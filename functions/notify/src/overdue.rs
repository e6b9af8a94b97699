//! Jobs that should have come to their end by themselves, and have not.

use jiff::{SignedDuration, Timestamp};
use shared::port::{JobDescription, JobListing, Labeling};

use crate::Deps;
use crate::ended::batch_of;

/// How long items are offered where nothing else is known: what a spec says when it says nothing.
const USUAL: SignedDuration = SignedDuration::from_hours(24 * 10);
/// "Labeling jobs fail after 30 days":
/// <https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_LabelingJobStoppingConditions.html>.
const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 30);
/// Whoever took an item at the last moment has up to eight hours for it, and the service its own time for the answers.
const GRACE: SignedDuration = SignedDuration::from_hours(24);

/// How many of the jobs are still at work although their items are no longer offered. Nobody is there to end such a
/// job but a person.
///
/// The listing says when a job was made; DescribeLabelingJob, asked only of those that run for more than a day, how
/// long each item is offered and how many are at once.
pub(crate) async fn overdue<S, L: Labeling, T>(
    deps: &Deps<S, L, T>,
    jobs: &[JobListing],
    now: Timestamp,
) -> u64 {
    let mut overdue = 0;
    let running = jobs
        .iter()
        .filter(|job| deps.is_ours(&job.name) && !job.state.is_terminal());
    for job in running.filter(|job| has_passed(job.created, GRACE, now)) {
        let offered = match deps.labeling.describe(&job.name).await {
            Ok(Some(described)) if batch_of(deps, &described).is_none() => continue,
            Ok(Some(described)) => offered_for(&described),
            Ok(None) => continue,
            Err(error) => {
                tracing::warn!(job = job.name, %error, "how long its items are offered is not known; ten days are taken");
                USUAL
            }
        };
        if has_passed(job.created, offered.saturating_add(GRACE), now) {
            tracing::warn!(job = job.name, created = %job.created, "a job is at work although its items are no longer offered");
            overdue += 1;
        }
    }
    overdue
}

/// An item is offered once there is room for it among those that are offered at once, and for its own time from then
/// on: with nobody at work, one such group after the other.
fn offered_for(job: &JobDescription) -> SignedDuration {
    let Some(offer) = job.offer else { return USUAL };
    let counted = &job.counters;
    let items = counted.total_labeled + counted.unlabeled + counted.failed;
    let groups = items.div_ceil(u64::from(offer.at_once.max(1))).clamp(1, 1_000);
    let seconds = u64::from(offer.seconds).saturating_mul(groups);
    let all = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
    all.min(LONGEST)
}

fn has_passed(from: Timestamp, time: SignedDuration, now: Timestamp) -> bool {
    from.checked_add(time).is_ok_and(|then| then < now)
}
