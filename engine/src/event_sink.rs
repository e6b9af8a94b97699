//! What the engine publishes: ends of labeling jobs, and notices to the people of a work team.

use futures::future::BoxFuture;

/// Takes what the engine publishes.
pub trait EventSink: Send + Sync {
    /// The end of a job, as a whole EventBridge event document. Sent at least once, after the job's document says so.
    /// `Ok` once the event cannot get lost any more. A failure is retried; its text is for the log.
    fn state_changed(&self, event: serde_json::Value) -> BoxFuture<'_, Result<(), String>>;

    /// A notice to a work team, for the topic of its NotificationConfiguration. Sent at least once. A failure is retried
    /// later; its text is for the log.
    fn work_notice(&self, notice: WorkNotice) -> BoxFuture<'_, Result<(), String>>;
}

/// A message to the people of a work team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkNotice {
    pub topic_arn: String,
    /// Valid for SNS: less than 100 characters, ASCII, on one line.
    pub subject: String,
    /// Plain text.
    pub message: String,
}
