//! A database file on a disk that may fail. A damaged file is reported and left as it is, a missing one is not made again, and
//! one whose disk was full is opened again when there is room.

use std::fs::{self, OpenOptions};
use std::io;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Once, RwLock};
use std::time::{Duration, Instant};

use redb::{Database, ReadTransaction, ReadableDatabase, StorageError, TransactionError, WriteTransaction};

use crate::lock;

/// A file of up to this size is read whole when it is opened, and every page compared with its checksum: a tenth of a
/// second. `redb` itself looks only after a crash, and a page that is not what was written ends in a panic.
const LARGEST_CHECKED: u64 = 64 << 20;
/// Extension of an empty file beside the database, which says that the database was made.
const MADE: &str = "made";
/// The thread on which a panic of `redb` means a damaged file.
const CHECKER: &str = "database-check";
/// Between two attempts at a file that cannot be opened; writes fail at once until then.
const REOPEN_PAUSE: Duration = Duration::from_secs(1);

/// One file of `redb`, written by one thread. Reading and writing fail while the disk does, and work again afterwards.
pub(crate) struct DatabaseFile {
    path: PathBuf,
    cache: usize,
    state: RwLock<State>,
}

struct State {
    /// `None` from a failure until the file could be opened again.
    database: Option<Database>,
    tried: Option<Instant>,
}

/// Why a file cannot be used, for the person whose disk it is.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DatabaseError {
    #[error("another process has it open. Stop that one, or give this one another data folder")]
    InUse,
    #[error("it is damaged ({0})")]
    Damaged(String),
    #[error("it is missing or empty, and was not when groundcrew last ran")]
    Missing,
    #[error("{0}")]
    Disk(String),
}

impl DatabaseFile {
    /// Opens the file, or makes it where there has been none; `prepare` makes its tables.
    pub(crate) fn open(
        path: &Path,
        cache: usize,
        prepare: impl FnOnce(&WriteTransaction) -> Result<(), redb::Error>,
    ) -> Result<Self, DatabaseError> {
        let made = path.with_extension(MADE);
        if is_blank(path) && made.exists() {
            return Err(DatabaseError::Missing);
        }
        let ledger = Self::open_or_create(path, cache, prepare)?;
        mark(&made).map_err(|error| DatabaseError::Disk(error.to_string()))?;
        Ok(ledger)
    }

    /// The same for a file that may be lost: it is made again.
    pub(crate) fn open_or_create(
        path: &Path,
        cache: usize,
        prepare: impl FnOnce(&WriteTransaction) -> Result<(), redb::Error>,
    ) -> Result<Self, DatabaseError> {
        let database = load(path, cache)?;
        let begun = database.begin_write().map_err(redb::Error::from);
        let prepared = begun.and_then(|transaction| {
            prepare(&transaction)?;
            Ok(transaction.commit()?)
        });
        prepared.map_err(|error| explain(&error))?;
        Ok(Self {
            path: path.to_owned(),
            cache,
            state: RwLock::new(State {
                database: Some(database),
                tried: None,
            }),
        })
    }

    /// Everything as it is now.
    pub(crate) fn read(&self) -> Result<ReadTransaction, DatabaseError> {
        self.begin_or_reopen(Database::begin_read)
    }

    /// Of the one thread that writes.
    pub(crate) fn write(&self) -> Result<WriteTransaction, DatabaseError> {
        self.begin_or_reopen(Database::begin_write)
    }

    /// After a failure this opens the file again first, if that is possible.
    fn begin_or_reopen<T>(
        &self,
        begin: impl Fn(&Database) -> Result<T, TransactionError>,
    ) -> Result<T, DatabaseError> {
        match self.begin(&begin) {
            Err(TransactionError::Storage(StorageError::PreviousIo | StorageError::Io(_))) => {}
            begun => return begun.map_err(|error| explain(&error.into())),
        }
        self.reopen()?;
        self.begin(&begin).map_err(|error| explain(&error.into()))
    }

    fn begin<T>(
        &self,
        begin: impl FnOnce(&Database) -> Result<T, TransactionError>,
    ) -> Result<T, TransactionError> {
        let state = lock::read(&self.state);
        match &state.database {
            Some(database) => begin(database),
            None => Err(StorageError::PreviousIo.into()),
        }
    }

    /// After a failure of the disk `redb` accepts nothing more: only opening the file again shows what the disk has of the
    /// last transaction.
    fn reopen(&self) -> Result<(), DatabaseError> {
        let mut state = lock::write(&self.state);
        if state.tried.is_some_and(|tried| tried.elapsed() < REOPEN_PAUSE) {
            return Err(explain(&redb::Error::PreviousIo));
        }
        state.tried = Some(Instant::now());
        // Two cannot have the file open.
        drop(state.database.take());
        if is_blank(&self.path) {
            return Err(DatabaseError::Missing);
        }
        state.database = Some(load(&self.path, self.cache)?);
        Ok(())
    }
}

fn is_blank(path: &Path) -> bool {
    fs::metadata(path).map_or(true, |file| file.len() == 0)
}

