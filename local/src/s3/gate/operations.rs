//! Which operation of S3 a request asks for, by its method, its path and its query. The protocol library knows fewer
//! operations than AWS has, and runs those it does not know as PutObject, GetObject or DeleteObject: they must not reach it.
//!
//! Method, target and sub-resource of each are in the service model: <https://docs.aws.amazon.com/AmazonS3/latest/API/>

use std::fmt;

use http::{HeaderMap, Method};

use super::{query::Query, refusals::UNSUPPORTED, target::Target};

use Target::{Bucket, Object, Root};

/// What the body of an operation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::s3) enum Content {
    None,
    /// A document of the protocol, small enough to be read whole.
    Xml,
    /// The bytes of an object.
    Bytes,
}

/// The operations that this store has, as the service model spells them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::s3) enum OperationName {
    ListBuckets,
    GetBucketLocation,
    GetBucketVersioning,
    GetBucketCors,
    ListMultipartUploads,
    ListObjectsV2,
    ListObjects,
    HeadBucket,
    GetObjectTagging,
    ListParts,
    GetObject,
    HeadObject,
    PutBucketCors,
    CreateBucket,
    DeleteBucketCors,
    DeleteBucket,
    DeleteObjects,
    PutObjectTagging,
    DeleteObjectTagging,
    CreateMultipartUpload,
    CompleteMultipartUpload,
    AbortMultipartUpload,
    UploadPartCopy,
    UploadPart,
    CopyObject,
    PutObject,
    DeleteObject,
}

impl fmt::Display for OperationName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

use OperationName::*;

/// What a request must look like to be an operation, and what it may ask for then.
#[derive(Debug)]
pub(in crate::s3) struct Operation {
    pub(in crate::s3) name: OperationName,
    method: &'static str,
    target: Target,
    /// Query parameters that make a request this operation.
    sub_resources: &'static [&'static str],
    /// Other query parameters it takes.
    parameters: &'static [&'static str],
    /// Conditional headers it takes; only read of operations that change something.
    pub(super) conditions: &'static [&'static str],
    pub(in crate::s3) content: Content,
}

impl Operation {
    /// Whether it changes anything.
    pub(in crate::s3) fn writes(&self) -> bool {
        !matches!(self.method, "GET" | "HEAD")
    }

    /// Whether it stores an uploader's description of an object: metadata, tags and the like.
    pub(super) fn takes_description(&self) -> bool {
        matches!(self.name, PutObject | CopyObject | CreateMultipartUpload)
    }

    /// Whether its response has keys in it, which may hold any character.
    pub(in crate::s3) fn returns_keys(&self) -> bool {
        matches!(
            self.name,
            ListBuckets | ListMultipartUploads | ListObjectsV2 | ListObjects | ListParts | DeleteObjects
        )
    }

    /// Whether `x-amz-copy-source` distinguishes it from another operation with the same address.
    fn copies(&self) -> bool {
        matches!(self.name, CopyObject | UploadPartCopy)
    }

    fn takes(&self, parameter: &str) -> bool {
        self.sub_resources.contains(&parameter) || self.parameters.contains(&parameter)
    }
}

const fn read(
    name: OperationName,
    method: &'static str,
    target: Target,
    sub_resources: &'static [&'static str],
    parameters: &'static [&'static str],
) -> Operation {
    Operation {
        name,
        method,
        target,
        sub_resources,
        parameters,
        conditions: &[],
        content: Content::None,
    }
}

const fn write(
    name: OperationName,
    method: &'static str,
    target: Target,
    sub_resources: &'static [&'static str],
    content: Content,
) -> Operation {
    Operation {
        content,
        ..read(name, method, target, sub_resources, &[])
    }
}

const WRITE_CONDITIONS: &[&str] = &["if-match", "if-none-match"];
const VERSION: &[&str] = &["versionId"];
const VERSION_AND_PART: &[&str] = &["versionId", "partNumber"];

