//! Text as HTML shows it, in an element or a quoted attribute.

/// Shown exactly as it was written.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\'' => escaped += "&#39;",
            c => escaped.push(c),
        }
    }
    escaped
}

/// [`escape`] for pages in which a program fills in what is between braces (Liquid, Cognito): no brace is left.
pub(crate) fn escape_with_braces(text: &str) -> String {
    escape(text).replace('{', "&#123;").replace('}', "&#125;")
}
