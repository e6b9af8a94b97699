//! The links of a batch that is about to become a job. An object is not trusted because it is in a bucket: the
//! labeling role reads every object that a line names.

use serde_json::{Map, Value};

use super::LinkSources;
use crate::manifest::ORIGIN;
use crate::name::DatasetName;

/// A line of a batch that no job may have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the batch's manifest: {reason}")]
pub struct ForbiddenLine {
    /// From 1.
    pub line: u64,
    pub reason: String,
}

/// The first line that points to where the dataset may not, one line in memory at a time.
pub fn check_batch(
    sources: &LinkSources,
    dataset: &DatasetName,
    manifest: &[u8],
) -> Result<(), ForbiddenLine> {
    let lines = manifest.split(|&b| b == b'\n').zip(1_u64..);
    for (bytes, line) in lines.filter(|(bytes, _)| !bytes.trim_ascii().is_empty()) {
        check(sources, dataset, bytes).map_err(|reason| ForbiddenLine { line, reason })?;
    }
    Ok(())
}

fn check(sources: &LinkSources, dataset: &DatasetName, line: &[u8]) -> Result<(), String> {
    let mut object: Map<String, Value> =
        serde_json::from_slice(line).map_err(|error| format!("it is no JSON object: {error}"))?;
    let uri = object.get("source-ref").and_then(Value::as_str);
    let key = object.get(ORIGIN).and_then(|origin| origin.get("key")?.as_str());
    let dropped = uri
        .zip(key)
        .is_some_and(|(uri, key)| sources.is_dropped(dataset, uri, key));
    if dropped {
        object.remove("source-ref");
    }
    sources.check_line(dataset, &object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{File, ref_line, text_line};

    fn check(lines: &[&str]) -> Result<(), ForbiddenLine> {
        let sources = LinkSources::own_folder("in", "out");
        let manifest = lines.join("\n") + "\n";
        check_batch(&sources, &DatasetName::new("cats").unwrap(), manifest.as_bytes())
    }

    #[test]
    fn what_was_dropped_may_have_any_key_and_any_text() {
        for key in [
            "cats/a b.jpg",
            "cats/a/../b.jpg",
            "cats/%2e%2e/x.jpg",
            "cats//x?y.jpg",
            "cats/ü\n.jpg",
        ] {
            let file = File { key, etag: "e" };
            assert_eq!(check(&[&ref_line(file, "in").json]), Ok(()), "{key}");
            let text = text_line(file, Some(1), "s3://out/crew/x.json").unwrap();
            assert_eq!(check(&[&text.json]), Ok(()), "{key}");
        }
    }

    #[test]
    fn a_line_that_points_elsewhere_is_named() {
        let good = r#"{"source-ref":"s3://in/cats/1.jpg"}"#;
        for bad in [
            r#"{"source-ref":"s3://out/crew/x.json"}"#,
            r#"{"source-ref":"s3://in/dogs/1.jpg","groundcrew":{"key":"dogs/1.jpg","etag":"e"}}"#,
            r#"{"source-ref":"s3://in/cats/../dogs/1.jpg","groundcrew":{"key":"cats/1.jpg","etag":"e"}}"#,
            r#"{"source-ref":"s3://out/crew/x","groundcrew":{"key":"crew/x","etag":"e"}}"#,
            r#"{"source-ref":"s3://in/cats/1.jpg","more":{"mask-ref":"s3://out/people/x"}}"#,
            r#"{"source-ref":"s3://in/cats/1.jpg","source-ref":"s3://out/people/x"}"#,
            "{",
            "[]",
        ] {
            assert_eq!(check(&[good, "", bad]).unwrap_err().line, 3, "{bad}");
        }
        assert_eq!(check(&[good, ""]), Ok(()));
    }
}
