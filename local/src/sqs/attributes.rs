//! Message attributes: the rules they follow, and the MD5 by which a client checks that they arrived unchanged.
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html>

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};

use super::Attribute;

/// Of one message.
pub(crate) const MOST_ATTRIBUTES: usize = 10;
/// Of a name, and of a type with its suffix, in characters.
const LONGEST_NAME: usize = 256;
/// Digits of a `Number`.
const MOST_DIGITS: usize = 38;
/// Which transport a value takes, in the MD5.
const TEXT: u8 = 1;
const BINARY: u8 = 2;

/// What is wrong with a name: both SQS and SNS have these rules.
pub(crate) fn name_fault(name: &str) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    if name.is_empty() || name.len() > LONGEST_NAME {
        Some("a name has from 1 to 256 characters")
    } else if !name.bytes().all(plain) {
        Some("a name has letters, digits, hyphens, underscores and periods")
    } else if name.starts_with('.') || name.ends_with('.') || name.contains("..") {
        Some("a name does not begin or end with a period, nor have two in a row")
    } else if lower.starts_with("aws.") || lower.starts_with("amazon.") {
        Some("names that begin with AWS. or Amazon. are reserved")
    } else {
        None
    }
}

/// `String`, `Number` or `Binary`, with or without a suffix of the sender's.
pub(crate) fn base_type(data_type: &str) -> Option<&str> {
    let base = data_type.split_once('.').map_or(data_type, |(base, _)| base);
    (["String", "Number", "Binary"].contains(&base) && data_type.len() <= LONGEST_NAME).then_some(base)
}

/// Up to 38 digits, with sign, point and exponent.
pub(crate) fn is_number(text: &str) -> bool {
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    let digits = mantissa.bytes().filter(u8::is_ascii_digit).count();
    let plain = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    plain && (1..=MOST_DIGITS).contains(&digits) && text.parse::<f64>().is_ok_and(f64::is_finite)
}

/// The first rule that is broken, in a sentence.
pub(super) fn check(attributes: &BTreeMap<String, Attribute>) -> Result<(), String> {
    if attributes.len() > MOST_ATTRIBUTES {
        return Err(format!(
            "Number of message attributes [{}] exceeds the allowed maximum [{MOST_ATTRIBUTES}].",
            attributes.len()
        ));
    }
    for (name, attribute) in attributes {
        if let Some(fault) = name_fault(name) {
            return Err(format!(
                "The message attribute name '{name}' is invalid: {fault}."
            ));
        }
        check_value(attribute).map_err(|fault| format!("The message attribute '{name}' {fault}."))?;
    }
    Ok(())
}

fn check_value(attribute: &Attribute) -> Result<(), String> {
    let data_type = &attribute.data_type;
    let base = base_type(data_type)
        .ok_or_else(|| format!("has the type '{data_type}'; String, Number and Binary are allowed"))?;
    match (base, &attribute.string_value, &attribute.binary_value) {
        ("Binary", None, Some(value)) => match STANDARD.decode(value) {
            Ok(bytes) if !bytes.is_empty() => Ok(()),
            Ok(_) => Err("must have a non-empty value".to_owned()),
            Err(_) => Err("has a binary value that is not base64".to_owned()),
        },
        ("String" | "Number", Some(value), None) if value.is_empty() => {
            Err("must have a non-empty value".to_owned())
        }
        ("Number", Some(value), None) if !is_number(value) => Err("has a value that is no number".to_owned()),
        ("String" | "Number", Some(_), None) => Ok(()),
        _ => Err(format!("has the type '{data_type}' and a value of another one")),
    }
}

/// Bytes that count towards a message's size.
pub(super) fn size(attributes: &BTreeMap<String, Attribute>) -> usize {
    attributes
        .iter()
        .map(|(name, attribute)| name.len() + attribute.data_type.len() + value(attribute).1.len())
        .sum()
}

