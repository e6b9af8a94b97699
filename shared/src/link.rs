//! What a dataset may point to: objects of its own folder, and of the places the operator lists. Everything else that the
//! labeling role could read (other datasets, the output bucket, team files) stays out of reach of who drops files.

mod batch;

use serde_json::{Map, Value};

pub use self::batch::{ForbiddenLine, check_batch};

use crate::layout::InputKey;
use crate::manifest::{Link, ORIGIN};
use crate::name::DatasetName;

/// S3's limit for a key, in bytes.
const MAX_KEY: usize = 1_024;
/// Of the output bucket only this can be listed: the rest is Groundcrew's own bookkeeping.
const LISTABLE_OUTPUT: &str = crate::layout::LABELS;

/// Where the links of a stack's datasets may lead.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkSources {
    input_bucket: String,
    output_bucket: String,
    listed: Vec<Place>,
}

/// `s3://bucket/prefix/`
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    bucket: String,
    prefix: String,
}

/// Why a link is not followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    #[error("{shown} is no link to an object: it has to be `s3://<bucket>/<key>`")]
    Form { shown: String },
    #[error(
        "{shown} leads through `.`, `..`, `\\`, `?` or an empty name: write the key plainly, or copy the file to a plain one"
    )]
    Path { shown: String },
    #[error(
        "{shown} is outside of this dataset's folder: copy the file into it, or ask the operator to list its place in \
         LinkSources (`--links` on one machine)"
    )]
    Outside { shown: String },
}

impl LinkSources {
    /// Nothing but each dataset's own folder.
    pub fn own_folder(input_bucket: impl Into<String>, output_bucket: impl Into<String>) -> Self {
        Self {
            input_bucket: input_bucket.into(),
            output_bucket: output_bucket.into(),
            listed: Vec::new(),
        }
    }

    /// `s3://bucket/prefix/`, several separated by commas. The slash at the end keeps `cats/` from meaning `cats2/` too.
    /// `None` where an entry is not such a place, or is the output bucket outside of its labels.
    #[must_use]
    pub fn with_listed(mut self, list: &str) -> Option<Self> {
        for entry in list.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            let (bucket, prefix) = entry.strip_prefix("s3://")?.split_once('/')?;
            let path = prefix.strip_suffix('/').unwrap_or(prefix);
            let whole = prefix.is_empty();
            let fits = whole || prefix.ends_with('/') && is_plain_path(path);
            let guarded = bucket == self.output_bucket && !prefix.starts_with(LISTABLE_OUTPUT);
            if !is_bucket(bucket) || !fits || guarded {
                return None;
            }
            self.listed.push(Place {
                bucket: bucket.to_owned(),
                prefix: prefix.to_owned(),
            });
        }
        Some(self)
    }

    /// The object this URI names, if the dataset may point to it.
    ///
    /// Readers of a URI disagree about what `..`, `%2e`, `//` and `?` mean; a link that says the same to all of them has none.
    pub fn follow(&self, dataset: &DatasetName, uri: &str) -> Result<Link, LinkError> {
        let shown = || format!("`{}`", shorten(uri));
        let object = uri.strip_prefix("s3://").and_then(|rest| rest.split_once('/'));
        let Some((bucket, key)) = object.filter(|(bucket, key)| is_bucket(bucket) && !key.is_empty()) else {
            return Err(LinkError::Form { shown: shown() });
        };
        if !is_plain_path(key) || key.len() > MAX_KEY {
            return Err(LinkError::Path { shown: shown() });
        }
        if !self.is_own(dataset, bucket, key) && !self.is_listed(bucket, key) {
            return Err(LinkError::Outside { shown: shown() });
        }
        Ok(Link {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
        })
    }

    /// The first link of a manifest's line that leads where it may not, or that may be taken for one: any `…-ref`, and any
    /// text that begins like an S3 URI, however deep. `source` is left to the task: a text is no link.
    pub fn check_line(&self, dataset: &DatasetName, line: &Map<String, Value>) -> Result<(), String> {
        let rest = line
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), ORIGIN | "source"));
        for (name, value) in rest {
            self.check_value(dataset, name, value)?;
        }
        match line.get("source") {
            Some(nested @ (Value::Object(_) | Value::Array(_))) => {
                self.check_value(dataset, "source", nested)
            }
            _ => Ok(()),
        }
    }

    fn check_value(&self, dataset: &DatasetName, name: &str, value: &Value) -> Result<(), String> {
        match value {
            Value::String(text) if is_ref(name) || looks_like_s3(text) => match self.follow(dataset, text) {
                Ok(_) => Ok(()),
                Err(error) => Err(format!("`{}`: {error}", name.escape_debug())),
            },
            Value::Array(values) => values
                .iter()
                .try_for_each(|value| self.check_value(dataset, name, value)),
            Value::Object(fields) => fields
                .iter()
                .try_for_each(|(name, value)| self.check_value(dataset, name, value)),
            _ => Ok(()),
        }
    }

    /// Whether a line that Groundcrew made points to the very file it was made from. A dropped file may have any key.
    pub(crate) fn is_dropped(&self, dataset: &DatasetName, uri: &str, key: &str) -> bool {
        let same = uri
            .strip_prefix("s3://")
            .and_then(|rest| rest.strip_prefix(self.input_bucket.as_str()))
            .and_then(|rest| rest.strip_prefix('/'));
        same == Some(key) && InputKey::parse(key) == InputKey::File(dataset.clone())
    }

    /// Where an image of the instructions is: an S3 URI, or a path within the dataset's folder.
    pub(crate) fn image_uri(&self, dataset: &DatasetName, destination: &str) -> String {
        match destination.starts_with("s3://") {
            true => destination.to_owned(),
            false => format!(
                "s3://{}/{dataset}/{}",
                self.input_bucket,
                destination.trim_start_matches("./")
            ),
        }
    }

    fn is_own(&self, dataset: &DatasetName, bucket: &str, key: &str) -> bool {
        bucket == self.input_bucket && InputKey::parse(key) == InputKey::File(dataset.clone())
    }

    fn is_listed(&self, bucket: &str, key: &str) -> bool {
        let bookkeeping = bucket == self.output_bucket && !key.starts_with(LISTABLE_OUTPUT)
            || bucket == self.input_bucket && !matches!(InputKey::parse(key), InputKey::File(_));
        let here = |place: &Place| place.bucket == bucket && key.starts_with(&place.prefix);
        !bookkeeping && self.listed.iter().any(here)
    }
}