/// Of two with the same method and target, the one with more sub-resources comes first.
static SUPPORTED: [Operation; 27] = [
    read(ListBuckets, "GET", Root, &[], &[]),
    read(GetBucketLocation, "GET", Bucket, &["location"], &[]),
    read(GetBucketVersioning, "GET", Bucket, &["versioning"], &[]),
    read(GetBucketCors, "GET", Bucket, &["cors"], &[]),
    read(ListMultipartUploads, "GET", Bucket, &["uploads"], &[]),
    read(ListObjectsV2, "GET", Bucket, &["list-type"], &[]),
    read(ListObjects, "GET", Bucket, &[], &[]),
    read(HeadBucket, "HEAD", Bucket, &[], &[]),
    read(GetObjectTagging, "GET", Object, &["tagging"], VERSION),
    read(ListParts, "GET", Object, &["uploadId"], &[]),
    read(GetObject, "GET", Object, &[], VERSION_AND_PART),
    read(HeadObject, "HEAD", Object, &[], VERSION_AND_PART),
    write(PutBucketCors, "PUT", Bucket, &["cors"], Content::Xml),
    write(CreateBucket, "PUT", Bucket, &[], Content::Xml),
    write(DeleteBucketCors, "DELETE", Bucket, &["cors"], Content::None),
    write(DeleteBucket, "DELETE", Bucket, &[], Content::None),
    write(DeleteObjects, "POST", Bucket, &["delete"], Content::Xml),
    Operation {
        parameters: VERSION,
        ..write(PutObjectTagging, "PUT", Object, &["tagging"], Content::Xml)
    },
    Operation {
        parameters: VERSION,
        ..write(DeleteObjectTagging, "DELETE", Object, &["tagging"], Content::None)
    },
    write(CreateMultipartUpload, "POST", Object, &["uploads"], Content::None),
    Operation {
        conditions: WRITE_CONDITIONS,
        ..write(
            CompleteMultipartUpload,
            "POST",
            Object,
            &["uploadId"],
            Content::Xml,
        )
    },
    write(
        AbortMultipartUpload,
        "DELETE",
        Object,
        &["uploadId"],
        Content::None,
    ),
    write(
        UploadPartCopy,
        "PUT",
        Object,
        &["uploadId", "partNumber"],
        Content::None,
    ),
    write(
        UploadPart,
        "PUT",
        Object,
        &["uploadId", "partNumber"],
        Content::Bytes,
    ),
    Operation {
        conditions: WRITE_CONDITIONS,
        ..write(CopyObject, "PUT", Object, &[], Content::None)
    },
    Operation {
        conditions: WRITE_CONDITIONS,
        ..write(PutObject, "PUT", Object, &[], Content::Bytes)
    },
    Operation {
        parameters: VERSION,
        conditions: &["if-match"],
        ..write(DeleteObject, "DELETE", Object, &[], Content::None)
    },
];

/// Parameters of the signature, and the one in which SDKs repeat the name of the operation.
const ABOUT_THE_REQUEST: [&str; 12] = [
    "x-id",
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    "X-Amz-Signature",
    "X-Amz-Security-Token",
    "X-Amz-Content-Sha256",
    // Signatures of version 2.
    "AWSAccessKeyId",
    "Signature",
    "Expires",
];

/// Why a request is not an operation of this store.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum GateError {
    Operation(&'static str),
    Parameter(String),
    Repeated(String),
}

/// The operation a request asks for; none where the protocol library refuses it itself.
pub(super) fn identify(
    method: &Method,
    target: Target,
    query: &Query,
    headers: &HeaderMap,
) -> Result<Option<&'static Operation>, GateError> {
    if let Some(name) = find_unsupported(method, target, query, headers) {
        return Err(GateError::Operation(name));
    }
    let copies = headers.contains_key("x-amz-copy-source");
    let found = SUPPORTED.iter().find(|operation| {
        operation.method == method.as_str()
            && operation.target == target
            && operation.sub_resources.iter().all(|name| query.has(name))
            && (copies || !operation.copies())
    });
    if let Some(operation) = found {
        check_parameters(operation, query)?;
    }
    Ok(found)
}

fn find_unsupported(
    method: &Method,
    target: Target,
    query: &Query,
    headers: &HeaderMap,
) -> Option<&'static str> {
    // A HEAD of a sub-resource is the GET without its body.
    let method = match method.as_str() {
        "HEAD" => "GET",
        method => method,
    };
    let marked = |sub_resources: &str| sub_resources.split('&').all(|name| query.has(name));
    let by_query = UNSUPPORTED
        .iter()
        .find(|(m, p, sub_resources, _)| *m == method && *p == target && marked(sub_resources))
        .map(|(.., name)| *name);
    by_query.or_else(|| match (method, target) {
        _ if headers.contains_key("x-amz-account-id") => Some("an operation of S3 Control"),
        ("GET", Root) if query.get("x-id") == Some("ListDirectoryBuckets") => Some("ListDirectoryBuckets"),
        ("POST", _) if headers.contains_key("x-amz-request-route") => Some("WriteGetObjectResponse"),
        ("POST", Bucket) if is_form(headers) => Some("PostObject"),
        ("PUT", Object) if headers.contains_key("x-amz-rename-source") => Some("RenameObject"),
        _ => None,
    })
}

