//! The bounds a stack's parameters set, from a function's environment.

use shared::bounds::{Bounds, entries};

use crate::start::{ConfigError, required_variable};

/// A bound a day: a whole number, or `unlimited`. One that cannot be read starts nothing, rather than bounding nothing.
pub fn per_day(env: &dyn Fn(&str) -> Option<String>, name: &'static str) -> Result<Option<u64>, ConfigError> {
    let text = required_variable(env, name)?;
    match text.as_str() {
        "unlimited" => Ok(None),
        number => number.parse().map(Some).map_err(|_| ConfigError::Malformed {
            name,
            value: text,
            expected: "it is a whole number, or `unlimited`",
        }),
    }
}

/// Reads `LINK_SOURCES`, `ALLOWED_KMS_KEYS`, `ALLOWED_TEAMS` and `ALLOWED_TAG_KEYS`; a bound that is not set allows nothing.
pub fn bounds(
    env: &dyn Fn(&str) -> Option<String>,
    input_bucket: &str,
    output_bucket: &str,
) -> Result<Bounds, ConfigError> {
    let list = |name: &str| env(name).unwrap_or_default();
    let closed = Bounds::strictest(input_bucket, output_bucket);
    let sources = list("LINK_SOURCES");
    let links = closed.links.with_listed(&sources).ok_or(ConfigError::Malformed {
        name: "LINK_SOURCES",
        value: sources,
        expected: "it lists places like s3://bucket/prefix/, with a slash at the end, separated by commas",
    })?;
    Ok(Bounds {
        links,
        kms_keys: entries(&list("ALLOWED_KMS_KEYS")),
        teams: entries(&list("ALLOWED_TEAMS")),
        tag_keys: entries(&list("ALLOWED_TAG_KEYS")),
    })
}
