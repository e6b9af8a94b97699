//! Images in instructions: where they are, and how a worker's browser may see them.

use crate::name::DatasetName;

/// Where a path within a dataset leads to.
pub(crate) struct Images {
    bucket: String,
    folder: String,
}

/// An image whose URI cannot be written into a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UnusableImage(pub(crate) String);

impl Images {
    pub(crate) fn of(bucket: &str, dataset: &DatasetName) -> Self {
        Self {
            bucket: bucket.to_owned(),
            folder: dataset.to_string(),
        }
    }

    /// As long as they come: 63 characters is the limit for a bucket's name.
    pub(super) fn longest() -> Self {
        Self {
            bucket: "b".repeat(63),
            folder: "d".repeat(DatasetName::MAX_BYTES),
        }
    }

    /// The value of an image's `src`: `grant_read_access` makes a short-lived link of an S3 URI when the page is
    /// rendered for a worker.
    pub(super) fn source(&self, destination: &str) -> Result<String, UnusableImage> {
        let uri = match destination.strip_prefix("s3://") {
            Some(_) => destination.to_owned(),
            None => format!(
                "s3://{}/{}/{}",
                self.bucket,
                self.folder,
                destination.trim_start_matches("./")
            ),
        };
        let usable = is_usable(destination) && is_uri(&uri);
        usable
            .then(|| format!("{{{{ '{uri}' | grant_read_access }}}}"))
            .ok_or(UnusableImage(uri))
    }
}

/// An S3 URI, or a path that stays within the dataset's folder.
pub(super) fn is_usable(destination: &str) -> bool {
    if destination.starts_with("s3://") {
        return is_uri(destination);
    }
    let inside = destination
        .split('/')
        .all(|part| !part.is_empty() && part != "..");
    inside && !destination.contains(':') && destination.chars().all(is_plain)
}

/// A bucket's name by S3's rules and a key that holds nothing a Liquid string or an HTML attribute could end at.
/// That refuses a few keys S3 would take; the image can be copied to another.
fn is_uri(uri: &str) -> bool {
    let Some((bucket, key)) = uri.strip_prefix("s3://").and_then(|rest| rest.split_once('/')) else {
        return false;
    };
    let bucket_ok = (3..=63).contains(&bucket.len())
        && bucket
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-'))
        && bucket.starts_with(|c: char| c.is_ascii_alphanumeric())
        && bucket.ends_with(|c: char| c.is_ascii_alphanumeric());
    bucket_ok && (1..=1_024).contains(&key.len()) && key.chars().all(is_plain)
}

fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || " !-_.*()/+=@,:$~%&;".contains(c)
}