/// By name: length and bytes of the name, of the type, a byte for the transport, length and bytes of the value. The
/// lengths are four bytes, the highest first.
pub(super) fn md5(attributes: &BTreeMap<String, Attribute>) -> String {
    let mut bytes = Vec::new();
    let push = |part: &[u8], bytes: &mut Vec<u8>| {
        bytes.extend((part.len() as u32).to_be_bytes());
        bytes.extend(part);
    };
    for (name, attribute) in attributes {
        let (transport, value) = value(attribute);
        push(name.as_bytes(), &mut bytes);
        push(attribute.data_type.as_bytes(), &mut bytes);
        bytes.push(transport);
        push(&value, &mut bytes);
    }
    md5_hex(&bytes)
}

/// As SQS and its clients write a checksum.
pub(crate) fn md5_hex(bytes: &[u8]) -> String {
    hex::encode(Md5::digest(bytes))
}

fn value(attribute: &Attribute) -> (u8, Vec<u8>) {
    match &attribute.binary_value {
        Some(value) => (BINARY, STANDARD.decode(value).unwrap_or_default()),
        None => (
            TEXT,
            attribute.string_value.clone().unwrap_or_default().into_bytes(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(data_type: &str, text: Option<&str>, binary: Option<&str>) -> Attribute {
        Attribute {
            data_type: data_type.to_owned(),
            string_value: text.map(str::to_owned),
            binary_value: binary.map(str::to_owned),
        }
    }

    #[test]
    fn the_md5_is_the_one_sqs_gives() {
        // As moto's and the SDKs' own tests have it for `timestamp` = Number 1493147359900.
        let timestamp = attribute("Number", Some("1493147359900"), None);
        assert_eq!(
            md5(&BTreeMap::from([("timestamp".to_owned(), timestamp)])),
            "235c5c510d26fb653d073faed50ae77c"
        );
    }

    #[test]
    fn what_breaks_a_rule_is_refused_with_the_rule() {
        for (name, attribute, reason) in [
            ("", attribute("String", Some("x"), None), "1 to 256"),
            ("a b", attribute("String", Some("x"), None), "letters, digits"),
            (".a", attribute("String", Some("x"), None), "period"),
            ("a..b", attribute("String", Some("x"), None), "period"),
            ("AWS.a", attribute("String", Some("x"), None), "reserved"),
            ("amazon.a", attribute("String", Some("x"), None), "reserved"),
            ("a", attribute("Date", Some("x"), None), "the type 'Date'"),
            ("a", attribute("String", Some(""), None), "non-empty"),
            ("a", attribute("String", None, None), "another one"),
            ("a", attribute("Number", Some("ten"), None), "no number"),
            ("a", attribute("Number", Some("infinity"), None), "no number"),
            ("a", attribute("Number", Some(&"1".repeat(39)), None), "no number"),
            ("a", attribute("Binary", Some("x"), None), "another one"),
            ("a", attribute("Binary", None, Some("%%")), "not base64"),
        ] {
            let shown = format!("{name} {attribute:?}");
            let fault = check(&BTreeMap::from([(name.to_owned(), attribute)]));
            assert!(
                fault.as_ref().is_err_and(|fault| fault.contains(reason)),
                "{shown}: {fault:?}"
            );
        }
        let many = (0..11).map(|n| (format!("a{n}"), attribute("String", Some("x"), None)));
        assert!(check(&many.collect()).is_err());
    }

    #[test]
    fn what_keeps_the_rules_is_taken() {
        for attribute in [
            attribute("String", Some("x"), None),
            attribute("String.Array", Some("[]"), None),
            attribute("Number.float", Some("-1.5e3"), None),
            attribute("Binary", None, Some("AAEC")),
        ] {
            assert_eq!(
                check(&BTreeMap::from([("a.b-c_1".to_owned(), attribute)])),
                Ok(())
            );
        }
    }
}
