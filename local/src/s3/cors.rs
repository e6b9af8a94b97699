//! Which pages of other origins a browser lets talk to a bucket: the bucket's rules, evaluated as S3 does.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/cors.html>

use http::{HeaderMap, HeaderName, HeaderValue, header};

use serde::{Deserialize, Serialize};

/// Origins that a browser page may come from, and what it may do then: one rule of a bucket's CORS configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorsRule {
    pub allowed_origins: Vec<String>,
    pub allowed_methods: Vec<String>,
    pub allowed_headers: Vec<String>,
    pub expose_headers: Vec<String>,
    pub max_age_seconds: Option<i32>,
}

impl CorsRule {
    fn allows(&self, origin: &str, method: &str) -> bool {
        self.allowed_methods.iter().any(|allowed| allowed == method)
            && self
                .allowed_origins
                .iter()
                .any(|pattern| wildcard(pattern, origin))
    }

    fn allows_header(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        self.allowed_headers
            .iter()
            .any(|pattern| wildcard(&pattern.to_ascii_lowercase(), &name))
    }

    /// What goes on every answer to `origin`.
    fn answer(&self, origin: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let any = self.allowed_origins.iter().any(|pattern| pattern == "*");
        set(
            &mut headers,
            header::ACCESS_CONTROL_ALLOW_ORIGIN,
            if any { "*" } else { origin },
        );
        if !any {
            set(&mut headers, header::ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
        }
        set(
            &mut headers,
            header::ACCESS_CONTROL_ALLOW_METHODS,
            &self.allowed_methods.join(", "),
        );
        if !self.expose_headers.is_empty() {
            set(
                &mut headers,
                header::ACCESS_CONTROL_EXPOSE_HEADERS,
                &self.expose_headers.join(", "),
            );
        }
        if let Some(seconds) = self.max_age_seconds {
            set(&mut headers, header::ACCESS_CONTROL_MAX_AGE, &seconds.to_string());
        }
        set(
            &mut headers,
            header::VARY,
            "Origin, Access-Control-Request-Headers, Access-Control-Request-Method",
        );
        headers
    }
}

/// A preflight's answer, by the first rule that allows all it asks for.
pub(super) fn preflight(rules: &[CorsRule], request: &HeaderMap) -> Option<HeaderMap> {
    let origin = text(request, &header::ORIGIN)?;
    let method = text(request, &header::ACCESS_CONTROL_REQUEST_METHOD)?;
    let asked = text(request, &header::ACCESS_CONTROL_REQUEST_HEADERS).unwrap_or_default();
    let names = || asked.split(',').map(str::trim).filter(|name| !name.is_empty());
    let rule = rules
        .iter()
        .find(|rule| rule.allows(origin, method) && names().all(|name| rule.allows_header(name)))?;
    let mut headers = rule.answer(origin);
    if names().next().is_some() {
        let allowed = names()
            .map(str::to_ascii_lowercase)
            .collect::<Vec<_>>()
            .join(", ");
        set(&mut headers, header::ACCESS_CONTROL_ALLOW_HEADERS, &allowed);
    }
    Some(headers)
}

/// What goes on the answer to a request with an `Origin`.
pub(super) fn simple(rules: &[CorsRule], origin: &str, method: &str) -> Option<HeaderMap> {
    rules
        .iter()
        .find(|rule| rule.allows(origin, method))
        .map(|rule| rule.answer(origin))
}

/// At most one `*`, for any run of characters.
fn wildcard(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, end)) => {
            text.len() >= start.len() + end.len() && text.starts_with(start) && text.ends_with(end)
        }
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(origin: &str) -> CorsRule {
        CorsRule {
            allowed_origins: vec![origin.into()],
            allowed_methods: vec!["GET".into(), "PUT".into()],
            allowed_headers: vec!["content-*".into(), "x-amz-*".into()],
            expose_headers: vec!["ETag".into()],
            max_age_seconds: Some(600),
        }
    }

    fn request(origin: &'static str, method: &'static str, asked: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
        headers.insert(
            header::ACCESS_CONTROL_REQUEST_METHOD,
            HeaderValue::from_static(method),
        );
        headers.insert(
            header::ACCESS_CONTROL_REQUEST_HEADERS,
            HeaderValue::from_static(asked),
        );
        headers
    }

    #[test]
    fn a_preflight_is_allowed_only_as_far_as_a_rule_goes() {
        let rules = [rule("https://*.example.com")];
        for (origin, method, asked, allowed) in [
            ("https://a.example.com", "PUT", "Content-Type, x-amz-meta-a", true),
            ("https://a.example.com", "PUT", "authorization", false),
            ("https://a.example.com", "DELETE", "", false),
            ("https://example.org", "GET", "", false),
        ] {
            let answer = preflight(&rules, &request(origin, method, asked));
            assert_eq!(answer.is_some(), allowed, "{method} from {origin} with {asked:?}");
        }
    }

    #[test]
    fn a_rule_for_one_origin_names_it_and_a_rule_for_all_says_so() {
        let named = simple(&[rule("http://127.0.0.1:8080")], "http://127.0.0.1:8080", "GET").unwrap();
        assert_eq!(
            named[header::ACCESS_CONTROL_ALLOW_ORIGIN],
            "http://127.0.0.1:8080"
        );
        let any = simple(&[rule("*")], "http://x", "GET").unwrap();
        assert_eq!(any[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        assert!(!any.contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS));
    }
}
