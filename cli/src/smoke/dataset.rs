//! The dataset of a smoke test: three numbers, even or odd.

use jiff::Timestamp;
use serde_json::json;

/// Name, text, and the right label.
pub(super) const FILES: [(&str, &str, &str); 3] = [
    ("four.txt", "4", "Even"),
    ("seven.txt", "7", "Odd"),
    ("twelve.txt", "12", "Even"),
];

/// A new one every second, so that it has nothing from an earlier run.
pub(super) fn name(now: Timestamp) -> String {
    now.strftime("smoke-%Y%m%d-%H%M%S").to_string()
}

/// The spec is dropped last, so one second of quiet is enough.
pub(super) fn spec(team: &str) -> String {
    // A JSON string is also a YAML string, with any name of a team.
    format!(
        "task: text-classification\nlabels: [Even, Odd]\nteam: {}\n\
         title: Smoke test - please do not label\n\
         description: A test of the installation. It ends by itself within minutes.\n\
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
    fn the_dataset_can_be_labeled() {
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
