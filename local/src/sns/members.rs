//! The members of each request to SNS. AWS ignores members it does not know; here they are refused by name, so that
//! nothing that was asked for is silently left undone.
//! <https://docs.aws.amazon.com/sns/latest/api/API_Operations.html>

use super::query::{Form, SnsError};

/// Of every request of the query protocol.
const COMMON: [&str; 2] = ["Action", "Version"];

/// Refuses an operation that is not supported, and a field of the form that the operation does not read.
pub(super) fn check(operation: &str, form: &Form) -> Result<(), SnsError> {
    let members = members(operation).ok_or_else(|| SnsError::unsupported_operation(operation))?;
    let unknown = form
        .names()
        .find(|name| !COMMON.contains(name) && !is_member(members, name, form));
    unknown.map_or(Ok(()), |name| Err(SnsError::unsupported_member(name)))
}

fn is_member(members: &[&str], name: &str, form: &Form) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let pattern: Vec<&str> = name
        .split('.')
        .map(|part| if is_number(part) { "#" } else { part })
        .collect();
    let pattern = pattern.join(".");
    // An empty list is sent as its name with an empty value.
    let is_empty_list = |member: &str| {
        form.get(name) == Some("")
            && member
                .strip_prefix(&pattern)
                .is_some_and(|rest| rest.starts_with('.'))
    };
    members
        .iter()
        .any(|member| *member == pattern || is_empty_list(member))
}

/// The fields of an operation's form; `#` stands for the number of a list's member. `None`: it is not supported.
fn members(operation: &str) -> Option<&'static [&'static str]> {
    let members: &[&str] = match operation {
        "CreateTopic" => &["Name", "Attributes.entry.#.key", "Attributes.entry.#.value"],
        "DeleteTopic" | "GetTopicAttributes" => &["TopicArn"],
        "ListTopics" | "ListSubscriptions" => &["NextToken"],
        "ListSubscriptionsByTopic" => &["TopicArn", "NextToken"],
        "SetTopicAttributes" => &["TopicArn", "AttributeName", "AttributeValue"],
        "Subscribe" => &[
            "TopicArn",
            "Protocol",
            "Endpoint",
            "ReturnSubscriptionArn",
            "Attributes.entry.#.key",
            "Attributes.entry.#.value",
        ],
        // Unsubscribing always takes a signature here: AuthenticateOnUnsubscribe asks for what is so.
        "ConfirmSubscription" => &["TopicArn", "Token", "AuthenticateOnUnsubscribe"],
        "Unsubscribe" | "GetSubscriptionAttributes" => &["SubscriptionArn"],
        "SetSubscriptionAttributes" => &["SubscriptionArn", "AttributeName", "AttributeValue"],
        "Publish" => &[
            "TopicArn",
            "TargetArn",
            "Message",
            "Subject",
            "MessageStructure",
            "MessageAttributes.entry.#.Name",
            "MessageAttributes.entry.#.Value.DataType",
            "MessageAttributes.entry.#.Value.StringValue",
            "MessageAttributes.entry.#.Value.BinaryValue",
        ],
        "PublishBatch" => &[
            "TopicArn",
            "PublishBatchRequestEntries.member.#.Id",
            "PublishBatchRequestEntries.member.#.Message",
            "PublishBatchRequestEntries.member.#.Subject",
            "PublishBatchRequestEntries.member.#.MessageStructure",
            "PublishBatchRequestEntries.member.#.MessageAttributes.entry.#.Name",
            "PublishBatchRequestEntries.member.#.MessageAttributes.entry.#.Value.DataType",
            "PublishBatchRequestEntries.member.#.MessageAttributes.entry.#.Value.StringValue",
            "PublishBatchRequestEntries.member.#.MessageAttributes.entry.#.Value.BinaryValue",
        ],
        _ => return None,
    };
    Some(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each operation, and members that it does not read: of the API's model, and of none.
    const UNREAD: [(&str, &str); 17] = [
        ("CreateTopic", "Tags.member.1.Key"),
        ("CreateTopic", "DataProtectionPolicy"),
        ("DeleteTopic", "Unheard"),
        ("ListTopics", "MaxResults"),
        ("GetTopicAttributes", "AttributeNames.member.1"),
        ("SetTopicAttributes", "Attributes.entry.1.key"),
        ("Subscribe", "Attributes.entry.1.Value"),
        ("ConfirmSubscription", "Unheard"),
        ("Unsubscribe", "TopicArn"),
        ("ListSubscriptions", "TopicArn"),
        ("ListSubscriptionsByTopic", "Protocol"),
        ("GetSubscriptionAttributes", "AttributeName"),
        ("SetSubscriptionAttributes", "Unheard"),
        ("Publish", "PhoneNumber"),
        ("Publish", "MessageDeduplicationId"),
        ("Publish", "MessageAttributes.entry.1.Value.NumberValue"),
        (
            "PublishBatch",
            "PublishBatchRequestEntries.member.1.MessageGroupId",
        ),
    ];

    fn check_one(operation: &str, member: &str, value: &str) -> Result<(), SnsError> {
        let body =
            serde_urlencoded::to_string([("Action", operation), ("Version", "2010-03-31"), (member, value)]);
        let form = Form::parse(body.unwrap().as_bytes()).unwrap();
        check(operation, &form)
    }

    #[test]
    fn members_that_are_not_read_are_refused_by_name() {
        for (operation, member) in UNREAD {
            let refused = check_one(operation, member, "x").unwrap_err();
            assert_eq!(refused.code, "InvalidParameter", "{operation} {member}");
            assert!(
                refused.message.contains(member),
                "{operation} {member}: {}",
                refused.message
            );
        }
    }

    #[test]
    fn members_that_are_read_are_taken_and_so_is_an_empty_list() {
        for (operation, _) in UNREAD {
            for member in members(operation).unwrap() {
                assert_eq!(
                    check_one(operation, &member.replace('#', "12"), "x"),
                    Ok(()),
                    "{operation} {member}"
                );
            }
        }
        let list = "PublishBatchRequestEntries";
        assert_eq!(check_one("PublishBatch", list, ""), Ok(()));
        assert!(check_one("PublishBatch", list, "x").is_err());
    }
}
