//! What a browser may do with an object that is opened in it: look at it. Ports share cookies and the site, so a page or a
//! picture with a script in it, which people upload, must not run beside the console.

use axum::extract::Request;
use http::{HeaderMap, HeaderValue, header};

use super::gate::Query;

/// Without scripts, forms, frames and the origin it came from. Styles within a picture are fine.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; media-src 'self' data:; sandbox",
);

/// Types that a browser shows without running anything. All others are offered as a file.
const PASSIVE_TYPES: [&str; 5] = ["image/", "audio/", "video/", "text/plain", "application/json"];
/// Pictures that can hold scripts.
const SVG: &str = "image/svg";

/// Who asked for an object.
pub(super) struct BrowserPolicy {
    is_browser: bool,
}

impl BrowserPolicy {
    pub(super) fn of(request: &Request) -> Self {
        let by_link = Query::parse(request.uri().query()).is_presigned();
        Self {
            is_browser: by_link || request.headers().contains_key("sec-fetch-dest"),
        }
    }

    /// An SDK reads what the uploader said of an object; a browser does not go by all of it.
    pub(super) fn apply(&self, headers: &mut HeaderMap) {
        headers.insert(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        );
        headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
        if self.is_browser && headers.contains_key(header::CONTENT_TYPE) && !is_passive(headers) {
            let said = headers
                .get(header::CONTENT_DISPOSITION)
                .and_then(|said| said.to_str().ok());
            if let Ok(value) = HeaderValue::try_from(attachment(said.unwrap_or_default())) {
                headers.insert(header::CONTENT_DISPOSITION, value);
            }
        }
    }
}

fn is_passive(headers: &HeaderMap) -> bool {
    let mut kinds = headers.get_all(header::CONTENT_TYPE).into_iter();
    let (Some(kind), None) = (kinds.next(), kinds.next()) else {
        return false;
    };
    let kind = kind.to_str().unwrap_or_default().trim().to_ascii_lowercase();
    PASSIVE_TYPES.iter().any(|shown| kind.starts_with(shown)) && !kind.starts_with(SVG) && !kind.contains(',')
}

/// What was said of the object's name stays.
fn attachment(said: &str) -> String {
    match said.split_once(';') {
        Some((_, rest)) => format!("attachment;{rest}"),
        None => "attachment".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disposition_for(kind: &'static str, said: Option<&'static str>, is_browser: bool) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        if let Some(said) = said {
            headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static(said));
        }
        BrowserPolicy { is_browser }.apply(&mut headers);
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert!(
            headers[header::CONTENT_SECURITY_POLICY]
                .to_str()
                .unwrap()
                .contains("sandbox")
        );
        let shown = headers.get(header::CONTENT_DISPOSITION);
        shown.map(|shown| shown.to_str().unwrap().to_owned())
    }

    #[test]
    fn a_browser_is_given_active_types_as_files() {
        for (kind, said, expected) in [
            ("image/png", None, None),
            (
                "IMAGE/JPEG",
                Some("inline; filename=a.jpg"),
                Some("inline; filename=a.jpg"),
            ),
            ("video/mp4", None, None),
            ("text/plain; charset=utf-8", None, None),
            ("image/svg+xml", None, Some("attachment")),
            ("Image/SVG+xml; charset=utf-8", Some("inline"), Some("attachment")),
            (
                "text/html",
                Some("inline; filename=\"a;b.html\""),
                Some("attachment; filename=\"a;b.html\""),
            ),
            ("text/html", Some("attachment"), Some("attachment")),
            ("application/xhtml+xml", None, Some("attachment")),
            ("text/xml", None, Some("attachment")),
            ("text/javascript", None, Some("attachment")),
            ("application/pdf", None, Some("attachment")),
            ("image/png, text/html", None, Some("attachment")),
            ("multipart/x-mixed-replace", None, Some("attachment")),
            ("", None, Some("attachment")),
        ] {
            assert_eq!(disposition_for(kind, said, true).as_deref(), expected, "{kind}");
        }
    }

    #[test]
    fn an_sdk_reads_what_the_uploader_said() {
        assert_eq!(disposition_for("text/html", None, false), None);
        assert_eq!(
            disposition_for("text/html", Some("inline"), false).as_deref(),
            Some("inline")
        );
    }
}
