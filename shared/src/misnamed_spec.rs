//! Files that were meant to be a dataset's spec and are not called so. What counts as one, and what is said of it, is
//! decided here for `check`, build-manifest and the console alike.

use crate::layout::SPEC_FILE;
use crate::lookalike;
use crate::mail_text::quote;
use crate::yaml::nearest;

/// What people call a spec, without its endings.
const STEMS: [&str; 8] = [
    "labeling",
    "labelling",
    "label",
    "labels",
    "spec",
    "groundcrew",
    "labelingspec",
    "labelingyaml",
];
/// Endings that programs and systems add, or that are another spelling.
const ENDINGS: [&str; 7] = [".yaml", ".yml", ".json", ".txt", ".bak", ".orig", "~"];

/// Whether a file of a dataset, by its path in it, was meant to be the spec: `labeling.yml`, `Labeling.yaml`,
/// `labeling (1).yaml`. Files in subfolders are data.
pub fn looks_like_misnamed_spec(path: &str) -> bool {
    if path == SPEC_FILE || path.contains('/') {
        return false;
    }
    let name = lookalike::key(path).to_lowercase();
    let (mut stem, mut endings) = (name.trim().trim_start_matches('.'), Vec::new());
    while let Some((rest, ending)) = ENDINGS
        .iter()
        .find_map(|ending| Some((stem.strip_suffix(ending)?, *ending)))
    {
        (stem, endings) = (rest.trim(), [endings, vec![ending]].concat());
    }
    let stem = plain(stem);
    let is_yaml = endings.iter().any(|ending| matches!(*ending, ".yaml" | ".yml"));
    match is_yaml {
        // No data is YAML: a word or a slip of the fingers is enough.
        true => STEMS.contains(&stem.as_str()) || is_slip(&stem),
        // Data is `.json` and `.txt`, or has no ending: only the word itself.
        false => matches!(stem.as_str(), "labeling" | "labelling") && !is_plain_text(&endings),
    }
}

/// `labeling.txt` may hold texts to label.
fn is_plain_text(endings: &[&str]) -> bool {
    endings == [".txt"]
}

fn is_slip(stem: &str) -> bool {
    stem.len() >= 6 && nearest::name(stem, &["labeling"]).is_some() && stem.starts_with("lab")
}

/// Without what file managers add to a copy, and without what joins words.
fn plain(stem: &str) -> String {
    let mut stem = stem.trim_end_matches(|c: char| c.is_ascii_digit() || "() -_.".contains(c));
    for copy in ["copy", "kopie", "copie", "copia"] {
        stem = stem
            .strip_suffix(copy)
            .unwrap_or(stem)
            .trim_end_matches([' ', '-', '_', '(']);
    }
    let stem = stem.strip_prefix("copy of ").unwrap_or(stem);
    stem.replace([' ', '-', '_', '.'], "")
}

/// What to do about it, in words for people. `file` is how they know it: a key, or a path.
pub fn advice(file: &str) -> String {
    format!(
        "{} is not looked at: the name of a spec has to be {SPEC_FILE} exactly. Put it there under that name, and \
         delete this one.",
        quote(file)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spec_under_another_name_is_known_by_its_name() {
        for path in [
            "labeling.yml",
            "Labeling.yaml",
            "LABELING.YAML",
            "labelling.yaml",
            "labelling.yml",
            "labeling.yaml.txt",
            "labeling.yml.txt",
            "labeling.yaml.yaml",
            "labeling.json",
            "labeling",
            "labels.yaml",
            "label.yaml",
            "label.yml",
            "spec.yaml",
            "labeling (1).yaml",
            "labeling(2).yml",
            "labeling - Copy.yaml",
            "labeling copy.yaml",
            "labeling copy 2.yaml",
            "Copy of labeling.yaml",
            "labeling_1.yaml",
            "labeling .yaml",
            " labeling.yaml",
            "labeling.yaml ",
            "labeling.yaml~",
            "labeling.yaml.bak",
            ".labeling.yaml",
            "labeling-spec.yaml",
            "labeling\u{200b}.yaml",
            "\u{feff}labeling.yaml",
            "labe\u{ad}ling.yaml",
            "labeilng.yaml",
            "lableing.yaml",
            "labling.yaml",
        ] {
            assert!(looks_like_misnamed_spec(path), "{path:?}");
        }
    }

    #[test]
    fn a_file_of_data_is_not_taken_for_a_spec() {
        for path in [
            SPEC_FILE,
            "sub/labeling.yml",
            "labeling.txt",
            "labels.json",
            "labels.csv",
            "labels.txt",
            "labeling.csv",
            "labeling.jsonl",
            "labeling.png",
            "1.txt",
            "team.yaml",
            "config.yaml",
            "laboratory.yaml",
            "",
        ] {
            assert!(!looks_like_misnamed_spec(path), "{path:?}");
        }
    }

    #[test]
    fn what_is_said_names_the_file_and_the_right_name() {
        assert_eq!(
            advice("cats/labeling.yml"),
            "\"cats/labeling.yml\" is not looked at: the name of a spec has to be labeling.yaml exactly. Put it there \
             under that name, and delete this one."
        );
    }
}
