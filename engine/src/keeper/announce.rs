//! The state-change event, in the form EventBridge has it (developer guide, "Monitor labeling job status").

use std::time::Duration;

use serde_json::{Value, json};

use crate::core::{Core, Location};
use crate::state::{JobRecord, StoreError, UpdateError, keys};

/// How long the bus may take to accept an event.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);

/// Sends the event unless it was sent, marks that in the job's document, and removes the job from the unfinished ones. A
/// crash in between sends the event twice; AWS's consumers must expect that ("may send multiple events for each state
/// change").
pub(super) async fn announce(core: &Core, job: &JobRecord) -> Result<(), StoreError> {
    if !job.announced {
        send(core, job).await?;
        let mark = |job: &mut JobRecord| {
            job.announced = true;
            Ok::<(), ()>(())
        };
        let marked = core.documents.update(&keys::job(&job.name), mark).await;
        if let Err(UpdateError::Store(error)) = marked {
            return Err(error);
        }
        tracing::info!(job = job.name, status = job.status.name(), "labeling job ended");
    }
    core.documents.delete(&keys::unfinished_marker(&job.name)).await
}

async fn send(core: &Core, job: &JobRecord) -> Result<(), StoreError> {
    let sending = core.events.state_changed(event(&core.location, job));
    let sent = tokio::time::timeout(SEND_TIMEOUT, sending).await;
    sent.unwrap_or_else(|_| Err(format!("no reply within {SEND_TIMEOUT:?}")))
        .map_err(|reason| StoreError::Failed(format!("the state-change event could not be sent: {reason}")))
}

fn event(location: &Location, job: &JobRecord) -> Value {
    json!({
        "version": "0",
        "id": uuid::Uuid::new_v4().to_string(),
        "detail-type": "SageMaker Ground Truth Labeling Job State Change",
        "source": "aws.sagemaker",
        "account": location.account,
        "time": job.modified.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "region": location.region,
        "resources": [job.arn],
        "detail": {"LabelingJobStatus": job.status.name()},
    })
}
