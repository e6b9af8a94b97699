//! Threads that run nothing but functions.
//!
//! Neither tokio's runtime nor the `LocalPoolHandle` of tokio-util can take their place. A handler's future cannot move between
//! threads (the compiler cannot show that it is `Send`), and Lambda never moves one, so each must stay on one thread. And
//! without optimisation every awaited future lies on the stack of the future that awaits it, copies included: sync-team fills
//! the two MiB that a thread of the pool has.

use std::io;
use std::sync::Arc;

use futures::future::LocalBoxFuture;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{LocalSet, spawn_local};

/// Address space; memory is taken as far as it is touched.
const STACK: usize = 32 * 1024 * 1024;

type Job = Box<dyn FnOnce() -> LocalBoxFuture<'static, ()> + Send>;

#[derive(Clone)]
pub(crate) struct FunctionThreads(Arc<[Thread]>);

/// Ends when its sender is dropped.
struct Thread {
    jobs: mpsc::UnboundedSender<Job>,
    /// Cloned by each job that runs on it: the count says how busy it is.
    busy: Arc<()>,
}

impl FunctionThreads {
    pub(crate) fn start(count: usize) -> io::Result<Self> {
        (0..count)
            .map(|_| Thread::start())
            .collect::<io::Result<_>>()
            .map(Self)
    }

    /// Runs the future on the thread with the fewest jobs, where it stays; a panic in it is an error.
    pub(crate) async fn run<F, T>(&self, make: impl FnOnce() -> F + Send + 'static) -> Result<T, String>
    where
        F: Future<Output = T> + 'static,
        T: Send + 'static,
    {
        let (done, answer) = oneshot::channel();
        let idlest = self.0.iter().min_by_key(|thread| Arc::strong_count(&thread.busy));
        let Some(thread) = idlest else {
            return Err(stopped_message());
        };
        let busy = thread.busy.clone();
        let job: Job = Box::new(move || {
            let work = spawn_local(make());
            Box::pin(async move {
                let answer = work.await.map_err(|panic| panic.to_string());
                // First: once the answer is there, the thread must count as idle.
                drop(busy);
                // No one receives it when the stack stops.
                let _ = done.send(answer);
            })
        });
        thread.jobs.send(job).map_err(|_| stopped_message())?;
        answer.await.unwrap_or_else(|_| Err(stopped_message()))
    }
}

fn stopped_message() -> String {
    "the functions' threads have stopped".to_owned()
}

impl Thread {
    fn start() -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (jobs, mut given) = mpsc::unbounded_channel::<Job>();
        std::thread::Builder::new()
            .name("function".to_owned())
            .stack_size(STACK)
            .spawn(move || {
                LocalSet::new().block_on(&runtime, async move {
                    while let Some(job) = given.recv().await {
                        spawn_local(job());
                    }
                });
            })?;
        let busy = Arc::new(());
        Ok(Self { jobs, busy })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_fills_the_stack_of_an_ordinary_thread_has_room() {
        let threads = FunctionThreads::start(1).unwrap();
        let filled = threads.run(|| async {
            let large = std::hint::black_box([1_u8; 8 * 1024 * 1024]);
            large.iter().map(|byte| usize::from(*byte)).sum::<usize>()
        });
        assert_eq!(filled.await, Ok(8 * 1024 * 1024));
    }

    #[tokio::test]
    async fn a_panic_is_an_error_and_the_thread_goes_on() {
        let threads = FunctionThreads::start(1).unwrap();
        let panicked = threads.run(|| async { assert!(std::hint::black_box(false), "no number") });
        assert!(panicked.await.unwrap_err().contains("panicked"));
        assert_eq!(threads.run(|| async { 1 }).await, Ok(1));
    }

    #[tokio::test]
    async fn a_function_does_not_wait_for_a_busy_thread_while_another_is_idle() {
        let threads = FunctionThreads::start(2).unwrap();
        let (release, held) = std::sync::mpsc::channel::<()>();
        let (started, has_started) = oneshot::channel();
        let (busy, idle) = (threads.clone(), threads.clone());
        let blocked = tokio::spawn(async move {
            busy.run(move || async move {
                started.send(()).unwrap();
                held.recv().unwrap();
            })
            .await
        });
        has_started.await.unwrap();
        for _ in 0..4 {
            assert_eq!(idle.run(|| async { 1 }).await, Ok(1));
        }
        release.send(()).unwrap();
        assert_eq!(blocked.await.unwrap(), Ok(()));
    }
}