/// Readers look such a name up as a link, in upper or lower case.
fn is_ref(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with("-ref")
}

/// As lenient readers see it: space before it, any case, the names Hadoop has for S3.
pub(crate) fn looks_like_s3(text: &str) -> bool {
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || c.is_control() || c == '\u{FEFF}');
    let scheme = text
        .split_once(':')
        .map(|(scheme, _)| scheme.to_ascii_lowercase());
    scheme.is_some_and(|scheme| matches!(scheme.as_str(), "s3" | "s3a" | "s3n"))
}

/// Of S3's rules for a bucket's name, those that keep it a plain word.
fn is_bucket(bucket: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-');
    (1..=63).contains(&bucket.len()) && bucket.bytes().all(plain)
}

/// No name in it is empty, `.` or `..`, neither as it is written nor after any number of readers have decoded it.
fn is_plain_path(path: &str) -> bool {
    let mut path = path.to_owned();
    // Each decoding makes it shorter, so this ends; deeper nesting than a person would write is not plain either.
    for _ in 0..8 {
        let plain = path.split('/').all(|name| !matches!(name, "" | "." | ".."));
        if !plain || path.chars().any(|c| c.is_control() || matches!(c, '\\' | '?')) {
            return false;
        }
        match decode(&path) {
            Some(once) => path = once,
            None => return true,
        }
    }
    false
}

/// With `%xx` read as bytes; `None` where there is none.
fn decode(text: &str) -> Option<String> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let (mut bytes, mut rest, mut any) = (Vec::with_capacity(text.len()), text.as_bytes(), false);
    while let [first, more @ ..] = rest {
        let pair = match more {
            [high, low, ..] if *first == b'%' => digit(high).zip(digit(low)),
            _ => None,
        };
        let byte = pair.and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
        any |= byte.is_some();
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &rest[3..] } else { more };
    }
    any.then(|| String::from_utf8_lossy(&bytes).into_owned())
}

