//! Collects the facts of a model through S3, the labeling API and SQS, and remembers what cannot change.

mod crew;
mod needs;
mod work_teams;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aws_sdk_sagemaker::types::{LabelingJobStatus, LabelingJobSummary, SortBy, SortOrder};
use shared::layout;
use shared::name::{BatchNumber, DatasetName};
use shared::notice::Notified;
use shared::port::{JobCounters, JobState};
use shared::status::{DatasetStatus, JobSummary, Waiting};
use tokio::sync::Mutex;

use crate::config::{self, ConsoleConfig};
use crate::dead_letters;
pub use crate::documents::LoadError;
use crate::documents::{About, Documents, Listed, Listing, about_manifests, list, timestamp};
use crate::model::{Batch, Facts, ListedJob, Model, NOTICES, assemble};
use crate::reason::reason;
pub use work_teams::is_listed_alone;

/// Pages of 100 jobs, newest first, after which older ones are left out.
const JOB_PAGES: usize = 10;
/// Summaries read, newest first; older jobs show their counters alone.
const SUMMARIES: usize = 500;
const SUMMARY: &str = "/summary.json";

/// Reads how everything stands, as often as asked; each time only what may have changed.
#[derive(Debug)]
pub struct Reader {
    input_bucket: String,
    output_bucket: String,
    job_prefix: String,
    queues: Vec<config::Queue>,
    s3: aws_sdk_s3::Client,
    labeling: aws_sdk_sagemaker::Client,
    sqs: aws_sdk_sqs::Client,
    memory: Mutex<Memory>,
}

#[derive(Debug, Default)]
struct Memory {
    statuses: Documents<DatasetStatus>,
    waiting: Documents<Waiting>,
    notices: Documents<Notified>,
    summaries: Documents<JobSummary>,
    crew: crew::Memory,
    manifests: BTreeMap<String, About>,
    needs: needs::Memory,
    work_teams: work_teams::WorkTeams,
    jobs: Vec<ListedJob>,
    dead_letters: Vec<crate::model::DeadLetters>,
}

impl Reader {
    pub fn new(config: &ConsoleConfig) -> Self {
        Self {
            input_bucket: config.input_bucket.clone(),
            output_bucket: config.output_bucket.clone(),
            job_prefix: config.job_prefix.as_str().to_owned(),
            queues: config.queues.clone(),
            s3: config.s3(),
            labeling: config.labeling(),
            sqs: aws_sdk_sqs::Client::new(&config.sdk),
            memory: Mutex::default(),
        }
    }

    /// How everything stands now. Fails when S3 cannot be read; without the labeling service or the queues the
    /// model shows what was known of them, and says so.
    pub async fn load(&self) -> Result<Model, LoadError> {
        let memory = &mut *self.memory.lock().await;
        let (mut facts, mut problems) = self.stored(memory).await?;
        let (jobs, letters, work_teams) = tokio::join!(
            self.jobs(),
            dead_letters::look(&self.sqs, &self.queues, &memory.dead_letters),
            work_teams::list(&self.labeling),
        );
        match jobs {
            Ok((jobs, cut)) => {
                memory.jobs = jobs;
                problems.extend(cut.then(|| "Only the newest 1,000 labeling jobs are shown.".to_owned()));
            }
            Err(error) => problems.push(error.to_string()),
        }
        match letters {
            Ok(letters) => memory.dead_letters = letters,
            Err(error) => problems.push(error.to_string()),
        }
        memory.work_teams = work_teams.unwrap_or(std::mem::take(&mut memory.work_teams));
        facts.crew.work_teams.clone_from(&memory.work_teams);
        facts.jobs.clone_from(&memory.jobs);
        let (bucket, known) = (&self.output_bucket, &memory.manifests);
        needs::fill(&self.s3, bucket, known, &mut memory.needs, &mut facts).await?;
        facts.dead_letters.clone_from(&memory.dead_letters);
        Ok(Model {
            problems,
            ..assemble(&facts, &self.output_bucket)
        })
    }

