//! What must hold in the end: nothing goes wrong any more, time has passed, and every function has swept once.

use std::collections::BTreeMap;

use serde_json::Value;
use shared::port::JobState;

use super::{CheckResult, Promise, Truth, hold, violation};
use crate::OUTPUT;
use crate::content::Content;
use crate::people::Plan;
use crate::world::World;

/// Rejects as listed, by key, ETag and row.
type ListedRejects = BTreeMap<(String, String, Option<u64>), bool>;

impl World {
    pub(crate) fn check_final_state(&self, plan: &Plan) -> CheckResult {
        for dataset in &plan.datasets {
            self.all_batched(&dataset.name)?;
            self.check_bad_spec_announced(&dataset.name)?;
            self.all_started(&dataset.name)?;
        }
        self.check_ends_announced()?;
        self.no_digest_is_owed()
    }

    pub(super) fn no_digest_is_owed(&self) -> CheckResult {
        hold(!self.notices_wait(), Promise::RejectsListed, || {
            "notices wait for a digest that has not left".to_owned()
        })
    }

    /// A batch the reply did not count, or one it counted and did not make.
    pub(crate) fn check_batch_count(&self, of: u32, batches: u64) -> CheckResult {
        let made = self.truth.made.get(&of).copied().unwrap_or(0);
        hold(made == batches, Promise::CountsTrue, || {
            format!("#{of} says it cut {batches} batches and cut {made}")
        })
    }

    fn all_batched(&self, dataset: &str) -> CheckResult {
        let Some(spec) = self.truth.current_spec(dataset).filter(|spec| spec.valid) else {
            return Ok(());
        };
        let rejects = self.rejects(dataset);
        let batches = self.truth.batches.get(dataset).map_or(&[][..], Vec::as_slice);
        let items: u64 = batches.iter().map(|batch| batch.items).sum();
        let full = spec.limit.is_some_and(|limit| items >= limit);
        let prefix = format!("{dataset}/");
        let by_hand = self
            .input
            .under(&prefix)
            .any(|(key, _)| key.ends_with(".manifest"));
        for (key, stored) in self.input.under(&prefix) {
            let name = key.strip_prefix(&prefix).unwrap_or(key);
            let no_item = ["labeling.yaml", "_READY"].contains(&name) || name.starts_with("skip/");
            if !no_item && (!by_hand || key.ends_with(".manifest")) {
                self.truth.accounted_for(key, &stored.etag, &rejects, full)?;
            }
        }
        let unannounced = rejects.iter().find(|(_, announced)| !**announced);
        hold(unannounced.is_none(), Promise::RejectsListed, || {
            format!("not announced: {unannounced:?}")
        })?;
        self.status_true(dataset, batches.len() as u64, items)
    }

    fn rejects(&self, dataset: &str) -> ListedRejects {
        let file = self.output.get(&format!("results/{dataset}/rejected.jsonl"));
        let lines = file
            .map_or(&[][..], |file| &file.bytes)
            .split(|byte| *byte == b'\n');
        let entries = lines.filter_map(|line| {
            let entry: Value = serde_json::from_slice(line).ok()?;
            let text = |name: &str| Some(entry.get(name)?.as_str()?.to_owned());
            let row = entry.get("row").and_then(Value::as_u64);
            let announced = entry.get("announced").and_then(Value::as_bool) == Some(true);
            Some(((text("key")?, text("etag")?, row), announced))
        });
        entries.collect()
    }

    fn status_true(&self, dataset: &str, batches: u64, items: u64) -> CheckResult {
        let status = self.output.get(&format!("status/{dataset}.json"));
        let status = status.and_then(|stored| serde_json::from_slice::<Value>(&stored.bytes).ok());
        let there_is_something = self.input.under(&format!("{dataset}/")).next().is_some();
        let Some(status) = status else {
            return hold(!there_is_something, Promise::StatusTrue, || {
                format!("{dataset} has no status")
            });
        };
        let number = |name: &str| status.get(name).and_then(Value::as_u64);
        let state = status.get("state").and_then(Value::as_str);
        let announced = (state, number("batches"), number("items"));
        hold(
            announced == (Some("up-to-date"), Some(batches), Some(items)),
            Promise::StatusTrue,
            || format!("{dataset} has {batches} batches of {items} items, and its status says {announced:?}"),
        )?;
        let changed = status.get("changed_first").and_then(Value::as_array);
        let mut changed = changed.into_iter().flatten().filter_map(Value::as_str);
        let wrong = changed.find(|key| !self.truth.came_again.contains(*key));
        hold(wrong.is_none(), Promise::StatusTrue, || {
            format!("{wrong:?} is called changed, and came once")
        })
    }

    fn check_bad_spec_announced(&self, dataset: &str) -> CheckResult {
        let history = self.truth.spec_history.get(dataset);
        let Some((_, sha256)) = history.and_then(|history| history.last()) else {
            return Ok(());
        };
        let bad = self.truth.specs.get(sha256).is_some_and(|spec| !spec.valid);
        let announced = self
            .truth
            .announced
            .keys()
            .any(|id| id.starts_with("specs/") && id.ends_with(sha256));
        hold(announced || !bad, Promise::RejectsListed, || {
            format!("it was not announced that the spec of {dataset} cannot be used")
        })
    }

