//! `template.yaml` as data: CloudFormation's short functions written out, and what is left of the template once its
//! parameters have values.

#![expect(
    clippy::expect_used,
    reason = "only tests read the template, and may fail where they stand"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use serde_json::{Map, Value, json};

/// The template as it is, with `!GetAtt A.Arn` read as `{"Fn::GetAtt": "A.Arn"}`.
pub fn template() -> Value {
    static READ: LazyLock<Value> = LazyLock::new(read);
    READ.clone()
}

fn read() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace")
        .join("template.yaml");
    let text = std::fs::read_to_string(path).expect("template.yaml");
    let long: Vec<String> = text.lines().map(long_form).collect();
    serde_saphyr::from_str(&long.join("\n")).expect("template.yaml is YAML without duplicate keys")
}

/// One line with every `!Name value` as `{"Fn::Name": value}`. Where the value begins on the next line, the function
/// becomes a key on a line of its own, one column further in than the key it stands behind.
fn long_form(line: &str) -> String {
    let Some(at) = tag(line) else {
        return line.to_owned();
    };
    let (before, rest) = line.split_at(at);
    let end = rest[1..]
        .find(|c: char| !c.is_ascii_alphabetic())
        .map_or(rest.len(), |i| i + 1);
    let name = match &rest[1..end] {
        name @ ("Ref" | "Condition") => name.to_owned(),
        name => format!("Fn::{name}"),
    };
    let value = rest[end..].trim_start();
    if value.is_empty() || value.starts_with(['|', '>']) {
        let column = before.len() - before.trim_start_matches([' ', '-']).len();
        return if column == before.len() {
            format!("{before}{name}: {value}")
        } else {
            format!("{before}\n{}{name}: {value}", " ".repeat(column + 1))
        };
    }
    let (value, after) = node(value, before.contains(['[', '{']));
    long_form(&format!("{before}{{\"{name}\": {value}}}{after}"))
}

/// Where the line's last short function begins: inner ones are written out first.
fn tag(line: &str) -> Option<usize> {
    if line.trim_start().starts_with('#') {
        return None;
    }
    let mut starts = line.match_indices('!').filter(|(at, _)| {
        let before = line[..*at].chars().next_back().unwrap_or(' ');
        let after = line[at + 1..].chars().next().unwrap_or(' ');
        matches!(before, ' ' | '[' | '{') && after.is_ascii_uppercase()
    });
    starts.next_back().map(|(at, _)| at)
}

/// The value at the beginning of this text, quoted where it was not, and what follows it.
fn node(text: &str, in_flow: bool) -> (String, &str) {
    let end = match text.chars().next() {
        Some(quote @ ('"' | '\'')) => text[1..].find(quote).map_or(text.len(), |i| i + 2),
        Some('[' | '{') => closing_brace(text),
        _ if in_flow => text.find([',', ']', '}']).unwrap_or(text.len()),
        _ => text.find(" #").unwrap_or(text.len()),
    };
    let (value, after) = text.split_at(end);
    let plain = !value.starts_with(['"', '\'', '[', '{']);
    let value = if plain {
        format!("\"{}\"", value.trim())
    } else {
        value.to_owned()
    };
    (value, after)
}

/// Just after the bracket that closes the first one.
fn closing_brace(text: &str) -> usize {
    let (mut depth, mut quote) = (0, None);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(q), _) if q == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '[' | '{') => depth += 1,
            (None, ']' | '}') => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    text.len()
}

/// The template with parameters given: choices made, resources whose condition is false left out.
pub struct Stack {
    template: Value,
    parameters: BTreeMap<String, Value>,
}

impl Stack {
    /// What comes out of `sam deploy` with only the parameters that have no default.
    pub fn by_default() -> Value {
        Self::with(&[])
    }

    pub fn with(parameters: &[(&str, &str)]) -> Value {
        let template = template();
        let declared = template["Parameters"].as_object().expect("parameters");
        for (name, _) in parameters {
            assert!(declared.contains_key(*name), "there is no parameter {name}");
        }
        let mut values: BTreeMap<String, Value> = declared
            .iter()
            .map(|(name, p)| {
                (
                    name.clone(),
                    p.get("Default").cloned().unwrap_or(json!("Example Lab")),
                )
            })
            .collect();
        values.extend(parameters.iter().map(|(n, v)| ((*n).to_owned(), json!(v))));
        Self {
            template: template.clone(),
            parameters: values,
        }
        .as_deployed()
    }

    fn as_deployed(&self) -> Value {
        let sections = ["Resources", "Outputs"].map(|section| {
            let all = self.template[section].as_object().expect(section).iter();
            let there = all.filter(|(_, r)| r["Condition"].as_str().is_none_or(|c| self.holds(c)));
            let kept: Map<String, Value> = there
                .map(|(name, r)| (name.clone(), self.resolve(r).unwrap_or_default()))
                .collect();
            (section.to_owned(), Value::Object(kept))
        });
        Value::Object(sections.into_iter().collect())
    }

    fn holds(&self, condition: &str) -> bool {
        self.is_true(&self.template["Conditions"][condition])
    }

    fn is_true(&self, condition: &Value) -> bool {
        let (function, value) = single(condition).expect("a condition is one function");
        let list = value.as_array().map_or(&[][..], Vec::as_slice);
        match function {
            "Condition" => self.holds(value.as_str().expect("a name")),
            "Fn::Not" => !self.is_true(&list[0]),
            "Fn::Or" => list.iter().any(|c| self.is_true(c)),
            "Fn::And" => list.iter().all(|c| self.is_true(c)),
            "Fn::Equals" => self.resolve(&list[0]).map(join_value) == self.resolve(&list[1]).map(join_value),
            other => panic!("a condition with {other}"),
        }
    }

