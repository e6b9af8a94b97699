//! The outbox: every mail and notice that was sent, as a file, because no mail leaves this machine. A person reads it in
//! the browser, a program as JSON.

mod page;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::data_dir::{read_json, write_json};
use crate::error::StackError;
use crate::lock::lock;

pub(crate) use page::{address, router};

/// A mail or notice that was sent, or is to be sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    pub id: String,
    pub at: Timestamp,
    /// `email`, `email-json`, `http`, `https`
    pub protocol: String,
    /// Address or URL.
    pub to: String,
    pub from: String,
    pub subject: Option<String>,
    pub text: String,
    /// The HTML, where it was sent as HTML.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
    pub state: Delivery,
    /// It holds a password or a code that is valid until then; after that, and once it was used, the text is removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_until: Option<Timestamp>,
}

/// The text of a mail whose password or code is void.
const REMOVED: &str = "The password or code in this mail is no longer valid, so the text was removed.";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Delivery {
    Delivered,
    /// An HTTP endpoint has not accepted it yet.
    Sending,
    /// Not retried again; with the last answer.
    Failed(String),
}

/// The folder and the entries in it, oldest first.
#[derive(Clone)]
pub struct Outbox {
    folder: PathBuf,
    entries: Arc<Mutex<Vec<Entry>>>,
}

impl Outbox {
    pub(crate) fn open(folder: &Path) -> Result<Self, StackError> {
        let failed = |reason: std::io::Error| StackError::Data {
            what: "cannot open the outbox",
            path: folder.to_owned(),
            reason: reason.to_string(),
        };
        std::fs::create_dir_all(folder).map_err(failed)?;
        let mut entries = Vec::new();
        for file in std::fs::read_dir(folder).map_err(failed)? {
            let path = file.map_err(failed)?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                entries.extend(read_json::<Entry>(&path)?);
            }
        }
        entries.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
        let outbox = Self {
            folder: folder.to_owned(),
            entries: Arc::new(Mutex::new(entries)),
        };
        outbox.fail_unfinished_deliveries()?;
        outbox.remove_secrets(|entry| entry.secret_until.is_some_and(|until| until <= Timestamp::now()))?;
        Ok(outbox)
    }

    /// A delivery that an earlier process had begun is not retried.
    fn fail_unfinished_deliveries(&self) -> Result<(), StackError> {
        let unfinished = self.entries().into_iter();
        for mut entry in unfinished.filter(|entry| entry.state == Delivery::Sending) {
            entry.state =
                Delivery::Failed("groundcrew was stopped before the endpoint accepted it".to_owned());
            self.put(entry)?;
        }
        Ok(())
    }

    /// The passwords and codes that were mailed to this address are used, or void.
    pub(crate) fn remove_secrets_to(&self, address: &str) -> Result<(), StackError> {
        self.remove_secrets(|entry| entry.to.eq_ignore_ascii_case(address))
    }

    fn remove_secrets(&self, is_void: impl Fn(&Entry) -> bool) -> Result<(), StackError> {
        let void = self
            .entries()
            .into_iter()
            .filter(|entry| entry.secret_until.is_some() && is_void(entry));
        for mut entry in void {
            REMOVED.clone_into(&mut entry.text);
            (entry.html, entry.secret_until) = (None, None);
            self.put(entry)?;
        }
        Ok(())
    }

    /// Adds the entry, or replaces it by its new state. On disk before this returns.
    pub(crate) fn put(&self, entry: Entry) -> Result<(), StackError> {
        let stamp = entry.at.strftime("%Y%m%dT%H%M%S%3fZ");
        write_json(&self.folder.join(format!("{stamp}-{}.json", entry.id)), &entry)?;
        let mut entries = lock(&self.entries);
        // An entry that changes was added a moment ago: it is near the end.
        match entries.iter_mut().rev().find(|known| known.id == entry.id) {
            Some(known) => *known = entry,
            None => entries.push(entry),
        }
        Ok(())
    }

    /// Everything, newest first.
    pub fn entries(&self) -> Vec<Entry> {
        let mut entries = lock(&self.entries).clone();
        entries.reverse();
        entries
    }

    /// Newest first: at most `most` entries to an address that contains `to` (in any case), older than the entry with the
    /// id `before`; and whether there are more.
    fn page(&self, to: &str, before: Option<&str>, most: usize) -> (Vec<Entry>, bool) {
        let to = to.trim().to_lowercase();
        let entries = lock(&self.entries);
        let end = before.and_then(|id| entries.iter().rposition(|entry| entry.id == id));
        let older = &entries[..end.unwrap_or(entries.len())];
        let mut matching = older
            .iter()
            .rev()
            .filter(|entry| entry.to.to_lowercase().contains(&to));
        let page = matching.by_ref().take(most).cloned().collect();
        (page, matching.next().is_some())
    }

    fn entry(&self, id: &str) -> Option<Entry> {
        let entries = lock(&self.entries);
        entries.iter().find(|entry| entry.id == id).cloned()
    }
}
