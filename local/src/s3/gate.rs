//! What is checked before the protocol library has a request: it is either an operation this store has, asking only for
//! what the store does, or refused by name with nothing changed.

mod chunked_body;
mod document;
mod headers;
mod operations;
mod query;
mod refusals;
mod signature;
mod target;

use axum::extract::Request;
use http::{HeaderName, HeaderValue, Method};
use percent_encoding::percent_decode_str;
use s3s::{S3Error, S3Result, s3_error};

pub(super) use chunked_body::ChunkedBodyGuard;
pub(super) use document::{LARGEST as LARGEST_DOCUMENT, read_document};
pub(super) use operations::{Content, Operation};
pub(super) use query::Query;

use super::request_amendment::{Amend, has_odd_range};
use operations::GateError;
use target::Target;

/// The operation a request asks for; none where the protocol library refuses it itself. Headers that a presigned
/// address carries as parameters are headers afterwards, as they are to AWS.
pub(super) fn check(request: &mut Request) -> S3Result<Option<&'static Operation>> {
    signature::check(request)?;
    let query = move_query_headers(request)?;
    let path = percent_decode_str(request.uri().path()).decode_utf8_lossy();
    let target = match path.trim_start_matches('/').split_once('/') {
        None if path.trim_start_matches('/').is_empty() => Target::Root,
        None | Some((_, "")) => Target::Bucket,
        Some(_) => Target::Object,
    };
    let operation = operations::identify(request.method(), target, &query, request.headers());
    let operation = operation.map_err(|unsupported| refusal(&unsupported))?;
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if reads && has_odd_range(request.headers()) {
        request.extensions_mut().insert(Amend);
    }
    if let Some(operation) = operation {
        headers::check(operation, request.headers())?;
    }
    Ok(operation)
}

fn refusal(unsupported: &GateError) -> S3Error {
    match unsupported {
        GateError::Operation(name) => s3_error!(NotImplemented, "{name} is not implemented here."),
        GateError::Parameter(name) => s3_error!(
            NotImplemented,
            "The parameter {name} of this request's address names nothing that is implemented here."
        ),
        GateError::Repeated(name) => {
            s3_error!(
                InvalidArgument,
                "The parameter {name} is in the request's address twice."
            )
        }
    }
}

/// Some SDKs put the headers of a presigned request into its address, where the signature covers them too.
fn move_query_headers(request: &mut Request) -> S3Result<Query> {
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