fn shorten(uri: &str) -> String {
    const SHOWN: usize = 200;
    let mut text: String = uri.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if uri.chars().nth(SHOWN).is_some() {
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn cats() -> DatasetName {
        DatasetName::new("cats").unwrap()
    }

    fn sources(listed: &str) -> LinkSources {
        LinkSources::own_folder("in", "out").with_listed(listed).unwrap()
    }

    #[test]
    fn a_link_leads_into_the_own_folder_or_a_listed_place() {
        let sources = sources("s3://lake/raw/, s3://whole/,s3://in/shared/,s3://out/labels/");
        for uri in [
            "s3://in/cats/1.jpg",
            "s3://in/cats/a b/ü+(1)#2.jpg",
            "s3://in/cats/100%.jpg",
            "s3://in/cats/a%20b.jpg",
            "s3://in/cats/..a/b..jpg",
            "s3://lake/raw/x.jpg",
            "s3://whole/x.jpg",
            "s3://in/shared/x.jpg",
            "s3://out/labels/job/masks/1.png",
        ] {
            let link = sources.follow(&cats(), uri).unwrap();
            assert_eq!(format!("s3://{}/{}", link.bucket, link.key), uri);
        }
    }

    #[test]
    fn no_way_of_writing_a_link_leads_out_of_the_folder() {
        let listed = sources("s3://lake/raw/,s3://out/labels/,s3://in/teams/");
        for uri in [
            "s3://in/dogs/1.jpg",
            "s3://in/cats2/1.jpg",
            "s3://in/Cats/1.jpg",
            "s3://in/cats",
            "s3://in/cats/",
            "s3://in/cats/labeling.yaml",
            "s3://in/cats/_READY",
            "s3://in/cats/m.manifest",
            "s3://in/loose.jpg",
            "s3://in/teams/crew.yaml",
            "s3://in/cats/../teams/crew.yaml",
            "s3://in/cats/./x.jpg",
            "s3://in/cats/%2e%2e/teams/crew.yaml",
            "s3://in/cats/%2E%2E%2Fteams/crew.yaml",
            "s3://in/cats/%252e%252e/teams/crew.yaml",
            "s3://in/cats/..%5cteams%5ccrew.yaml",
            "s3://in/cats/..\\..\\teams\\crew.yaml",
            "s3://in/%63ats/x.jpg",
            "s3://in/cats%2fx.jpg",
            "s3://in//cats/x.jpg",
            "s3://in/cats//x.jpg",
            "s3:///in/cats/x.jpg",
            "s3://in/cats/x.jpg?versionId=1",
            "s3://in/cats/x.jpg%3FversionId=1",
            "s3://in/cats/x.jpg\n",
            "s3://in/cats/%00x.jpg",
            " s3://in/cats/x.jpg",
            "S3://in/cats/x.jpg",
            "s3a://in/cats/x.jpg",
            "s3n://in/cats/x.jpg",
            "s3://IN/cats/x.jpg",
            "s3://in.evil/cats/x.jpg",
            "s3://user@in/cats/x.jpg",
            "s3://in:443/cats/x.jpg",
            "s3://%69n/cats/x.jpg",
            "https://in.s3.amazonaws.com/cats/x.jpg",
            "//in/cats/x.jpg",
            "cats/x.jpg",
            "",
            "s3://out/crew/cats.json",
            "s3://out/people/x.json",
            "s3://out/manifests/cats/000001.manifest",
            "s3://out/labels/../crew/cats.json",
            "s3://out/labels2/x",
            "s3://lake/raw2/x.jpg",
            "s3://lake/raw",
            "s3://lake2/raw/x.jpg",
            "s3://other/x.jpg",
        ] {
            let error = listed.follow(&cats(), uri).unwrap_err().to_string();
            assert!(error.starts_with('`') && error.len() < 500, "{uri}: {error}");
        }
    }

    #[test]
    fn a_list_that_would_open_more_than_it_says_is_refused() {
        let closed = || LinkSources::own_folder("in", "out");
        for list in [
            "",
            " ",
            ",",
            "s3://b/",
            "s3://b/p/,s3://c/d/e/",
            "s3://out/labels/j/",
        ] {
            assert!(closed().with_listed(list).is_some(), "{list}");
        }
        for list in [
            "s3://b",
            "s3://b/cats",
            "b/cats/",
            "s3:///",
            "s3://B/",
            "s3://b/../",
            "s3://b//",
            "s3://b/*/?",
            "*",
            "s3://out/",
            "s3://out/crew/",
            "s3://b/p/,s3://out/people/",
        ] {
            assert_eq!(closed().with_listed(list), None, "{list}");
        }
    }

    #[test]
    fn every_part_of_a_line_that_may_be_read_as_a_link_is_checked() {
        let sources = sources("s3://lake/raw/");
        let own = "s3://in/cats/1.jpg";
        let ok = [
            json!({"source": "s3 is a service: see s3://x"}),
            json!({"source": "s3://in/dogs/1.txt"}),
            json!({"source-ref": own, "note": "taken from s3://in/dogs/", "n": 7}),
            json!({"source-ref": own, "mask-ref": "s3://lake/raw/m.png"}),
            json!({"source-ref": own, "groundcrew": {"key": "s3:/x", "etag": "e"}}),
        ];
        for line in ok {
            assert_eq!(
                sources.check_line(&cats(), line.as_object().unwrap()),
                Ok(()),
                "{line}"
            );
        }
        let foreign = "s3://out/crew/x.json";
        let refused = [
            json!({"source-ref": foreign}),
            json!({"source-ref": own, "mask-ref": foreign}),
            json!({"source-ref": own, "Mask-REF": "https://x.s3.amazonaws.com/y"}),
            json!({"source-ref": own, "page": foreign}),
            json!({"source-ref": own, "page": " \u{FEFF}S3A://out/crew/x.json"}),
            json!({"source-ref": own, "deep": {"a": [1, {"b": [foreign]}]}}),
            json!({"source-ref": own, "mask-ref": ["/etc/passwd"]}),
            json!({"source": {"uri": foreign}}),
            json!({"source": [foreign]}),
        ];
        for line in refused {
            assert!(
                sources.check_line(&cats(), line.as_object().unwrap()).is_err(),
                "{line}"
            );
        }
    }

    proptest! {
        #[test]
        fn what_is_followed_stays_within_the_folder_however_it_is_read(
            rest in "([a-z.%/\\\\? ]|%2[eEfF]|%25|\\.\\./){0,12}"
        ) {
            if let Ok(link) = sources("").follow(&cats(), &format!("s3://in/cats/{rest}")) {
                let mut key = link.key;
                while let Some(once) = decode(&key) {
                    key = once;
                }
                prop_assert!(key.starts_with("cats/") && !key.split('/').any(|name| matches!(name, "." | "..")));
            }
        }
    }
}
