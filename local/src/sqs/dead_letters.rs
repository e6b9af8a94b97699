//! Dead letters on disk: a file for each, so that they are still there after a restart. There are few: a message becomes
//! one only after it has failed many times.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::message::Message;
use crate::data_dir::{read_json, write_json};
use crate::error::StackError;

/// The folder of one dead-letter queue.
pub(super) struct DeadLetterFolder {
    path: PathBuf,
}

impl DeadLetterFolder {
    /// Makes the folder where there is none. Returns it with the letters in it, oldest first.
    pub(super) fn open(path: &Path) -> Result<(Self, Vec<Message>), StackError> {
        let failed = |reason: io::Error| StackError::Data {
            what: "cannot open the dead letters in",
            path: path.to_owned(),
            reason: reason.to_string(),
        };
        fs::create_dir_all(path).map_err(failed)?;
        let mut letters = Vec::new();
        for file in fs::read_dir(path).map_err(failed)? {
            let file = file.map_err(failed)?.path();
            if file.extension().is_some_and(|extension| extension == "json") {
                letters.extend(read_letter(&file));
            }
        }
        letters.sort_by(|a, b| (a.sent, &a.id).cmp(&(b.sent, &b.id)));
        let path = path.to_owned();
        Ok((Self { path }, letters))
    }

    /// A letter that cannot be written stays in the queue, and is lost when the process ends.
    pub(super) fn write(&self, letter: &Message) {
        if let Err(error) = write_json(&self.file(letter), letter) {
            tracing::error!(%error, "dead letter not written to disk; kept in memory");
        }
    }

    pub(super) fn remove(&self, letter: &Message) {
        match fs::remove_file(self.file(letter)) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                tracing::error!(%error, message = letter.id, "dead letter not removed from disk; the next start shows it again");
            }
            _ => {}
        }
    }

    fn file(&self, letter: &Message) -> PathBuf {
        self.path.join(format!("{}.json", letter.id))
    }
}

/// One unreadable letter is no reason not to start: the sweep works on what it was about.
fn read_letter(file: &Path) -> Option<Message> {
    read_json(file).unwrap_or_else(|error| {
        tracing::error!(%error, "dead letter unreadable; left out");
        None
    })
}
