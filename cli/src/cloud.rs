//! What commands ask of a Groundcrew's buckets and of its labeling service.

use std::collections::{BTreeMap, HashMap};
use std::error::Error;

use anyhow::{Context as _, anyhow};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_sagemaker::error::ProvideErrorMetadata;
use aws_sdk_sagemaker::operation::describe_labeling_job::DescribeLabelingJobOutput;
use console::ConsoleConfig;
use serde::de::DeserializeOwned;

pub(super) struct Cloud {
    s3: aws_sdk_s3::Client,
    labeling: aws_sdk_sagemaker::Client,
    input: String,
    output: String,
}

pub(super) struct Object {
    pub(super) body: Vec<u8>,
    pub(super) metadata: HashMap<String, String>,
}

pub(super) struct WorkTeam {
    pub(super) arn: String,
    /// Host of the portal.
    pub(super) sub_domain: Option<String>,
}

impl Cloud {
    pub(super) fn new(config: &ConsoleConfig) -> Self {
        Self {
            s3: config.s3(),
            labeling: config.labeling(),
            input: config.input_bucket.clone(),
            output: config.output_bucket.clone(),
        }
    }

    /// Into the input bucket; the object's ETag.
    pub(super) async fn put(&self, key: &str, text: &str) -> anyhow::Result<String> {
        let put = self.s3.put_object().bucket(&self.input).key(key);
        let put = put.body(ByteStream::from(text.as_bytes().to_vec())).send().await;
        let put =
            put.map_err(|error| failed(&format!("s3://{}/{key} could not be written", self.input), error))?;
        Ok(put.e_tag().unwrap_or_default().trim_matches('"').to_owned())
    }

    pub(super) async fn delete(&self, key: &str) -> anyhow::Result<()> {
        let deleted = self.s3.delete_object().bucket(&self.input).key(key).send().await;
        deleted.map_err(|error| failed(&format!("s3://{}/{key} could not be deleted", self.input), error))?;
        Ok(())
    }

    /// Of the output bucket.
    pub(super) async fn object(&self, key: &str) -> anyhow::Result<Option<Object>> {
        self.object_of(&self.output, key).await
    }

    /// Of the input bucket.
    pub(super) async fn dropped(&self, key: &str) -> anyhow::Result<Option<Object>> {
        self.object_of(&self.input, key).await
    }

    /// By an `s3://` address, as the labeling service writes them.
    pub(super) async fn at(&self, uri: &str) -> anyhow::Result<Object> {
        let place = uri.strip_prefix("s3://").and_then(|rest| rest.split_once('/'));
        let (bucket, key) = place.with_context(|| format!("`{uri}` is no S3 address"))?;
        let object = self.object_of(bucket, key).await?;
        object.with_context(|| format!("{uri} is not there"))
    }

    async fn object_of(&self, bucket: &str, key: &str) -> anyhow::Result<Option<Object>> {
        let unreadable = || format!("s3://{bucket}/{key} could not be read");
        let object = match self.s3.get_object().bucket(bucket).key(key).send().await {
            Ok(object) => object,
            Err(error) if error.as_service_error().is_some_and(|e| e.is_no_such_key()) => return Ok(None),
            Err(error) => return Err(failed(&unreadable(), error)),
        };
        let metadata = object.metadata.unwrap_or_default();
        let body = object.body.collect().await.with_context(unreadable)?.to_vec();
        Ok(Some(Object { body, metadata }))
    }

    /// A JSON document of the output bucket.
    pub(super) async fn document<T: DeserializeOwned>(&self, key: &str) -> anyhow::Result<Option<T>> {
        let Some(object) = self.object(key).await? else {
            return Ok(None);
        };
        let read = serde_json::from_slice(&object.body);
        read.with_context(|| format!("s3://{}/{key} is not what it should be", self.output))
    }

    /// ETag and size of everything under a prefix of the input bucket, by key.
    pub(super) async fn files(&self, prefix: &str) -> anyhow::Result<BTreeMap<String, (String, u64)>> {
        let (mut files, mut token) = (BTreeMap::new(), None);
        loop {
            let listed = self.s3.list_objects_v2().bucket(&self.input).prefix(prefix);
            let page = listed.set_continuation_token(token).send().await;
            let page = page.map_err(|error| {
                failed(
                    &format!("s3://{}/{prefix} could not be listed", self.input),
                    error,
                )
            })?;
            for object in page.contents.unwrap_or_default() {
                let etag = object.e_tag.unwrap_or_default().trim_matches('"').to_owned();
                let size = object.size.and_then(|size| u64::try_from(size).ok());
                files.insert(object.key.unwrap_or_default(), (etag, size.unwrap_or_default()));
            }
            token = page.next_continuation_token;
            if token.is_none() {
                return Ok(files);
            }
        }
    }

    /// The first 1,000 under a prefix.
    pub(super) async fn keys_of_output(&self, prefix: &str) -> anyhow::Result<Vec<String>> {
        let listed = self.s3.list_objects_v2().bucket(&self.output).prefix(prefix);
        let page = listed.send().await;
        let page = page.map_err(|error| {
            failed(
                &format!("s3://{}/{prefix} could not be listed", self.output),
                error,
            )
        })?;
        let keys = page.contents.unwrap_or_default().into_iter();
        Ok(keys.filter_map(|object| object.key).collect())
    }

    pub(super) async fn team(&self, name: &str) -> anyhow::Result<WorkTeam> {
        let asked = self.labeling.describe_workteam().workteam_name(name).send().await;
        let team = asked.map_err(|error| {
            failed(
                &format!("the labeling service does not tell about the work team `{name}`"),
                error,
            )
        })?;
        let team = team
            .workteam
            .context("the labeling service answered without a work team")?;
        Ok(WorkTeam {
            arn: team.workteam_arn.unwrap_or_default(),
            sub_domain: team.sub_domain.filter(|host| !host.is_empty()),
        })
    }

    pub(super) async fn job(&self, name: &str) -> anyhow::Result<DescribeLabelingJobOutput> {
        let asked = self.labeling.describe_labeling_job().labeling_job_name(name);
        let told = asked.send().await;
        told.map_err(|error| {
            failed(
                &format!("the labeling service does not tell about the job {name}"),
                error,
            )
        })
    }

    pub(super) async fn stop(&self, name: &str) -> anyhow::Result<()> {
        let asked = self.labeling.stop_labeling_job().labeling_job_name(name);
        let stopped = asked.send().await;
        stopped.map_err(|error| failed(&format!("the job {name} could not be stopped"), error))?;
        Ok(())
    }
}

/// What the service said, where it said something; otherwise all there is to know of why it did not.
fn failed<E>(what: &str, error: E) -> anyhow::Error
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    match (error.message(), error.code()) {
        (Some(message), Some(code)) => anyhow!("{what}: {message} ({code})"),
        _ => anyhow::Error::new(error).context(what.to_owned()),
    }
}
