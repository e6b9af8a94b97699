//! Buckets and their CORS configuration.

use http::StatusCode;
use s3s::{S3Result, dto::*, s3_error};

use crate::info::{ACCOUNT, REGION};
use crate::s3::{
    condition::timestamp,
    cors::CorsRule,
    error::custom_error,
    store::{
        Store,
        index::{self, BucketRecord},
    },
};

const MOST_BUCKETS: usize = 1000;
const METHODS: [&str; 5] = ["GET", "PUT", "POST", "DELETE", "HEAD"];

/// Makes the bucket. That it is there already is no error: that is how us-east-1 answers its owner.
pub(in crate::s3) async fn create(store: &Store, bucket: &str) -> S3Result {
    if !s3s::path::check_bucket_name(bucket) {
        return Err(s3_error!(
            InvalidBucketName,
            "{bucket} is not a bucket name: 3 to 63 of a-z, 0-9, dot and hyphen."
        ));
    }
    let bucket = bucket.to_owned();
    store
        .write(move |changes| match index::bucket(&changes.buckets, &bucket) {
            Ok(_) => Ok(()),
            Err(error) if *error.code() == s3s::S3ErrorCode::NoSuchBucket => {
                let created = changes.now.as_second();
                changes.put_bucket(
                    &bucket,
                    &BucketRecord {
                        created,
                        cors: Vec::new(),
                    },
                )
            }
            Err(error) => Err(error),
        })
        .await
}

/// Refuses any Region but the one there is, and buckets of another kind.
pub(super) fn check_configuration(asked: Option<&CreateBucketConfiguration>) -> S3Result {
    let Some(asked) = asked else { return Ok(()) };
    if asked.bucket.is_some() || asked.location.is_some() {
        return Err(s3_error!(
            NotImplemented,
            "Directory buckets are not implemented here: leave out Bucket and Location."
        ));
    }
    let region = asked
        .location_constraint
        .as_ref()
        .map(BucketLocationConstraint::as_str);
    match region {
        None | Some("" | REGION) => Ok(()),
        Some(other) => Err(custom_error(
            "IllegalLocationConstraintException",
            StatusCode::BAD_REQUEST,
            format!(
                "The {other} location constraint is incompatible for the region specific endpoint this request was sent to."
            ),
        )),
    }
}

pub(super) fn head(store: &Store, bucket: &str) -> S3Result<HeadBucketOutput> {
    index::bucket(&store.snapshot()?.buckets, bucket)?;
    Ok(HeadBucketOutput {
        bucket_region: Some(REGION.into()),
        ..Default::default()
    })
}

pub(super) fn list(store: &Store, input: &ListBucketsInput) -> S3Result<ListBucketsOutput> {
    let (prefix, after) = (
        input.prefix.clone().unwrap_or_default(),
        input.continuation_token.clone(),
    );
    let most = input
        .max_buckets
        .and_then(|most| usize::try_from(most).ok())
        .unwrap_or(MOST_BUCKETS)
        .clamp(1, MOST_BUCKETS);
    let mut buckets = index::buckets(&store.snapshot()?.buckets)?;
    if input
        .bucket_region
        .as_ref()
        .is_some_and(|region| region != REGION)
    {
        buckets.clear();
    }
    buckets.retain(|(name, _)| name.starts_with(&prefix) && after.as_ref().is_none_or(|after| name > after));
    let more = buckets.len() > most;
    buckets.truncate(most);
    let token = if more {
        buckets.last().map(|(name, _)| name.clone())
    } else {
        None
    };
    let shown = buckets.into_iter().map(|(name, record)| Bucket {
        name: Some(name),
        creation_date: Some(timestamp(record.created)),
        ..Default::default()
    });
    Ok(ListBucketsOutput {
        buckets: Some(shown.collect()),
        owner: Some(owner()),
        continuation_token: token,
        prefix: input.prefix.clone(),
    })
}

pub(super) async fn delete(store: &Store, bucket: String) -> S3Result {
    store
        .write(move |changes| {
            index::bucket(&changes.buckets, &bucket)?;
            if index::has_objects(&changes.objects, &bucket)? {
                return Err(s3_error!(
                    BucketNotEmpty,
                    "The bucket you tried to delete is not empty"
                ));
            }
            for (key, upload, _) in index::uploads(&changes.uploads, &bucket, "")? {
                changes.remove_upload(&bucket, &key, &upload, &[])?;
            }
            changes.remove_bucket(&bucket)
        })
        .await
}

pub(in crate::s3) async fn set_cors(store: &Store, bucket: &str, rules: Vec<CorsRule>) -> S3Result {
    check_rules(&rules)?;
    let bucket = bucket.to_owned();
    store
        .write(move |changes| {
            let record = index::bucket(&changes.buckets, &bucket)?;
            changes.put_bucket(
                &bucket,
                &BucketRecord {
                    cors: rules,
                    ..record
                },
            )
        })
        .await
}

fn check_rules(rules: &[CorsRule]) -> S3Result {
    if rules.len() > 100 {
        return Err(s3_error!(
            InvalidRequest,
            "A CORS configuration has at most 100 rules."
        ));
    }
    for rule in rules {
        if let Some(method) = rule
            .allowed_methods
            .iter()
            .find(|method| !METHODS.contains(&method.as_str()))
        {
            return Err(s3_error!(
                InvalidRequest,
                "Found unsupported HTTP method in CORS config. Unsupported method is {method}"
            ));
        }
        let patterns = rule.allowed_origins.iter().chain(&rule.allowed_headers);
        if let Some(pattern) = patterns
            .into_iter()
            .find(|pattern| pattern.matches('*').count() > 1)
        {
            return Err(s3_error!(
                InvalidRequest,
                "{pattern} can not have more than one wildcard."
            ));
        }
    }
    Ok(())
}

pub(super) async fn put_cors(store: &Store, input: PutBucketCorsInput) -> S3Result {
    let rules = input
        .cors_configuration
        .cors_rules
        .into_iter()
        .map(|rule| CorsRule {
            allowed_origins: rule.allowed_origins,
            allowed_methods: rule.allowed_methods,
            allowed_headers: rule.allowed_headers.unwrap_or_default(),
            expose_headers: rule.expose_headers.unwrap_or_default(),
            max_age_seconds: rule.max_age_seconds,
        });
    set_cors(store, &input.bucket, rules.collect()).await
}

pub(super) fn get_cors(store: &Store, bucket: &str) -> S3Result<GetBucketCorsOutput> {
    let record = index::bucket(&store.snapshot()?.buckets, bucket)?;
    if record.cors.is_empty() {
        return Err(s3_error!(
            NoSuchCORSConfiguration,
            "The CORS configuration does not exist"
        ));
    }
    let some = |list: Vec<String>| (!list.is_empty()).then_some(list);
    let rules = record.cors.into_iter().map(|rule| CORSRule {
        allowed_origins: rule.allowed_origins,
        allowed_methods: rule.allowed_methods,
        allowed_headers: some(rule.allowed_headers),
        expose_headers: some(rule.expose_headers),
        id: None,
        max_age_seconds: rule.max_age_seconds,
    });
    Ok(GetBucketCorsOutput {
        cors_rules: Some(rules.collect()),
    })
}

pub(super) fn owner() -> Owner {
    Owner {
        display_name: Some("groundcrew".into()),
        id: Some(ACCOUNT.into()),
    }
}

pub(super) fn initiator() -> Initiator {
    Initiator {
        display_name: Some("groundcrew".into()),
        id: Some(ACCOUNT.into()),
    }
}
