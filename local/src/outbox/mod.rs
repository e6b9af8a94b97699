//! The outbox: every mail and notice that left, as a file, because no mail leaves this machine. A person reads it in
//! the browser, a program as JSON.

mod page;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::data_dir::{read_json, write_json};
use crate::error::StackError;

pub(crate) use page::{address, router};

/// One thing that left, or was to leave.
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
    /// The same as HTML, where it was sent as HTML.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
    pub state: Delivery,
    /// It holds a password or a code that is good until then; after that, and once it was used, the text is taken out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_until: Option<Timestamp>,
}

/// What stands in the place of a mail whose password or code is good no more.
const TAKEN_OUT: &str = "The password or code in this mail is not good any more, so it was taken out.";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Delivery {
    Delivered,
    /// An HTTP endpoint has not taken it yet.
    Sending,
    /// Given up, with the last answer.
    Failed(String),
}

/// The folder, and what lies in it, oldest first.
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
        outbox.give_up_what_was_under_way()?;
        outbox.take_out_secrets(|entry| entry.secret_until.is_some_and(|until| until <= Timestamp::now()))?;
        Ok(outbox)
    }

    /// Nobody is trying any more to deliver what an earlier process had begun to.
    fn give_up_what_was_under_way(&self) -> Result<(), StackError> {
        for mut entry in self
            .entries()
            .into_iter()
            .filter(|entry| entry.state == Delivery::Sending)
        {
            entry.state = Delivery::Failed("groundcrew was stopped before the endpoint took it".to_owned());
            self.put(entry)?;
        }
        Ok(())
    }

    /// What was mailed to this address was used, or is void by now.
    pub(crate) fn forget_secrets_of(&self, address: &str) -> Result<(), StackError> {
        self.take_out_secrets(|entry| entry.to.eq_ignore_ascii_case(address))
    }

    fn take_out_secrets(&self, is_void: impl Fn(&Entry) -> bool) -> Result<(), StackError> {
        let void = self
            .entries()
            .into_iter()
            .filter(|entry| entry.secret_until.is_some() && is_void(entry));
        for mut entry in void {
            TAKEN_OUT.clone_into(&mut entry.text);
            (entry.html, entry.secret_until) = (None, None);
            self.put(entry)?;
        }
        Ok(())
    }

    /// Keeps the entry, or what has become of it. On disk before this returns.
    pub(crate) fn put(&self, entry: Entry) -> Result<(), StackError> {
        let stamp = entry.at.strftime("%Y%m%dT%H%M%S%3fZ");
        write_json(&self.folder.join(format!("{stamp}-{}.json", entry.id)), &entry)?;
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        // What changes has just been put: it stands near the end.
        match entries.iter_mut().rev().find(|known| known.id == entry.id) {
            Some(known) => *known = entry,
            None => entries.push(entry),
        }
        Ok(())
    }

    /// Everything, newest first.
    pub fn entries(&self) -> Vec<Entry> {
        let mut entries = self
            .entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        entries.reverse();
        entries
    }

    /// The newest first: at most so many, to an address that contains this (in any case), older than the entry with this
    /// id. And whether there are more.
    fn page(&self, to: &str, before: Option<&str>, most: usize) -> (Vec<Entry>, bool) {
        let to = to.trim().to_lowercase();
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let end = before.and_then(|id| entries.iter().rposition(|entry| entry.id == id));
        let older = &entries[..end.unwrap_or(entries.len())];
        let mut fitting = older
            .iter()
            .rev()
            .filter(|entry| entry.to.to_lowercase().contains(&to));
        let page = fitting.by_ref().take(most).cloned().collect();
        (page, fitting.next().is_some())
    }

    fn entry(&self, id: &str) -> Option<Entry> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.iter().find(|entry| entry.id == id).cloned()
    }
}
