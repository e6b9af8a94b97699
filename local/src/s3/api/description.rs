//! The description an uploader gives of an object: from the request into the record and back into the response.

use std::collections::BTreeMap;

use s3s::{
    S3Result,
    dto::{Timestamp, TimestampFormat},
    s3_error,
};

/// User metadata, names and values together.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html>
const MOST_METADATA: usize = 2048;
/// What AWS says when the uploader said nothing.
pub(super) const DEFAULT_TYPE: &str = "binary/octet-stream";

/// The members that PutObject, CopyObject and CreateMultipartUpload have in common.
macro_rules! description_of {
    ($input:expr) => {{
        use $crate::s3::api::description as here;
        s3s::S3Result::<_>::Ok($crate::s3::store::record::ObjectDescription {
            content_type: $input.content_type.take().map(|value| value.to_string()),
            content_encoding: $input
                .content_encoding
                .take()
                .as_deref()
                .and_then(here::stored_encoding),
            content_language: $input.content_language.take(),
            content_disposition: $input.content_disposition.take(),
            cache_control: $input.cache_control.take(),
            expires: $input.expires.take().map(|expires| here::seconds(&expires)),
            metadata: here::metadata($input.metadata.take())?,
            tags: $crate::s3::api::tagging::from_header($input.tagging.as_deref())?,
        })
    }};
}

/// Fills what the answers of GetObject and HeadObject have in common. The stored checksum is in them when all of the object is
/// answered and the client asked for it.
macro_rules! describe {
    ($output:expr, $record:expr, $selection:expr, $checksum_mode:expr) => {{
        use $crate::s3::{api::description as here, condition::timestamp};
        let (head, details) = (&$record.head, &$record.details);
        let description = &details.description;
        $output.accept_ranges = Some("bytes".into());
        $output.e_tag = Some(s3s::dto::ETag::Strong(head.etag.clone()));
        $output.last_modified = Some(timestamp(head.modified));
        $output.content_type = Some(
            description
                .content_type
                .clone()
                .unwrap_or_else(|| here::DEFAULT_TYPE.into()),
        );
        $output.content_encoding = description.content_encoding.clone();
        $output.content_language = description.content_language.clone();
        $output.content_disposition = description.content_disposition.clone();
        $output.cache_control = description.cache_control.clone();
        $output.expires = description.expires.map(timestamp);
        $output.metadata = Some(description.metadata.clone().into_iter().collect());
        $output.server_side_encryption = Some(here::encryption());
        $output.parts_count = $selection.parts;
        $output.content_length = $selection.length();
        $output.content_range = $selection.content_range.clone();
        if $output.content_range.is_none() && $checksum_mode.is_some() {
            $crate::s3::checksum::set_checksums!($output, details.checksum.as_ref());
            $output.checksum_type = details.checksum.as_ref().map(|stored| stored.kind.to_dto());
        }
    }};
}

/// The conditions of GetObject and HeadObject.
macro_rules! conditions {
    ($input:expr) => {
        $crate::s3::condition::ReadCondition {
            if_match: $input.if_match.take(),
            if_none_match: $input.if_none_match.take(),
            if_modified_since: $input.if_modified_since.take(),
            if_unmodified_since: $input.if_unmodified_since.take(),
        }
    };
}

pub(super) use {conditions, describe, description_of};

/// `aws-chunked` is how the body travels, not how it is encoded.
pub(super) fn stored_encoding(encoding: &str) -> Option<String> {
    let own: Vec<&str> = encoding
        .split(',')
        .map(str::trim)
        .filter(|e| !e.is_empty() && *e != "aws-chunked")
        .collect();
    (!own.is_empty()).then(|| own.join(","))
}

pub(super) fn seconds(timestamp: &Timestamp) -> i64 {
    let mut text = Vec::new();
    let written = timestamp.format(TimestampFormat::EpochSeconds, &mut text).is_ok();
    let whole = text
        .split(|byte| *byte == b'.')
        .next()
        .and_then(|whole| std::str::from_utf8(whole).ok()?.parse().ok());
    whole.filter(|_| written).unwrap_or_default()
}

pub(super) fn metadata(metadata: Option<s3s::dto::Metadata>) -> S3Result<BTreeMap<String, String>> {
    let metadata: BTreeMap<String, String> = metadata.unwrap_or_default().into_iter().collect();
    let size: usize = metadata
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    match size <= MOST_METADATA {
        true => Ok(metadata),
        false => Err(s3_error!(
            MetadataTooLarge,
            "User metadata of {size} bytes exceeds the limit of {MOST_METADATA}."
        )),
    }
}

/// Everything in S3 is encrypted like this unless it is asked to be otherwise; clients see the header.
pub(super) fn encryption() -> s3s::dto::ServerSideEncryption {
    s3s::dto::ServerSideEncryption::from_static(s3s::dto::ServerSideEncryption::AES256)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_of_the_way_is_not_that_of_the_object() {
        for (sent, kept) in [
            ("aws-chunked", None),
            ("aws-chunked,gzip", Some("gzip")),
            ("br", Some("br")),
            ("", None),
        ] {
            assert_eq!(stored_encoding(sent).as_deref(), kept, "{sent}");
        }
    }
}
