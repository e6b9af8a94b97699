//! The state-change event, in the form EventBridge has it (developer guide, "Monitor labeling job status").

use std::time::Duration;

use serde_json::{Value, json};

use crate::core::{Core, Place};
use crate::state::{JobRecord, StoreError, UpdateError, keys};

/// The bus has so long to take an event.
const PATIENCE: Duration = Duration::from_secs(30);

/// Sends the event unless it has been sent, marks that, and takes the job off the list of those to look after. A crash in
/// between sends it twice: consumers are told to expect that ("may send multiple events for each state change").
pub(super) async fn announce(core: &Core, job: &JobRecord) -> Result<(), StoreError> {
    if !job.announced {
        let sent = tokio::time::timeout(PATIENCE, core.events.state_changed(event(&core.place, job))).await;
        sent.unwrap_or_else(|_| Err(format!("no answer within {PATIENCE:?}")))
            .map_err(|reason| {
                StoreError::Failed(format!("the state-change event could not be sent: {reason}"))
            })?;
        let key = keys::job(&job.name);
        let marked = core.documents.update(&key, |job: &mut JobRecord| {
            job.announced = true;
            Ok::<(), ()>(())
        });
        if let Err(UpdateError::Store(error)) = marked.await {
            return Err(error);
        }
        tracing::info!(job = job.name, status = job.status.name(), "labeling job ended");
    }
    core.documents.delete(&keys::unfinished(&job.name)).await
}

fn event(place: &Place, job: &JobRecord) -> Value {
    json!({
        "version": "0",
        "id": uuid::Uuid::new_v4().to_string(),
        "detail-type": "SageMaker Ground Truth Labeling Job State Change",
        "source": "aws.sagemaker",
        "account": place.account,
        "time": job.modified.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "region": place.region,
        "resources": [job.arn],
        "detail": {"LabelingJobStatus": job.status.name()},
    })
}
