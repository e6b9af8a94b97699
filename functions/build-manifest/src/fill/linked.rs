//! What the lines of a manifest made by hand point to: looked at before a worker has to find out that it is not there.

use shared::item::image;
use shared::item::{self, MAX_WHOLE_TEXT};
use shared::manifest::Line;
use shared::manifest::Link;
use shared::port::{Store, StoreError, StoredObject};
use shared::status::Reject;
use shared::task::Input;

use super::Recipe;
use super::read::{Contents, LargeHeads, Place, is_of_the_file, judge_image, unreadable};

/// What it takes to look at links.
pub(super) struct Linked<'a, S> {
    store: &'a S,
    pub(super) recipe: &'a Recipe<'a>,
    large_heads: &'a LargeHeads,
}

/// What became of one link.
enum Look {
    Good(Line),
    Bad(String),
    Missing,
}

impl<'a, S: Store> Linked<'a, S> {
    pub(super) fn new(store: &'a S, recipe: &'a Recipe<'a>, large_heads: &'a LargeHeads) -> Self {
        Self {
            store,
            recipe,
            large_heads,
        }
    }

    /// The line, with its text in it where it is one; and whether it is rejected because there is no such object.
    pub(super) async fn look(
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
            Ok(Look::Good(line)) => (Ok(line), false),
            Ok(Look::Bad(reason)) => (reject(format!("`{uri}`: {reason}")), false),
            Ok(Look::Missing) => (reject(missing(&uri)), true),
            Err(StoreError::Refused { reason, .. }) if is_of_the_link(&reason) => match self.is_own(&link) {
                true => (reject(format!("`{uri}`: {}", unreadable(&reason))), false),
                false => (reject(missing_or_closed(&uri)), true),
            },
            Err(error) => return Err(error),
        })
    }

    fn is_own(&self, link: &Link) -> bool {
        link.bucket == self.recipe.input_bucket
    }

    async fn open(&self, line: Line, link: &Link) -> Result<Look, StoreError> {
        let place = match self.is_own(link) {
            true => Place::Input,
            false => Place::Listed(&link.bucket),
        };
        match self.recipe.spec.task.input() {
            Input::Text => self.open_text(line, place, &link.key).await,
            _ => self.open_image(line, place, &link.key).await,
        }
    }

    /// One byte more than a text may have is enough to see that it has too many.
    async fn open_text(&self, line: Line, place: Place<'_>, key: &str) -> Result<Look, StoreError> {
        let Some(text) = place.get(self.store, key, 0..MAX_WHOLE_TEXT + 1).await? else {
            return Ok(Look::Missing);
        };
        if text.size > MAX_WHOLE_TEXT {
            let reason = "the file is too large for one text of at most 20,000 characters: split it";
            return Ok(Look::Bad(reason.to_owned()));
        }
        Ok(match item::inline_text(&line, &text.bytes) {
            Ok(line) => Look::Good(line),
            Err(reason) => Look::Bad(reason),
        })
    }

    async fn open_image(&self, line: Line, place: Place<'_>, key: &str) -> Result<Look, StoreError> {
        let Some(head) = place.get(self.store, key, 0..image::HEAD).await? else {
            return Ok(Look::Missing);
        };
        let tail = self.tail(place, key, &head).await?;
        let judged = judge_image(self.store, place, key, head, tail, self.large_heads).await?;
        Ok(match judged {
            Contents::Rejected(reason) => Look::Bad(reason),
            Contents::Gone => Look::Missing,
            Contents::Image { .. } | Contents::Text { .. } | Contents::ByHand { .. } => Look::Good(line),
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

/// About this one link: the object, its key, or the bucket it names.
fn is_of_the_link(reason: &str) -> bool {
    let of_the_bucket = ["NoSuchBucket", "PermanentRedirect", "AllAccessDisabled"];
    is_of_the_file(reason) || of_the_bucket.iter().any(|code| reason.starts_with(code))
}

fn missing(uri: &str) -> String {
    format!("there is no such object: `{uri}`")
}

/// Batches never change, so a manifest is read again only while nothing of it is in a batch.
pub(super) fn what_to_do(batched: bool) -> &'static str {
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

/// S3 does not tell those who may not list a bucket which of the two it is.
fn missing_or_closed(uri: &str) -> String {
    format!(
        "there is no such object, or the stack may not read it (then open its bucket to the stack): `{uri}`"
    )
}
