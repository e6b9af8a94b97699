//! How many connections a port has room for. Each takes one of the files the process may have open, and so do the store
//! and the calls between the parts: whoever connects a thousand times must not take the last one.

use std::sync::LazyLock;

/// More than this has nobody's use for one machine, and each takes memory.
const MOST: u64 = 8_192;
/// Two ports, and both ends of the connections that the parts have to the AWS port.
const SHARE: u64 = 4;
/// More files than [`MOST`] asks for are of no use.
const WANTED: u64 = 65_536;

static ROOM: LazyLock<usize> = LazyLock::new(|| {
    let room = (open_files() / SHARE).clamp(16, MOST);
    usize::try_from(room).unwrap_or(16)
});

/// Of one port.
pub(super) fn connections() -> usize {
    *ROOM
}

/// The limit of open files, after it is raised as far as that goes without asking: many systems start a process with
/// 1,024 or fewer, for the sake of programs of another age, and let it have more.
#[cfg(unix)]
fn open_files() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let given = getrlimit(Resource::Nofile);
    let current = given.current.unwrap_or(WANTED);
    let wanted = given.maximum.unwrap_or(WANTED).min(WANTED);
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
            tracing::debug!(%error, current, "the limit of open files stays");
            current
        }
    }
}

#[cfg(not(unix))]
fn open_files() -> u64 {
    WANTED
}
