//! Cutting batches, one after the other: the part of the protocol that writes.

use std::collections::BTreeMap;

use jiff::Timestamp;
use shared::layout;
use shared::name::{BatchNumber, DatasetName};
use shared::port::{Bucket, Created, Object, Store, StoreError};
use uuid::Uuid;

use crate::Deps;
use crate::batches::{Added, Batches, BatchesError, Halt, meta};
use crate::cut::{self, Because, Cut, Moment, Why};
use crate::fill::{Candidate, Filled, Recipe, fill};
use crate::look::Look;
use crate::rejects::Rejects;
use crate::spec::ReadSpec;

/// What batches are cut from and by.
pub(crate) struct Cutting<'a, S, T> {
    pub(crate) deps: &'a Deps<S, T>,
    pub(crate) dataset: &'a DatasetName,
    pub(crate) spec: &'a ReadSpec,
    pub(crate) look: &'a Look,
    pub(crate) latest_event: Option<Timestamp>,
}

/// How it ended.
pub(crate) enum Left {
    /// Nothing waits, or it is not time yet.
    Waiting { files: usize, rule: Cut },
    /// Somebody else cut the next batch first; it has been read. It may hold a part of a file that was dropped after
    /// this listing, and the rest of that file comes first: so the files are listed again.
    Overtaken,
}

impl<S: Store, T> Cutting<'_, S, T> {
    /// Ends because every round leaves fewer files: read ones are in a batch, rejected or gone. `cut` counts batches.
    pub(crate) async fn cut_all(
        &self,
        mut files: Vec<Object>,
        batches: &mut Batches,
        rejects: &mut Rejects,
        cut: &mut u32,
    ) -> Result<Left, BatchesError> {
        let store = &self.deps.store;
        let mut held = Vec::new();
        loop {
            // 4. What waits, and whether it is time.
            let waiting = self.candidates(files, batches, rejects);
            let rule = self.rule(&waiting);
            let max_items = self.spec.room(batches);
            let (now, later) = select(rule, waiting);
            if now.is_empty() || max_items == 0 {
                let rule = self.with_held(rule, &held);
                return Ok(Left::Waiting {
                    files: now.len() + later.len() + held.len(),
                    rule,
                });
            }
            // 5. Read the files, leave out what cannot be labeled, and remember that.
            let Filled {
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
            // 6. Pin the spec, then create the next batch: the first to create it wins.
            pin(store, self.spec).await?;
            if self.create(number, manifest, &added).await? {
                let why = rule.why();
                tracing::info!(dataset = %self.dataset, batch = number.get(), items = added.items, why, "cut a batch");
                rejects.overrule(&done, batches);
                batches.push(added);
                *cut += 1;
                continue;
            }
            // Somebody else was first: what they took is read, and everything is decided again.
            tracing::info!(dataset = %self.dataset, batch = number.get(), "another instance cut the batch first");
            batches
                .catch_up(store, self.dataset, self.deps.remember_every)
                .await?;
            still_there(number, batches)?;
            return Ok(Left::Overtaken);
        }
    }

    /// Files that have waited for so long without anybody having looked that no event can have told of them; a thousand
    /// say as much as a million.
    pub(crate) fn untold(
        &self,
        files: &[Object],
        looked_at: Option<Timestamp>,
        batches: &Batches,
        rejects: &Rejects,
    ) -> usize {
        let untold = files.iter().filter(|file| self.look.is_untold(file, looked_at));
        self.candidates(untold.take(1_000).cloned().collect(), batches, rejects)
            .len()
    }

    fn rule(&self, waiting: &[Candidate]) -> Cut {
        let Look {
            date, uploads, ready, ..
        } = self.look;
        let limit = self.spec.batch_limit();
        let moment = Moment {
            date: *date,
            uploads,
            ready: *ready,
            latest_event: self.latest_event.max(self.look.newest_beside),
            limit,
        };
        let times: Vec<Timestamp> = waiting
            .iter()
            .map(|candidate| candidate.object.last_modified)
            .collect();
        cut::decide(&self.spec.spec.batch, &times, &moment)
    }

    /// Manifests whose objects are still missing are held until the longest wait is over.
    fn with_held(&self, rule: Cut, held: &[Object]) -> Cut {
        let oldest = held.iter().map(|object| object.last_modified).min();
        match (rule, oldest) {
            (Cut::Nothing, Some(oldest)) => Cut::Wait {
                until: cut::overdue(&self.spec.spec.batch, oldest),
                why: Why::Missing,
            },
            (rule, _) => rule,
        }
    }

    async fn fill(&self, now: Vec<Candidate>, max_items: u64, rule: Cut) -> Result<Filled, StoreError> {
        let recipe = Recipe {
            spec: &self.spec.spec,
            dataset: self.dataset,
            links: &self.deps.bounds.links,
            input_bucket: &self.deps.input_bucket,
            max_items,
            holds: matches!(rule, Cut::All(Because::Quiet | Because::Limit)),
        };
        fill(&self.deps.store, &recipe, now).await
    }

    /// The rest of a file whose other rows are in the last batch comes first.
    fn candidates(&self, files: Vec<Object>, batches: &Batches, rejects: &Rejects) -> Vec<Candidate> {
        let resume = batches.resume.as_ref();
        let waits =
            |file: &Object| (batches.goes_on(&file.key) || !batches.has(&file.key)) && !rejects.has(file);
        let waiting = files.into_iter().filter(waits);
        let by_hand = self.look.by_hand;
        let mut waiting: Vec<_> = waiting
            .filter_map(|file| Candidate::new(&self.spec.spec, file, by_hand, resume))
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
        added: &Added,
    ) -> Result<bool, StoreError> {
        let store = &self.deps.store;
        let (key, metadata) = (layout::manifest(self.dataset, number), self.metadata(added));
        match store.create(&key, manifest, &metadata).await? {
            Created::New => Ok(true),
            Created::AlreadyThere => {
                let there = store.get(Bucket::Output, &key, Some(0..1)).await?;
                Ok(there.is_some_and(|there| there.metadata.get(meta::OWNER) == metadata.get(meta::OWNER)))
            }
        }
    }

    fn metadata(&self, added: &Added) -> BTreeMap<String, String> {
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
        if let Some(resume) = &added.resume {
            metadata.insert(meta::RESUME.to_owned(), resume.after_row.to_string());
            metadata.insert(meta::NUMBERING.to_owned(), resume.numbering.to_string());
        }
        metadata
    }
}

/// A batch met with a 412 and not listed a moment later was deleted in between; its number stays taken.
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

/// Named by its own hash: whoever was there first wrote the same bytes.
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
