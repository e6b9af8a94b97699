//! What was uploaded and has been deleted here since, or renamed: it is still in the bucket, which nobody sees from here.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use tokio::time::Instant;

use super::look::Looked;
use super::memory::Memory;

/// An editor that saves takes the file away for a moment.
const GONE_FOR: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub(super) struct Missing {
    since: HashMap<String, Instant>,
}

impl Missing {
    /// The files that were uploaded and are here no more, in order; each is found once.
    pub(super) fn found(&mut self, looked: &Looked, memory: &mut Memory) -> Vec<String> {
        let known = looked
            .files
            .iter()
            .filter(|found| memory.knows(&found.key))
            .count();
        if known == memory.keys().len() {
            self.since.clear();
            return Vec::new();
        }
        let now = Instant::now();
        let here: HashSet<&str> = looked.files.iter().map(|found| found.key.as_str()).collect();
        let absent = memory
            .keys()
            .filter(|key| !here.contains(key.as_str()) && !looked.is_hidden(key));
        let since = absent.map(|key| (key.clone(), self.since.get(key).copied().unwrap_or(now)));
        let (gone, since): (HashMap<_, _>, HashMap<_, _>) =
            since.partition(|(_, since)| now - *since >= GONE_FOR);
        self.since = since;
        let mut gone: Vec<String> = gone.into_keys().collect();
        gone.sort_unstable();
        for key in &gone {
            // What cannot be written down now is found again after the next start.
            let _full = memory.forget(key);
        }
        gone
    }
}

/// Said once: by then whoever deletes here knows.
pub(super) fn words(bucket: &str, gone: &[String]) -> String {
    let first = gone.first().map_or("", String::as_str);
    let what = match gone.len() {
        0 | 1 => format!("{first:?} is here no more, and is still in the bucket"),
        count => format!(
            "{first:?} and {} more are here no more, and are still in the bucket",
            count - 1
        ),
    };
    format!(
        "{what}: deleting or renaming here deletes nothing there. To delete it there too, paste the export lines and run: \
         aws s3 rm {}   What is listed about it goes at the next sweep, within 15 minutes",
        shell_word(&format!("s3://{bucket}/{first}"))
    )
}

/// One word of a command for a POSIX shell. Names that hold what is not seen are spelt out for `printf`; what a name ends
/// in is never a line break here.
fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/:._-+,@%".contains(c);
    let is_seen = |c: char| c == ' ' || c.is_ascii_graphic() || c.is_alphanumeric();
    if text.chars().all(is_plain) {
        text.to_owned()
    } else if text.chars().all(is_seen) {
        format!("'{}'", text.replace('\'', r"'\''"))
    } else {
        format!("\"$(printf '{}')\"", octal(text))
    }
}

/// Every byte but those of letters and digits.
fn octal(text: &str) -> String {
    text.bytes().fold(String::new(), |out, byte| match byte {
        plain if plain.is_ascii_alphanumeric() || b"/:._".contains(&plain) => {
            out + &char::from(plain).to_string()
        }
        other => out + &format!("\\{other:03o}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_can_be_pasted() {
        let said = words("in", &["numbers/1.txt".to_owned()]);
        assert!(said.starts_with("\"numbers/1.txt\" is here no more"), "{said}");
        assert!(said.contains("aws s3 rm s3://in/numbers/1.txt "), "{said}");
        let said = words("in", &["teams/Bo's team.yaml".to_owned(), "z".to_owned()]);
        assert!(said.contains("and 1 more are"), "{said}");
        assert!(
            said.contains(r"aws s3 rm 's3://in/teams/Bo'\''s team.yaml' "),
            "{said}"
        );
    }

    #[test]
    fn a_shell_takes_whatever_a_file_is_called_for_a_name() {
        for name in [
            "d/$(touch x)",
            "d/`id`",
            "d/a'b\"c\\d",
            "d/a\nb",
            "d/\u{202e}gpj.exe",
            "d/\u{1b}[2J!! %s $HOME 'x",
            "d/고양이 1.jpg",
        ] {
            let said = words("in", &[name.to_owned()]);
            let word = said
                .split("aws s3 rm ")
                .nth(1)
                .and_then(|rest| rest.split("   What").next());
            let script = format!("printf %s {}", word.unwrap_or_default());
            let output = std::process::Command::new("/bin/sh")
                .args(["-c", &script])
                .output()
                .unwrap();
            assert_eq!(
                String::from_utf8_lossy(&output.stdout),
                format!("s3://in/{name}"),
                "{said}"
            );
        }
    }
}
