//! Which objects a page may have links to: those that its item or its template names. What a template puts together from
//! parts (`append`, `capture`) names an object that nobody has looked at, and gets none.
use super::Presign;
use super::filters::s3_uri;
use serde_json::Value;
use std::collections::HashSet;
use std::sync::Arc;

/// Asks `presign` for what is named, by its `s3://` address, and refuses the rest.
pub(super) fn named_only(template: &str, input: &Value, presign: Presign) -> Presign {
    let named = Arc::new(Named::of(template, input));
    Arc::new(move |text| match s3_uri(&text).filter(|_| named.has(&text)) {
        Some(uri) => presign(uri),
        None => Box::pin(async {
            Err("Neither the item nor the template names this object as a whole: a link is made for no other.".to_owned())
        }),
    })
}

struct Named {
    template: String,
    values: HashSet<String>,
}

impl Named {
    fn of(template: &str, input: &Value) -> Named {
        let mut values = HashSet::new();
        collect(input, &mut values);
        Named {
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

/// A text literal of Liquid (`'s3://…'` or `"s3://…"`) or the text between two tags, not the beginning of a longer one.
fn is_whole_in(template: &str, address: &str) -> bool {
    template.match_indices(address).any(|(at, _)| {
        let before = template[..at].chars().next_back();
        let after = template[at + address.len()..].chars().next();
        let quoted = matches!((before, after), (Some('\''), Some('\'')) | (Some('"'), Some('"')));
        let is_edge = |c: Option<char>| c.is_none_or(|c| c.is_whitespace() || c == '}' || c == '{');
        // `%}s3://bucket/{{ key }}` is a part: an edge of a tag on the right may only be that of a block's end.
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
        let named = Named::of(template, &input);
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
