//! Manifests made by hand, line by line: what a labeling job would refuse, or show workers wrongly, is refused here.

use serde_json::{Map, Value};

use super::json::{self, what};
use super::source_row::SourceRow;
use super::text::{is_blank, numbered_lines};
use crate::encoding::unshowable;
use crate::link::{LinkSources, looks_like_s3};
use crate::manifest::{File, Line, LineError, Link, MAX_ATTRIBUTE, with_origin, with_source};
use crate::name::DatasetName;
use crate::task::Input;

/// Whose manifest it is, and where its lines may point.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    pub sources: &'a LinkSources,
    pub dataset: &'a DatasetName,
}

pub(super) fn lines<'a>(
    text: &'a str,
    input: Input,
    rules: Rules<'a>,
    file: File<'a>,
) -> impl Iterator<Item = SourceRow<'a>> + Send + 'a {
    numbered_lines(text).map(move |(row, json)| {
        if is_blank(json) {
            return SourceRow::Blank(Some(row));
        }
        let line = attributes(json).and_then(|object| {
            let link = check(&object, input, rules)?;
            let line = with_origin(json, &object, file, row).map_err(|e| e.to_string())?;
            Ok(Line { link, ..line })
        });
        line.map_or_else(|reason| SourceRow::Reject(Some(row), reason), SourceRow::Line)
    })
}

fn attributes(json: &str) -> Result<Map<String, Value>, String> {
    match json::read(json)? {
        Value::Object(object) => Ok(object),
        other => Err(format!(
            "the line is {}; it has to be a JSON object",
            what(&other)
        )),
    }
}

/// What the line points to, if it may and if its text is not in it.
fn check(object: &Map<String, Value>, input: Input, rules: Rules<'_>) -> Result<Option<Link>, String> {
    if let Some(name) = object.keys().find(|name| name.starts_with('$')) {
        return Err(format!("`{name}`: an attribute's name may not start with `$`"));
    }
    for (name, value) in object {
        within_limit(name, value).map_err(|e| e.to_string())?;
    }
    let link = match (object.get("source"), object.get("source-ref"), input) {
        (Some(_), Some(_), _) => Err("the line has both `source` and `source-ref`: leave one".to_owned()),
        (Some(source), None, Input::Text) => text_or_link(source, rules),
        (None, Some(source), Input::Image) => s3_uri(source, rules).map(Some),
        (_, _, Input::Text) => Err("a text job needs `source`, with the text itself in it".to_owned()),
        (_, _, _) => Err("the job needs `source-ref`, with the file's `s3://…` URI in it".to_owned()),
    }?;
    rules.sources.check_line(rules.dataset, object)?;
    Ok(link)
}

/// What rows that are no manifest's call their text. Such rows often say in `source` where it is from.
const TEXT_OF_A_ROW: [&str; 4] = ["text", "content", "body", "sentence"];

/// Whether the line has what a manifest's line has. A text beside a `source` that is no link makes it a row.
pub(super) fn names_a_source(line: &str) -> bool {
    let Ok(object) = attributes(line) else {
        return false;
    };
    let is_row = || TEXT_OF_A_ROW.iter().any(|name| object.contains_key(*name));
    let source = object.get("source").and_then(Value::as_str);
    object.contains_key("source-ref") || source.is_some_and(|source| looks_like_s3(source) || !is_row())
}

/// The line with the text its `source` names in the place of the URI; all else stays to the byte.
pub(super) fn inline_text(line: &Line, text: &str) -> Result<Line, LineError> {
    let length = text.chars().count();
    if length > MAX_ATTRIBUTE {
        return Err(LineError::TextTooLong(length));
    }
    with_source(line, text)
}

/// Ground Truth shows workers what `source` holds: a URI there is a task to label a URI. So the text is fetched, where it
/// may be, and is in the batch instead of the URI.
fn text_or_link(source: &Value, rules: Rules<'_>) -> Result<Option<Link>, String> {
    match source {
        Value::String(text) if is_blank(text) => {
            Err("`source` is blank: there is nothing to label".to_owned())
        }
        Value::String(text) if looks_like_s3(text) => {
            let link = rules.sources.follow(rules.dataset, text);
            link.map(Some).map_err(|error| format!("`source`: {error}"))
        }
        Value::String(text) => match unshowable(text) {
            Some(reason) => Err(format!("`source`: {reason}")),
            None => Ok(None),
        },
        other => Err(format!("`source` is {}; it has to be a string", what(other))),
    }
}

