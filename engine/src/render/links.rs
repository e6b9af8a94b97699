//! Which objects a page may have links to: those that its item or its template names as a whole. An address that a template
//! puts together from parts (`append`, `capture`) gets no link: its author could reach every object the engine can read.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::Value;

use super::filters::{Presign, s3_uri};

/// Passes the named objects to `presign`, by their `s3://` addresses, and refuses all others.
pub(super) fn named_only(template: &str, input: &Value, presign: Presign) -> Presign {
    let named = Arc::new(NamedObjects::of(template, input));
    Arc::new(move |text| match s3_uri(&text).filter(|_| named.has(&text)) {
        Some(uri) => presign(uri),
        None => Box::pin(async {
            Err(
                "Neither the item nor the template names this object as a whole, so it gets no link."
                    .to_owned(),
            )
        }),
    })
}

struct NamedObjects {
    template: String,
    values: HashSet<String>,
}

impl NamedObjects {
    fn of(template: &str, input: &Value) -> NamedObjects {
        let mut values = HashSet::new();
        collect(input, &mut values);
        NamedObjects {
            template: template.to_owned(),
            values,
        }
    }

    fn has(&self, address: &str) -> bool {
        self.values.contains(address) || is_whole_in(&self.template, address)
    }
}

/// The texts among the values that are S3 addresses.
fn collect(value: &Value, into: &mut HashSet<String>) {
    match value {
        Value::String(text) if s3_uri(text.trim()).is_some() => drop(into.insert(text.trim().to_owned())),
        Value::Array(values) => values.iter().for_each(|value| collect(value, into)),
        Value::Object(values) => values.values().for_each(|value| collect(value, into)),
        _ => {}
    }
}

/// Whether the address is a whole text literal of Liquid (`'s3://…'` or `"s3://…"`), or the whole text between two tags.
fn is_whole_in(template: &str, address: &str) -> bool {
    template.match_indices(address).any(|(at, _)| {
        let before = template[..at].chars().next_back();
        let after = template[at + address.len()..].chars().next();
        let quoted = matches!((before, after), (Some('\''), Some('\'')) | (Some('"'), Some('"')));
        let is_edge = |c: Option<char>| c.is_none_or(|c| c.is_whitespace() || c == '}' || c == '{');
        // `%}s3://bucket/{{ key }}` is only a part: on the right there may be nothing but a tag that is no output.
        let follows = template[at + address.len()..].trim_start();
        quoted || (is_edge(before) && is_edge(after) && (follows.is_empty() || follows.starts_with("{%")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_a_line_or_a_template_names_as_a_whole_is_named() {
        let input = json!({"taskObject": " s3://in/a/1.png ", "manifestLine": {"other": ["s3://in/a/2.png"], "note": "s3"}});
        let template = "{{ 's3://in/good one.png' | grant_read_access }} {% assign x = \"https://s3.amazonaws.com/in/b\" %} \
            {% capture y %}s3://in/c{% endcapture %}{% capture z %}s3://in/d/{{ task.input.note }}{% endcapture %} 's3://in/' ";
        let named = NamedObjects::of(template, &input);
        for (address, expected) in [
            ("s3://in/a/1.png", true),
            ("s3://in/a/2.png", true),
            ("s3://in/good one.png", true),
            ("https://s3.amazonaws.com/in/b", true),
            ("s3://in/c", true),
            ("s3://in/", true),
            ("s3://in/d/", false),
            ("s3://in/d/secret", false),
            ("s3://in/good", false),
            ("s3://in/a/3.png", false),
        ] {
            assert_eq!(named.has(address), expected, "{address}");
        }
    }

    #[tokio::test]
    async fn a_link_is_asked_for_by_its_plain_address_and_only_if_named() {
        let asked: Presign = Arc::new(|uri| Box::pin(async move { Ok(uri) }));
        let presign = named_only(
            "",
            &json!({"source-ref": "https://s3.amazonaws.com/in/a%20b"}),
            asked,
        );
        assert_eq!(
            presign("https://s3.amazonaws.com/in/a%20b".to_owned()).await,
            Ok("s3://in/a b".to_owned())
        );
        assert!(presign("s3://in/a b".to_owned()).await.is_err());
    }
}
