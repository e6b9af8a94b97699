//! Object tags.

use s3s::{S3Error, S3Result, dto::*, s3_error};

use super::version::check_version;
use crate::s3::{
    condition::no_such_key,
    store::{Store, index},
};

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html>
const MOST_TAGS: usize = 10;
const LONGEST_NAME: usize = 128;
const LONGEST_VALUE: usize = 256;

/// `x-amz-tagging`: a query string.
pub(super) fn from_header(header: Option<&str>) -> S3Result<Vec<(String, String)>> {
    let tags = serde_urlencoded::from_str(header.unwrap_or_default());
    check_tags(tags.map_err(|error| {
        s3_error!(
            error,
            InvalidArgument,
            "x-amz-tagging is no query string such as a=1&b=2."
        )
    })?)
}

fn check_tags(tags: Vec<(String, String)>) -> S3Result<Vec<(String, String)>> {
    if tags.len() > MOST_TAGS {
        return Err(s3_error!(
            InvalidTag,
            "Object tags cannot be greater than {MOST_TAGS}"
        ));
    }
    for (at, (name, value)) in tags.iter().enumerate() {
        if name.is_empty() || name.chars().count() > LONGEST_NAME || value.chars().count() > LONGEST_VALUE {
            return Err(invalid(
                "A tag's name has 1 to 128 characters, its value up to 256.",
            ));
        }
        if tags[..at].iter().any(|(other, _)| other == name) {
            return Err(invalid("Cannot provide multiple Tags with the same key"));
        }
    }
    Ok(tags)
}

fn invalid(why: &'static str) -> S3Error {
    s3_error!(InvalidTag, "{why}")
}

pub(super) fn get(store: &Store, input: &GetObjectTaggingInput) -> S3Result<GetObjectTaggingOutput> {
    check_version(input.version_id.as_deref())?;
    let snapshot = store.snapshot()?;
    index::bucket(&snapshot.buckets, &input.bucket)?;
    let record = index::object(&snapshot.objects, &input.bucket, &input.key)?.ok_or_else(no_such_key)?;
    let tags = record
        .details
        .description
        .tags
        .into_iter()
        .map(|(name, value)| Tag {
            key: Some(name),
            value: Some(value),
        });
    Ok(GetObjectTaggingOutput {
        tag_set: tags.collect(),
        version_id: None,
    })
}

pub(super) async fn put(store: &Store, input: PutObjectTaggingInput) -> S3Result<PutObjectTaggingOutput> {
    check_version(input.version_id.as_deref())?;
    let tags = input.tagging.tag_set.into_iter();
    let tags = tags.map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default()));
    set(store, input.bucket, input.key, check_tags(tags.collect())?).await?;
    Ok(PutObjectTaggingOutput::default())
}

pub(super) async fn set(store: &Store, bucket: String, key: String, tags: Vec<(String, String)>) -> S3Result {
    store
        .write(move |changes| {
            index::bucket(&changes.buckets, &bucket)?;
            let mut record = index::object(&changes.objects, &bucket, &key)?.ok_or_else(no_such_key)?;
            record.details.description.tags = tags;
            changes.update_object(&bucket, &key, &record)
        })
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_a_query_string_without_repetition() {
        let tags = from_header(Some("project=parity&who=a%20b")).unwrap();
        assert_eq!(
            tags,
            [
                ("project".to_owned(), "parity".to_owned()),
                ("who".to_owned(), "a b".to_owned())
            ]
        );
        assert!(from_header(Some("a=1&a=2")).is_err());
        assert!(from_header(Some("=1")).is_err());
        assert_eq!(from_header(None).unwrap(), []);
    }
}