    fn all_started(&self, dataset: &str) -> CheckResult {
        let prefix = format!("manifests/{dataset}/");
        for (key, _) in self.output.under(&prefix) {
            let uri = format!("s3://{OUTPUT}/{key}");
            let number = key.trim_start_matches(&prefix).trim_end_matches(".manifest");
            let folder = format!("jobs/{dataset}/{number}/");
            if let Some(job) = self.truth.jobs.get(&uri) {
                let remembered = self.output.get(&format!("{folder}started")).is_some();
                hold(remembered, Promise::BatchHasJob, || {
                    format!("{job} is not remembered as started")
                })?;
                continue;
            }
            let waiting = self.output.get(&format!("{folder}waiting.json"));
            let waiting = waiting.and_then(|stored| serde_json::from_slice::<Value>(&stored.bytes).ok());
            let text = |name: &str| waiting.as_ref()?.get(name)?.as_str().map(str::to_owned);
            let (job, reason) = (text("job").unwrap_or_default(), text("reason"));
            hold(
                self.truth.foreign.contains(&job) && reason.as_deref() == Some("name-taken"),
                Promise::BatchHasJob,
                || format!("{key} has no job; it waits for {reason:?} of {job:?}"),
            )?;
            let announced = self
                .truth
                .announced
                .keys()
                .any(|id| id.starts_with(&format!("jobs/{job}/")));
            hold(announced, Promise::BatchHasJob, || {
                format!("it was not announced that {key} has no job")
            })?;
        }
        Ok(())
    }

    fn check_ends_announced(&self) -> CheckResult {
        for job in self
            .service
            .jobs
            .iter()
            .filter(|job| !self.truth.foreign.contains(&job.name))
        {
            let state = match job.state {
                JobState::Completed => "completed",
                JobState::Failed => "failed",
                JobState::Stopped => "stopped",
                other => return violation(Promise::Settles, format!("{} is {other:?} in the end", job.name)),
            };
            let id = format!("jobs/{}/{state}", job.name);
            let announced = self.truth.announced.contains_key(&id)
                && self.output.get(&format!("notified/{id}")).is_some();
            hold(announced, Promise::EndAnnounced, || {
                format!("{id} was not announced")
            })?;
            let results = job
                .manifest_uri
                .replace(&format!("s3://{OUTPUT}/manifests/"), "results/");
            let summary = format!("{}/summary.json", results.trim_end_matches(".manifest"));
            hold(self.output.get(&summary).is_some(), Promise::EndAnnounced, || {
                format!("{summary} is missing")
            })?;
        }
        Ok(())
    }
}

impl Truth {
    /// What became of a file that lies there: in batches with all its rows, or listed with a reason.
    fn accounted_for(&self, key: &str, etag: &str, rejects: &ListedRejects, full: bool) -> CheckResult {
        let listed = |etag: &str, row| rejects.contains_key(&(key.to_owned(), etag.to_owned(), row));
        let content = |etag: &str| self.contents.get(&(key.to_owned(), etag.to_owned()));
        let Some(batched) = self.files.get(key) else {
            let labelable = content(etag).is_some_and(|content| !content.items().is_empty());
            return match (labelable, listed(etag, None)) {
                (true, true) => violation(
                    Promise::NothingLost,
                    format!("{key:?} is rejected and could be labeled"),
                ),
                (true, false) if !full => violation(Promise::NothingLost, format!("{key:?} is in no batch")),
                (false, false) if !full => {
                    violation(Promise::RejectsListed, format!("{key:?} is in no list"))
                }
                _ => Ok(()),
            };
        };
        let Some(taken) = content(&batched.etag) else {
            return Ok(());
        };
        let missing = taken
            .items()
            .into_iter()
            .any(|(row, _)| !batched.rows.contains(&row));
        // What an admin deletes when half of it is in a batch takes its rest along, and its name stays taken.
        let excused = full || self.removed.contains(key) || listed(etag, None) || listed(&batched.etag, None);
        hold(!missing || excused, Promise::NothingLost, || {
            format!("rows of {key:?} are neither in a batch nor listed")
        })?;
        self.rows_listed(key, &batched.etag, taken, rejects, missing || full)
    }

    /// Bad rows of a file that was taken whole are listed one by one.
    fn rows_listed(
        &self,
        key: &str,
        etag: &str,
        taken: &Content,
        rejects: &ListedRejects,
        part: bool,
    ) -> CheckResult {
        let unlisted = taken
            .bad_rows()
            .into_iter()
            .find(|row| !rejects.contains_key(&(key.to_owned(), etag.to_owned(), Some(*row))));
        hold(part || unlisted.is_none(), Promise::RejectsListed, || {
            format!("row {unlisted:?} of {key:?} is bad and in no list")
        })
    }
}
