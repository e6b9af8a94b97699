//! Ground Truth's own Liquid filters (`to_json`, `skip_autoescape`, `grant_read_access`; AWS's page "Adding automation
//! with Liquid"), and those that `prepare` weaves in: autoescape, the counting of loops, the weighing of values.
use super::{Presign, budget};
use liquid_core::model::{Value, ValueView};
use liquid_core::parser::{Filter, FilterArguments, FilterReflection, ParameterReflection, ParseFilter};
use liquid_core::{Error, Expression, Result, Runtime};
use std::fmt;
use std::sync::Arc;
use tokio::runtime::Handle;

pub(super) const AUTOESCAPE: &str = "groundcrew_autoescape";
pub(super) const RANGE: &str = "groundcrew_range";
pub(super) const TURN: &str = "groundcrew_turn";
pub(super) const WEIGH: &str = "groundcrew_weigh";

type Apply = dyn Fn(&dyn ValueView, &[Value], &dyn Runtime) -> Result<Value> + Send + Sync;

/// A filter made of a function.
#[derive(Clone)]
pub(super) struct Plain {
    name: &'static str,
    apply: Arc<Apply>,
}

/// Every filter the standard ones lack.
pub(super) fn all(presign: &Presign, runtime: &Handle) -> Vec<Plain> {
    vec![
        Plain::new(AUTOESCAPE, |input, _, runtime| {
            let escaped = Value::scalar(escape_html(&input.to_kstr()));
            budget::charge(&escaped, runtime)?;
            Ok(escaped)
        }),
        Plain::new("skip_autoescape", |input, _, _| Ok(input.to_value())),
        Plain::new("to_json", |input, _, _| to_json(input)),
        Plain::new(WEIGH, |input, _, runtime| {
            budget::charge(input, runtime)?;
            Ok(input.to_value())
        }),
        Plain::new(TURN, |_, written, runtime| budget::count_turn(written, runtime)),
        Plain::new(RANGE, |input, arguments, _| budget::check_range(input, arguments)),
        Plain::new("replace", |input, arguments, _| budget::replace(input, arguments)),
        Plain::new("join", |input, arguments, _| budget::join(input, arguments)),
        grant_read_access(presign.clone(), runtime.clone()),
    ]
}

fn escape_html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// JSON whose strings hold no character that could end a script or an attribute (`\u003c` for `<`), which is how
/// Ground Truth writes its own JSON: `<script>let x = {{ y | to_json | skip_autoescape }}</script>` stays data.
fn to_json(input: &dyn ValueView) -> Result<Value> {
    let json =
        serde_json::to_string(&input.to_value()).map_err(|error| Error::with_msg(error.to_string()))?;
    let mut safe = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\'' | '=' | '\u{2028}' | '\u{2029}' => {
                safe.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => safe.push(c),
        }
    }
    Ok(Value::scalar(safe))
}

/// An S3 URI becomes a link that works for a short while; what is no S3 address is given back as it is.
fn grant_read_access(presign: Presign, runtime: Handle) -> Plain {
    Plain::new("grant_read_access", move |input, _, _| {
        let text = input.to_kstr();
        if s3_uri(text.trim()).is_none() {
            return Ok(input.to_value());
        }
        // Rendering has a thread of its own (`spawn_blocking`), so waiting here holds up nobody else.
        let url = runtime
            .block_on(presign(text.trim().to_owned()))
            .map_err(Error::with_msg)?;
        Ok(Value::scalar(url))
    })
}

/// `s3://bucket/key` from that form, or from the `https://s3.amazonaws.com/bucket/key` form of AWS's examples.
pub(super) fn s3_uri(text: &str) -> Option<String> {
    if text.starts_with("s3://") {
        return Some(text.to_owned());
    }
    let address = text.strip_prefix("https://")?;
    let (host, path) = address.split_once('/')?;
    let labels: Vec<&str> = host.strip_suffix(".amazonaws.com")?.split('.').collect();
    let service = labels
        .iter()
        .rposition(|label| *label == "s3" || label.starts_with("s3-"))?;
    let bucket = labels[..service].join(".");
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8().ok()?;
    Some(if bucket.is_empty() {
        format!("s3://{decoded}")
    } else {
        format!("s3://{bucket}/{decoded}")
    })
}

impl Plain {
    fn new(
        name: &'static str,
        apply: impl Fn(&dyn ValueView, &[Value], &dyn Runtime) -> Result<Value> + Send + Sync + 'static,
    ) -> Plain {
        Plain {
            name,
            apply: Arc::new(apply),
        }
    }
}

impl FilterReflection for Plain {
    fn name(&self) -> &str {
        self.name
    }

    fn description(&self) -> &str {
        ""
    }

    fn positional_parameters(&self) -> &'static [ParameterReflection] {
        &[]
    }

    fn keyword_parameters(&self) -> &'static [ParameterReflection] {
        &[]
    }
}

impl ParseFilter for Plain {
    fn parse(&self, arguments: FilterArguments<'_>) -> Result<Box<dyn Filter>> {
        Ok(Box::new(Parsed {
            plain: self.clone(),
            arguments: arguments.positional.collect(),
        }))
    }

    fn reflection(&self) -> &dyn FilterReflection {
        self
    }
}

struct Parsed {
    plain: Plain,
    arguments: Vec<Expression>,
}

impl Filter for Parsed {
    fn evaluate(&self, input: &dyn ValueView, runtime: &dyn Runtime) -> Result<Value> {
        let arguments = self
            .arguments
            .iter()
            .map(|argument| Ok(argument.evaluate(runtime)?.into_owned()));
        let arguments = arguments.collect::<Result<Vec<Value>>>()?;
        (self.plain.apply)(input, &arguments, runtime)
    }
}

impl fmt::Debug for Parsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Parsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.plain.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s3_addresses_are_recognised_in_the_forms_of_aws_pages() {
        let table = [
            ("s3://b/a key.png", Some("s3://b/a key.png")),
            ("https://s3.amazonaws.com/b/k/x.png", Some("s3://b/k/x.png")),
            (
                "https://s3.eu-west-1.amazonaws.com/b/k%20x.png",
                Some("s3://b/k x.png"),
            ),
            ("https://s3-us-west-2.amazonaws.com/b/k", Some("s3://b/k")),
            (
                "https://my.bucket.s3.us-east-1.amazonaws.com/k",
                Some("s3://my.bucket/k"),
            ),
            ("https://example.com/k.png", None),
            ("https://s3.amazonaws.com.example.com/b/k", None),
            ("just text", None),
        ];
        for (text, expected) in table {
            assert_eq!(s3_uri(text).as_deref(), expected, "{text}");
        }
    }
}
