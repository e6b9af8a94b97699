//! The notices about files that belong to no dataset: at the top of the input bucket, or in a folder that cannot be one.

use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::dataset::deletion_commands;
use super::model::{Notice, NoticeKind};
use crate::mail_text::{quote, safe};
use crate::name::DatasetNameError;

impl Notice {
    /// All files at the top of the bucket are one cause.
    pub fn loose_file(key: &str) -> Self {
        let text = format!(
            "A file is at the top of the input bucket, in no folder, and perhaps others:\n\n  {}\n\n\
             A dataset is a folder. Put the files of one dataset into one folder, with a\n\
             labeling.yaml, and delete the loose ones from the bucket.\n{}\n",
            quote(key),
            deletion_commands("it", [key])
        );
        misplaced_notice("loose", text)
    }

    /// Each folder is a cause of its own; `key` is in it.
    pub fn misplaced_folder(key: &str, error: &DatasetNameError) -> Self {
        let folder = key.split('/').next().unwrap_or(key);
        let hash = hex::encode(&Sha256::digest(folder)[..10]);
        let text = format!(
            "A folder of the input bucket cannot be a dataset:\n\n    {}\n\nNothing in it is read, such as:\n\n  {}\n\n\
             Put the files into a folder with a valid name, and delete these from the\n\
             bucket.\n{}\n",
            safe(&error.to_string()),
            quote(key),
            deletion_commands("it", [key])
        );
        misplaced_notice(&hash, text)
    }
}

fn misplaced_notice(cause: &str, text: String) -> Notice {
    Notice {
        id: format!("misplaced/{cause}"),
        kind: NoticeKind::FilesRejected,
        dataset: String::new(),
        team: None,
        subject: "Groundcrew: files that belong to no dataset".to_owned(),
        detail: json!({ "message": text }),
        text,
    }
}
