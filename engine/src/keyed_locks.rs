//! Locks by key, for very many keys: a fixed number of mutexes, so that memory does not grow with the job. Two keys may
//! share a mutex. A task holds at most one lock of a set, so that costs a little waiting and cannot deadlock.

use std::hash::{DefaultHasher, Hash, Hasher};

use tokio::sync::{Mutex, MutexGuard};

const LOCKS: usize = 256;

pub(crate) struct KeyedLocks(Vec<Mutex<()>>);

impl KeyedLocks {
    pub(crate) fn new() -> KeyedLocks {
        KeyedLocks((0..LOCKS).map(|_| Mutex::new(())).collect())
    }

    pub(crate) async fn lock(&self, key: impl Hash) -> MutexGuard<'_, ()> {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        self.0[hasher.finish() as usize % LOCKS].lock().await
    }
}
