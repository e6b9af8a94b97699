//! How an event reaches a function on this machine, as S3, EventBridge, SQS and Lambda bring it there on AWS:
//!
//! 1. S3 stores an object, or the engine changes a job's state. [`router`] finds in [`crate::wiring`] which functions listen
//!    for that, and sends the event to the queue of each.
//! 2. [`event_source`] takes a batch of messages out of a queue, calls the function, and deletes the messages that the
//!    function processed; the others are delivered again. [`queues`] has the settings of both.
//! 3. [`functions`] calls a function with the environment that the wiring gives it, on [`function_threads`].
//! 4. [`clock`] calls functions without an event: a sweep of everything every fifteen minutes, and build-manifest for one
//!    dataset at the time its status asks for.

pub(crate) mod clock;
pub(crate) mod event_source;
mod function_threads;
pub(crate) mod functions;
pub(crate) mod queues;
pub(crate) mod router;
