//! The stack's labeling jobs, as the labeling service lists them.

use aws::labeling::GroundTruth;
use aws::labeling::admin::{JobOverview, NewestJobs};
use shared::layout;
use shared::port::LabelingError;

use crate::model::ListedJob;

/// Pages of 100 jobs, newest first; older ones are left out.
const PAGES: usize = 10;

/// Newest first, and a sentence where some were left out.
pub(super) async fn load(
    labeling: &GroundTruth,
    prefix: &str,
    output_bucket: &str,
) -> Result<(Vec<ListedJob>, Option<String>), LabelingError> {
    let NewestJobs { jobs, has_more } = labeling.newest(prefix, PAGES).await?;
    let ours = |job| own_job(job, prefix, output_bucket);
    let line = has_more.then(|| "Only the newest 1,000 labeling jobs are shown.".to_owned());
    Ok((jobs.into_iter().filter_map(ours).collect(), line))
}

/// `None` for a job that is not this stack's: another prefix, or a manifest that is none of its batches.
fn own_job(job: JobOverview, prefix: &str, output_bucket: &str) -> Option<ListedJob> {
    let key = job
        .manifest_uri
        .strip_prefix("s3://")?
        .strip_prefix(output_bucket)?
        .strip_prefix('/')?;
    let batch = layout::parse_manifest(key)?;
    let listing = job.listing;
    listing.name.starts_with(prefix).then_some(())?;
    Some(ListedJob {
        name: listing.name,
        batch,
        state: listing.state,
        failure_reason: job.failure_reason,
        output_manifest_uri: job.output_manifest_uri,
        created: listing.created,
        modified: listing.modified,
        counters: job.counters,
    })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use shared::port::{JobCounters, JobListing, JobState};

    use super::*;

    #[test]
    fn jobs_of_another_prefix_or_another_bucket_are_not_shown() {
        let job = |name: &str, manifest: &str| JobOverview {
            listing: JobListing {
                name: name.into(),
                arn: String::new(),
                state: JobState::InProgress,
                created: Timestamp::UNIX_EPOCH,
                modified: Timestamp::UNIX_EPOCH,
            },
            manifest_uri: manifest.into(),
            output_manifest_uri: None,
            failure_reason: None,
            counters: JobCounters::default(),
        };
        for (name, manifest, shown) in [
            ("gc00-cats", "s3://out/manifests/cats/000001.manifest", true),
            ("x-gc00-cats", "s3://out/manifests/cats/000001.manifest", false),
            ("gc00-cats", "s3://out2/manifests/cats/000001.manifest", false),
            ("gc00-cats", "s3://out/cats.manifest", false),
        ] {
            let own = own_job(job(name, manifest), "gc00", "out");
            assert_eq!(own.is_some(), shown, "{name} {manifest}");
        }
    }
}
