//! The folder everything lies in: one process at a time, files replaced whole, secrets readable by their owner only.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::StackError;

const LOCK_FILE: &str = "lock";

/// An open data folder; the lock is held as long as this lives.
#[derive(Debug)]
pub(crate) struct DataDir {
    root: PathBuf,
    _lock: File,
}

impl DataDir {
    /// Makes the folder where there is none, and takes it for this process.
    pub(crate) fn open(root: &Path) -> Result<Self, StackError> {
        fs::create_dir_all(root).map_err(failed("cannot make the data folder", root))?;
        // Answers, passwords' hashes and keys lie here: nobody else on this machine has business in it.
        let owner_only = fs::Permissions::from_mode(0o700);
        fs::set_permissions(root, owner_only).map_err(failed("cannot protect the data folder", root))?;
        let path = root.join(LOCK_FILE);
        let mut options = OpenOptions::new();
        let mut lock = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed("cannot open", &path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                let _unreadable_is_unknown = lock.read_to_string(&mut pid);
                let pid = if pid.trim().is_empty() {
                    "unknown".to_owned()
                } else {
                    pid.trim().to_owned()
                };
                return Err(StackError::DataInUse {
                    data: root.to_owned(),
                    pid,
                });
            }
            Err(TryLockError::Error(error)) => return Err(failed("cannot lock", &path)(error)),
        }
        lock.set_len(0).map_err(failed("cannot write", &path))?;
        writeln!(lock, "{}", std::process::id()).map_err(failed("cannot write", &path))?;
        Ok(Self {
            root: root.to_owned(),
            _lock: lock,
        })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// The value kept under this name; made and kept (mode 0600) the first time.
    pub(crate) fn kept<T>(&self, name: &str, make: impl FnOnce() -> T) -> Result<T, StackError>
    where
        T: Serialize + DeserializeOwned,
    {
        let path = self.path(name);
        if let Some(kept) = read_json(&path)? {
            return Ok(kept);
        }
        let made = make();
        write_json(&path, &made)?;
        Ok(made)
    }
}

fn failed<E: ToString>(what: &'static str, path: &Path) -> impl FnOnce(E) -> StackError {
    let path = path.to_owned();
    move |reason| StackError::Data {
        what,
        path,
        reason: reason.to_string(),
    }
}

/// `None` where there is no file. A file that cannot be read as what it should be is an error, never overwritten.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, StackError> {
    match fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(failed("cannot understand", path)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("cannot read", path)(error)),
    }
}

/// Replaces the file in one step, so that a crash leaves the old one or the new one.
pub(crate) fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), StackError> {
    let bytes = serde_json::to_vec_pretty(value).map_err(failed("cannot write", path))?;
    replace(path, &bytes).map_err(failed("cannot write", path))
}

fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    // A name of its own for each write: two writers never share a half-written file.
    let beside = path.with_extension(format!("{}.new", uuid::Uuid::new_v4().simple()));
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_process_is_told_which_one_holds_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let _held = DataDir::open(folder.path()).unwrap();
        let refused = DataDir::open(folder.path()).unwrap_err().to_string();
        assert!(
            refused.contains(&format!("process {}", std::process::id())),
            "{refused}"
        );
        assert!(refused.contains("--data"), "{refused}");
    }

    #[test]
    fn what_is_kept_is_made_once_and_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::open(folder.path()).unwrap();
        assert_eq!(data.kept("number.json", || 7).unwrap(), 7);
        assert_eq!(data.kept("number.json", || 8).unwrap(), 7);
        let mode = fs::metadata(data.path("number.json"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_damaged_file_is_an_error_and_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::open(folder.path()).unwrap();
        fs::write(data.path("number.json"), "{").unwrap();
        assert!(data.kept("number.json", || 7).is_err());
        assert_eq!(fs::read(data.path("number.json")).unwrap(), b"{");
    }
}
