//! PublishBatch: up to ten messages, each with a result of its own.
//! <https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html>

use std::collections::BTreeSet;

use super::Sns;
use super::message::{LARGEST, Message};
use super::query::{Form, SnsError, Xml};

const LARGEST_BATCH: usize = 10;
const LONGEST_ID: usize = 80;

impl Sns {
    pub(super) fn publish_batch(&self, form: &Form) -> Result<Xml, SnsError> {
        let topic = form.require("TopicArn")?;
        self.known_topic(topic)?;
        let entries = form.members("PublishBatchRequestEntries.member");
        check_batch(&entries)?;
        let (mut successful, mut failed) = (Vec::new(), Vec::new());
        for entry in &entries {
            let id = Xml::text(entry.require("Id")?);
            match Message::read(topic, entry).and_then(|message| self.send(&message)) {
                Ok(message) => {
                    successful.push(Xml::Elements(vec![("Id", id), ("MessageId", Xml::text(message))]));
                }
                Err(error) => failed.push(Xml::Elements(vec![
                    ("Id", id),
                    ("Code", Xml::text(error.code)),
                    ("Message", Xml::text(error.message)),
                    (
                        "SenderFault",
                        Xml::text((!error.status.is_server_error()).to_string()),
                    ),
                ])),
            }
        }
        Ok(Xml::Elements(vec![
            ("Successful", Xml::list(successful)),
            ("Failed", Xml::list(failed)),
        ]))
    }
}

/// What is wrong with the batch as a whole: then nothing of it is published.
fn check_batch(entries: &[Form]) -> Result<(), SnsError> {
    if entries.is_empty() {
        return Err(SnsError::batch(
            "EmptyBatchRequest",
            "The batch request has no entries.",
        ));
    }
    if entries.len() > LARGEST_BATCH {
        let message = format!("The batch request has more than {LARGEST_BATCH} entries.");
        return Err(SnsError::batch("TooManyEntriesInBatchRequest", message));
    }
    let mut ids = BTreeSet::new();
    for entry in entries {
        let id = entry.require("Id")?;
        let plain = id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        if id.is_empty() || id.len() > LONGEST_ID || !plain {
            let message =
                format!("An Id has from 1 to {LONGEST_ID} letters, digits, hyphens and underscores.");
            return Err(SnsError::batch("InvalidBatchEntryId", message));
        }
        if !ids.insert(id) {
            let message = format!("Two or more entries have the Id {id}.");
            return Err(SnsError::batch("BatchEntryIdsNotDistinct", message));
        }
    }
    let size: usize = entries
        .iter()
        .filter_map(|entry| entry.get("Message"))
        .map(str::len)
        .sum();
    if size > LARGEST {
        let message = format!("The messages have {size} bytes together; {LARGEST} are allowed.");
        return Err(SnsError::batch("BatchRequestTooLong", message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(body: &str) -> Option<&'static str> {
        let form = Form::parse(body.as_bytes()).unwrap();
        check_batch(&form.members("E.member"))
            .err()
            .map(|error| error.code)
    }

    #[test]
    fn a_batch_with_ids_that_cannot_be_told_apart_is_refused_whole() {
        let long = format!("E.member.1.Id={}", "x".repeat(81));
        let many: Vec<_> = (1..12).map(|n| format!("E.member.{n}.Id=a{n}")).collect();
        let many = many.join("&");
        let large = format!("E.member.1.Id=a&E.member.1.Message={}", "x".repeat(LARGEST + 1));
        for (body, expected) in [
            ("", "EmptyBatchRequest"),
            ("E.member.1.Id=a&E.member.2.Id=a", "BatchEntryIdsNotDistinct"),
            ("E.member.1.Id=a.b", "InvalidBatchEntryId"),
            ("E.member.1.Id=", "InvalidBatchEntryId"),
            ("E.member.1.Message=m", "InvalidParameter"),
            (&long, "InvalidBatchEntryId"),
            (&many, "TooManyEntriesInBatchRequest"),
            (&large, "BatchRequestTooLong"),
        ] {
            assert_eq!(code(body), Some(expected));
        }
        assert_eq!(code("E.member.1.Id=a&E.member.2.Id=A"), None);
    }
}
