//! What passes before the protocol: a request is either an operation this store has, asking only for what it does, or
//! refused by name with nothing changed.

mod document;
mod elsewhere;
mod framing;
mod headers;
mod operations;

use axum::extract::Request;
use http::{HeaderName, HeaderValue, Method};
use percent_encoding::percent_decode_str;
use s3s::{S3Error, S3Result, s3_error};

pub(super) use document::{LARGEST as LARGEST_DOCUMENT, whole};
pub(super) use framing::Framed;
pub(super) use operations::{Content, Operation};

use operations::{Place, Unknown};

use super::amended::{Amend, has_odd_range};

/// The parameters of a request's address, decoded, in order.
#[derive(Debug, Default)]
pub(super) struct Query(pub(super) Vec<(String, String)>);

impl Query {
    pub(super) fn parse(query: Option<&str>) -> Self {
        Self(serde_urlencoded::from_str(query.unwrap_or_default()).unwrap_or_default())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Whether the address carries its own signature, as a link that was given to a browser does.
    pub(super) fn is_presigned(&self) -> bool {
        self.has("X-Amz-Signature") || self.has("Signature")
    }
}

/// The operation a request asks for; none where the protocol library refuses it itself. Headers that a presigned
/// address carries as parameters are headers afterwards, as they are to AWS.
pub(super) fn check(request: &mut Request) -> S3Result<Option<&'static Operation>> {
    let query = hoist(request)?;
    let path = percent_decode_str(request.uri().path()).decode_utf8_lossy();
    let place = match path.trim_start_matches('/').split_once('/') {
        None if path.trim_start_matches('/').is_empty() => Place::Root,
        None | Some((_, "")) => Place::Bucket,
        Some(_) => Place::Object,
    };
    let asked = operations::asked(request.method(), place, &query, request.headers());
    let operation = asked.map_err(|unknown| refusal(&unknown))?;
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if reads && has_odd_range(request.headers()) {
        request.extensions_mut().insert(Amend);
    }
    if let Some(operation) = operation {
        headers::check(operation, request.headers())?;
    }
    Ok(operation)
}

fn refusal(unknown: &Unknown) -> S3Error {
    match unknown {
        Unknown::Operation(name) => s3_error!(NotImplemented, "{name} is not implemented here."),
        Unknown::Parameter(name) => s3_error!(
            NotImplemented,
            "The parameter {name} of this request's address names nothing that is implemented here."
        ),
        Unknown::Repeated(name) => {
            s3_error!(
                InvalidArgument,
                "The parameter {name} is in the request's address twice."
            )
        }
    }
}

/// Some SDKs put the headers of a presigned request into its address. The signature covers them there.
fn hoist(request: &mut Request) -> S3Result<Query> {
    let mut query = Query::parse(request.uri().query());
    if !query.is_presigned() {
        return Ok(query);
    }
    let (hoisted, left) = query
        .0
        .into_iter()
        .partition(|(name, _)| name.starts_with("x-amz-"));
    query.0 = left;
    let hoisted: Vec<(String, String)> = hoisted;
    for (name, value) in hoisted {
        let invalid = |_| s3_error!(InvalidArgument, "The parameter {name} is no header.");
        let header = HeaderName::try_from(&name).map_err(|error| invalid(error.to_string()))?;
        let value = HeaderValue::try_from(&value).map_err(|error| invalid(error.to_string()))?;
        if request.headers().get(&header).is_some_and(|sent| sent != value) {
            return Err(s3_error!(
                InvalidArgument,
                "{name} is in the request's headers and, with another value, in its address."
            ));
        }
        request.headers_mut().insert(header, value);
    }
    Ok(query)
}
