//! The services of a stack that commands use: its buckets, its labeling service, its work teams.

use anyhow::{Context as _, bail};
use aws::crew::PrivateWorkforce;
use aws::labeling::GroundTruth;
use aws::labeling::admin::JobDetails;
use aws::s3::Buckets;
use aws::s3::admin::WriteCondition;
use console::ConsoleConfig;
use serde::de::DeserializeOwned;
use shared::documents;
use shared::port::crew::{WorkTeamDescription, Workforce as _};
use shared::port::{Bucket, ReplaceOutcome, Store as _, StoredObject};

pub(crate) struct Services {
    pub(crate) store: Buckets,
    pub(crate) labeling: GroundTruth,
    workforce: PrivateWorkforce,
}

impl Services {
    pub(crate) fn new(config: &ConsoleConfig) -> Self {
        Self {
            store: config.buckets(),
            labeling: config.labeling(),
            workforce: config.workforce(),
        }
    }

    /// Writes over whatever is there; returns the object's ETag.
    pub(crate) async fn write(&self, bucket: Bucket, key: &str, text: &str) -> anyhow::Result<String> {
        let body = text.as_bytes().to_vec();
        match self.store.write(bucket, key, body, WriteCondition::None).await? {
            ReplaceOutcome::Done { etag } => Ok(etag),
            ReplaceOutcome::Changed => bail!("{key} changed while it was written"),
        }
    }

    /// Of the output bucket.
    pub(crate) async fn object(&self, key: &str) -> anyhow::Result<Option<StoredObject>> {
        Ok(self.store.get(Bucket::Output, key, None).await?)
    }

    /// A JSON document of the output bucket.
    pub(crate) async fn document<T: DeserializeOwned>(&self, key: &str) -> anyhow::Result<Option<T>> {
        Ok(documents::load(&self.store, key).await?.document)
    }

    /// An object of the output bucket by its `s3://` address, as the labeling service writes one.
    pub(crate) async fn object_at(&self, uri: &str) -> anyhow::Result<Vec<u8>> {
        let path = uri.strip_prefix("s3://").and_then(|rest| rest.split_once('/'));
        let key = path.and_then(|(bucket, key)| (bucket == self.store.output).then_some(key));
        let key = key.with_context(|| format!("`{uri}` is not in the output bucket"))?;
        let object = self.object(key).await?;
        let object = object.with_context(|| format!("there is no object {uri}"))?;
        Ok(object.bytes)
    }

    /// Whether there is such an object, in any bucket.
    pub(crate) async fn exists(&self, bucket: &str, key: &str) -> anyhow::Result<bool> {
        Ok(self.store.get_linked(bucket, key, 0..1).await?.is_some())
    }

    /// `None` where there is no such work team.
    pub(crate) async fn work_team(&self, name: &str) -> anyhow::Result<Option<WorkTeamDescription>> {
        Ok(self.workforce.team(name).await?)
    }

    pub(crate) async fn job(&self, name: &str) -> anyhow::Result<JobDetails> {
        let details = self.labeling.details(name).await?;
        details.with_context(|| format!("the labeling service has no job {name}"))
    }
}
