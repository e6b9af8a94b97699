//! Log lines that are kept, in the form Lambda is given them.

use std::io;
use std::sync::{Arc, Mutex, Once, PoisonError};

use serde_json::Value;
use tracing::Level;
use tracing::subscriber::{DefaultGuard, set_default, set_global_default};
use tracing_subscriber::fmt;

/// What is logged on this thread, at any level, as long as this lives.
pub struct FakeLog {
    lines: Lines,
    _until: DefaultGuard,
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl FakeLog {
    pub fn begin() -> Self {
        listen_everywhere();
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = fmt()
            .json()
            .with_max_level(Level::TRACE)
            .with_writer(move || writer.clone())
            .finish();
        Self {
            lines,
            _until: set_default(subscriber),
        }
    }

    /// Everything, as it was written.
    pub fn text(&self) -> String {
        let bytes = self.lines.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The fields of every line with this message, in order.
    pub fn lines_with(&self, message: &str) -> Vec<Value> {
        let text = self.text();
        let lines = text
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let fields = lines.map(|mut line| line["fields"].take());
        fields.filter(|fields| fields["message"] == message).collect()
    }
}

/// Whether a subscriber wants what a line of code says is found out once, when it first speaks. That may be on the thread of a test
/// that keeps no log, at the moment in which another one begins: so there is always a subscriber.
fn listen_everywhere() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let nowhere = fmt().with_max_level(Level::TRACE).with_writer(io::sink).finish();
        // Where a test has set one already, that one listens.
        let _set_already = set_global_default(nowhere);
    });
}

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
