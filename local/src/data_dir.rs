//! The folder everything is kept in: used by one process at a time, in a known format, its files replaced whole and readable
//! by their owner only.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::StackError;

const LOCK_FILE: &str = "lock";
/// Only a data folder has such a file: it identifies one whose lock file was emptied.
const INDEX: &str = "s3/index.redb";
/// Says in which format the files are. Written when the folder is made, never changed.
const FORMAT_FILE: &str = "format";
/// To be raised when a file in the folder changes its form and the new code cannot read the old one.
const FORMAT: &str = "1";
/// Folders with files of ours directly in them: mail with passwords, and the index of all keys.
const PRIVATE_FOLDERS: [&str; 2] = ["outbox", "s3"];
/// Extension of a file that is not whole yet.
const DRAFT: &str = "new";
/// Where people drop files; it may exist, and have files in it, before the first start.
pub(crate) const DROP_FOLDER: &str = "drop";

/// An open data folder; the lock is held as long as this lives.
#[derive(Debug)]
pub(crate) struct DataDir {
    root: PathBuf,
    _lock: File,
}

impl DataDir {
    /// Makes the folder where there is none, and locks it for this process.
    pub(crate) fn open(root: &Path) -> Result<Self, StackError> {
        fs::create_dir_all(root).map_err(stack_error("cannot make the data folder", root))?;
        let is_new = match recognize(root).map_err(stack_error("cannot read the data folder", root))? {
            Folder::Foreign => return Err(StackError::NotData(root.to_owned())),
            Folder::New => true,
            Folder::Data => false,
        };
        // Answers, hashes of passwords, and keys are kept here: no other user of this machine may read them.
        let owner_only = fs::Permissions::from_mode(0o700);
        fs::set_permissions(root, owner_only).map_err(stack_error("cannot protect the data folder", root))?;
        let path = root.join(LOCK_FILE);
        let mut options = OpenOptions::new();
        let mut lock = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(stack_error("cannot open", &path))?;
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
            Err(TryLockError::Error(error)) => return Err(stack_error("cannot lock", &path)(error)),
        }
        if is_new {
            write_format(root)?;
        } else {
            check_format(root)?;
        }
        // In place, and cut after that: on a full disk the old number stays, and still identifies the folder.
        let pid = format!("{}\n", std::process::id());
        lock.write_all_at(pid.as_bytes(), 0)
            .map_err(stack_error("cannot write", &path))?;
        lock.set_len(pid.len() as u64)
            .map_err(stack_error("cannot write", &path))?;
        remove_drafts(root).map_err(stack_error("cannot remove unfinished files in", root))?;
        make_private(root);
        Ok(Self {
            root: root.to_owned(),
            _lock: lock,
        })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// The value in this file, which is created (mode 0600) the first time.
    pub(crate) fn load_or_create<T>(&self, name: &str, make: impl FnOnce() -> T) -> Result<T, StackError>
    where
        T: Serialize + DeserializeOwned,
    {
        let path = self.path(name);
        if let Some(value) = read_json(&path)? {
            return Ok(value);
        }
        let value = make();
        write_json(&path, &value)?;
        Ok(value)
    }
}

/// What a folder is, by what is in it.
enum Folder {
    /// A data folder of some version of groundcrew.
    Data,
    /// Empty but for dropped files, or what an interrupted first start left.
    New,
    /// It has other files. Closing a home folder, or `/tmp`, to all other users would be a bad surprise.
    Foreign,
}

fn recognize(root: &Path) -> std::io::Result<Folder> {
    let pid = fs::read_to_string(root.join(LOCK_FILE)).unwrap_or_default();
    if pid.trim().parse::<u32>().is_ok() || root.join(INDEX).exists() {
        return Ok(Folder::Data);
    }
    for entry in fs::read_dir(root)? {
        let name = entry?.file_name();
        if name != LOCK_FILE && name != FORMAT_FILE && name != DROP_FOLDER {
            return Ok(Folder::Foreign);
        }
    }
    Ok(Folder::New)
}

/// Before the process id is: from then on the folder counts as a data folder.
fn write_format(root: &Path) -> Result<(), StackError> {
    let path = root.join(FORMAT_FILE);
    let written = File::create(&path).and_then(|mut file| {
        file.write_all(FORMAT.as_bytes())?;
        file.sync_all()
    });
    written.map_err(stack_error("cannot write", &path))
}

fn check_format(root: &Path) -> Result<(), StackError> {
    let path = root.join(FORMAT_FILE);
    let found = match fs::read_to_string(&path) {
        Ok(found) => found.trim().to_owned(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => "none".to_owned(),
        Err(error) => return Err(stack_error("cannot read", &path)(error)),
    };
    if found == FORMAT {
        return Ok(());
    }
    Err(StackError::OtherFormat {
        data: root.to_owned(),
        found,
        expected: FORMAT,
    })
}

/// What a process that was killed in the middle of [`replace`] left.
fn remove_drafts(root: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(root)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == DRAFT) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// A copy of a folder, put back, may be readable to others. Objects are not changed one by one: no other user gets to them
/// through a folder that is closed.
fn make_private(root: &Path) {
    let mut folders = vec![root.to_owned()];
    folders.extend(PRIVATE_FOLDERS.map(|name| root.join(name)));
    for folder in folders {
        if let Err(error) = close_to_others(&folder) {
            tracing::warn!(%error, folder = %folder.display(), "failed to restrict permissions");
        }
    }
}

/// The folder, and the files directly in it. Links are left alone: they may lead to files of others.
fn close_to_others(folder: &Path) -> std::io::Result<()> {
    match fs::symlink_metadata(folder) {
        Ok(metadata) if metadata.is_dir() => {}
        Ok(_) => return Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    }
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_file() && entry.metadata()?.permissions().mode() & 0o077 != 0 {
            fs::set_permissions(entry.path(), fs::Permissions::from_mode(0o600))?;
        }
    }
    Ok(())
}

