//! Files that belong to no dataset: at the top of the bucket, or in a folder that cannot be one. Announced once.

use std::cmp::Ordering;

use shared::name::DatasetNameError;
use shared::notice::{self, AnnounceError, Notice};
use shared::port::{Bucket, Store, Topic};

use crate::deps::Deps;

/// One cause: all loose files are one, each folder is its own. In the order of the notices' ids.
#[derive(Clone, Debug)]
pub(crate) struct MisplacedFiles {
    notice: Notice,
}

impl MisplacedFiles {
    pub(crate) fn loose(key: &str) -> Self {
        Self {
            notice: Notice::loose_file(key),
        }
    }

    pub(crate) fn folder(key: &str, error: &DatasetNameError) -> Self {
        Self {
            notice: Notice::misplaced_folder(key, error),
        }
    }

    pub(crate) async fn announce<S: Store, T: Topic>(&self, deps: &Deps<S, T>) -> Result<(), AnnounceError> {
        let at = deps.store.list(Bucket::Input, "", true, None).await?.date;
        tracing::warn!(id = self.notice.id, "files belong to no dataset");
        notice::announce(&deps.store, &deps.topic, &self.notice, at)
            .await
            .map(|_| ())
    }
}

impl Ord for MisplacedFiles {
    fn cmp(&self, other: &Self) -> Ordering {
        let (mine, others) = (&self.notice, &other.notice);
        (&mine.id, &mine.text).cmp(&(&others.id, &others.text))
    }
}

impl PartialOrd for MisplacedFiles {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for MisplacedFiles {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for MisplacedFiles {}
