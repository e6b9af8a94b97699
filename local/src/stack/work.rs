//! What a stack does without being asked: uploading dropped files, calling functions for events and by the clock.

use std::sync::{Arc, Mutex};

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::environment::environment;
use super::parts::Parts;
use crate::drop_folder::{DropFolder, DropStatus};
use crate::error::StackError;
use crate::events::clock::Clock;
use crate::events::functions::{self, Functions};
use crate::events::queues::event_sources;
use crate::info::{self, INPUT_BUCKET, OUTPUT_BUCKET, StackInfo};
use crate::lock::lock;

/// What the drop folder remembers of its uploads. It is in the folder of the store, so that a copy of one is a copy of the
/// other: with an older copy put back, what was dropped since is uploaded again.
const UPLOADS: &str = "s3/dropped.jsonl";

/// Stops when it is dropped; [`BackgroundWork::finish`] waits for what has begun.
pub(super) struct BackgroundWork {
    stop: DropGuard,
    tasks: Vec<JoinHandle<()>>,
    drops: Arc<Mutex<DropStatus>>,
}

impl BackgroundWork {
    pub(super) fn start(parts: &Parts, info: &StackInfo, links: &[String]) -> Result<Self, StackError> {
        let functions = functions::load(&environment(info, links), &parts.sdk)?;
        parts.sign_in.set_triggers(functions::triggers(&functions));
        let s3 = info::s3(&parts.sdk);
        let drop_folder = DropFolder::open(
            &info.drop_folder,
            &parts.data.path(UPLOADS),
            s3.clone(),
            INPUT_BUCKET,
        )?;
        let drops = drop_folder.status();
        let stop = CancellationToken::new();
        let mut tasks = vec![tokio::spawn(drop_folder.run(stop.clone()))];
        let sign_in = parts.sign_in.clone();
        tasks.push(tokio::spawn(
            async move { sign_in.mail_unsent_invitations().await },
        ));
        tasks.extend(start_functions(parts, functions, s3, &stop));
        Ok(Self {
            stop: stop.drop_guard(),
            tasks,
            drops,
        })
    }

    pub(super) fn drop_status(&self) -> DropStatus {
        lock(&self.drops).clone()
    }

    pub(super) async fn finish(self) {
        drop(self.stop);
        for task in self.tasks {
            let _panicked = task.await;
        }
    }
}

/// A task for each queue, and one for the clock.
fn start_functions(
    parts: &Parts,
    functions: Functions,
    s3: aws_sdk_s3::Client,
    stop: &CancellationToken,
) -> Vec<JoinHandle<()>> {
    let (changed_datasets, changed) = mpsc::unbounded_channel();
    let sources = event_sources(&parts.queues, &parts.address, &functions, &changed_datasets);
    let clock = Clock {
        functions,
        s3,
        output_bucket: OUTPUT_BUCKET.to_owned(),
        changed,
        changed_datasets,
    };
    let sources = sources
        .into_iter()
        .map(|source| tokio::spawn(source.run(stop.clone())));
    sources.chain([tokio::spawn(clock.run(stop.clone()))]).collect()
}
