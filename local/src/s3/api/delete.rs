//! Removing objects.

use s3s::{S3Error, S3Result, dto::*, s3_error};

use super::version::check_version;
use crate::s3::{
    condition::{matches, precondition_failed, timestamp},
    store::{Store, changes::Changes, index, record::ObjectHead},
};

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>
const MOST_KEYS: usize = 1000;

/// What must hold of an object for it to be removed.
#[derive(Default)]
struct DeleteConditions {
    etag: Option<ETagCondition>,
    modified: Option<Timestamp>,
    size: Option<i64>,
}

impl DeleteConditions {
    fn check(&self, existing: Option<&ObjectHead>) -> S3Result {
        let holds = match existing {
            Some(head) => {
                self.etag.as_ref().is_none_or(|etag| matches(etag, head))
                    && self
                        .modified
                        .as_ref()
                        .is_none_or(|modified| *modified == timestamp(head.modified))
                    && self.size.is_none_or(|size| u64::try_from(size) == Ok(head.size))
            }
            None => self.etag.is_none() && self.modified.is_none() && self.size.is_none(),
        };
        if holds {
            Ok(())
        } else {
            Err(precondition_failed("If-Match"))
        }
    }
}

/// That there is no such object is no error: it is not there afterwards.
pub(super) async fn delete_object(store: &Store, input: DeleteObjectInput) -> S3Result<DeleteObjectOutput> {
    check_version(input.version_id.as_deref())?;
    let conditions = DeleteConditions {
        etag: input.if_match,
        modified: input.if_match_last_modified_time,
        size: input.if_match_size,
    };
    store
        .write(move |changes| {
            index::bucket(&changes.buckets, &input.bucket)?;
            remove(changes, &input.bucket, &input.key, &conditions)
        })
        .await?;
    Ok(DeleteObjectOutput::default())
}

fn remove(changes: &mut Changes<'_>, bucket: &str, key: &str, conditions: &DeleteConditions) -> S3Result {
    let existing = index::object(&changes.objects, bucket, key)?;
    conditions.check(existing.as_ref().map(|existing| &existing.head))?;
    changes.remove_object(bucket, key)
}

/// Each key is removed or reported on its own.
pub(super) async fn delete_objects(
    store: &Store,
    input: DeleteObjectsInput,
) -> S3Result<DeleteObjectsOutput> {
    let objects = input.delete.objects;
    if objects.is_empty() || objects.len() > MOST_KEYS {
        return Err(s3_error!(
            MalformedXML,
            "A request names 1 to {MOST_KEYS} objects, not {}.",
            objects.len()
        ));
    }
    let quiet = input.delete.quiet.unwrap_or_default();
    let outcomes = store
        .write(move |changes| {
            index::bucket(&changes.buckets, &input.bucket)?;
            objects
                .into_iter()
                .map(|object| remove_identified(changes, &input.bucket, object))
                .collect::<S3Result<Vec<_>>>()
        })
        .await?;
    let (mut deleted, mut errors) = (Vec::new(), Vec::new());
    for outcome in outcomes {
        match outcome {
            Ok(object) if !quiet => deleted.push(object),
            Ok(_) => {}
            Err(error) => errors.push(error),
        }
    }
    Ok(DeleteObjectsOutput {
        deleted: Some(deleted),
        errors: Some(errors),
        ..Default::default()
    })
}

/// The outer result fails the request, the inner one only this key.
fn remove_identified(
    changes: &mut Changes<'_>,
    bucket: &str,
    object: ObjectIdentifier,
) -> S3Result<Result<DeletedObject, Error>> {
    let conditions = DeleteConditions {
        etag: object.e_tag.map(ETagCondition::ETag),
        modified: object.last_modified_time,
        size: object.size,
    };
    let removed = check_version(object.version_id.as_deref())
        .and_then(|()| remove(changes, bucket, &object.key, &conditions));
    match removed {
        Ok(()) => Ok(Ok(DeletedObject {
            key: Some(object.key),
            ..Default::default()
        })),
        Err(error) if *error.code() == s3s::S3ErrorCode::InternalError => Err(error),
        Err(error) => Ok(Err(error_entry(object.key, &error))),
    }
}

fn error_entry(key: String, error: &S3Error) -> Error {
    Error {
        code: Some(error.code().as_str().to_owned()),
        key: Some(key),
        message: error.message().map(str::to_owned),
        version_id: None,
    }
}