fn s3_uri(source: &Value, rules: Rules<'_>) -> Result<Link, String> {
    let uri = source
        .as_str()
        .ok_or_else(|| format!("`source-ref` is {}; it has to be a string", what(source)))?;
    let link = rules.sources.follow(rules.dataset, uri);
    link.map_err(|error| format!("`source-ref`: {error}"))
}

fn within_limit(name: &str, value: &Value) -> Result<(), LineError> {
    let length = match value {
        Value::String(text) => text.chars().count(),
        other => other.to_string().chars().count(),
    };
    if length > MAX_ATTRIBUTE {
        return Err(LineError::AttributeTooLong(name.to_owned(), length));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Origin;

    fn read(text: &str, input: Input) -> Vec<Result<String, String>> {
        let file = File {
            key: "d/m.manifest",
            etag: "e",
        };
        let sources = LinkSources::own_folder("bucket", "out");
        let dataset = DatasetName::new("numbers").unwrap();
        let rules = Rules {
            sources: &sources,
            dataset: &dataset,
        };
        let found = lines(text, input, rules, file);
        let shown = found.filter_map(|found| match found {
            SourceRow::Line(line) => Some(Ok(line.json)),
            SourceRow::Reject(row, reason) => Some(Err(format!("{}! {reason}", row.unwrap()))),
            SourceRow::Text(..) | SourceRow::Blank(_) => None,
        });
        shown.collect()
    }

    #[test]
    fn what_the_line_says_stays_to_the_byte_and_its_origin_is_added() {
        let line = r#"{"b" : 1.10, "source":"caf\u00e9", "a":12345678901234567890123, "label":0}"#;
        let expected = r#"{"b" : 1.10, "source":"caf\u00e9", "a":12345678901234567890123, "label":0,"groundcrew":{"key":"d/m.manifest","etag":"e","row":2}}"#;
        assert_eq!(
            read(&format!("\n{line} \r\n"), Input::Text),
            [Ok(expected.to_owned())]
        );
    }

    #[test]
    fn an_origin_of_an_earlier_job_is_replaced() {
        let line = r#"{"source":"a","groundcrew":{"key":"old","etag":"x"},"label":1}"#;
        let json = read(line, Input::Text).remove(0).unwrap();
        let origins: Vec<_> = crate::manifest::origins(json.as_bytes()).collect();
        assert_eq!(
            origins,
            [Ok(Origin {
                key: "d/m.manifest".into(),
                etag: "e".into(),
                row: Some(1)
            })]
        );
        assert_eq!(json.matches("groundcrew").count(), 1);
    }

    #[test]
    fn a_line_with_an_origin_stays_to_the_byte_too() {
        let line = "{\"big\":10002942403873455e6, \"groundcre\\u0077\" :\t{\"key\":\"old\"} , \"source\":\"caf\\u00e9\", \"n\":1.10}";
        let expected = r#"{"big":10002942403873455e6, "groundcre\u0077" :	{"key":"d/m.manifest","etag":"e","row":1} , "source":"caf\u00e9", "n":1.10}"#;
        assert_eq!(read(line, Input::Text), [Ok(expected.to_owned())]);
    }

    #[test]
    fn a_broken_line_is_refused_with_its_number_and_the_others_go_through() {
        let text = "{\"source\":\"a\"}\n{\"source\":\"b\"\n\n{\"source\":\"c\"}\n";
        let found = read(text, Input::Text);
        assert!(found[0].is_ok() && found[2].is_ok(), "{found:?}");
        assert!(
            found[1]
                .as_ref()
                .unwrap_err()
                .starts_with("2! the line is not JSON"),
            "{found:?}"
        );
    }

    #[test]
    fn a_uri_where_the_text_should_be_is_a_link_to_the_text() {
        let sources = LinkSources::own_folder("bucket", "out");
        let dataset = DatasetName::new("numbers").unwrap();
        let rules = Rules {
            sources: &sources,
            dataset: &dataset,
        };
        let line = r#"{"a":1.10, "source" : "s3://bucket/numbers/7.txt","b":2}"#;
        let file = File {
            key: "numbers/m.manifest",
            etag: "e",
        };
        let Some(SourceRow::Line(line)) = lines(line, Input::Text, rules, file).next() else {
            panic!("no line")
        };
        assert_eq!(line.link.as_ref().unwrap().key, "numbers/7.txt");
        let expected = r#"{"a":1.10, "source" : "se\"ven","b":2,"groundcrew":{"key":"numbers/m.manifest","etag":"e","row":1}}"#;
        assert_eq!(inline_text(&line, "se\"ven").unwrap().json, expected);
        assert!(inline_text(&line, &"x".repeat(20_001)).is_err());
    }

    #[test]
    fn a_text_or_an_image_of_another_folder_is_refused() {
        for (line, input) in [
            (r#"{"source":"s3://bucket/dogs/7.txt"}"#, Input::Text),
            (r#"{"source":" S3://bucket/numbers/7.txt"}"#, Input::Text),
            (
                r#"{"source":"text","page-ref":"s3://out/crew/x.json"}"#,
                Input::Text,
            ),
            (r#"{"source-ref":"s3://bucket/dogs/7.jpg"}"#, Input::Image),
            (
                r#"{"source-ref":"s3://bucket/numbers/7.jpg","x":{"y":"s3://out/people/z"}}"#,
                Input::Image,
            ),
        ] {
            let found = read(line, input);
            assert!(
                found[0].as_ref().is_err_and(|reason| reason.starts_with("1! ")),
                "{found:?}"
            );
        }
    }

    #[test]
    fn what_does_not_fit_the_task_is_refused() {
        let long = format!(r#"{{"source":"a","x":"{}"}}"#, "y".repeat(20_001));
        for (line, input, part) in [
            (r#"{"source-ref":"s3://b/k"}"#, Input::Text, "needs `source`"),
            (r#"{"source":"text"}"#, Input::Image, "needs `source-ref`"),
            (
                r#"{"source":"text","source-ref":"s3://b/k"}"#,
                Input::Text,
                "both",
            ),
            (
                r#"{"source-ref":"https://x/y.jpg"}"#,
                Input::Image,
                "s3://<bucket>/<key>",
            ),
            (
                r#"{"source-ref":"s3://bucket/"}"#,
                Input::Image,
                "s3://<bucket>/<key>",
            ),
            (r#"{"source-ref":7}"#, Input::Image, "is a number"),
            (r#"{"source":["a"]}"#, Input::Text, "is a list"),
            (r#"{"source":" "}"#, Input::Text, "blank"),
            (r#"{"source":"a","$x":1}"#, Input::Text, "`$x`"),
            (r#"["source"]"#, Input::Text, "a JSON object"),
            (
                r#"{"source":"a","x":1,"source":"b"}"#,
                Input::Text,
                "`source` is there twice",
            ),
            (
                r#"{"source":"a","x":{"n":1,"\u006e":2}}"#,
                Input::Text,
                "`n` is there twice",
            ),
            ("{}", Input::Text, "needs `source`"),
            (
                r#"{"source":"a\u0000b"}"#,
                Input::Text,
                "`source`: the text holds a NUL",
            ),
            (r#"{"source":"\ufffe"}"#, Input::Text, "no character"),
            (r#"{"source":"\u200b\u2060"}"#, Input::Text, "nothing to see"),
            (r#"{"source":"\ud800"}"#, Input::Text, "the line is not JSON"),
            (&long, Input::Text, "`x` is 20001 characters"),
        ] {
            let found = read(line, input);
            let reason = found[0].as_ref().unwrap_err();
            assert!(reason.starts_with("1! ") && reason.contains(part), "{reason}");
        }
    }

    #[test]
    fn a_thousand_brackets_are_refused_not_followed() {
        let line = format!("{{\"source\":{}", "[".repeat(100_000));
        assert!(read(&line, Input::Text)[0].is_err());
    }
}
