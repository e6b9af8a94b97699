//! Ground Truth's own Liquid filters (`to_json`, `skip_autoescape`, `grant_read_access`; AWS's page "Adding automation with
//! Liquid"), and those that `prepare` inserts: autoescape, the count of loop turns, the size of values.

use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;
use liquid_core::model::{Value, ValueView};
use liquid_core::parser::{Filter, FilterArguments, FilterReflection, ParameterReflection, ParseFilter};
use liquid_core::{Error, Expression, Result, Runtime};
use tokio::runtime::Handle;

use super::budget;
use crate::html::escape;

/// Makes a short-lived link to an S3 URI. The error is a sentence for the template's author.
pub(crate) type Presign =
    Arc<dyn Fn(String) -> BoxFuture<'static, std::result::Result<String, String>> + Send + Sync>;

pub(super) const AUTOESCAPE: &str = "groundcrew_autoescape";
pub(super) const RANGE: &str = "groundcrew_range";
pub(super) const TURN: &str = "groundcrew_turn";
pub(super) const CHARGE: &str = "groundcrew_charge";

type Apply = dyn Fn(&dyn ValueView, &[Value], &dyn Runtime) -> Result<Value> + Send + Sync;

/// A filter that is a function.
#[derive(Clone)]
pub(super) struct FunctionFilter {
    name: &'static str,
    apply: Arc<Apply>,
}

/// Every filter that is not among the standard ones.
pub(super) fn all_filters(presign: &Presign, runtime: &Handle) -> Vec<FunctionFilter> {
    vec![
        FunctionFilter::new(AUTOESCAPE, |input, _, runtime| {
            let escaped = Value::scalar(escape(&input.to_kstr()));
            budget::charge(&escaped, runtime)?;
            Ok(escaped)
        }),
        FunctionFilter::new("skip_autoescape", |input, _, _| Ok(input.to_value())),
        FunctionFilter::new("to_json", |input, _, _| to_json(input)),
        FunctionFilter::new(CHARGE, |input, _, runtime| {
            budget::charge(input, runtime)?;
            Ok(input.to_value())
        }),
        FunctionFilter::new(TURN, |_, written, runtime| budget::count_turn(written, runtime)),
        FunctionFilter::new(RANGE, |input, arguments, _| budget::check_range(input, arguments)),
        FunctionFilter::new("replace", |input, arguments, _| budget::replace(input, arguments)),
        FunctionFilter::new("join", |input, arguments, _| budget::join(input, arguments)),
        grant_read_access(presign.clone(), runtime.clone()),
    ]
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

/// An S3 URI becomes a short-lived link; every other value stays as it is.
fn grant_read_access(presign: Presign, runtime: Handle) -> FunctionFilter {
    FunctionFilter::new("grant_read_access", move |input, _, _| {
        let text = input.to_kstr();
        if s3_uri(text.trim()).is_none() {
            return Ok(input.to_value());
        }
        // Rendering has its own thread (`spawn_blocking`), so waiting here blocks nothing else.
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

impl FunctionFilter {
    fn new(
        name: &'static str,
        apply: impl Fn(&dyn ValueView, &[Value], &dyn Runtime) -> Result<Value> + Send + Sync + 'static,
    ) -> FunctionFilter {
        FunctionFilter {
            name,
            apply: Arc::new(apply),
        }
    }
}

impl FilterReflection for FunctionFilter {
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

impl ParseFilter for FunctionFilter {
    fn parse(&self, arguments: FilterArguments<'_>) -> Result<Box<dyn Filter>> {
        Ok(Box::new(ParsedFilter {
            plain: self.clone(),
            arguments: arguments.positional.collect(),
        }))
    }

    fn reflection(&self) -> &dyn FilterReflection {
        self
    }
}

struct ParsedFilter {
    plain: FunctionFilter,
    arguments: Vec<Expression>,
}

impl Filter for ParsedFilter {
    fn evaluate(&self, input: &dyn ValueView, runtime: &dyn Runtime) -> Result<Value> {
        let arguments = self
            .arguments
            .iter()
            .map(|argument| Ok(argument.evaluate(runtime)?.into_owned()));
        let arguments = arguments.collect::<Result<Vec<Value>>>()?;
        (self.plain.apply)(input, &arguments, runtime)
    }
}

impl fmt::Debug for ParsedFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for ParsedFilter {
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
