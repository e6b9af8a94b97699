//! The files of a folder as they would lie in the bucket: by key, in byte order.

use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use walkdir::WalkDir;

/// One file.
pub(super) struct Found {
    /// Path within the dataset, with `/`.
    pub(super) path: Result<String, Unfit>,
    pub(super) on_disk: PathBuf,
    pub(super) size: u64,
}

/// A file that cannot be dropped.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Unfit {
    /// Its path as well as it can be shown.
    pub(super) shown: String,
    pub(super) reason: &'static str,
}

const NOT_UTF8: &str = "the name is not UTF-8, and S3 takes no other: rename the file";
const LINK: &str = "it is a link or a device: copy the file itself";

/// All files below the folder; links are not followed, as a bucket has none.
pub(super) fn walk(folder: &Path) -> anyhow::Result<Vec<Found>> {
    let mut found = Vec::new();
    for entry in WalkDir::new(folder).min_depth(1) {
        let entry = entry.context("the folder could not be read whole")?;
        if entry.file_type().is_dir() {
            continue;
        }
        let relative = entry.path().strip_prefix(folder).unwrap_or(entry.path());
        let unfit = |reason| Unfit {
            shown: relative.to_string_lossy().into_owned(),
            reason,
        };
        let path = match relative.to_str() {
            _ if !entry.file_type().is_file() => Err(unfit(LINK)),
            Some(path) => Ok(path.to_owned()),
            None => Err(unfit(NOT_UTF8)),
        };
        found.push(Found {
            path,
            size: entry.metadata()?.len(),
            on_disk: entry.into_path(),
        });
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

/// The bytes from `start`, at most `length` of them.
pub(super) fn part(path: &Path, start: u64, length: u64) -> anyhow::Result<Vec<u8>> {
    let file = std::fs::File::open(path).with_context(|| path.display().to_string())?;
    let mut bytes = vec![0; usize::try_from(length)?];
    let mut filled = 0;
    while filled < bytes.len() {
        let read = file.read_at(&mut bytes[filled..], start + filled as u64);
        match read.with_context(|| path.display().to_string())? {
            0 => break,
            count => filled += count,
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}
