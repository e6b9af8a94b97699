//! BatchCutter batches, one after the other: the part of the protocol that writes.

use std::collections::BTreeMap;

use jiff::Timestamp;
use shared::daily::{ClaimOutcome, ClaimRequest, DailyBudget, DailyUnit};
use shared::documents;
use shared::layout;
use shared::name::{BatchNumber, DatasetName};
use shared::port::{Bucket, CreateOutcome, Object, Store, StoreError};
use uuid::Uuid;

use crate::batches::{BatchContent, Batches, BatchesError, Halt, meta};
use crate::catch_up::catch_up;
use crate::cut::rule::{self, Cut, CutInputs, CutReason, WaitReason};
use crate::deps::Deps;
use crate::fill::recipe::Recipe;
use crate::fill::{BatchDraft, Candidate, fill};
use crate::folder_listing::FolderListing;
use crate::rejects::Rejects;
use crate::spec::ReadSpec;

/// Cuts the batches of one dataset from one listing.
pub(crate) struct BatchCutter<'a, S, T> {
    pub(crate) deps: &'a Deps<S, T>,
    pub(crate) dataset: &'a DatasetName,
    pub(crate) spec: &'a ReadSpec,
    pub(crate) listing: &'a FolderListing,
    pub(crate) latest_event: Option<Timestamp>,
}

/// How cutting ended.
pub(crate) enum CutOutcome {
    /// Nothing waits, or it is not time yet.
    Waiting { files: usize, cut: Cut },
    /// Another process took the day's last items, or cut the next batch first, which has been read. That batch may hold a
    /// part of a file that was dropped after this listing, and the rest of that file comes first: so the files are listed
    /// again.
    Overtaken,
}