    /// Everything that lies in the two buckets.
    async fn stored(&self, memory: &mut Memory) -> Result<(Facts, Vec<String>), LoadError> {
        let (input, output) = (self.input_bucket.as_str(), self.output_bucket.as_str());
        let (top, statuses, manifests, jobs, results, notified) = tokio::try_join!(
            list(&self.s3, input, "", true),
            list(&self.s3, output, "status/", false),
            list(&self.s3, output, layout::MANIFESTS, false),
            list(&self.s3, output, "jobs/", false),
            list(&self.s3, output, "results/", false),
            list(&self.s3, output, "notified/", false),
        )?;
        memory
            .statuses
            .refresh(&self.s3, output, &statuses.objects.iter().collect::<Vec<_>>())
            .await?;
        memory
            .notices
            .refresh(&self.s3, output, &newest(notified.objects.iter(), NOTICES))
            .await?;
        let summaries = results
            .objects
            .iter()
            .filter(|object| object.key.ends_with(SUMMARY));
        memory
            .summaries
            .refresh(&self.s3, output, &newest(summaries, SUMMARIES))
            .await?;
        let batches = self.batches(memory, &manifests.objects, &jobs.objects).await?;
        let (crew, missing) = crew::facts(&self.s3, (input, output), &mut memory.crew, &results).await?;
        let mut problems = cut([("datasets", &top), ("batches", &manifests), ("results", &results)]);
        problems.extend(missing);
        let facts = Facts {
            folders: top
                .folders
                .iter()
                .map(|folder| folder.trim_end_matches('/').to_owned())
                .collect(),
            loose: top.objects.into_iter().map(|object| object.key).collect(),
            crew,
            statuses: memory
                .statuses
                .all()
                .map(|s| (s.dataset.clone(), s.clone()))
                .collect(),
            batches,
            results: results.objects.into_iter().map(|object| object.key).collect(),
            notices: memory.notices.all().cloned().collect(),
            summaries: memory.summaries.all().filter_map(by_batch).collect(),
            ..Facts::default()
        };
        Ok((facts, problems))
    }

    async fn batches(
        &self,
        memory: &mut Memory,
        manifests: &[Listed],
        jobs: &[Listed],
    ) -> Result<BTreeMap<(DatasetName, BatchNumber), Batch>, LoadError> {
        let keys: Vec<String> = manifests.iter().map(|object| object.key.clone()).collect();
        about_manifests(&self.s3, &self.output_bucket, &keys, &mut memory.manifests).await?;
        let started: BTreeSet<&str> = jobs
            .iter()
            .filter_map(|job| job.key.strip_suffix("/started"))
            .collect();
        let waiting: Vec<&Listed> = jobs
            .iter()
            .filter(|job| {
                job.key
                    .strip_suffix("/waiting.json")
                    .is_some_and(|batch| !started.contains(batch))
            })
            .collect();
        memory
            .waiting
            .refresh(&self.s3, &self.output_bucket, &waiting)
            .await?;
        let batch = |key: &String| {
            let (dataset, number) = layout::parse_manifest(key)?;
            let folder = layout::job_folder(&dataset, number);
            let batch = Batch {
                items: memory.manifests.get(key).and_then(|about| about.items),
                waiting: memory.waiting.get(&layout::job_waiting(&dataset, number)),
                started: started.contains(folder.trim_end_matches('/')),
                needs: None,
            };
            Some(((dataset, number), batch))
        };
        Ok(keys.iter().filter_map(batch).collect())
    }