/// An upload from a form of a page. It would be held in memory whole.
fn is_form(headers: &HeaderMap) -> bool {
    headers
        .get(http::header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"multipart/form-data"))
}

/// An operation that writes may have no parameter this store does not understand. One that reads may, as on AWS, unless it is
/// a sub-resource: other parameters cannot change the answer.
fn check_parameters(operation: &Operation, query: &Query) -> Result<(), GateError> {
    for (at, (name, _)) in query.0.iter().enumerate() {
        let known = operation.takes(name) || ABOUT_THE_REQUEST.contains(&name.as_str());
        if !known && (operation.writes() || is_sub_resource(name)) {
            return Err(GateError::Parameter(name.clone()));
        }
        if query.0[..at].iter().any(|(other, _)| other == name) {
            return Err(GateError::Repeated(name.clone()));
        }
    }
    Ok(())
}

fn is_sub_resource(name: &str) -> bool {
    let supported = SUPPORTED.iter().flat_map(|operation| operation.sub_resources);
    let unsupported = UNSUPPORTED
        .iter()
        .filter_map(|(_, _, sub_resources, _)| sub_resources.split('&').next());
    supported.copied().chain(unsupported).any(|known| known == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(method: &Method, target: Target, query: &str) -> Result<Option<OperationName>, GateError> {
        let found = identify(method, target, &Query::parse(Some(query)), &HeaderMap::new())?;
        Ok(found.map(|operation| operation.name))
    }

    #[test]
    fn a_request_is_the_operation_its_query_names() {
        for (method, target, query, expected) in [
            (Method::GET, Root, "max-buckets=2", ListBuckets),
            (Method::GET, Bucket, "list-type=2&prefix=a", ListObjectsV2),
            (Method::GET, Bucket, "prefix=a&cachebuster=1", ListObjects),
            (
                Method::GET,
                Object,
                "response-content-type=a&versionId=null",
                GetObject,
            ),
            (Method::PUT, Object, "", PutObject),
            (Method::PUT, Object, "x-id=PutObject&X-Amz-Signature=a", PutObject),
            (Method::PUT, Object, "partNumber=1&uploadId=a", UploadPart),
            (Method::GET, Object, "partNumber=1", GetObject),
            (Method::DELETE, Object, "uploadId=a", AbortMultipartUpload),
            (Method::DELETE, Object, "tagging", DeleteObjectTagging),
            (Method::POST, Bucket, "delete", DeleteObjects),
        ] {
            assert_eq!(name(&method, target, query), Ok(Some(expected)), "{query}");
        }
    }

    #[test]
    fn an_unsupported_operation_is_never_taken_for_another() {
        for (method, target, query, expected) in [
            (Method::PUT, Object, "renameObject", "RenameObject"),
            (Method::PUT, Object, "encryption", "UpdateObjectEncryption"),
            (
                Method::PUT,
                Object,
                "annotation&annotationName=a",
                "PutObjectAnnotation",
            ),
            (
                Method::DELETE,
                Object,
                "annotation&annotationName=a",
                "DeleteObjectAnnotation",
            ),
            (
                Method::DELETE,
                Bucket,
                "metadataConfiguration",
                "DeleteBucketMetadataConfiguration",
            ),
            (Method::PUT, Bucket, "abac", "PutBucketAbac"),
            (
                Method::GET,
                Bucket,
                "inventory&id=a",
                "GetBucketInventoryConfiguration",
            ),
            (
                Method::GET,
                Bucket,
                "inventory",
                "ListBucketInventoryConfigurations",
            ),
            (Method::HEAD, Object, "acl", "GetObjectAcl"),
            (Method::PUT, Object, "%72etention", "PutObjectRetention"),
        ] {
            assert_eq!(
                name(&method, target, query),
                Err(GateError::Operation(expected)),
                "{query}"
            );
        }
        for (method, target, query) in [
            (Method::PUT, Object, "torrent"),
            (Method::PUT, Object, "notYetInvented"),
            (Method::DELETE, Object, "restore"),
            (Method::DELETE, Bucket, "versioning"),
            (Method::PUT, Object, "tagging&uploadId=a"),
            (Method::PUT, Object, "uploadId=a"),
            (Method::GET, Object, "uploads"),
        ] {
            let answered = name(&method, target, query);
            assert!(
                matches!(answered, Err(GateError::Parameter(_))),
                "{query}: {answered:?}"
            );
        }
        let twice = name(&Method::PUT, Object, "tagging&tagging");
        assert_eq!(twice, Err(GateError::Repeated("tagging".into())));
    }
}