/// Opens the file on a thread of its own, where a panic of `redb` about a damaged page can be caught without being printed.
fn load(path: &Path, cache: usize) -> Result<Database, DatabaseError> {
    silence_the_checker();
    let path = path.to_owned();
    let checker = std::thread::Builder::new().name(CHECKER.to_owned());
    let opened = checker.spawn(move || catch_unwind(AssertUnwindSafe(|| open_checked(&path, cache))));
    let opened = opened.map_err(|error| DatabaseError::Disk(error.to_string()))?;
    match opened.join() {
        Ok(Ok(opened)) => opened.map_err(|error| explain(&error)),
        _ => Err(DatabaseError::Damaged(
            "a page is not what was written to it".to_owned(),
        )),
    }
}

fn open_checked(path: &Path, cache: usize) -> Result<Database, redb::Error> {
    let size = fs::metadata(path).map_or(0, |file| file.len());
    let mut database = Database::builder().set_cache_size(cache).create(path)?;
    if (1..=LARGEST_CHECKED).contains(&size) && !database.check_integrity()? {
        tracing::warn!(file = %path.display(), "database was not closed in order; it has been repaired");
    }
    Ok(database)
}

fn explain(error: &redb::Error) -> DatabaseError {
    match error {
        redb::Error::DatabaseAlreadyOpen => DatabaseError::InUse,
        redb::Error::Corrupted(what) => DatabaseError::Damaged(what.clone()),
        // A file too short for its header, or with another beginning.
        redb::Error::Io(error) if is_of_content(error.kind()) => DatabaseError::Damaged(error.to_string()),
        redb::Error::PreviousIo => DatabaseError::Disk("the disk is full or broken".to_owned()),
        other => DatabaseError::Disk(other.to_string()),
    }
}

fn is_of_content(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData)
}

fn mark(path: &Path) -> io::Result<()> {
    let made = OpenOptions::new().create(true).append(true).open(path)?;
    made.sync_all()
}

/// Panics on the checker's thread become a [`DatabaseError`], and are not printed.
fn silence_the_checker() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let loud = panic::take_hook();
        panic::set_hook(Box::new(move |panicked| {
            if std::thread::current().name() != Some(CHECKER) {
                loud(panicked);
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    use redb::{ReadableTable, TableDefinition};

    use super::*;

    const TABLE: TableDefinition<'static, u64, &[u8]> = TableDefinition::new("numbers");
    const MANY: u64 = 2_000;

    fn open(path: &Path) -> Result<DatabaseFile, DatabaseError> {
        DatabaseFile::open(path, 1 << 20, |transaction| {
            transaction.open_table(TABLE)?;
            Ok(())
        })
    }

    fn fill(path: &Path) {
        let ledger = open(path).unwrap();
        let transaction = ledger.write().unwrap();
        {
            let mut table = transaction.open_table(TABLE).unwrap();
            for number in 0..MANY {
                table.insert(number, &[7; 200][..]).unwrap();
            }
        }
        transaction.commit().unwrap();
    }

    fn count(ledger: &DatabaseFile) -> usize {
        let table = ledger.read().unwrap().open_table(TABLE).unwrap();
        table.iter().unwrap().count()
    }

    type Damage = fn(&mut Vec<u8>);
    const DAMAGES: [(&str, Damage); 9] = [
        ("empty", Vec::clear),
        ("one byte", |bytes| bytes.truncate(1)),
        ("a hundred bytes", |bytes| bytes.truncate(100)),
        ("half", |bytes| bytes.truncate(bytes.len() / 2)),
        ("other words", |bytes| *bytes = b"this is no database".to_vec()),
        ("zeros", |bytes| bytes.fill(0)),
        ("a broken head", |bytes| bytes[9..320].fill(1)),
        ("a broken page", |bytes| bytes[4_096..8_192].fill(0xff)),
        ("broken pages", |bytes| {
            let end = bytes.len() * 9 / 10;
            bytes[4_096..end].fill(0xab);
        }),
    ];

    #[test]
    fn a_damaged_file_is_reported_left_as_it_is_and_works_when_it_is_put_back() {
        for (name, damage) in DAMAGES {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("index.redb");
            fill(&path);
            let whole = fs::read(&path).unwrap();
            let mut broken = whole.clone();
            damage(&mut broken);
            fs::write(&path, &broken).unwrap();
            let refused = open(&path).err().unwrap();
            assert!(
                matches!(refused, DatabaseError::Damaged(_) | DatabaseError::Missing),
                "{name}: {refused}"
            );
            if broken.len() < 200 {
                assert_eq!(fs::read(&path).unwrap(), broken, "{name}");
            }
            fs::write(&path, &whole).unwrap();
            assert_eq!(count(&open(&path).unwrap()), MANY as usize, "{name}");
        }
    }

    #[test]
    fn a_missing_file_is_not_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index.redb");
        fill(&path);
        fs::remove_file(&path).unwrap();
        assert!(matches!(open(&path).err(), Some(DatabaseError::Missing)));
        assert!(!path.exists());
        fs::remove_file(path.with_extension(MADE)).unwrap();
        assert_eq!(
            count(&open(&path).unwrap()),
            0,
            "without the mark, a new file is wanted"
        );
    }
}
