//! One at a time for each thing, for very many things: a fixed number of locks, so that memory does not grow with the job.
//! Two things may share a lock; nobody holds two locks of one kind, so that is only a little waiting.

use std::hash::{DefaultHasher, Hash, Hasher};

use tokio::sync::{Mutex, MutexGuard};

const LOCKS: usize = 256;

pub(crate) struct Turns(Vec<Mutex<()>>);

impl Turns {
    pub(crate) fn new() -> Turns {
        Turns((0..LOCKS).map(|_| Mutex::new(())).collect())
    }

    pub(crate) async fn take(&self, of: impl Hash) -> MutexGuard<'_, ()> {
        let mut hasher = DefaultHasher::new();
        of.hash(&mut hasher);
        self.0[hasher.finish() as usize % LOCKS].lock().await
    }
}
