//! Words that must not come back: many readers search for a word before they read, and these are not the ones they
//! search for. The glossary is in CONTRIBUTING.md.

use regex::Regex;

use super::root;

/// The word, and what to write in its place, or why.
const AVOIDED: &[(&str, &str)] = &[
    ("mend|mends|mended|mending", "fix: the word engineers search for"),
    ("anew", "again"),
    (
        "somebody|nobody|anybody|whoever",
        "name who: the admin, a worker, another process, the sweep",
    ),
    ("illegible", "unreadable"),
    ("told|untold", "announced, published, reported, listed: say which"),
    (
        "tell|tells|telling",
        "announce, report, show, name, distinguish: say which",
    ),
    ("comes? again", "is retried, is delivered again"),
    ("for ever", "always, until it is stopped"),
    ("has run out|have run out|runs out", "has expired, is used up"),
];

/// Endings of the files people read and write.
const ENDINGS: &[&str] = &[
    "rs", "md", "js", "css", "html", "yaml", "yml", "toml", "py", "txt", "sh",
];

#[test]
fn no_text_uses_a_word_that_readers_do_not_search_for() {
    let words: Vec<(Regex, &str)> = AVOIDED
        .iter()
        .map(|(word, instead)| {
            (
                Regex::new(&format!(r"(?i)\b({word})\b")).expect("a pattern"),
                *instead,
            )
        })
        .collect();
    let mut hits = Vec::new();
    for entry in walkdir::WalkDir::new(root())
        .into_iter()
        .filter_entry(is_ours)
        .filter_map(Result::ok)
    {
        let path = entry.path().strip_prefix(root()).expect("inside");
        let ending = path
            .extension()
            .and_then(|ending| ending.to_str())
            .unwrap_or_default();
        // This list itself, and the glossary that explains it.
        if !ENDINGS.contains(&ending)
            || path.starts_with("tests/tests/journeys/rules")
            || path.ends_with("CONTRIBUTING.md")
        {
            continue;
        }
        let text = std::fs::read_to_string(entry.path()).expect("readable");
        for (number, line) in text.lines().enumerate() {
            for (word, instead) in &words {
                if let Some(hit) = word.find(line) {
                    hits.push(format!(
                        "{}:{}: `{}`: {instead}",
                        path.display(),
                        number + 1,
                        hit.as_str()
                    ));
                }
            }
        }
    }
    assert!(hits.is_empty(), "{} words:\n{}", hits.len(), hits.join("\n"));
}

fn is_ours(entry: &walkdir::DirEntry) -> bool {
    let name = entry.file_name().to_string_lossy();
    !["target", ".git", ".aws-sam", "node_modules"].contains(&name.as_ref())
}
