//! The files of a folder on this disk, in the order of their keys in the bucket, and reading them.

use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use walkdir::WalkDir;

use crate::paint::one_line;

/// One file.
pub(super) struct LocalFile {
    /// Path within the dataset, with `/`.
    pub(super) path: Result<String, UnusableFile>,
    pub(super) on_disk: PathBuf,
    pub(super) size: u64,
}

/// A file that cannot be uploaded.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct UnusableFile {
    /// Its path, with a replacement for what cannot be shown.
    pub(super) shown: String,
    pub(super) reason: &'static str,
}

const NOT_UTF8: &str = "the name is not UTF-8, and S3 takes no other: rename the file";
const LINK: &str = "it is a link or a device: copy the file itself";

/// All files below the folder; links are not followed, as a bucket has none.
pub(super) fn walk(folder: &Path) -> anyhow::Result<Vec<LocalFile>> {
    let mut files = Vec::new();
    for entry in WalkDir::new(folder).min_depth(1) {
        let entry = entry.context("a part of the folder cannot be read")?;
        if entry.file_type().is_dir() {
            continue;
        }
        let relative = entry.path().strip_prefix(folder).unwrap_or(entry.path());
        let unusable = |reason| UnusableFile {
            shown: relative.to_string_lossy().into_owned(),
            reason,
        };
        let path = match relative.to_str() {
            _ if !entry.file_type().is_file() => Err(unusable(LINK)),
            Some(path) => Ok(path.to_owned()),
            None => Err(unusable(NOT_UTF8)),
        };
        files.push(LocalFile {
            path,
            size: entry.metadata()?.len(),
            on_disk: entry.into_path(),
        });
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// The bytes from `start`, at most `length` of them.
pub(super) fn read_range(path: &Path, start: u64, length: u64) -> anyhow::Result<Vec<u8>> {
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

/// One byte more than `bytes` at most, which is enough to know that the file is too long.
pub(super) fn read_at_most(path: &Path, bytes: usize) -> anyhow::Result<Vec<u8>> {
    use std::io::Read as _;

    let mut text = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(bytes as u64 + 1).read_to_end(&mut text))
        .with_context(|| path.display().to_string())?;
    Ok(text)
}

pub(super) fn path_text(path: &Path) -> String {
    one_line(&path.display().to_string(), 400)
}
