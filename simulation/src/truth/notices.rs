//! What must hold when a job is made, when it is remembered, and when a notice leaves.

use serde_json::Value;
use shared::layout;
use shared::port::JobRequest;
use shared::port::JobState;
use shared::port::NoticeMessage;

use super::{CheckResult, Promise, Truth, hold};
use crate::OUTPUT;
use crate::world::World;

impl World {
    pub(crate) fn job_made(&mut self, of: u32, request: &JobRequest) -> CheckResult {
        let JobRequest {
            name, manifest_uri, ..
        } = request;
        let wrong = |what: &str| format!("#{of} made {name} from {manifest_uri}: {what}");
        let manifest = manifest_uri.strip_prefix(&format!("s3://{OUTPUT}/"));
        let batch = manifest
            .and_then(layout::parse_manifest)
            .and_then(|(dataset, number)| {
                let batches = self.truth.batches.get(dataset.as_str())?;
                let batch = batches.get(number.get() as usize - 1)?;
                Some((dataset, number, batch.clone()))
            });
        hold(batch.is_some(), Promise::JobOnce, || {
            wrong("there is no such batch")
        })?;
        let Some((dataset, number, batch)) = batch else {
            return Ok(());
        };
        let before = self.truth.jobs.insert(manifest_uri.clone(), name.clone());
        hold(before.is_none(), Promise::JobOnce, || {
            wrong(&format!("it has the job {before:?}"))
        })?;
        let title = self
            .truth
            .specs
            .get(&batch.sha256)
            .map(|spec| spec.title.as_str());
        hold(title == Some(request.title.as_str()), Promise::JobTrue, || {
            wrong(&format!("its title is {:?} and not {title:?}", request.title))
        })?;
        let files = [
            layout::job_template(&dataset, number),
            layout::job_categories(&dataset, number),
        ];
        hold(
            files.iter().all(|key| self.output.get(key).is_some()),
            Promise::JobTrue,
            || wrong("the files it points to are not there"),
        )
    }

    pub(super) fn check_started_marker(&self, key: &str) -> CheckResult {
        let document = self.output.get(key);
        let document = document.and_then(|stored| serde_json::from_slice::<Value>(&stored.bytes).ok());
        let text = |name: &str| Some(document.as_ref()?.get(name)?.as_str()?.to_owned());
        let (arn, dataset) = (
            text("arn").unwrap_or_default(),
            text("dataset").unwrap_or_default(),
        );
        let batch = document
            .as_ref()
            .and_then(|document| document.get("batch")?.as_u64());
        let manifest = format!(
            "s3://{OUTPUT}/manifests/{dataset}/{:06}.manifest",
            batch.unwrap_or(0)
        );
        let made = self.truth.jobs.get(&manifest);
        hold(
            made.is_some_and(|made| arn.ends_with(&format!(":labeling-job/{made}")))
                && key.starts_with(&format!("jobs/{dataset}/")),
            Promise::StartedTrue,
            || format!("{key} says {arn}; the job of {manifest} is {made:?}"),
        )
    }

    pub(crate) fn check_notice(&mut self, of: u32, message: &NoticeMessage) -> CheckResult {
        let id = message.attributes.get("id").cloned().unwrap_or_default();
        let times = self.truth.announced.entry(id.clone()).or_default();
        *times += 1;
        let looked = self.truth.absent.contains(&(of, id.clone()));
        hold(looked, Promise::NoticeOnce, || {
            format!("#{of} announced {id} although its marker was there, or without looking")
        })?;
        if id.starts_with(layout::DIGEST) {
            return self.check_digest(message);
        }
        let Some((job, state)) = id.strip_prefix("jobs/").and_then(|rest| rest.split_once('/')) else {
            return self.check_crew_notice(of, message);
        };
        let job = self.service.jobs.iter().find(|other| other.name == job);
        let truly = job.map(|job| match job.state {
            JobState::Completed => "completed",
            JobState::Failed => "failed",
            JobState::Stopped => "stopped",
            _ => "running",
        });
        let refused = ["refused", "name-taken"]
            .iter()
            .any(|word| state.starts_with(word));
        hold(refused || truly == Some(state), Promise::NoticeTrue, || {
            format!("{id} was announced, and the job is {truly:?}")
        })
    }
}

impl World {
    /// A digest announces each notice it names.
    fn check_digest(&mut self, message: &NoticeMessage) -> CheckResult {
        let forms: Value = serde_json::from_str(&message.body).unwrap_or_default();
        let json = forms.get("default").and_then(Value::as_str).unwrap_or_default();
        let json: Value = serde_json::from_str(json).unwrap_or_default();
        let named = json.pointer("/detail/notices").and_then(Value::as_array);
        let text = |notice: &Value, name: &str| {
            let text = notice.get(name).and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        hold(
            named.is_some_and(|named| !named.is_empty()),
            Promise::NoticeTrue,
            || "a digest names no notice".to_owned(),
        )?;
        for notice in named.into_iter().flatten() {
            let id = text(notice, "id");
            self.truth.crew.record_notice(text(notice, "team"), id.clone());
            *self.truth.announced.entry(id).or_default() += 1;
        }
        Ok(())
    }

    /// Whether a ledger names it: it leaves with the digest.
    pub(super) fn waits_for_digest(&self, id: &str) -> bool {
        self.ids_waiting_for_digest().any(|waiting| waiting == id)
    }

    pub(crate) fn notices_wait(&self) -> bool {
        self.ids_waiting_for_digest().next().is_some()
    }

    fn ids_waiting_for_digest(&self) -> impl Iterator<Item = String> + '_ {
        self.output.under(layout::DIGEST).flat_map(|(_, stored)| {
            let ledger: Value = serde_json::from_slice(&stored.bytes).unwrap_or_default();
            let lists = ["/waiting", "/leaving/notices"].map(|list| ledger.pointer(list).cloned());
            let notices = lists
                .into_iter()
                .flatten()
                .filter_map(|list| list.as_array().cloned())
                .flatten();
            let ids = notices.filter_map(|notice| Some(notice.get("id")?.as_str()?.to_owned()));
            ids.collect::<Vec<_>>()
        })
    }
}

impl Truth {
    /// An invocation looked for a marker.
    pub(crate) fn saw_marker(&mut self, of: u32, key: &str, there: bool) {
        let Some(id) = key.strip_prefix("notified/") else {
            return;
        };
        let seen = (of, id.to_owned());
        if there {
            self.absent.remove(&seen);
        } else {
            self.absent.insert(seen);
        }
    }
}
