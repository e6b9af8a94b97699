//! Collects the facts of a model through S3, the labeling API and SQS, and remembers what cannot change.

mod crew;
mod jobs;
mod team_size;
mod work_teams;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aws::crew::PrivateWorkforce;
use aws::labeling::GroundTruth;
use aws::queues::Queues;
use aws::s3::Buckets;
use shared::layout;
use shared::name::{BatchNumber, DatasetName};
use shared::notice::NoticeMarker;
use shared::port::{Bucket, Object, StoreError};
use shared::status::{DatasetStatus, WaitingBatch};
use shared::summary::JobSummary;
use tokio::sync::Mutex;

use crate::config::{ConsoleConfig, Queue};
use crate::dead_letters;
use crate::documents::{
    DocumentCache, ManifestMetadata, cut_short, list, list_top, load_manifest_metadata, newest,
};
use crate::model::{Batch, DeadLetters, Facts, ListedJob, Model, NOTICES, assemble};
pub use work_teams::has_only_listed_people;

/// Summaries read, newest first; older jobs show their counters alone.
const MAX_SUMMARIES: usize = 500;
const SUMMARY: &str = "/summary.json";

/// Reads the state of the stack again and again; each time only what may have changed.
#[derive(Debug)]
pub struct Reader {
    output_bucket: String,
    job_prefix: String,
    queues: Vec<Queue>,
    store: Buckets,
    labeling: GroundTruth,
    workforce: PrivateWorkforce,
    sqs: Queues,
    cache: Mutex<Cache>,
}

#[derive(Debug, Default)]
struct Cache {
    statuses: DocumentCache<DatasetStatus>,
    waiting: DocumentCache<WaitingBatch>,
    notices: DocumentCache<NoticeMarker>,
    summaries: DocumentCache<JobSummary>,
    crew: crew::Cache,
    manifests: BTreeMap<String, ManifestMetadata>,
    team_size: team_size::Cache,
    work_teams: work_teams::WorkTeams,
    jobs: Vec<ListedJob>,
    dead_letters: Vec<DeadLetters>,
}

/// What S3 says.
struct StoredFacts {
    facts: Facts,
    /// What is not shown completely, a sentence for each.
    incomplete: Vec<String>,
}

impl Reader {
    pub fn new(config: &ConsoleConfig) -> Self {
        Self {
            output_bucket: config.output_bucket.clone(),
            job_prefix: config.job_prefix.as_str().to_owned(),
            queues: config.queues.clone(),
            store: config.buckets(),
            labeling: config.labeling(),
            workforce: config.workforce(),
            sqs: config.sqs(),
            cache: Mutex::default(),
        }
    }

    /// The state now. Fails when S3 cannot be read; without the labeling service or the queues the model shows what
    /// was known of them, and says so.
    pub async fn load(&self) -> Result<Model, StoreError> {
        let cache = &mut *self.cache.lock().await;
        // S3 first: without it there is nothing to show.
        let StoredFacts {
            mut facts,
            mut incomplete,
        } = self.load_stored(cache).await?;
        let (jobs, letters, work_teams) = tokio::join!(
            jobs::load(&self.labeling, &self.job_prefix, &self.output_bucket),
            dead_letters::load(&self.sqs, &self.queues, &cache.dead_letters),
            work_teams::load(&self.workforce),
        );
        // What cannot be read now stays as it was read before.
        let mut problems = Vec::new();
        match jobs {
            Ok((jobs, line)) => {
                cache.jobs = jobs;
                incomplete.extend(line);
            }
            Err(error) => problems.push(format!("The labeling jobs could not be read: {error}")),
        }
        match letters {
            Ok(letters) => cache.dead_letters = letters,
            Err(error) => problems.push(format!("The dead-letter queues could not be read: {error}")),
        }
        cache.work_teams = work_teams.unwrap_or(std::mem::take(&mut cache.work_teams));
        facts.crew.work_teams.clone_from(&cache.work_teams);
        facts.jobs.clone_from(&cache.jobs);
        facts.dead_letters.clone_from(&cache.dead_letters);
        // Which batches are open is known only now.
        team_size::add(&self.store, &cache.manifests, &mut cache.team_size, &mut facts).await?;
        Ok(Model {
            problems,
            incomplete,
            ..assemble(&facts, &self.output_bucket)
        })
    }

