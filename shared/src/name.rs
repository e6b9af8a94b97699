//! Names that are checked once and then trusted: datasets, batch numbers, labeling jobs.

use std::fmt;

use sha2::{Digest, Sha256};

/// The folder of the input bucket that holds team files, and therefore cannot be a dataset.
pub const TEAMS: &str = "teams";

/// A dataset is a folder of the input bucket; this is the folder's exact name, case and all.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct DatasetName(String);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DatasetNameError {
    #[error("a dataset needs a name: put the files in a folder")]
    Empty,
    #[error("`{TEAMS}` holds team files and cannot be a dataset: choose another folder name")]
    Reserved,
    /// 1,024 bytes is S3's limit for a key; the longest key made from a name adds less than 100 bytes to it, and a
    /// dropped file still needs room for its own path.
    #[error(
        "the folder name is {length} bytes long; a dataset's name has at most {} bytes",
        DatasetName::MAX_BYTES
    )]
    TooLong { length: usize },
    #[error("`{0}` cannot be a dataset: a folder name may not be `.` or `..` or hold control characters")]
    Unprintable(String),
}

impl DatasetName {
    pub const MAX_BYTES: usize = 255;

    pub fn new(folder: &str) -> Result<Self, DatasetNameError> {
        if folder.is_empty() {
            return Err(DatasetNameError::Empty);
        }
        if folder == TEAMS {
            return Err(DatasetNameError::Reserved);
        }
        if folder.len() > Self::MAX_BYTES {
            return Err(DatasetNameError::TooLong { length: folder.len() });
        }
        if matches!(folder, "." | "..") || folder.chars().any(|c| c.is_control() || c == '/') {
            return Err(DatasetNameError::Unprintable(folder.escape_default().to_string()));
        }
        Ok(Self(folder.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DatasetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A work team, and the Cognito group of its people: the file name of `teams/<team>.yaml`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct TeamName(String);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` cannot be a team: the name of the file before `.yaml` has at most {max} letters, digits and hyphens, and \
     begins and ends with a letter or digit",
    max = TeamName::MAX_BYTES
)]
pub struct TeamNameError(String);

/// What to do about it: renaming the file in a drop folder leaves the old one in the bucket.
const AGAIN: &str = "Drop the file under such a name, and delete this one from the bucket";

/// Why a file in `teams/` names no team.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TeamFileNameError {
    #[error("{0}. {AGAIN}")]
    Name(#[from] TeamNameError),
    #[error("`{file}` is not read: a team file's name ends in `.yaml`, in small letters. {AGAIN}")]
    Extension { file: String },
}

impl TeamName {
    /// CreateWorkteam's WorkteamName.
    pub const MAX_BYTES: usize = 63;

    pub fn new(name: &str) -> Result<Self, TeamNameError> {
        let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let ends = [name.bytes().next(), name.bytes().last()];
        let closed = ends
            .iter()
            .all(|end| end.is_some_and(|b| b.is_ascii_alphanumeric()));
        if plain && closed && name.len() <= Self::MAX_BYTES {
            Ok(Self(name.to_owned()))
        } else {
            Err(TeamNameError(name.escape_default().to_string()))
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same for all spellings that differ in case. Names are ASCII, so that there are no other twins.
    pub fn case_folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl fmt::Display for TeamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Number of a batch within its dataset, from 1 to 999,999. Displays as six digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct BatchNumber(u32);

impl BatchNumber {
    pub const FIRST: Self = Self(1);
    const MAX: u32 = 999_999;

    pub fn new(number: u32) -> Option<Self> {
        (1..=Self::MAX).contains(&number).then_some(Self(number))
    }

    /// Exactly six digits, not zero.
    pub fn parse(digits: &str) -> Option<Self> {
        let six_digits = digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_digit());
        six_digits
            .then(|| digits.parse().ok().and_then(Self::new))
            .flatten()
    }

    pub fn next(self) -> Option<Self> {
        Self::new(self.0 + 1)
    }

    pub fn get(self) -> u32 {
        self.0
    }
}

impl fmt::Display for BatchNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:06}", self.0)
    }
}

/// First part of every labeling job's name: distinguishes this stack's jobs from all others of the account and Region.
/// Four characters, lower-case letters and digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobPrefix(String);

impl JobPrefix {
    pub fn new(text: &str) -> Option<Self> {
        let ok = text.len() == 4 && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        ok.then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Name of a labeling job: `<stack4>-<slug>-<hash>-<n:06>`, all lower-case.
///
/// Job names are unique per account and Region, case-insensitive, at most 63 characters, and can never be freed:
/// there is no DeleteLabelingJob. So the name is the idempotency key, and the hash of the exact dataset name keeps
/// `Cats` and `cats`, or two names that share their first 30 characters, apart. 4+1+30+1+10+1+6 = 53; an attempt
/// adds `-r99`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobName(String);

impl JobName {
    const SLUG: usize = 30;

    pub fn new(prefix: &JobPrefix, dataset: &DatasetName, batch: BatchNumber) -> Self {
        let slug = slug(dataset.as_str());
        let hash = hex::encode(&Sha256::digest(dataset.as_str())[..5]);
        let slug = if slug.is_empty() {
            String::new()
        } else {
            format!("{slug}-")
        };
        Self(format!("{}-{slug}{hash}-{batch}", prefix.0))
    }

    /// The same batch once more, after an operator asked for it. `attempt` counts from 2.
    pub fn attempt(&self, attempt: u8) -> Self {
        Self(format!("{}-r{attempt}", self.0))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for JobName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Lower-case letters and digits of the name, everything else folded to single hyphens.
fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
        if slug.len() == JobName::SLUG {
            break;
        }
    }
    slug.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(dataset: &str) -> String {
        let prefix = JobPrefix::new("gc00").unwrap();
        JobName::new(&prefix, &DatasetName::new(dataset).unwrap(), BatchNumber::FIRST).to_string()
    }

    #[test]
    fn datasets_that_differ_in_anything_have_different_jobs() {
        let long = "x".repeat(200);
        let names = [
            "Cats",
            "cats",
            "a_b",
            "a-b",
            "a b",
            "고양이",
            "кошки",
            long.as_str(),
            &long[..199],
        ];
        let jobs: std::collections::BTreeSet<String> = names.iter().map(|n| job(n)).collect();
        assert_eq!(jobs.len(), names.len(), "{jobs:?}");
    }

    #[test]
    fn a_job_name_fits_the_services_pattern() {
        for dataset in ["Cats & dogs!", "-", "고양이", &"y".repeat(255), "a--b", "9"] {
            let name = job(dataset);
            assert!(name.len() <= 59, "{name}");
            assert!(
                name.bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'),
                "{name}"
            );
            assert!(
                name.as_bytes()[0].is_ascii_alphanumeric() && !name.ends_with('-'),
                "{name}"
            );
        }
    }

    #[test]
    fn a_folder_that_cannot_be_a_dataset_says_why() {
        for (folder, part) in [
            ("", "needs a name"),
            ("teams", "team files"),
            ("..", "folder name"),
            ("a\nb", "control characters"),
            (&"z".repeat(256), "256 bytes"),
        ] {
            let error = DatasetName::new(folder).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
