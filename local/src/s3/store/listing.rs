//! Walking a bucket's keys in order, with folders made of a delimiter.

use std::ops::Bound;

use s3s::S3Result;

use super::{
    index::{self, Readable, end_of_prefix, object_key, storage_error},
    record::ObjectHead,
};

/// Where a walk begins or goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::s3) enum ListingStart {
    Beginning,
    /// After this key.
    AfterKey(String),
    /// After every key that starts with this.
    AfterPrefix(String),
}

pub(in crate::s3) struct ListingQuery<'a> {
    pub(in crate::s3) bucket: &'a str,
    pub(in crate::s3) prefix: &'a str,
    pub(in crate::s3) delimiter: Option<&'a str>,
    pub(in crate::s3) from: ListingStart,
    pub(in crate::s3) limit: usize,
}

#[derive(Debug, Default)]
pub(in crate::s3) struct ListingPage {
    pub(in crate::s3) objects: Vec<(String, ObjectHead)>,
    pub(in crate::s3) prefixes: Vec<String>,
    /// Where the next page begins, when there is one.
    pub(in crate::s3) next: Option<ListingStart>,
}

impl ListingStart {
    /// What `start-after` and `marker` mean: a marker that is itself a folder of this listing stands for all in it.
    pub(in crate::s3) fn after(marker: &str, prefix: &str, delimiter: Option<&str>) -> ListingStart {
        match delimiter.and_then(|delimiter| folder(marker, prefix, delimiter)) {
            Some(folder) if folder == marker => ListingStart::AfterPrefix(folder.to_owned()),
            _ => ListingStart::AfterKey(marker.to_owned()),
        }
    }

    fn start_bound(&self, bucket: &str) -> Bound<Vec<u8>> {
        match self {
            ListingStart::Beginning => Bound::Included(object_key(bucket, "")),
            ListingStart::AfterKey(key) => Bound::Excluded(object_key(bucket, key)),
            ListingStart::AfterPrefix(prefix) => Bound::Included(end_of_prefix(&object_key(bucket, prefix))),
        }
    }
}

/// The part of `key` up to and with the first delimiter after `prefix`.
pub(in crate::s3) fn folder<'k>(key: &'k str, prefix: &str, delimiter: &str) -> Option<&'k str> {
    let rest = key.strip_prefix(prefix)?;
    let at = rest.find(delimiter)?;
    Some(&key[..prefix.len() + at + delimiter.len()])
}

/// One page. Folders are jumped over, not walked through: a page costs what it shows, however full the folders.
pub(in crate::s3) fn list_page(objects: &impl Readable, query: &ListingQuery<'_>) -> S3Result<ListingPage> {
    let start = object_key(query.bucket, query.prefix);
    let end = end_of_prefix(&start);
    let mut page = ListingPage::default();
    let mut from = query.from.clone();
    loop {
        let lower = match from.start_bound(query.bucket) {
            Bound::Included(key) | Bound::Excluded(key) if key < start => Bound::Included(start.clone()),
            bound => bound,
        };
        if lower_of(&lower) >= end.as_slice() {
            return Ok(page);
        }
        match walk_to_folder(objects, query, (lower, &end), &mut page)? {
            Some(folder) => from = ListingStart::AfterPrefix(folder),
            None => return Ok(page),
        }
    }
}

fn lower_of(bound: &Bound<Vec<u8>>) -> &[u8] {
    match bound {
        Bound::Included(key) | Bound::Excluded(key) => key,
        Bound::Unbounded => &[],
    }
}

/// Walks until the end, a full page, or a folder, which it returns.
fn walk_to_folder(
    objects: &impl Readable,
    query: &ListingQuery<'_>,
    (lower, end): (Bound<Vec<u8>>, &[u8]),
    page: &mut ListingPage,
) -> S3Result<Option<String>> {
    let lower = lower.as_ref().map(Vec::as_slice);
    for entry in objects
        .range::<&[u8]>((lower, Bound::Excluded(end)))
        .map_err(storage_error)?
    {
        if page.objects.len() + page.prefixes.len() == query.limit {
            page.next = page.last();
            return Ok(None);
        }
        let (name, record) = entry.map_err(storage_error)?;
        let key = std::str::from_utf8(&name.value()[query.bucket.len() + 1..]).unwrap_or_default();
        if let Some(folder) = query
            .delimiter
            .and_then(|delimiter| folder(key, query.prefix, delimiter))
        {
            page.prefixes.push(folder.to_owned());
            return Ok(Some(folder.to_owned()));
        }
        let head = ObjectHead::decode(record.value()).map_err(index::damaged_record)?;
        page.objects.push((key.to_owned(), head));
    }
    Ok(None)
}

impl ListingPage {
    fn last(&self) -> Option<ListingStart> {
        let key = self.objects.last().map(|(key, _)| key);
        match (key, self.prefixes.last()) {
            (Some(key), Some(prefix)) if key > prefix => Some(ListingStart::AfterKey(key.clone())),
            (_, Some(prefix)) => Some(ListingStart::AfterPrefix(prefix.clone())),
            (Some(key), None) => Some(ListingStart::AfterKey(key.clone())),
            (None, None) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_ends_with_the_first_delimiter_after_the_prefix() {
        for (key, prefix, found) in [
            ("a/b/c", "", Some("a/")),
            ("a/b/c", "a/", Some("a/b/")),
            ("a//c", "a/", Some("a//")),
            ("a", "", None),
            ("/a", "", Some("/")),
        ] {
            assert_eq!(folder(key, prefix, "/"), found, "{key} under {prefix:?}");
        }
    }

    #[test]
    fn a_marker_that_is_a_folder_stands_for_all_in_it() {
        assert_eq!(
            ListingStart::after("a/", "", Some("/")),
            ListingStart::AfterPrefix("a/".into())
        );
        assert_eq!(
            ListingStart::after("a/b", "", Some("/")),
            ListingStart::AfterKey("a/b".into())
        );
        assert_eq!(
            ListingStart::after("a/", "", None),
            ListingStart::AfterKey("a/".into())
        );
    }
}
