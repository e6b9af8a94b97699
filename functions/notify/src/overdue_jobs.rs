//! Jobs that should have ended by themselves, and have not.

use jiff::{SignedDuration, Timestamp};
use shared::port::{JobDescription, JobListing, Labeling};

use crate::deps::Deps;
use crate::reconcile::batch_of;

/// How long items are offered unless a spec says otherwise.
const DEFAULT_OFFER: SignedDuration = SignedDuration::from_hours(24 * 10);
/// "Labeling jobs fail after 30 days":
/// <https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_LabelingJobStoppingConditions.html>.
const LONGEST_JOB: SignedDuration = SignedDuration::from_hours(24 * 30);
/// A worker who took an item at the last moment has up to eight hours for it, and the service needs time for the answers.
const GRACE: SignedDuration = SignedDuration::from_hours(24);

/// How many of the jobs are still running although their items are no longer offered. Only a person can end such a job.
///
/// The listing says when a job was made. DescribeLabelingJob says how long each item is offered and how many are at once;
/// it is called only for jobs that run for more than a day.
pub(crate) async fn count_overdue<S, L: Labeling, T>(
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
            Ok(Some(job)) if batch_of(deps, &job).is_none() => continue,
            Ok(Some(job)) => offer_time(&job),
            Ok(None) => continue,
            Err(error) => {
                tracing::warn!(job = job.name, %error, "failed to read how long a job's items are offered; ten days are assumed");
                DEFAULT_OFFER
            }
        };
        if has_passed(job.created, offered.saturating_add(GRACE), now) {
            tracing::warn!(job = job.name, created = %job.created, "job is running although its items are no longer offered");
            overdue += 1;
        }
    }
    overdue
}

/// An item is offered once there is room for it among those that are offered at once, and for its own time from then on:
/// without workers, one such group after the other.
fn offer_time(job: &JobDescription) -> SignedDuration {
    let Some(offer) = job.offer else {
        return DEFAULT_OFFER;
    };
    let counters = &job.counters;
    let items = counters.total_labeled + counters.unlabeled + counters.failed;
    let groups = items.div_ceil(u64::from(offer.at_once.max(1))).clamp(1, 1_000);
    let seconds = u64::from(offer.seconds).saturating_mul(groups);
    let all = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
    all.min(LONGEST_JOB)
}

fn has_passed(from: Timestamp, time: SignedDuration, now: Timestamp) -> bool {
    from.checked_add(time).is_ok_and(|then| then < now)
}