    /// The stack's labeling jobs, newest first, and whether some were left out.
    async fn jobs(&self) -> Result<(Vec<ListedJob>, bool), LoadError> {
        let mut jobs = Vec::new();
        let mut token = None;
        for _ in 0..JOB_PAGES {
            let request = self
                .labeling
                .list_labeling_jobs()
                .name_contains(&self.job_prefix)
                .max_results(100);
            let request = request
                .sort_by(SortBy::CreationTime)
                .sort_order(SortOrder::Descending);
            let page = request
                .set_next_token(token)
                .send()
                .await
                .map_err(|error| LoadError {
                    what: "the list of labeling jobs".into(),
                    reason: reason(&error),
                })?;
            jobs.extend(
                page.labeling_job_summary_list()
                    .iter()
                    .filter_map(|job| self.listed_job(job)),
            );
            token = page.next_token;
            if token.is_none() {
                return Ok((jobs, false));
            }
        }
        Ok((jobs, true))
    }

    /// `None` for a job of somebody else: another prefix, or a manifest that is none of our batches.
    fn listed_job(&self, job: &LabelingJobSummary) -> Option<ListedJob> {
        let name = job.labeling_job_name()?.to_owned();
        let manifest = job
            .input_config()?
            .data_source()?
            .s3_data_source()?
            .manifest_s3_uri()?;
        let key = manifest
            .strip_prefix("s3://")?
            .strip_prefix(&self.output_bucket)?
            .strip_prefix('/')?;
        let batch = layout::parse_manifest(key)?;
        name.starts_with(&self.job_prefix).then_some(())?;
        Some(ListedJob {
            name,
            batch,
            state: state(job.labeling_job_status()?)?,
            failure_reason: job.failure_reason().map(str::to_owned),
            output_manifest_uri: job
                .labeling_job_output()
                .and_then(|output| output.output_dataset_s3_uri())
                .map(str::to_owned),
            created: timestamp(job.creation_time())?,
            modified: timestamp(job.last_modified_time())?,
            counters: counters(job),
        })
    }
}

fn state(status: &LabelingJobStatus) -> Option<JobState> {
    Some(match status {
        LabelingJobStatus::Initializing => JobState::Initializing,
        LabelingJobStatus::InProgress => JobState::InProgress,
        LabelingJobStatus::Completed => JobState::Completed,
        LabelingJobStatus::Failed => JobState::Failed,
        LabelingJobStatus::Stopping => JobState::Stopping,
        LabelingJobStatus::Stopped => JobState::Stopped,
        _ => return None,
    })
}

fn counters(job: &LabelingJobSummary) -> JobCounters {
    let counters = job.label_counters();
    let count = |value: Option<i32>| u64::try_from(value.unwrap_or(0)).unwrap_or(0);
    JobCounters {
        total_labeled: count(counters.and_then(|c| c.total_labeled())),
        human_labeled: count(counters.and_then(|c| c.human_labeled())),
        machine_labeled: count(counters.and_then(|c| c.machine_labeled())),
        failed: count(counters.and_then(|c| c.failed_non_retryable_error())),
        unlabeled: count(counters.and_then(|c| c.unlabeled())),
    }
}

/// Markers and results are named by cause, not by time, so the newest are found by when they were written.
fn newest<'a>(objects: impl Iterator<Item = &'a Listed>, most: usize) -> Vec<&'a Listed> {
    let mut objects: Vec<&Listed> = objects.collect();
    objects.sort_by_key(|object| (std::cmp::Reverse(object.modified), object.key.as_str()));
    objects.truncate(most);
    objects
}

fn by_batch(summary: &Arc<JobSummary>) -> Option<((DatasetName, BatchNumber), Arc<JobSummary>)> {
    let dataset = DatasetName::new(&summary.dataset).ok()?;
    Some(((dataset, BatchNumber::new(summary.batch)?), summary.clone()))
}

fn cut<const N: usize>(listings: [(&str, &Listing); N]) -> Vec<String> {
    let cut = listings.iter().filter(|(_, listing)| listing.cut);
    cut.map(|(what, _)| format!("There are more {what} than are shown."))
        .collect()
}
