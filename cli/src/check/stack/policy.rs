//! Whether the output bucket's policy protects batches from changes.

use serde_json::Value;

/// What is missing in the policy, and what to do.
pub(super) fn problem(policy: &str, bucket: &str) -> Option<String> {
    let policy: Value = serde_json::from_str(policy).unwrap_or_default();
    let statements = as_list(&policy["Statement"]);
    let batches = |statement: &Value| covers_batches(statement, bucket);
    let denied = |action: &str| {
        let says = |statement: &&Value| denies(statement, action) && batches(statement);
        statements.iter().copied().filter(says).collect::<Vec<_>>()
    };
    let is_denied_always = |action: &str| {
        denied(action)
            .iter()
            .any(|statement| statement["Condition"].is_null())
    };
    let keeps_first = denied("s3:PutObject")
        .iter()
        .any(|statement| only_without_if_none_match(statement));
    let mut missing = Vec::new();
    if !is_denied_always("s3:DeleteObject") || !is_denied_always("s3:DeleteObjectVersion") {
        missing.push("deletes");
    }
    if !keeps_first {
        missing.push("writes without If-None-Match");
    }
    (!missing.is_empty()).then(|| {
        format!(
            "its policy does not deny {} under manifests/, so a batch could be lost and its items labeled again: take over \
             the statements of OutputBucketPolicy in template.yaml",
            missing.join(" and ")
        )
    })
}

fn as_list(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(all) => all.iter().collect(),
        Value::Null => Vec::new(),
        one => vec![one],
    }
}

/// Denies it to everyone.
fn denies(statement: &Value, action: &str) -> bool {
    let to_everyone = &statement["Principal"] == "*" || &statement["Principal"]["AWS"] == "*";
    let named = as_list(&statement["Action"])
        .into_iter()
        .filter_map(Value::as_str)
        .any(|pattern| matches(pattern, action));
    &statement["Effect"] == "Deny" && to_everyone && named
}

/// Knows `*` only at the end, as people write it; any other pattern matches nothing.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => text.starts_with(start),
        None => pattern == text,
    }
}

fn covers_batches(statement: &Value, bucket: &str) -> bool {
    let all = format!(":s3:::{bucket}/manifests/*");
    as_list(&statement["Resource"])
        .into_iter()
        .filter_map(Value::as_str)
        .filter_map(|arn| arn.strip_prefix("arn:")?.split_once(':'))
        .any(|(_, rest)| matches(&format!(":{rest}"), &all))
}

fn only_without_if_none_match(statement: &Value) -> bool {
    let condition = &statement["Condition"];
    let absent = &condition["Null"]["s3:if-none-match"];
    condition.as_object().is_some_and(|all| all.len() == 1)
        && (absent == "true" || absent == &Value::Bool(true))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn deny(action: &Value, resource: &str, condition: &Value) -> Value {
        let mut statement =
            json!({"Effect": "Deny", "Principal": "*", "Action": action, "Resource": resource});
        if !condition.is_null() {
            statement["Condition"] = condition.clone();
        }
        statement
    }

    fn problem_of(statements: &[Value]) -> Option<String> {
        problem(&json!({"Statement": statements}).to_string(), "out")
    }

    #[test]
    fn batches_are_kept_by_two_denials() {
        let here = "arn:aws:s3:::out/manifests/*";
        let deletes = deny(
            &json!(["s3:DeleteObject", "s3:DeleteObjectVersion"]),
            here,
            &Value::Null,
        );
        let absent = json!({"Null": {"s3:if-none-match": "true"}});
        let writes = deny(&json!("s3:PutObject"), here, &absent);
        assert_eq!(problem_of(&[deletes.clone(), writes.clone()]), None);
        assert_eq!(
            problem_of(&[
                deny(&json!("s3:Delete*"), "arn:aws:s3:::out/*", &Value::Null),
                writes.clone()
            ]),
            None
        );
        for (statements, part) in [
            (vec![], "deletes and writes without"),
            (vec![writes.clone()], "deny deletes under"),
            (vec![deletes.clone()], "deny writes without If-None-Match under"),
            (
                vec![
                    deletes,
                    deny(&json!("s3:PutObject"), "arn:aws:s3:::other/*", &absent),
                ],
                "writes",
            ),
            (
                vec![
                    writes.clone(),
                    deny(&json!("s3:DeleteObject"), here, &Value::Null),
                ],
                "deletes",
            ),
            (
                vec![
                    writes,
                    deny(
                        &json!("s3:Delete*"),
                        here,
                        &json!({"Bool": {"aws:SecureTransport": "false"}}),
                    ),
                ],
                "deletes",
            ),
        ] {
            let text = problem_of(&statements).unwrap();
            assert!(text.contains(part), "{text}");
        }
    }
}
