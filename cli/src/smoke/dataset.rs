//! The dataset of a smoke test: three numbers, even or odd.

use jiff::Timestamp;
use serde_json::json;

/// Name, text, and what is right.
pub(super) const FILES: [(&str, &str, &str); 3] = [
    ("four.txt", "4", "Even"),
    ("seven.txt", "7", "Odd"),
    ("twelve.txt", "12", "Even"),
];

/// New every second: what an earlier run left counts for nothing.
pub(super) fn name(now: Timestamp) -> String {
    now.strftime("smoke-%Y%m%d-%H%M%S").to_string()
}

/// A second of quiet is enough: everything is there when the spec is, which is dropped last.
pub(super) fn spec(team: &str) -> String {
    // A JSON string is a YAML one, whatever the team is called.
    format!(
        "task: text-classification\nlabels: [Even, Odd]\nteam: {}\n\
         title: Smoke test - please leave it alone\n\
         description: A test of the installation; it goes away by itself within minutes.\n\
         workers_per_item: 1\nbatch: {{quiet: 1s}}\nexport: [csv]\n",
        json!(team)
    )
}

#[cfg(test)]
mod tests {
    use shared::name::DatasetName;
    use shared::spec::{Spec, Team};

    use super::*;

    #[test]
    fn the_dataset_can_be_labelled() {
        let name = name("2026-11-22T03:04:05.6Z".parse().unwrap());
        assert_eq!(name, "smoke-20261122-030405");
        assert!(DatasetName::new(&name).is_ok());
        let spec = Spec::parse(spec("123").as_bytes()).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(spec.team, Team::Name("123".into()));
        assert_eq!(spec.workers_per_item, 1);
        for (_, text, right) in FILES {
            assert_eq!(crate::example::answer(text), Some(right));
        }
    }
}