    /// Everything that is in the two buckets.
    async fn load_stored(&self, cache: &mut Cache) -> Result<StoredFacts, StoreError> {
        let store = &self.store;
        let of_output = |prefix: &'static str| list(store, Bucket::Output, prefix);
        let (top, statuses, manifests, jobs, results, notified) = tokio::try_join!(
            list_top(store, Bucket::Input),
            of_output(layout::STATUS),
            of_output(layout::MANIFESTS),
            of_output(layout::JOBS),
            of_output(layout::RESULTS),
            of_output(layout::NOTICES),
        )?;
        // Documents that are new or have changed.
        let all: Vec<&Object> = statuses.objects.iter().collect();
        cache.statuses.refresh(store, &all).await?;
        let notices = newest(notified.objects.iter(), NOTICES);
        cache.notices.refresh(store, &notices).await?;
        let is_summary = |object: &&Object| object.key.ends_with(SUMMARY);
        let summaries = newest(results.objects.iter().filter(is_summary), MAX_SUMMARIES);
        cache.summaries.refresh(store, &summaries).await?;
        let batches = self
            .load_batches(cache, &manifests.objects, &jobs.objects)
            .await?;
        let (crew, missing) = crew::load(store, &mut cache.crew, &results).await?;
        let mut incomplete = cut_short([("datasets", &top), ("batches", &manifests), ("results", &results)]);
        incomplete.extend(missing);
        let folders = top.folders.iter();
        let facts = Facts {
            folders: folders
                .map(|folder| folder.trim_end_matches('/').to_owned())
                .collect(),
            loose: top.objects.into_iter().map(|object| object.key).collect(),
            crew,
            statuses: cache
                .statuses
                .documents()
                .map(|status| (status.dataset.clone(), status.clone()))
                .collect(),
            batches,
            results: results.objects.into_iter().map(|object| object.key).collect(),
            notices: cache.notices.documents().cloned().collect(),
            summaries: cache.summaries.documents().filter_map(by_batch).collect(),
            ..Facts::default()
        };
        Ok(StoredFacts { facts, incomplete })
    }

    async fn load_batches(
        &self,
        cache: &mut Cache,
        manifests: &[Object],
        jobs: &[Object],
    ) -> Result<BTreeMap<(DatasetName, BatchNumber), Batch>, StoreError> {
        let keys: Vec<String> = manifests.iter().map(|object| object.key.clone()).collect();
        load_manifest_metadata(&self.store, &keys, &mut cache.manifests).await?;
        let started: BTreeSet<&str> = jobs
            .iter()
            .filter_map(|job| job.key.strip_suffix("/started"))
            .collect();
        // Why a batch waits is of interest only until its job is started.
        let still_waits = |job: &&Object| {
            let batch = job.key.strip_suffix("/waiting.json");
            batch.is_some_and(|batch| !started.contains(batch))
        };
        let waiting: Vec<&Object> = jobs.iter().filter(still_waits).collect();
        cache.waiting.refresh(&self.store, &waiting).await?;
        let batch = |key: &String| {
            let (dataset, number) = layout::parse_manifest(key)?;
            let folder = layout::job_folder(&dataset, number);
            let batch = Batch {
                items: cache.manifests.get(key).and_then(|metadata| metadata.items),
                waiting: cache.waiting.get(&layout::job_waiting(&dataset, number)),
                started: started.contains(folder.trim_end_matches('/')),
                needs: None,
            };
            Some(((dataset, number), batch))
        };
        Ok(keys.iter().filter_map(batch).collect())
    }
}

fn by_batch(summary: &Arc<JobSummary>) -> Option<((DatasetName, BatchNumber), Arc<JobSummary>)> {
    let dataset = DatasetName::new(&summary.dataset).ok()?;
    Some(((dataset, BatchNumber::new(summary.batch)?), summary.clone()))
}
