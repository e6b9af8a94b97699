//! A log of what has been uploaded, so that a restart does not upload it again: a line for each upload; the last one of a
//! file counts.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::scan::Stamp;

pub(super) struct UploadLog {
    uploaded: HashMap<String, Stamp>,
    file: File,
    /// The last line may have been written in part: the disk was full.
    torn: bool,
}

#[derive(Serialize, Deserialize)]
struct Line {
    key: String,
    /// `None` after the file was deleted: if it comes back, it is uploaded again.
    #[serde(flatten)]
    stamp: Option<Stamp>,
}

impl UploadLog {
    /// Reads the log and writes it again without outdated lines.
    pub(super) fn open(path: &Path) -> std::io::Result<Self> {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        // A line cut short by a crash is ignored: its file is uploaded again, which does no harm.
        let text = String::from_utf8_lossy(&bytes);
        let lines = text
            .lines()
            .filter_map(|line| serde_json::from_str::<Line>(line).ok());
        let mut uploaded = HashMap::new();
        for Line { key, stamp } in lines {
            match stamp {
                Some(stamp) => uploaded.insert(key, stamp),
                None => uploaded.remove(&key),
            };
        }
        let beside = path.with_extension("new");
        let mut fresh = BufWriter::new(File::create(&beside)?);
        for (key, stamp) in &uploaded {
            write_line(&mut fresh, key, Some(*stamp))?;
        }
        fresh.flush()?;
        std::fs::rename(&beside, path)?;
        Ok(Self {
            uploaded,
            file: OpenOptions::new().append(true).open(path)?,
            torn: false,
        })
    }

    pub(super) fn is_current(&self, key: &str, stamp: Stamp) -> bool {
        self.uploaded.get(key) == Some(&stamp)
    }

    pub(super) fn contains(&self, key: &str) -> bool {
        self.uploaded.contains_key(key)
    }

    pub(super) fn keys(&self) -> impl ExactSizeIterator<Item = &String> {
        self.uploaded.keys()
    }

    pub(super) fn add(&mut self, key: &str, stamp: Stamp) -> std::io::Result<()> {
        self.append(key, Some(stamp))?;
        self.uploaded.insert(key.to_owned(), stamp);
        Ok(())
    }

    pub(super) fn remove(&mut self, key: &str) -> std::io::Result<()> {
        self.uploaded.remove(key);
        self.append(key, None)
    }

    fn append(&mut self, key: &str, stamp: Option<Stamp>) -> std::io::Result<()> {
        let mut line = if self.torn { b"\n".to_vec() } else { Vec::new() };
        write_line(&mut line, key, stamp)?;
        let written = self.file.write_all(&line);
        self.torn = written.is_err();
        written
    }
}

fn write_line(out: &mut impl Write, key: &str, stamp: Option<Stamp>) -> std::io::Result<()> {
    serde_json::to_writer(
        &mut *out,
        &Line {
            key: key.to_owned(),
            stamp,
        },
    )?;
    out.write_all(b"\n")
}
