//! Files that were uploaded and have been deleted or renamed here since: they are still in the bucket, which the folder does
//! not show.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use tokio::time::Instant;

use super::scan::Scan;
use super::upload_log::UploadLog;

/// An editor that saves may remove the file for a moment.
const MISSING_TIME: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub(super) struct DeletedFiles {
    since: HashMap<String, Instant>,
}

impl DeletedFiles {
    /// The files that were uploaded and are gone from the folder, in order; each is returned once.
    pub(super) fn newly_missing(&mut self, scan: &Scan, upload_log: &mut UploadLog) -> Vec<String> {
        let known = scan
            .files
            .iter()
            .filter(|found| upload_log.contains(&found.key))
            .count();
        if known == upload_log.keys().len() {
            self.since.clear();
            return Vec::new();
        }
        let now = Instant::now();
        let here: HashSet<&str> = scan.files.iter().map(|found| found.key.as_str()).collect();
        let absent = upload_log
            .keys()
            .filter(|key| !here.contains(key.as_str()) && !scan.is_hidden(key));
        let since = absent.map(|key| (key.clone(), self.since.get(key).copied().unwrap_or(now)));
        let (gone, since): (HashMap<_, _>, HashMap<_, _>) =
            since.partition(|(_, since)| now - *since >= MISSING_TIME);
        self.since = since;
        let mut gone: Vec<String> = gone.into_keys().collect();
        gone.sort_unstable();
        for key in &gone {
            // One that cannot be logged now is returned again after the next start.
            let _full = upload_log.remove(key);
        }
        gone
    }
}

/// The message about the first deletion; later ones are not logged.
pub(super) fn message(bucket: &str, gone: &[String]) -> String {
    let first = gone.first().map_or("", String::as_str);
    let what = match gone.len() {
        0 | 1 => format!("{first:?} was deleted here, and is still in the bucket"),
        count => format!(
            "{first:?} and {} more were deleted here, and are still in the bucket",
            count - 1
        ),
    };
    format!(
        "{what}: deleting or renaming a file here deletes nothing there. To delete it there too, paste the export lines and run: \
         aws s3 rm {}   The next sweep, within 15 minutes, removes what is listed about it",
        shell_word(&format!("s3://{bucket}/{first}"))
    )
}

/// One word of a command for a POSIX shell. Names with invisible characters are spelt out for `printf`.
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
    fn the_command_in_the_message_can_be_pasted() {
        let said = message("in", &["numbers/1.txt".to_owned()]);
        assert!(said.starts_with("\"numbers/1.txt\" was deleted here"), "{said}");
        assert!(said.contains("aws s3 rm s3://in/numbers/1.txt "), "{said}");
        let said = message("in", &["teams/Bo's team.yaml".to_owned(), "z".to_owned()]);
        assert!(said.contains("and 1 more were"), "{said}");
        assert!(
            said.contains(r"aws s3 rm 's3://in/teams/Bo'\''s team.yaml' "),
            "{said}"
        );
    }

    #[test]
    fn a_shell_reads_every_file_name_as_one_word() {
        for name in [
            "d/$(touch x)",
            "d/`id`",
            "d/a'b\"c\\d",
            "d/a\nb",
            "d/\u{202e}gpj.exe",
            "d/\u{1b}[2J!! %s $HOME 'x",
            "d/고양이 1.jpg",
        ] {
            let said = message("in", &[name.to_owned()]);
            let word = said
                .split("aws s3 rm ")
                .nth(1)
                .and_then(|rest| rest.split("   The next").next());
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
