//! One scan of the folder: the files that can be objects, and what is wrong with the others.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::path::Path;
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};
use walkdir::{DirEntry, WalkDir};

/// An S3 key has at most this many bytes.
const LONGEST_KEY: usize = 1024;

/// What changes when a file does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp {
    pub(super) size: u64,
    /// Nanoseconds since 1970.
    pub(super) modified: u64,
}

impl Stamp {
    pub(super) fn of(metadata: &Metadata) -> Self {
        let modified = metadata
            .modified()
            .ok()
            .and_then(|at| at.duration_since(UNIX_EPOCH).ok())
            .unwrap_or_default();
        Self {
            size: metadata.len(),
            modified: u64::try_from(modified.as_nanos()).unwrap_or(u64::MAX),
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct ScannedFile {
    /// The path below the folder.
    pub(super) key: String,
    pub(super) stamp: Stamp,
}

#[derive(Debug, Default)]
pub(super) struct Scan {
    pub(super) files: Vec<ScannedFile>,
    /// By path.
    pub(super) problems: BTreeMap<String, String>,
}

impl Scan {
    /// Whether a file may exist and could not be read: it, or a folder above it, is a problem.
    pub(super) fn is_hidden(&self, key: &str) -> bool {
        let above = |path: &String| {
            path.is_empty()
                || key
                    .strip_prefix(path.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.problems.keys().any(above)
    }
}

/// It is uploaded all the same: in the bucket it is reported like any other file outside a dataset.
const NOT_IN_DATASET: &str = "is not in a dataset; put it into a folder, whose name is the dataset's";

pub(super) fn scan(folder: &Path) -> Scan {
    let mut scan = Scan::default();
    // Links are not followed: one could lead to anything on this machine.
    let walk = WalkDir::new(folder).min_depth(1).sort_by_file_name().into_iter();
    for entry in walk.filter_entry(|entry| !is_temporary(entry)) {
        match entry {
            Ok(entry) => match scan_entry(folder, &entry) {
                Ok(found) => {
                    if found.is_some() && entry.depth() == 1 {
                        scan.problems
                            .insert(display_path(folder, entry.path()), NOT_IN_DATASET.to_owned());
                    }
                    scan.files.extend(found);
                }
                Err(reason) => {
                    scan.problems.insert(display_path(folder, entry.path()), reason);
                }
            },
            Err(error) => {
                let path = error
                    .path()
                    .map_or_else(String::new, |path| display_path(folder, path));
                let gone = error
                    .io_error()
                    .is_some_and(|error| error.kind() == std::io::ErrorKind::NotFound);
                if !gone {
                    scan.problems.insert(path, format!("cannot be read: {error}"));
                }
            }
        }
    }
    scan
}

/// Whether it is a file that file managers, editors and browsers leave behind or have not finished.
fn is_temporary(entry: &DirEntry) -> bool {
    let name = entry.file_name().to_string_lossy();
    let started = ["._", ".~", "~$", ".#", ".git"]
        .iter()
        .any(|start| name.starts_with(start));
    let ended = [".part", ".crdownload", ".swp", ".tmp", "~"]
        .iter()
        .any(|end| name.ends_with(end));
    started || ended || [".DS_Store", "Thumbs.db", "desktop.ini", "__MACOSX"].contains(&&*name)
}

fn scan_entry(folder: &Path, entry: &DirEntry) -> Result<Option<ScannedFile>, String> {
    if entry.file_type().is_dir() {
        return Ok(None);
    }
    if !entry.file_type().is_file() {
        return Err("is a link or a device; copy the file itself".to_owned());
    }
    let key = key(folder, entry.path())?;
    let Ok(metadata) = entry.metadata() else {
        return Ok(None);
    };
    let stamp = Stamp::of(&metadata);
    Ok(Some(ScannedFile { key, stamp }))
}

fn key(folder: &Path, path: &Path) -> Result<String, String> {
    let below = path.strip_prefix(folder).map_err(|error| error.to_string())?;
    let parts: Option<Vec<&str>> = below.iter().map(|part| part.to_str()).collect();
    let key = parts.ok_or("its name is not valid UTF-8; rename it")?.join("/");
    if key.len() > LONGEST_KEY {
        return Err(format!(
            "its path has {} bytes, and S3 takes {LONGEST_KEY}; shorten it",
            key.len()
        ));
    }
    Ok(key)
}

fn display_path(folder: &Path, path: &Path) -> String {
    path.strip_prefix(folder)
        .unwrap_or(path)
        .to_string_lossy()
        .into_owned()
}
