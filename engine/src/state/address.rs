//! The address of an object, read from the URI forms that the labeling API takes.

use std::fmt;

/// A bucket and a key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Address {
    pub(crate) bucket: String,
    pub(crate) key: String,
}

impl Address {
    pub(crate) fn new(bucket: impl Into<String>, key: impl Into<String>) -> Address {
        Address {
            bucket: bucket.into(),
            key: key.into(),
        }
    }

    /// `s3://bucket/key`, or an S3 URL in path style (`https://s3.<region>.amazonaws.com/bucket/key`) or virtual-hosted
    /// style (`https://bucket.s3.<region>.amazonaws.com/key`). The key is taken without decoding: so S3 URIs are
    /// defined, and so Ground Truth reads a `source-ref`.
    pub(crate) fn parse(uri: &str) -> Option<Address> {
        let (bucket, key) = match uri.strip_prefix("s3://") {
            Some(rest) => rest.split_once('/')?,
            None => from_url(uri.strip_prefix("https://")?)?,
        };
        (is_bucket_name(bucket) && !key.is_empty()).then(|| Address::new(bucket, key))
    }
}

/// Letters, digits, dots, hyphens and (in old buckets) underscores. Not the ARN of an access point, which would be another
/// name for a bucket.
fn is_bucket_name(bucket: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    !bucket.is_empty() && bucket.bytes().all(is_plain)
}

fn from_url(rest: &str) -> Option<(&str, &str)> {
    let (host, path) = rest.split_once('/')?;
    let host = host.strip_suffix(".amazonaws.com")?;
    if host == "s3" || host.starts_with("s3.") || host.starts_with("s3-") {
        return path.split_once('/');
    }
    let bucket = host
        .strip_suffix(".s3")
        .or_else(|| host.split_once(".s3.").map(|(bucket, _)| bucket))?;
    Some((bucket, path))
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn every_form_of_an_s3_uri_is_read() {
        let wanted = Some(Address::new("b", "k/e y.png"));
        for uri in [
            "s3://b/k/e y.png",
            "https://s3.amazonaws.com/b/k/e y.png",
            "https://s3.eu-west-1.amazonaws.com/b/k/e y.png",
            "https://s3-eu-west-1.amazonaws.com/b/k/e y.png",
            "https://b.s3.amazonaws.com/k/e y.png",
            "https://b.s3.eu-west-1.amazonaws.com/k/e y.png",
        ] {
            assert_eq!(Address::parse(uri), wanted, "{uri}");
        }
    }

    #[test]
    fn a_uri_that_names_no_object_is_refused() {
        for uri in [
            "",
            "b/k",
            "s3://",
            "s3://b",
            "s3://b/",
            "s3:///k",
            "s3://arn:aws:s3:us-east-1:000000000000:accesspoint:b/k",
            "https://example.com/b/k",
            "http://s3.amazonaws.com/b/k",
        ] {
            assert_eq!(Address::parse(uri), None, "{uri}");
        }
    }
}
