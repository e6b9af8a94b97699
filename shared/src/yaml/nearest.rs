//! "Did you mean …": the known name closest to a mistyped one.

/// Jaro-Winkler below this is another word rather than a slip of the fingers.
const ALIKE: f64 = 0.8;
/// Comparing takes time in proportion to the length, and a longer word is no slip either.
const LONGEST: usize = 64;

/// A hint that names the closest of the known names, or all of them where none is close.
pub(crate) fn hint(word: &str, known: &[&str], what: &str) -> Option<String> {
    match name(word, known) {
        Some(name) => Some(format!("did you mean `{name}`?")),
        None if known.is_empty() => None,
        None => Some(format!("{what}: {}", known.join(", "))),
    }
}

/// The closest of the known names, where one is close.
pub fn name<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    if word.len() > LONGEST {
        return None;
    }
    let plain = |text: &str| text.to_lowercase().replace(['-', '_', ' '], "");
    let word = plain(word);
    let scored = known
        .iter()
        .map(|name| (strsim::jaro_winkler(&word, &plain(name)), *name));
    let (score, name) = scored.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (score >= ALIKE).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_word_and_another_word_gets_the_list() {
        let known = ["task", "labels", "team", "workers_per_item"];
        for (word, name) in [
            ("lables", "labels"),
            ("Labels", "labels"),
            ("workersPerItem", "workers_per_item"),
        ] {
            assert_eq!(
                hint(word, &known, "known").unwrap(),
                format!("did you mean `{name}`?")
            );
        }
        assert_eq!(
            hint("zzz", &known[..2], "the keys here are").unwrap(),
            "the keys here are: task, labels"
        );
        assert_eq!(hint("zzz", &[], "the keys here are"), None);
    }
}
