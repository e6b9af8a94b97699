//! The `labeling.yaml` offered for a dataset that has files and no spec yet.

/// What most of the dropped files are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum StarterKind {
    Texts,
    /// CSV and similar files: every row is an item.
    Rows,
    Images,
}

impl StarterKind {
    /// By extension alone, which is enough for a suggestion: the most frequent kind, or texts where no file has a known one.
    pub(crate) fn of_files<'a>(keys: impl Iterator<Item = &'a str>) -> Self {
        let mut counts = [(Self::Texts, 0), (Self::Rows, 0), (Self::Images, 0)];
        for kind in keys.filter_map(Self::of_key) {
            counts[kind as usize].1 += 1;
        }
        counts
            .into_iter()
            .rev()
            .max_by_key(|(_, count)| *count)
            .map_or(Self::Texts, |(kind, _)| kind)
    }

    fn of_key(key: &str) -> Option<Self> {
        let (_, extension) = key.rsplit_once('.')?;
        match extension.to_ascii_lowercase().as_str() {
            "txt" => Some(Self::Texts),
            "csv" | "tsv" | "jsonl" => Some(Self::Rows),
            "jpg" | "jpeg" | "jfif" | "png" => Some(Self::Images),
            _ => None,
        }
    }
}

/// A spec that parses as it is, with what has to be changed marked by comments.
pub(crate) fn starter_spec(kind: StarterKind, team: &str) -> String {
    let (task, labels, title, description, short) = match kind {
        StarterKind::Texts | StarterKind::Rows => (
            "text-classification",
            "[Positive, Negative, Neutral]",
            "How does this text sound?",
            "Read the text and choose the label that fits best.",
            "Judge the text as a whole, not single words.",
        ),
        StarterKind::Images => (
            "image-classification",
            "[Cat, Dog, Something else]",
            "What does this picture show?",
            "Look at the picture and choose the label that fits best.",
            "Choose what is largest in the picture.",
        ),
    };
    let text = match kind {
        StarterKind::Rows => {
            "text: {split: row}             # every row is an item; {split: row, column: x}: its text alone\n"
        }
        StarterKind::Texts => {
            "text: {split: file}            # every file is an item; or line: every line of it\n"
        }
        StarterKind::Images => "",
    };
    format!(
        "# What to label, how, and by whom. Change it to fit, then save:\n\
         # labeling starts by itself.\n\
         task: {task}   # or {task}-multi-label: several labels each\n\
         labels: {labels}\n\
         team: {team}\n\
         title: {title}\n\
         description: {description}\n\
         instructions:\n\
         \x20 short: {short}\n\
         workers_per_item: 1            # 3 or more people of the team: they vote, with a confidence\n\
         {text}\
         batch: {{quiet: 10s}}            # start when nothing has arrived for this long\n\
         export: [csv]                  # besides the output manifest\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_suggestion_follows_what_most_files_are() {
        for (keys, kind) in [
            (vec!["d/a.txt", "d/b.JPG", "d/c.jfif"], StarterKind::Images),
            (vec!["d/a.txt", "d/b.jpg"], StarterKind::Texts),
            (vec!["d/a.csv"], StarterKind::Rows),
            (vec!["d/README", "d/x.zip"], StarterKind::Texts),
            (vec![], StarterKind::Texts),
        ] {
            assert_eq!(StarterKind::of_files(keys.iter().copied()), kind, "{keys:?}");
        }
    }

    #[test]
    fn every_starter_is_a_spec_that_can_be_used_as_it_is_by_one_person() {
        for kind in [StarterKind::Texts, StarterKind::Rows, StarterKind::Images] {
            let text = starter_spec(kind, "numbers-team");
            match shared::spec::Spec::parse(text.as_bytes()) {
                Ok(spec) => assert_eq!(spec.workers_per_item, 1, "{text}"),
                Err(error) => panic!("{kind:?}: {error}\n{text}"),
            }
        }
    }
}
