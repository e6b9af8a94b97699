//! Listing: objects in both versions of the operation, and open multipart uploads.

use std::{collections::BTreeSet, sync::Arc};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use s3s::{S3Error, S3Result, dto::*, s3_error};

use super::buckets::{initiator, owner};
use crate::s3::{
    condition::timestamp,
    notification::form_encoded,
    store::{
        Store, index,
        listing::{self, ListingPage, ListingQuery, ListingStart, folder},
        record::{ObjectHead, UploadRecord},
    },
};

const PAGE: i32 = 1000;

/// How names travel: as they are, or form-urlencoded as clients ask for with `encoding-type=url`, since XML 1.0
/// cannot hold every character a key can.
#[derive(Clone, Copy)]
struct Encoding(bool);

impl Encoding {
    fn new(asked: Option<&EncodingType>) -> S3Result<Encoding> {
        match asked.map(EncodingType::as_str) {
            None => Ok(Encoding(false)),
            Some(EncodingType::URL) => Ok(Encoding(true)),
            Some(_) => Err(s3_error!(
                InvalidArgument,
                "Invalid Encoding Method specified in Request: only url is known."
            )),
        }
    }

    fn encode(self, name: &str) -> String {
        if self.0 {
            form_encoded(name)
        } else {
            name.to_owned()
        }
    }

    fn option(self, name: Option<&str>) -> Option<String> {
        name.map(|name| self.encode(name))
    }

    fn prefixes(self, prefixes: &[String]) -> Option<Vec<CommonPrefix>> {
        Some(
            prefixes
                .iter()
                .map(|prefix| CommonPrefix {
                    prefix: Some(self.encode(prefix)),
                })
                .collect(),
        )
    }
}

fn most(asked: Option<i32>) -> S3Result<i32> {
    match asked.unwrap_or(PAGE) {
        most if most < 0 => Err(s3_error!(
            InvalidArgument,
            "Argument max-keys must be an integer between 0 and 2147483647"
        )),
        most => Ok(most.min(PAGE)),
    }
}

/// No delimiter and an empty one are the same.
fn delimiter(given: Option<&str>) -> Option<&str> {
    given.filter(|delimiter| !delimiter.is_empty())
}

pub(super) async fn list_objects_v2(
    store: Arc<Store>,
    input: ListObjectsV2Input,
) -> S3Result<ListObjectsV2Output> {
    let (most, encoding) = (
        most(input.max_keys)?,
        Encoding::new(input.encoding_type.as_ref())?,
    );
    let prefix = input.prefix.clone().unwrap_or_default();
    let from = match (&input.continuation_token, &input.start_after) {
        (Some(token), _) => from_token(token)?,
        (None, Some(after)) => ListingStart::after(after, &prefix, delimiter(input.delimiter.as_deref())),
        (None, None) => ListingStart::Beginning,
    };
    let page = read_page(
        store,
        input.bucket.clone(),
        prefix.clone(),
        input.delimiter.clone(),
        from,
        most,
    )
    .await?;
    let owner = input.fetch_owner.unwrap_or_default().then(owner);
    Ok(ListObjectsV2Output {
        name: Some(input.bucket),
        prefix: Some(encoding.encode(&prefix)),
        max_keys: Some(most),
        key_count: i32::try_from(page.objects.len() + page.prefixes.len()).ok(),
        continuation_token: input.continuation_token,
        is_truncated: Some(page.next.is_some()),
        next_continuation_token: page.next.as_ref().map(to_token),
        contents: Some(contents(page.objects, encoding, owner.as_ref())),
        common_prefixes: encoding.prefixes(&page.prefixes),
        delimiter: encoding.option(input.delimiter.as_deref()),
        encoding_type: input.encoding_type,
        start_after: encoding.option(input.start_after.as_deref()),
        ..Default::default()
    })
}

pub(super) async fn list_objects(store: Arc<Store>, input: ListObjectsInput) -> S3Result<ListObjectsOutput> {
    let (most, encoding) = (
        most(input.max_keys)?,
        Encoding::new(input.encoding_type.as_ref())?,
    );
    let prefix = input.prefix.clone().unwrap_or_default();
    let from = match input.marker.as_deref() {
        Some(marker) if !marker.is_empty() => {
            ListingStart::after(marker, &prefix, delimiter(input.delimiter.as_deref()))
        }
        _ => ListingStart::Beginning,
    };
    let page = read_page(
        store,
        input.bucket.clone(),
        prefix.clone(),
        input.delimiter.clone(),
        from,
        most,
    )
    .await?;
    let next = page.next.as_ref().map(|next| match next {
        ListingStart::AfterKey(name) | ListingStart::AfterPrefix(name) => encoding.encode(name),
        ListingStart::Beginning => String::new(),
    });
    Ok(ListObjectsOutput {
        name: Some(input.bucket),
        prefix: Some(encoding.encode(&prefix)),
        marker: Some(encoding.encode(input.marker.as_deref().unwrap_or_default())),
        max_keys: Some(most),
        is_truncated: Some(page.next.is_some()),
        // AWS leaves it out without a delimiter: the last key serves then.
        next_marker: next.filter(|_| input.delimiter.is_some()),
        contents: Some(contents(page.objects, encoding, Some(&owner()))),
        common_prefixes: encoding.prefixes(&page.prefixes),
        delimiter: encoding.option(input.delimiter.as_deref()),
        encoding_type: input.encoding_type,
        ..Default::default()
    })
}

