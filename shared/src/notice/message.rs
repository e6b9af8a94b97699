//! A notice as SNS takes it: within its limits, and without the characters it refuses.
//!
//! SNS takes 256 KB a message, attributes included, of characters that XML 1.0 allows; a subject is up to 100 ASCII
//! characters without control characters
//! (<https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>).

use serde_json::json;

use super::model::Notice;
use crate::mail_text::shorten;
use crate::port::NoticeMessage;

/// Of the 262,144 bytes, with room for the attributes.
const MAX_BODY: usize = 250_000;
/// SNS says "at most 100 characters".
pub(super) const MAX_SUBJECT: usize = 100;

impl Notice {
    /// The notice as SNS takes it.
    pub fn message(&self) -> NoticeMessage {
        let body = self.body(&self.detail);
        let attributes = [
            ("id", self.id.clone()),
            ("kind", self.kind.as_str().to_owned()),
            ("dataset", transportable(&self.dataset)),
            ("team", self.team.clone().unwrap_or_default()),
        ];
        NoticeMessage {
            subject: subject(&self.subject),
            body: if body.len() <= MAX_BODY {
                body
            } else {
                self.body(&json!({"truncated": true}))
            },
            // SNS refuses an empty value; a notice has the attribute it is about.
            attributes: attributes
                .into_iter()
                .filter(|(_, value)| !value.is_empty())
                .collect(),
        }
    }

    fn body(&self, detail: &serde_json::Value) -> String {
        let mut for_programs = json!({
            "id": self.id,
            "kind": self.kind.as_str(),
            "dataset": self.dataset,
            "subject": self.subject,
            "detail": detail,
        });
        if let Some(team) = &self.team {
            for_programs["team"] = json!(team);
        }
        let email = shorten(&transportable(&self.text), MAX_BODY / 4);
        json!({"default": escape_refused(&for_programs), "email": email}).to_string()
    }
}

/// JSON with every character SNS might refuse as `\uXXXX`.
fn escape_refused(value: &serde_json::Value) -> String {
    let mut json = value.to_string();
    for refused in ['\u{7f}', '\u{fffe}', '\u{ffff}'] {
        if json.contains(refused) {
            json = json.replace(refused, &format!("\\u{:04x}", u32::from(refused)));
        }
    }
    json
}

/// Text with control characters made visible, line breaks apart.
fn transportable(text: &str) -> String {
    text.chars()
        .fold(String::with_capacity(text.len()), |mut out, c| {
            match c {
                '\n' => out.push(c),
                '\u{fffe}' | '\u{ffff}' => out.extend(c.escape_unicode()),
                c if c.is_control() => out.extend(c.escape_default()),
                c => out.push(c),
            }
            out
        })
}

/// ASCII alone, one line, 100 characters, beginning as SNS wants it.
pub(super) fn subject(text: &str) -> String {
    let ascii = text
        .chars()
        .map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' });
    let ascii: String = ascii
        .collect::<String>()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    match ascii.len() {
        0 => "Groundcrew".to_owned(),
        length if length > MAX_SUBJECT => format!("{}...", &ascii[..MAX_SUBJECT - 3]),
        _ => ascii,
    }
}
