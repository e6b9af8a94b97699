//! Files that belong to no dataset: at the top of the bucket, or in a folder that can be none. Told once.

use serde_json::json;
use sha2::{Digest, Sha256};
use shared::name::DatasetNameError;
use shared::notice::{self, AnnounceError, Notice, NoticeKind, quoted, shown, taking_out};
use shared::port::{Bucket, Store, Topic};

use crate::Deps;

/// One cause: all loose files are one, each folder is its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Misplaced {
    id: String,
    text: String,
}

impl Misplaced {
    pub(crate) fn loose(key: &str) -> Self {
        let text = format!(
            "A file lies at the top of the input bucket, in no folder, and perhaps others:\n\n  {}\n\n\
             A dataset is a folder; put the files of one dataset into one folder, with a labeling.yaml, \
             and delete the loose ones from the bucket.\n{}\n",
            quoted(key),
            taking_out("it", [key])
        );
        Self {
            id: "misplaced/loose".to_owned(),
            text,
        }
    }

    pub(crate) fn folder(key: &str, error: &DatasetNameError) -> Self {
        let folder = key.split('/').next().unwrap_or(key);
        let hash: String = Sha256::digest(folder)
            .iter()
            .take(10)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let text = format!(
            "A folder of the input bucket cannot be a dataset:\n\n    {}\n\nNothing in it is read, such as:\n\n  {}\n\n\
             Drop the files again into a folder with a name that can, and delete these from the bucket.\n{}\n",
            shown(&error.to_string()),
            quoted(key),
            taking_out("it", [key])
        );
        Self {
            id: format!("misplaced/{hash}"),
            text,
        }
    }

    pub(crate) async fn announce<S: Store, T: Topic>(&self, deps: &Deps<S, T>) -> Result<(), AnnounceError> {
        let at = deps.store.list(Bucket::Input, "", true, None).await?.date;
        tracing::warn!(id = self.id, "files belong to no dataset");
        notice::announce(&deps.store, &deps.topic, &self.notice(), at)
            .await
            .map(|_| ())
    }

    fn notice(&self) -> Notice {
        Notice {
            id: self.id.clone(),
            kind: NoticeKind::FilesRejected,
            dataset: String::new(),
            team: None,
            subject: "Groundcrew: files that belong to no dataset".to_owned(),
            text: self.text.clone(),
            detail: json!({ "message": self.text }),
        }
    }
}
