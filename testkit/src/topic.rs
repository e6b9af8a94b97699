//! A topic in memory.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use shared::notice::Message;
use shared::port::{PublishError, Topic};

/// A topic that keeps what was said.
#[derive(Clone, Default)]
pub struct FakeTopic(Arc<Mutex<(Vec<Message>, bool)>>);

impl FakeTopic {
    fn state(&self) -> MutexGuard<'_, (Vec<Message>, bool)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn said(&self) -> Vec<Message> {
        self.state().0.clone()
    }

    pub fn close(&self, closed: bool) {
        self.state().1 = closed;
    }
}

impl Topic for FakeTopic {
    async fn publish(&self, message: &Message) -> Result<(), PublishError> {
        let mut state = self.state();
        if state.1 {
            return Err(PublishError {
                reason: "closed".to_owned(),
            });
        }
        state.0.push(message.clone());
        Ok(())
    }
}
