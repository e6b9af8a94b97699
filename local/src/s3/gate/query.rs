//! The parameters of a request's address.

/// Decoded, in order.
#[derive(Debug, Default)]
pub(in crate::s3) struct Query(pub(super) Vec<(String, String)>);

impl Query {
    pub(in crate::s3) fn parse(query: Option<&str>) -> Self {
        Self(serde_urlencoded::from_str(query.unwrap_or_default()).unwrap_or_default())
    }

    pub(in crate::s3) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(in crate::s3) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Whether the address carries its own signature, as a link that was given to a browser does.
    pub(in crate::s3) fn is_presigned(&self) -> bool {
        self.has("X-Amz-Signature") || self.has("Signature")
    }
}
