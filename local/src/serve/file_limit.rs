//! How many connections a port takes. Each uses one of the files the process may have open, and so do the store and the
//! calls between the parts: a client that connects a thousand times must not use up the last one.

use std::sync::LazyLock;

/// One machine has no use for more, and each takes memory.
const MOST_CONNECTIONS: u64 = 8_192;
/// Two ports, and both ends of the connections that the parts have to the AWS port.
const FILES_PER_CONNECTION: u64 = 4;
/// What [`MOST_CONNECTIONS`] needs, and as much again for everything else.
const WANTED_FILES: u64 = 65_536;

static CONNECTIONS: LazyLock<usize> = LazyLock::new(|| {
    let connections = (open_files() / FILES_PER_CONNECTION).clamp(16, MOST_CONNECTIONS);
    usize::try_from(connections).unwrap_or(16)
});

/// Of one port.
pub(super) fn connections() -> usize {
    *CONNECTIONS
}

/// The limit of open files, raised as far as the system allows without asking: many systems start a process with 1,024 or
/// fewer and allow it more.
#[cfg(unix)]
fn open_files() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let given = getrlimit(Resource::Nofile);
    let current = given.current.unwrap_or(WANTED_FILES);
    let wanted = given.maximum.unwrap_or(WANTED_FILES).min(WANTED_FILES);
    if wanted <= current {
        return current;
    }
    let raised = Rlimit {
        current: Some(wanted),
        maximum: given.maximum,
    };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => wanted,
        Err(error) => {
            tracing::debug!(%error, current, "failed to raise the limit of open files");
            current
        }
    }
}

#[cfg(not(unix))]
fn open_files() -> u64 {
    WANTED_FILES
}