impl<S: Store, T> BatchCutter<'_, S, T> {
    /// Ends because every round leaves fewer files: read ones are in a batch, rejected or gone. `cut` counts batches.
    pub(crate) async fn cut_all(
        &self,
        mut files: Vec<Object>,
        batches: &mut Batches,
        rejects: &mut Rejects,
        cut: &mut u32,
    ) -> Result<CutOutcome, BatchesError> {
        let store = &self.deps.store;
        let mut held = Vec::new();
        loop {
            // 4. What waits, and whether it is time.
            let waiting = self.candidates(files, batches, rejects);
            let rule = self.decide(&waiting);
            let (now, later) = select(rule, waiting);
            let room = if now.is_empty() {
                0
            } else {
                self.spec.room(batches)
            };
            let max_items = if room == 0 {
                0
            } else {
                room.min(self.left_today(batches).await?)
            };
            if max_items == 0 {
                let rule = match self.budget().filter(|_| room > 0) {
                    Some(budget) => wait_for_next_day(&budget),
                    None => self.with_held(rule, &held),
                };
                return Ok(CutOutcome::Waiting {
                    files: now.len() + later.len() + held.len(),
                    cut: rule,
                });
            }
            // 5. Read the files, leave out what cannot be labeled, and record that.
            let BatchDraft {
                manifest,
                added,
                rejected,
                done,
                mut rest,
                incomplete,
                unreached,
            } = self.fill(now, max_items, rule).await?;
            held.extend(incomplete);
            rejects.forget_looked_at_again(&done, &rejected, batches);
            rejects.record(rejected);
            rejects.look_again(&unreached);
            let number = batches.next()?;
            rejects.leave_out(&added.files, number);
            rejects.save(store).await?;
            rest.extend(later.into_iter().map(|candidate| candidate.object));
            files = rest;
            if manifest.is_empty() {
                continue;
            }
            // 6. Claim the day's items. Others may have taken some since they were counted: then all is decided again.
            if !self.claim(number, added.items).await? {
                tracing::info!(dataset = %self.dataset, batch = number.get(), "another process took the day's last items");
                return Ok(CutOutcome::Overtaken);
            }
            // 7. Pin the spec, then create the next batch: the first to create it wins.
            pin(store, self.spec).await?;
            if self.create(number, manifest, &added).await? {
                let reason = rule.reason();
                tracing::info!(dataset = %self.dataset, batch = number.get(), items = added.items, reason, "batch cut");
                rejects.overrule(&done, batches);
                batches.push(added);
                *cut += 1;
                continue;
            }
            // Another process was first: its batch is read, and everything is decided again.
            tracing::info!(dataset = %self.dataset, batch = number.get(), "another process cut the batch first");
            catch_up(batches, store, self.dataset, self.deps.remember_every).await?;
            still_there(number, batches)?;
            return Ok(CutOutcome::Overtaken);
        }
    }

    /// How many files have waited so long without a look at them that their events must be lost. A thousand say as much as
    /// a million.
    pub(crate) fn files_without_event(
        &self,
        files: &[Object],
        looked_at: Option<Timestamp>,
        batches: &Batches,
        rejects: &Rejects,
    ) -> usize {
        let lost = files
            .iter()
            .filter(|file| self.listing.is_without_event(file, looked_at));
        self.candidates(lost.take(1_000).cloned().collect(), batches, rejects)
            .len()
    }

    /// Of the day in which S3 showed the files.
    fn budget(&self) -> Option<DailyBudget> {
        DailyBudget::new(DailyUnit::Items, self.deps.items_per_day, self.listing.date)
    }

    /// Items the next batch may hold on this day.
    async fn left_today(&self, batches: &Batches) -> Result<u64, BatchesError> {
        let Some(budget) = self.budget() else {
            return Ok(u64::MAX);
        };
        let claim = claim_name(self.dataset, batches.next()?);
        Ok(budget.remainder(&self.deps.store, &claim).await?)
    }

    /// Whether the day has so many items left. The claim is the batch's: another attempt at it counts once.
    async fn claim(&self, number: BatchNumber, items: u64) -> Result<bool, StoreError> {
        let Some(budget) = self.budget() else {
            return Ok(true);
        };
        let request = ClaimRequest {
            name: &claim_name(self.dataset, number),
            amount: items,
            holder: None,
        };
        let outcome = budget.claim(&self.deps.store, &request).await?;
        Ok(outcome == ClaimOutcome::Granted)
    }

    fn decide(&self, waiting: &[Candidate]) -> Cut {
        let FolderListing {
            date, uploads, ready, ..
        } = self.listing;
        let day = self.deps.items_per_day.unwrap_or(u64::MAX);
        let limit = self
            .spec
            .batch_limit()
            .min(usize::try_from(day).unwrap_or(usize::MAX));
        let inputs = CutInputs {
            date: *date,
            uploads,
            ready: *ready,
            latest_event: self.latest_event.max(self.listing.newest_beside),
            limit,
        };
        let times: Vec<Timestamp> = waiting
            .iter()
            .map(|candidate| candidate.object.last_modified)
            .collect();
        rule::decide(&self.spec.spec.batch, &times, &inputs)
    }

    /// Manifests whose objects are still missing are held until the longest wait is over.
    fn with_held(&self, rule: Cut, held: &[Object]) -> Cut {
        let oldest = held.iter().map(|object| object.last_modified).min();
        match (rule, oldest) {
            (Cut::Nothing, Some(oldest)) => Cut::Wait {
                until: rule::overdue(&self.spec.spec.batch, oldest),
                reason: WaitReason::Missing,
            },
            (rule, _) => rule,
        }
    }

    async fn fill(&self, now: Vec<Candidate>, max_items: u64, rule: Cut) -> Result<BatchDraft, StoreError> {
        let recipe = Recipe {
            spec: &self.spec.spec,
            dataset: self.dataset,
            links: &self.deps.bounds.links,
            input_bucket: &self.deps.input_bucket,
            max_items,
            holds: matches!(rule, Cut::All(CutReason::Quiet | CutReason::Limit)),
        };
        fill(&self.deps.store, &recipe, now).await
    }

    /// The rest of a file whose other rows are in the last batch comes first.
    fn candidates(&self, files: Vec<Object>, batches: &Batches, rejects: &Rejects) -> Vec<Candidate> {
        let resume = batches.resume.as_ref();
        let waits =
            |file: &Object| (batches.goes_on(&file.key) || !batches.has(&file.key)) && !rejects.has(file);
        let waiting = files.into_iter().filter(waits);
        let mut waiting: Vec<_> = waiting
            .filter_map(|file| {
                let role = self.listing.role(&file.key);
                Candidate::new(&self.spec.spec, file, role, resume)
            })
            .collect();
        waiting.sort_by_key(|candidate| candidate.after_row == 0);
        waiting
    }

    /// Whether the batch is ours. A 412 may be the answer to the SDK's own second try after the first one's response
    /// was lost; then the manifest that is there carries our owner token.
    async fn create(
        &self,
        number: BatchNumber,
        manifest: Vec<u8>,
        added: &BatchContent,
    ) -> Result<bool, StoreError> {
        let store = &self.deps.store;
        let (key, metadata) = (layout::manifest(self.dataset, number), self.metadata(added));
        match store.create(&key, manifest, &metadata).await? {
            CreateOutcome::New => Ok(true),
            CreateOutcome::AlreadyThere => {
                let there = documents::head(store, Bucket::Output, &key).await?;
                Ok(there.is_some_and(|there| there.metadata.get(meta::OWNER) == metadata.get(meta::OWNER)))
            }
        }
    }

    fn metadata(&self, added: &BatchContent) -> BTreeMap<String, String> {
        let mut metadata = BTreeMap::from([
            (meta::OWNER.to_owned(), Uuid::new_v4().to_string()),
            (meta::SPEC.to_owned(), self.spec.sha256.clone()),
            (meta::ITEMS.to_owned(), added.items.to_string()),
        ]);
        for (name, rows) in [
            (meta::REJECTED, added.left_out.rejected),
            (meta::BLANK, added.left_out.blank),
        ] {
            if rows > 0 {
                metadata.insert(name.to_owned(), rows.to_string());
            }
        }
        if added.json_manifest.is_some() {
            metadata.insert(meta::JSON_MANIFEST.to_owned(), "true".to_owned());
        }
        if let Some(resume) = &added.resume {
            metadata.insert(meta::RESUME.to_owned(), resume.after_row.to_string());
            metadata.insert(meta::NUMBERING.to_owned(), resume.numbering.to_string());
        }
        metadata
    }
}

