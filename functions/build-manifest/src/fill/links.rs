//! What the lines of a manifest made by hand point to: checked before a worker has to find out that it is missing.

use shared::item::image;
use shared::item::{self, MAX_WHOLE_TEXT};
use shared::manifest::Line;
use shared::manifest::Link;
use shared::port::{RefusalScope, Store, StoreError, StoredObject};
use shared::status::Reject;
use shared::task::Input;

use super::read::{Contents, LargeHeads, Place, judge_image, unreadable};
use super::recipe::Recipe;

/// Checks links.
pub(super) struct LinkCheck<'a, S> {
    store: &'a S,
    pub(super) recipe: &'a Recipe<'a>,
    large_heads: &'a LargeHeads,
}

/// What one link points to.
enum LinkOutcome {
    Good(Line),
    Bad(String),
    Missing,
}

impl<'a, S: Store> LinkCheck<'a, S> {
    pub(super) fn new(store: &'a S, recipe: &'a Recipe<'a>, large_heads: &'a LargeHeads) -> Self {
        Self {
            store,
            recipe,
            large_heads,
        }
    }

    /// The line, with its text in it where it is one; and whether it is rejected because there is no such object.
    pub(super) async fn check(
        &self,
        item: Result<Line, Reject>,
        etag: &str,
        key: &str,
    ) -> Result<(Result<Line, Reject>, bool), StoreError> {
        let Ok(Line { link: Some(link), .. }) = &item else {
            return Ok((item, false));
        };
        let link = link.clone();
        let Ok(line) = item else { return Ok((item, false)) };
        let (row, uri) = (line.row, format!("s3://{}/{}", link.bucket, link.key));
        let reject = |reason| {
            Err(Reject {
                key: key.to_owned(),
                etag: etag.to_owned(),
                row,
                reason,
            })
        };
        Ok(match self.open(line, &link).await {
            Ok(LinkOutcome::Good(line)) => (Ok(line), false),
            Ok(LinkOutcome::Bad(reason)) => (reject(format!("`{uri}`: {reason}")), false),
            Ok(LinkOutcome::Missing) => (reject(missing_object(&uri)), true),
            // About this one link: the object, its key, or the bucket it names.
            Err(StoreError::Refused {
                scope: RefusalScope::Object | RefusalScope::Bucket,
                reason,
                ..
            }) => match self.is_in_input_bucket(&link) {
                true => (reject(format!("`{uri}`: {}", unreadable(&reason))), false),
                false => (reject(missing_or_closed(&uri)), true),
            },
            Err(error) => return Err(error),
        })
    }

    fn is_in_input_bucket(&self, link: &Link) -> bool {
        link.bucket == self.recipe.input_bucket
    }

    async fn open(&self, line: Line, link: &Link) -> Result<LinkOutcome, StoreError> {
        let place = match self.is_in_input_bucket(link) {
            true => Place::Input,
            false => Place::Listed(&link.bucket),
        };
        match self.recipe.spec.task.input() {
            Input::Text => self.open_text(line, place, &link.key).await,
            _ => self.open_image(line, place, &link.key).await,
        }
    }

    /// One byte more than a text may have is enough to see that it has too many.
    async fn open_text(&self, line: Line, place: Place<'_>, key: &str) -> Result<LinkOutcome, StoreError> {
        let Some(text) = place.get(self.store, key, 0..MAX_WHOLE_TEXT + 1).await? else {
            return Ok(LinkOutcome::Missing);
        };
        if text.size > MAX_WHOLE_TEXT {
            let reason = "the file is too large for one text of at most 20,000 characters: split it";
            return Ok(LinkOutcome::Bad(reason.to_owned()));
        }
        Ok(match item::inline_text(&line, &text.bytes) {
            Ok(line) => LinkOutcome::Good(line),
            Err(reason) => LinkOutcome::Bad(reason),
        })
    }

    async fn open_image(&self, line: Line, place: Place<'_>, key: &str) -> Result<LinkOutcome, StoreError> {
        let Some(head) = place.get(self.store, key, 0..image::HEAD).await? else {
            return Ok(LinkOutcome::Missing);
        };
        let tail = self.tail(place, key, &head).await?;
        let judged = judge_image(self.store, place, key, head, tail, self.large_heads).await?;
        Ok(match judged {
            Contents::Rejected(reason) => LinkOutcome::Bad(reason),
            Contents::Gone => LinkOutcome::Missing,
            Contents::Image { .. } | Contents::Text { .. } | Contents::ByHand { .. } => {
                LinkOutcome::Good(line)
            }
        })
    }

    async fn tail(
        &self,
        place: Place<'_>,
        key: &str,
        head: &StoredObject,
    ) -> Result<Option<StoredObject>, StoreError> {
        let size = head.size;
        if size <= image::HEAD {
            return Ok(None);
        }
        place
            .get(self.store, key, size.saturating_sub(image::TAIL)..size)
            .await
    }
}

fn missing_object(uri: &str) -> String {
    format!("there is no such object: `{uri}`")
}

/// Batches never change, so a manifest is read again only while nothing of it is in a batch.
pub(super) fn advice(batched: bool) -> &'static str {
    match batched {
        true => {
            ". Other lines of the manifest are in a batch, so it is not read again: put the object there, and this line into \
             a new manifest"
        }
        false => {
            ". Put the object there: the manifest is read again every 15 minutes, until a part of it is in a batch. After \
             that, this line has to go into a new manifest"
        }
    }
}

/// S3 does not say which of the two it is to a caller that may not list the bucket.
fn missing_or_closed(uri: &str) -> String {
    format!(
        "there is no such object, or the stack may not read it (then open its bucket to the stack): `{uri}`"
    )
}
