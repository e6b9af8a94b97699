//! What an AWS SDK error comes to, as a person reads it: each cause once, without the SDK's inner workings.

use std::error::Error;

pub(crate) fn reason(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        // Many wrappers repeat what they wrap.
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::error::ConnectorError;
    use aws_sdk_s3::operation::get_object::GetObjectError;

    use super::*;

    #[test]
    fn an_error_is_told_by_its_causes_alone() {
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        let connector = ConnectorError::io(refused.into());
        let error = aws_sdk_s3::error::SdkError::<GetObjectError>::dispatch_failure(connector);
        let text = reason(&error);
        assert!(
            text.starts_with("dispatch failure") && text.ends_with("connection refused"),
            "{text}"
        );
        assert!(!text.contains('{') && !text.contains("ConnectorError"), "{text}");
    }
}