    /// Choices and parameters are replaced by what they come to; references to resources stay. `None`: NoValue.
    fn resolve(&self, value: &Value) -> Option<Value> {
        match (single(value), value) {
            (Some(("Fn::If", choice)), _) => {
                let way = if self.holds(choice[0].as_str()?) { 1 } else { 2 };
                self.resolve(&choice[way])
            }
            (Some(("Ref", name)), _) if name == "AWS::NoValue" => None,
            (Some(("Ref", name)), _) => {
                let parameter = name.as_str().and_then(|n| self.parameters.get(n));
                Some(parameter.unwrap_or(value).clone())
            }
            (_, Value::Array(list)) => Some(list.iter().filter_map(|v| self.resolve(v)).collect()),
            (_, Value::Object(map)) => Some(Value::Object(
                map.iter()
                    .filter_map(|(k, v)| Some((k.clone(), self.resolve(v)?)))
                    .collect(),
            )),
            (_, plain) => Some(plain.clone()),
        }
    }
}

/// What `Fn::Join` makes of texts; a list parameter is one text here, as people give it.
fn join_value(value: Value) -> Value {
    match single(&value) {
        Some(("Fn::Join", parts)) if parts[1].is_string() => parts[1].clone(),
        _ => value,
    }
}

fn single(value: &Value) -> Option<(&str, &Value)> {
    let map = value.as_object().filter(|m| m.len() == 1)?;
    map.iter().next().map(|(k, v)| (k.as_str(), v))
}

/// A reference as a plain string: `A`, `A.Arn`, `text ${B.Arn}` with the values given beside it put in.
pub fn plain(value: &Value) -> String {
    match single(value) {
        Some(("Ref" | "Fn::GetAtt", name)) => name.as_str().unwrap_or_default().to_owned(),
        Some(("Fn::Sub", Value::Array(parts))) => {
            let mut text = parts[0].as_str().unwrap_or_default().to_owned();
            for (name, part) in parts[1].as_object().into_iter().flatten() {
                let there = match single(part) {
                    Some(("Ref" | "Fn::GetAtt", _)) => format!("${{{}}}", plain(part)),
                    _ => plain(part),
                };
                text = text.replace(&format!("${{{name}}}"), &there);
            }
            text
        }
        Some(("Fn::Sub", text)) => text.as_str().unwrap_or_default().to_owned(),
        _ => value.as_str().map_or_else(|| value.to_string(), str::to_owned),
    }
}

/// The strings of a value that may be one or a list.
pub fn strings(value: &Value) -> Vec<String> {
    match value {
        Value::Array(list) => list.iter().map(plain).collect(),
        Value::Null => Vec::new(),
        one => vec![plain(one)],
    }
}

/// Every resource of this type, by its logical name.
pub fn of_type<'a>(stack: &'a Value, kind: &str) -> Vec<(&'a str, &'a Value)> {
    let resources = stack["Resources"].as_object().expect("resources");
    resources
        .iter()
        .filter(|(_, r)| r["Type"] == kind)
        .map(|(name, r)| (name.as_str(), &r["Properties"]))
        .collect()
}

/// `build-manifest` is `BuildManifest…` in the template.
pub fn logical(function: &str, what: &str) -> String {
    let words = function.split('-').map(|w| w[..1].to_uppercase() + &w[1..]);
    words.collect::<String>() + what
}

/// Every statement of the function's role: its own, and those of policies attached to it.
pub fn statements(stack: &Value, function: &str) -> Vec<Value> {
    let role = logical(function, "Role");
    let own = stack["Resources"][&role]["Properties"]["Policies"].as_array();
    let attached = ["AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"]
        .into_iter()
        .flat_map(|kind| of_type(stack, kind))
        .map(|(_, policy)| policy)
        .filter(|policy| strings(&policy["Roles"]).contains(&role));
    own.expect("a role with policies")
        .iter()
        .chain(attached)
        .flat_map(|p| p["PolicyDocument"]["Statement"].as_array().into_iter().flatten())
        .cloned()
        .collect()
}

#[test]
fn a_short_function_is_read_like_its_long_form() {
    let table = [
        ("a: !Ref B", json!({"a": {"Ref": "B"}})),
        (
            "a: [!GetAtt B.Arn, c]",
            json!({"a": [{"Fn::GetAtt": "B.Arn"}, "c"]}),
        ),
        (
            "a: !If [X, !Ref AWS::NoValue, \"1\"]",
            json!({"a": {"Fn::If": ["X", {"Ref": "AWS::NoValue"}, "1"]}}),
        ),
        (
            "a: !If\n  - X\n  - !Ref B",
            json!({"a": {"Fn::If": ["X", {"Ref": "B"}]}}),
        ),
        (
            "- a: !Sub\n    - x\n    - {Y: !Ref B}",
            json!([{"a": {"Fn::Sub": ["x", {"Y": {"Ref": "B"}}]}}]),
        ),
        ("- !Sub\n  - x\n  - z", json!([{"Fn::Sub": ["x", "z"]}])),
        ("a: !Sub |\n  x\n  z", json!({"a": {"Fn::Sub": "x\nz"}})),
        ("a: b! Not this", json!({"a": "b! Not this"})),
    ];
    for (short, long) in table {
        let text: Vec<String> = short.lines().map(long_form).collect();
        let read: Value = serde_saphyr::from_str(&text.join("\n")).expect(short);
        assert_eq!(
            read.to_string().replace("\\n\"", "\""),
            long.to_string(),
            "{short}"
        );
    }
}
