//! Words of the commands that people are shown, to copy into a shell: any name, with any characters, is for the shell a
//! name and runs nothing of it.
//!
//! For every shell that follows POSIX (sh, dash, bash, zsh, ksh).

use crate::visible::is_invisible;

/// One word of a command. Plain names stay as they are; others go in single quotes, in which nothing means anything.
/// What a person does not see (control characters, marks of direction, spaces of no width) is spelt out for `printf`, so
/// that the command shows all of it, stays on one line, and moves no cursor when it is pasted.
pub fn word(text: &str) -> String {
    // A command substitution takes line breaks off the end: those are written as they are.
    let body = text.trim_end_matches('\n');
    let breaks = &text[body.len()..];
    let (scheme, rest) = body.split_at(body.find("://").map_or(0, |at| at + 3));
    let word = if has_link(rest) {
        format!(
            "\"$(printf '{}{}')\"",
            spelt_out(scheme, ""),
            spelt_out(rest, ":.")
        )
    } else if body.chars().any(is_hidden) {
        format!("\"$(printf '{}')\"", spelt_out(body, ""))
    } else if !body.is_empty() && body.chars().all(is_plain) {
        body.to_owned()
    } else if body.is_empty() && !breaks.is_empty() {
        String::new()
    } else {
        format!("'{}'", body.replace('\'', r"'\''"))
    };
    match breaks {
        "" => word,
        breaks => format!("{word}'{breaks}'"),
    }
}

/// A file or folder: one whose name begins with `-` is no option.
pub fn path(text: &str) -> String {
    match text {
        option if option.starts_with('-') => word(&format!("./{option}")),
        path => word(path),
    }
}

fn is_plain(c: char) -> bool {
    // No `~`, which is a home at the beginning, and no `=`, which some shells expand there.
    c.is_ascii_alphanumeric() || "/:._-+,@%".contains(c) || (!c.is_ascii() && c.is_alphanumeric())
}

/// What a mail program makes a link of, in a name behind the scheme it is named by.
fn has_link(name: &str) -> bool {
    name.contains("://") || name.to_ascii_lowercase().contains("www.")
}

/// Not seen, or not seen where it is.
fn is_hidden(c: char) -> bool {
    is_invisible(c) || c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// The format of a `printf`: bytes that are not seen, or that mean something there or to the shell, in octal. `!` is
/// history to an interactive bash even here.
fn spelt_out(text: &str, and: &str) -> String {
    let mut out = String::new();
    for (place, c) in text.chars().enumerate() {
        if is_hidden(c) || "'\\%!\"`$".contains(c) || and.contains(c) || (place == 0 && c == '-') {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                out.push_str(&format!("\\{byte:03o}"));
            }
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// What POSIX shells of this machine make of a word.
    fn read_by(shell: &str, word: &str) -> Option<Vec<u8>> {
        let script = format!("printf '%s.' {word}");
        let output = Command::new(shell)
            .args(["-c", &script])
            .env("PATH", "/nowhere")
            .output()
            .ok()?;
        let mut said = output.stdout;
        assert!(
            output.stderr.is_empty(),
            "{shell} {word}: {output:?}",
            output = output.stderr
        );
        assert_eq!(said.pop(), Some(b'.'), "{shell} {word}");
        Some(said)
    }

    /// Names that a shell would take for something else. The console's own quoting is tested with the same.
    fn hostile_names() -> Vec<String> {
        serde_json::from_str(include_str!("shell/hostile_names.json")).unwrap()
    }

    #[test]
    fn a_shell_reads_every_word_as_the_name_it_is() {
        for text in hostile_names() {
            let word = word(&text);
            let (sh, bash) = (read_by("/bin/sh", &word), read_by("/bin/bash", &word));
            assert!(sh.is_some(), "there is no /bin/sh");
            for said in sh.into_iter().chain(bash) {
                assert_eq!(String::from_utf8_lossy(&said), text, "{word}");
            }
        }
    }

    #[test]
    fn a_word_shows_what_is_in_it_and_stays_on_one_line() {
        for text in hostile_names().iter().filter(|text| !text.ends_with('\n')) {
            assert!(!word(text).contains(is_hidden), "{text:?}");
        }
        assert_eq!(word("s3://in/numbers/1.txt"), "s3://in/numbers/1.txt");
        assert_eq!(word("s3://in/Bo's team.yaml"), r"'s3://in/Bo'\''s team.yaml'");
        assert_eq!(word("a\u{202e}b"), r#""$(printf 'a\342\200\256b')""#);
        assert_eq!(path("-rf x"), "'./-rf x'");
    }

    proptest::proptest! {
        #[test]
        fn any_name_comes_through_a_shell(text in "[^\u{0}]{0,40}") {
            let said = read_by("/bin/sh", &word(&text));
            proptest::prop_assert_eq!(said.as_deref(), Some(text.as_bytes()));
        }
    }
}
