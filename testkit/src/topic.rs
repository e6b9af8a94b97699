//! A topic in memory.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use shared::port::NoticeMessage;
use shared::port::{PublishError, Topic};

/// A topic that keeps what was said.
#[derive(Clone, Default)]
pub struct FakeTopic(Arc<Mutex<(Vec<NoticeMessage>, bool)>>);

impl FakeTopic {
    fn state(&self) -> MutexGuard<'_, (Vec<NoticeMessage>, bool)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn messages(&self) -> Vec<NoticeMessage> {
        self.state().0.clone()
    }

    pub fn close(&self, closed: bool) {
        self.state().1 = closed;
    }
}

impl Topic for FakeTopic {
    async fn publish(&self, message: &NoticeMessage) -> Result<(), PublishError> {
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
