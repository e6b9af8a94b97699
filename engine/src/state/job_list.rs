//! Every labeling job there is. Lists of jobs are requested often, so documents that have not changed are kept in memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use futures::{StreamExt, TryStreamExt, stream};

use super::documents::{Documents, READERS, StoredDocument};
use super::objects::{ListedObject, StoreError};
use super::records::{JobRecord, keys};
use crate::lock::lock;

pub(crate) struct JobList {
    documents: Documents,
    /// Job documents as last read, by key.
    read: Mutex<HashMap<String, StoredDocument<Arc<JobRecord>>>>,
}

impl JobList {
    pub(crate) fn new(documents: Documents) -> JobList {
        JobList {
            documents,
            read: Mutex::default(),
        }
    }

    /// All jobs. Reads only the documents whose ETag has changed.
    pub(crate) async fn list(&self) -> Result<Vec<Arc<JobRecord>>, StoreError> {
        let listed = self.documents.list(keys::JOBS).await?;
        let jobs: Vec<Option<Arc<JobRecord>>> = stream::iter(listed)
            .map(|listed| self.job(listed))
            .buffered(READERS)
            .try_collect()
            .await?;
        Ok(jobs.into_iter().flatten().collect())
    }

    async fn job(&self, listed: ListedObject) -> Result<Option<Arc<JobRecord>>, StoreError> {
        let known = lock(&self.read).get(&listed.key).cloned();
        if let Some(known) = known.filter(|known| known.etag == listed.etag) {
            return Ok(Some(known.value));
        }
        let Some(stored) = self.documents.load_readable::<JobRecord>(&listed.key).await? else {
            return Ok(None);
        };
        let value = Arc::new(stored.value);
        let stored = StoredDocument {
            value: value.clone(),
            etag: stored.etag,
        };
        lock(&self.read).insert(listed.key, stored);
        Ok(Some(value))
    }
}