fn claim_name(dataset: &DatasetName, number: BatchNumber) -> String {
    format!("{dataset}/{number}")
}

fn wait_for_next_day(budget: &DailyBudget) -> Cut {
    Cut::Wait {
        until: budget.ends,
        reason: WaitReason::DailyBound(budget.most),
    }
}

/// A batch met with a 412 and not listed a moment later was deleted in between; its number stays used.
fn still_there(number: BatchNumber, batches: &Batches) -> Result<(), Halt> {
    let before = usize::try_from(number.get()).unwrap_or(usize::MAX);
    match batches.count() {
        now if now < before => Err(Halt::Deleted { before, now }),
        _ => Ok(()),
    }
}

/// What is cut now, and what is left. The rest of a file goes on at once: only the last batch says where it ended.
fn select(rule: Cut, waiting: Vec<Candidate>) -> (Vec<Candidate>, Vec<Candidate>) {
    waiting.into_iter().partition(|candidate| match rule {
        Cut::All(_) => true,
        Cut::UpTo(ready) => candidate.object.last_modified <= ready || candidate.after_row > 0,
        Cut::Wait { .. } | Cut::Nothing => candidate.after_row > 0,
    })
}

/// Named by its own hash: another process wrote the same bytes.
async fn pin(store: &impl Store, spec: &ReadSpec) -> Result<(), StoreError> {
    store
        .create(
            &layout::pinned_spec(&spec.sha256),
            spec.text.clone(),
            &BTreeMap::new(),
        )
        .await?;
    Ok(())
}
