//! Listings of more than one page.

use crate::port::{Bucket, Object, Page, Store, StoreError};

/// A listing that is read a page at a time, so that all of it is never in memory.
pub struct Listing<'a, S> {
    store: &'a S,
    bucket: Bucket,
    prefix: String,
    by_folder: bool,
    place: Place,
}

enum Place {
    Start,
    After(String),
    End,
}

/// Everything under a prefix, subfolders included.
pub fn list<'a, S: Store>(store: &'a S, bucket: Bucket, prefix: &str) -> Listing<'a, S> {
    Listing {
        store,
        bucket,
        prefix: prefix.to_owned(),
        by_folder: false,
        place: Place::Start,
    }
}

/// What is directly under a prefix: its objects, and its folders by name alone.
pub fn list_by_folder<'a, S: Store>(store: &'a S, bucket: Bucket, prefix: &str) -> Listing<'a, S> {
    Listing {
        by_folder: true,
        ..list(store, bucket, prefix)
    }
}

/// All objects under a prefix, in UTF-8 byte order of their keys.
pub async fn list_all(store: &impl Store, bucket: Bucket, prefix: &str) -> Result<Vec<Object>, StoreError> {
    let (mut objects, mut listing) = (Vec::new(), list(store, bucket, prefix));
    while let Some(page) = listing.next_page().await? {
        objects.extend(page.objects);
    }
    Ok(objects)
}

impl<S: Store> Listing<'_, S> {
    /// The next page; `None` after the last one. There is always a first one, perhaps without an object: it carries S3's
    /// time. After an error the same page is asked for again.
    pub async fn next_page(&mut self) -> Result<Option<Page>, StoreError> {
        let token = match &self.place {
            Place::Start => None,
            Place::After(token) => Some(token.as_str()),
            Place::End => return Ok(None),
        };
        let page = self
            .store
            .list(self.bucket, &self.prefix, self.by_folder, token)
            .await?;
        self.place = page.next.clone().map_or(Place::End, Place::After);
        Ok(Some(page))
    }
}
