//! The rules for what the account gets to see: tags and the encryption key.

use super::prose::char_count;
use crate::spec::is_tag_char;
use crate::spec_file::raw::RawTags;
use crate::yaml::at::At;
use crate::yaml::error::Problem;

/// API reference, OutputConfig.KmsKeyId.
pub(super) fn kms_key(key: &At<String>) -> Result<String, Problem> {
    let ok = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b':' | b'/' | b'_' | b'-');
    if (1..=2_048).contains(&key.value.len()) && key.value.bytes().all(ok) {
        return Ok(key.value.clone());
    }
    Err(Problem::new(key.at, "this cannot be a KMS key")
        .hint("give its id, its ARN, or an alias: `alias/my-key`"))
}

/// 50 a resource (API reference, Tags); two are Groundcrew's own.
const MAX_TAGS: usize = 48;

pub(super) fn tags(raw: Option<&At<RawTags>>) -> Result<Vec<(String, String)>, Problem> {
    let Some(raw) = raw else { return Ok(Vec::new()) };
    if raw.value.0.len() > MAX_TAGS {
        return Err(Problem::new(
            raw.at,
            format!("{MAX_TAGS} tags are the most, here are {}", raw.value.0.len()),
        ));
    }
    raw.value.0.iter().map(|(key, value)| tag(key, value)).collect()
}

/// API reference, Tag: key 1 to 128 characters, value up to 256, both of `[\p{L}\p{Z}\p{N}_.:/=+\-@]*`; `aws:` is
/// AWS's own.
fn tag(key: &str, value: &At<String>) -> Result<(String, String), Problem> {
    let fault = if !(1..=128).contains(&char_count(key)) {
        "a tag's key has 1 to 128 characters"
    } else if is_reserved(key) {
        "tags named `groundcrew`, or that start with `aws:` or `groundcrew:`, are set by others"
    } else if char_count(&value.value) > 256 {
        "a tag's value has at most 256 characters"
    } else if !key.chars().chain(value.value.chars()).all(is_tag_char) {
        "tags may hold letters, digits, spaces and `_.:/=+-@`"
    } else {
        return Ok((key.to_owned(), value.value.clone()));
    };
    Err(Problem::new(value.at, fault).hint(format!("change the tag `{}`", key.escape_debug())))
}

/// AWS's own, the stack's, and Groundcrew's of a job. AWS compares keys by case; people and bills do not.
fn is_reserved(key: &str) -> bool {
    let key = key.trim().to_ascii_lowercase();
    key == "groundcrew" || key.starts_with("aws:") || key.starts_with("groundcrew:")
}
