//! The one way to lock a mutex here. A thread that panicked while it held a lock does not stop the others: no critical
//! section leaves its value half changed.

use std::sync::{Mutex, MutexGuard, PoisonError};

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