/// The index is read beside the requests: a page may take milliseconds.
async fn read_page(
    store: Arc<Store>,
    bucket: String,
    prefix: String,
    given: Option<String>,
    from: ListingStart,
    most: i32,
) -> S3Result<ListingPage> {
    let limit = usize::try_from(most).unwrap_or_default();
    let page = tokio::task::spawn_blocking(move || {
        let snapshot = store.snapshot()?;
        index::bucket(&snapshot.buckets, &bucket)?;
        let delimiter = delimiter(given.as_deref());
        listing::list_page(
            &snapshot.objects,
            &ListingQuery {
                bucket: &bucket,
                prefix: &prefix,
                delimiter,
                from,
                limit,
            },
        )
    });
    page.await.map_err(S3Error::internal_error)?
}

fn contents(objects: Vec<(String, ObjectHead)>, encoding: Encoding, owner: Option<&Owner>) -> Vec<Object> {
    let shown = objects.into_iter().map(|(key, head)| Object {
        key: Some(encoding.encode(&key)),
        e_tag: Some(ETag::Strong(head.etag)),
        last_modified: Some(timestamp(head.modified)),
        size: i64::try_from(head.size).ok(),
        owner: owner.cloned(),
        storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
        ..Default::default()
    });
    shown.collect()
}

fn to_token(next: &ListingStart) -> String {
    let plain = match next {
        ListingStart::Beginning => String::new(),
        ListingStart::AfterKey(key) => format!("k{key}"),
        ListingStart::AfterPrefix(prefix) => format!("p{prefix}"),
    };
    BASE64_URL_SAFE_NO_PAD.encode(plain)
}

fn from_token(token: &str) -> S3Result<ListingStart> {
    let plain = BASE64_URL_SAFE_NO_PAD
        .decode(token)
        .ok()
        .and_then(|plain| String::from_utf8(plain).ok());
    let from = plain.and_then(|plain| match plain.split_at_checked(1)? {
        ("k", key) => Some(ListingStart::AfterKey(key.to_owned())),
        ("p", prefix) => Some(ListingStart::AfterPrefix(prefix.to_owned())),
        _ => None,
    });
    from.ok_or_else(|| s3_error!(InvalidArgument, "The continuation token provided is incorrect"))
}

pub(super) fn uploads(
    store: &Store,
    input: &ListMultipartUploadsInput,
) -> S3Result<ListMultipartUploadsOutput> {
    let (most, encoding) = (
        most(input.max_uploads)?,
        Encoding::new(input.encoding_type.as_ref())?,
    );
    let prefix = input.prefix.clone().unwrap_or_default();
    let snapshot = store.snapshot()?;
    index::bucket(&snapshot.buckets, &input.bucket)?;
    let mut all = index::uploads(&snapshot.uploads, &input.bucket, &prefix)?;
    skip_to(
        &mut all,
        input.key_marker.as_deref(),
        input.upload_id_marker.as_deref(),
    );
    let folder = |key: &str| Some(folder(key, &prefix, delimiter(input.delimiter.as_deref())?)?.to_owned());
    let mut prefixes: BTreeSet<String> = all.iter().filter_map(|(key, ..)| folder(key)).collect();
    prefixes.retain(|prefix| input.key_marker.as_ref().is_none_or(|marker| prefix > marker));
    all.retain(|(key, ..)| folder(key).is_none());
    let limit = usize::try_from(most).unwrap_or_default();
    let more = all.len() > limit;
    all.truncate(limit);
    let last = all
        .last()
        .filter(|_| more)
        .map(|(key, id, _)| (key.clone(), id.clone()));
    Ok(ListMultipartUploadsOutput {
        bucket: Some(input.bucket.clone()),
        prefix: Some(encoding.encode(&prefix)),
        delimiter: encoding.option(input.delimiter.as_deref()),
        key_marker: encoding.option(input.key_marker.as_deref()),
        upload_id_marker: input.upload_id_marker.clone(),
        next_key_marker: last.as_ref().map(|(key, _)| encoding.encode(key)),
        next_upload_id_marker: last.map(|(_, id)| id),
        max_uploads: Some(most),
        is_truncated: Some(more),
        uploads: Some(
            all.into_iter()
                .map(|upload| upload_entry(upload, encoding))
                .collect(),
        ),
        common_prefixes: encoding.prefixes(&prefixes.into_iter().collect::<Vec<_>>()),
        encoding_type: input.encoding_type.clone(),
        ..Default::default()
    })
}

/// Drops what the markers say was listed already: the uploads of the marker's key up to and with the marked one.
fn skip_to(all: &mut Vec<(String, String, UploadRecord)>, key: Option<&str>, id: Option<&str>) {
    let Some(key) = key else { return };
    let marked = id.and_then(|id| all.iter().position(|(k, i, _)| k == key && i == id));
    match marked {
        Some(at) => drop(all.drain(..=at)),
        None => all.retain(|(k, ..)| k.as_str() > key),
    }
}

fn upload_entry((key, id, record): (String, String, UploadRecord), encoding: Encoding) -> MultipartUpload {
    MultipartUpload {
        key: Some(encoding.encode(&key)),
        upload_id: Some(id),
        initiated: Some(timestamp(record.initiated)),
        initiator: Some(initiator()),
        owner: Some(owner()),
        storage_class: Some(StorageClass::from_static(StorageClass::STANDARD)),
        checksum_algorithm: Some(ChecksumAlgorithm::from_static(record.plan.algorithm.name())),
        checksum_type: Some(record.plan.kind.to_dto()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_continuation_token_reads_back_and_a_made_up_one_does_not() {
        for from in [
            ListingStart::AfterKey("a\u{1}/ü".into()),
            ListingStart::AfterPrefix("a/".into()),
        ] {
            assert_eq!(from_token(&to_token(&from)).unwrap(), from);
        }
        assert!(from_token("a/b").is_err());
        assert!(from_token("").is_err());
    }
}