fn stack_error<E: ToString>(what: &'static str, path: &Path) -> impl FnOnce(E) -> StackError {
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
            .map_err(|error| StackError::Damaged {
                path: path.to_owned(),
                reason: error.to_string(),
            }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(stack_error("cannot read", path)(error)),
    }
}

/// Replaces the file in one step, so that a crash leaves the old one or the new one.
pub(crate) fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), StackError> {
    let bytes = serde_json::to_vec_pretty(value).map_err(stack_error("cannot write", path))?;
    replace(path, &bytes).map_err(stack_error("cannot write", path))
}

fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    // A name of its own for each write: two writers never share a half-written file.
    let beside = path.with_extension(format!("{}.{DRAFT}", uuid::Uuid::new_v4().simple()));
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
    fn a_folder_that_serves_something_else_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(folder.path().join("thesis.tex"), "").unwrap();
        let refused = DataDir::open(folder.path()).unwrap_err().to_string();
        assert!(refused.contains("--data"), "{refused}");
        let mode = fs::metadata(folder.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o755);
    }

    #[test]
    fn a_folder_with_dropped_files_alone_and_one_used_before_are_taken() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(DROP_FOLDER)).unwrap();
        DataDir::open(folder.path()).unwrap();
        fs::write(folder.path().join("notes.txt"), "").unwrap();
        fs::write(folder.path().join("users.1234.new"), "{").unwrap();
        DataDir::open(folder.path()).unwrap();
        assert!(folder.path().join("notes.txt").exists());
        assert!(
            !folder.path().join("users.1234.new").exists(),
            "drafts of a killed process are removed"
        );
    }

    #[test]
    fn a_data_folder_whose_lock_file_was_emptied_is_recognized() {
        let folder = tempfile::tempdir().unwrap();
        drop(DataDir::open(folder.path()).unwrap());
        fs::create_dir(folder.path().join("s3")).unwrap();
        fs::write(folder.path().join(INDEX), "").unwrap();
        fs::write(folder.path().join(LOCK_FILE), "").unwrap();
        DataDir::open(folder.path()).unwrap();
    }

    #[test]
    fn a_folder_of_another_version_is_refused_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        drop(DataDir::open(folder.path()).unwrap());
        drop(DataDir::open(folder.path()).unwrap());
        let format = folder.path().join(FORMAT_FILE);
        fs::write(&format, "2").unwrap();
        let refused = DataDir::open(folder.path()).unwrap_err().to_string();
        assert!(refused.contains("another version"), "{refused}");
        assert!(refused.contains("--data"), "{refused}");
        assert_eq!(fs::read_to_string(&format).unwrap(), "2");
        fs::remove_file(&format).unwrap();
        assert!(DataDir::open(folder.path()).is_err());
        assert!(!format.exists());
    }

    #[test]
    fn a_value_is_created_once_and_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::open(folder.path()).unwrap();
        assert_eq!(data.load_or_create("number.json", || 7).unwrap(), 7);
        assert_eq!(data.load_or_create("number.json", || 8).unwrap(), 7);
        let mode = fs::metadata(data.path("number.json"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn what_others_could_read_is_closed_to_them_at_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        drop(DataDir::open(root).unwrap());
        let elsewhere = tempfile::NamedTempFile::new().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let open = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        open(elsewhere.path(), 0o644);
        let folders = ["outbox", "s3"].map(|name| root.join(name));
        let files = ["credentials.json", "queues.redb", "outbox/one.json", INDEX].map(|name| root.join(name));
        for folder in &folders {
            fs::create_dir(folder).unwrap();
            open(folder, 0o755);
        }
        for file in &files {
            fs::write(file, "{}").unwrap();
            open(file, 0o644);
        }
        std::os::unix::fs::symlink(elsewhere.path(), root.join("outbox/link.json")).unwrap();
        open(root, 0o755);
        DataDir::open(root).unwrap();
        assert_eq!(mode(root), 0o700);
        for folder in &folders {
            assert_eq!(mode(folder), 0o700, "{}", folder.display());
        }
        for file in files.iter().chain([&root.join(LOCK_FILE)]) {
            assert_eq!(mode(file), 0o600, "{}", file.display());
        }
        assert_eq!(mode(elsewhere.path()), 0o644, "a link is not followed");
    }

    #[test]
    fn a_damaged_file_is_an_error_and_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::open(folder.path()).unwrap();
        fs::write(data.path("number.json"), "{").unwrap();
        assert!(data.load_or_create("number.json", || 7).is_err());
        assert_eq!(fs::read(data.path("number.json")).unwrap(), b"{");
    }
}
