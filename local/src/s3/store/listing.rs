//! Walking a bucket's keys in order, with folders made of a delimiter.

use std::ops::Bound;

use s3s::S3Result;

use super::{
    index::{self, Readable, lost, object_key, past},
    record::Head,
};

/// Where a walk begins or goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::s3) enum From {
    Start,
    /// After this key.
    Key(String),
    /// After every key that starts with this.
    Past(String),
}

pub(in crate::s3) struct Query<'a> {
    pub(in crate::s3) bucket: &'a str,
    pub(in crate::s3) prefix: &'a str,
    pub(in crate::s3) delimiter: Option<&'a str>,
    pub(in crate::s3) from: From,
    pub(in crate::s3) limit: usize,
}

#[derive(Debug, Default)]
pub(in crate::s3) struct Page {
    pub(in crate::s3) objects: Vec<(String, Head)>,
    pub(in crate::s3) prefixes: Vec<String>,
    /// Where the next page begins, when there is one.
    pub(in crate::s3) next: Option<From>,
}

impl From {
    /// What `start-after` and `marker` mean: a marker that is itself a folder of this listing stands for all in it.
    pub(in crate::s3) fn after(marker: &str, prefix: &str, delimiter: Option<&str>) -> From {
        match delimiter.and_then(|delimiter| folder(marker, prefix, delimiter)) {
            Some(folder) if folder == marker => From::Past(folder.to_owned()),
            _ => From::Key(marker.to_owned()),
        }
    }

    fn bound(&self, bucket: &str) -> Bound<Vec<u8>> {
        match self {
            From::Start => Bound::Included(object_key(bucket, "")),
            From::Key(key) => Bound::Excluded(object_key(bucket, key)),
            From::Past(prefix) => Bound::Included(past(&object_key(bucket, prefix))),
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
pub(in crate::s3) fn page(objects: &impl Readable, query: &Query<'_>) -> S3Result<Page> {
    let start = object_key(query.bucket, query.prefix);
    let end = past(&start);
    let mut page = Page::default();
    let mut from = query.from.clone();
    loop {
        let lower = match from.bound(query.bucket) {
            Bound::Included(key) | Bound::Excluded(key) if key < start => Bound::Included(start.clone()),
            bound => bound,
        };
        if lower_of(&lower) >= end.as_slice() {
            return Ok(page);
        }
        match stretch(objects, query, (lower, &end), &mut page)? {
            Some(folder) => from = From::Past(folder),
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
fn stretch(
    objects: &impl Readable,
    query: &Query<'_>,
    (lower, end): (Bound<Vec<u8>>, &[u8]),
    page: &mut Page,
) -> S3Result<Option<String>> {
    let lower = lower.as_ref().map(Vec::as_slice);
    for entry in objects
        .range::<&[u8]>((lower, Bound::Excluded(end)))
        .map_err(lost)?
    {
        if page.objects.len() + page.prefixes.len() == query.limit {
            page.next = page.last();
            return Ok(None);
        }
        let (name, record) = entry.map_err(lost)?;
        let key = std::str::from_utf8(&name.value()[query.bucket.len() + 1..]).unwrap_or_default();
        if let Some(folder) = query
            .delimiter
            .and_then(|delimiter| folder(key, query.prefix, delimiter))
        {
            page.prefixes.push(folder.to_owned());
            return Ok(Some(folder.to_owned()));
        }
        let head = Head::decode(record.value()).map_err(index::damaged)?;
        page.objects.push((key.to_owned(), head));
    }
    Ok(None)
}

impl Page {
    fn last(&self) -> Option<From> {
        let key = self.objects.last().map(|(key, _)| key);
        match (key, self.prefixes.last()) {
            (Some(key), Some(prefix)) if key > prefix => Some(From::Key(key.clone())),
            (_, Some(prefix)) => Some(From::Past(prefix.clone())),
            (Some(key), None) => Some(From::Key(key.clone())),
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
        assert_eq!(From::after("a/", "", Some("/")), From::Past("a/".into()));
        assert_eq!(From::after("a/b", "", Some("/")), From::Key("a/b".into()));
        assert_eq!(From::after("a/", "", None), From::Key("a/".into()));
    }
}
