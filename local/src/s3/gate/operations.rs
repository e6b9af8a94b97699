//! Which operation of S3 a request asks for, by its method, its path and its query. The protocol library knows fewer of
//! them than AWS has, and runs those it does not know as PutObject, GetObject or DeleteObject: they must not get there.
//!
//! Method, place and sub-resource of each are in the service model: <https://docs.aws.amazon.com/AmazonS3/latest/API/>

use http::{HeaderMap, Method};

use super::{Query, elsewhere::ELSEWHERE};

/// What the path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Root,
    Bucket,
    Object,
}

use Place::{Bucket, Object, Root};

/// What the body of an operation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::s3) enum Content {
    None,
    /// A document of the protocol, small enough to be read whole.
    Xml,
    /// The bytes of an object.
    Bytes,
}

/// An operation that this store has.
#[derive(Debug)]
pub(in crate::s3) struct Operation {
    pub(in crate::s3) name: &'static str,
    method: &'static str,
    place: Place,
    /// Query parameters that make a request this operation.
    marks: &'static [&'static str],
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

    /// Whether it stores what an uploader says of an object: metadata, tags and the like.
    pub(super) fn describes(&self) -> bool {
        matches!(self.name, "PutObject" | "CopyObject" | "CreateMultipartUpload")
    }

    /// Whether its answer has keys in it, which may hold any character.
    pub(in crate::s3) fn answers_with_names(&self) -> bool {
        self.name.starts_with("List") || self.name == "DeleteObjects"
    }

    fn takes(&self, parameter: &str) -> bool {
        self.marks.contains(&parameter) || self.parameters.contains(&parameter)
    }
}

const fn read(
    name: &'static str,
    method: &'static str,
    place: Place,
    marks: &'static [&'static str],
    parameters: &'static [&'static str],
) -> Operation {
    Operation {
        name,
        method,
        place,
        marks,
        parameters,
        conditions: &[],
        content: Content::None,
    }
}

const fn write(
    name: &'static str,
    method: &'static str,
    place: Place,
    marks: &'static [&'static str],
    content: Content,
) -> Operation {
    Operation {
        content,
        ..read(name, method, place, marks, &[])
    }
}

const WRITE_CONDITIONS: &[&str] = &["if-match", "if-none-match"];
const VERSION: &[&str] = &["versionId"];
const VERSION_AND_PART: &[&str] = &["versionId", "partNumber"];

/// Those with more marks come first.
static HERE: [Operation; 27] = [
    read("ListBuckets", "GET", Root, &[], &[]),
    read("GetBucketLocation", "GET", Bucket, &["location"], &[]),
    read("GetBucketVersioning", "GET", Bucket, &["versioning"], &[]),
    read("GetBucketCors", "GET", Bucket, &["cors"], &[]),
    read("ListMultipartUploads", "GET", Bucket, &["uploads"], &[]),
    read("ListObjectsV2", "GET", Bucket, &["list-type"], &[]),
    read("ListObjects", "GET", Bucket, &[], &[]),
    read("HeadBucket", "HEAD", Bucket, &[], &[]),
    read("GetObjectTagging", "GET", Object, &["tagging"], VERSION),
    read("ListParts", "GET", Object, &["uploadId"], &[]),
    read("GetObject", "GET", Object, &[], VERSION_AND_PART),
    read("HeadObject", "HEAD", Object, &[], VERSION_AND_PART),
    write("PutBucketCors", "PUT", Bucket, &["cors"], Content::Xml),
    write("CreateBucket", "PUT", Bucket, &[], Content::Xml),
    write("DeleteBucketCors", "DELETE", Bucket, &["cors"], Content::None),
    write("DeleteBucket", "DELETE", Bucket, &[], Content::None),
    write("DeleteObjects", "POST", Bucket, &["delete"], Content::Xml),
    Operation {
        parameters: VERSION,
        ..write("PutObjectTagging", "PUT", Object, &["tagging"], Content::Xml)
    },
    Operation {
        parameters: VERSION,
        ..write(
            "DeleteObjectTagging",
            "DELETE",
            Object,
            &["tagging"],
            Content::None,
        )
    },
    write(
        "CreateMultipartUpload",
        "POST",
        Object,
        &["uploads"],
        Content::None,
    ),
    Operation {
        conditions: WRITE_CONDITIONS,
        ..write(
            "CompleteMultipartUpload",
            "POST",
            Object,
            &["uploadId"],
            Content::Xml,
        )
    },
    write(
        "AbortMultipartUpload",
        "DELETE",
        Object,
        &["uploadId"],
        Content::None,
    ),
    write(
        "UploadPartCopy",
        "PUT",
        Object,
        &["uploadId", "partNumber"],
        Content::None,
    ),
    write(
        "UploadPart",
        "PUT",
        Object,
        &["uploadId", "partNumber"],
        Content::Bytes,
    ),
    Operation {
        conditions: WRITE_CONDITIONS,
        ..write("CopyObject", "PUT", Object, &[], Content::None)
    },
    Operation {
        conditions: WRITE_CONDITIONS,
        ..write("PutObject", "PUT", Object, &[], Content::Bytes)
    },
    Operation {
        parameters: VERSION,
        conditions: &["if-match"],
        ..write("DeleteObject", "DELETE", Object, &[], Content::None)
    },
];

/// Parameters that are about the signature, or say once more which operation it is.
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

/// Why a request is none of the operations here.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unknown {
    Operation(&'static str),
    Parameter(String),
    Repeated(String),
}

/// The operation a request asks for; none where the protocol library has an answer of its own.
pub(super) fn asked(
    method: &Method,
    place: Place,
    query: &Query,
    headers: &HeaderMap,
) -> Result<Option<&'static Operation>, Unknown> {
    if let Some(name) = elsewhere(method, place, query, headers) {
        return Err(Unknown::Operation(name));
    }
    let copies = headers.contains_key("x-amz-copy-source");
    let found = HERE.iter().find(|operation| {
        operation.method == method.as_str()
            && operation.place == place
            && operation.marks.iter().all(|mark| query.has(mark))
            && (copies || !matches!(operation.name, "CopyObject" | "UploadPartCopy"))
    });
    if let Some(operation) = found {
        check_parameters(operation, query)?;
    }
    Ok(found)
}

fn elsewhere(method: &Method, place: Place, query: &Query, headers: &HeaderMap) -> Option<&'static str> {
    // A HEAD of a sub-resource is the GET without its body.
    let method = match method.as_str() {
        "HEAD" => "GET",
        method => method,
    };
    let marked = |marks: &str| marks.split('&').all(|mark| query.has(mark));
    let by_query = ELSEWHERE
        .iter()
        .find(|(m, p, marks, _)| *m == method && *p == place && marked(marks))
        .map(|(.., name)| *name);
    by_query.or_else(|| match (method, place) {
        _ if headers.contains_key("x-amz-account-id") => Some("an operation of S3 Control"),
        ("GET", Root) if query.get("x-id") == Some("ListDirectoryBuckets") => Some("ListDirectoryBuckets"),
        ("POST", _) if headers.contains_key("x-amz-request-route") => Some("WriteGetObjectResponse"),
        ("POST", Bucket) if is_form(headers) => Some("PostObject"),
        ("PUT", Object) if headers.contains_key("x-amz-rename-source") => Some("RenameObject"),
        _ => None,
    })
}

/// An upload from a form of a page: it would be held in memory whole.
fn is_form(headers: &HeaderMap) -> bool {
    headers
        .get(http::header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"multipart/form-data"))
}

/// What changes something says nothing this store does not understand. Of what only reads, parameters that are no
/// sub-resource are for others, as they are on AWS: they cannot change what is answered.
fn check_parameters(operation: &Operation, query: &Query) -> Result<(), Unknown> {
    for (at, (name, _)) in query.0.iter().enumerate() {
        let known = operation.takes(name) || ABOUT_THE_REQUEST.contains(&name.as_str());
        if !known && (operation.writes() || is_sub_resource(name)) {
            return Err(Unknown::Parameter(name.clone()));
        }
        if query.0[..at].iter().any(|(other, _)| other == name) {
            return Err(Unknown::Repeated(name.clone()));
        }
    }
    Ok(())
}

fn is_sub_resource(name: &str) -> bool {
    let here = HERE.iter().flat_map(|operation| operation.marks);
    let elsewhere = ELSEWHERE
        .iter()
        .filter_map(|(_, _, marks, _)| marks.split('&').next());
    here.copied().chain(elsewhere).any(|mark| mark == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(method: &Method, place: Place, query: &str) -> Result<Option<&'static str>, Unknown> {
        let found = asked(method, place, &Query::parse(Some(query)), &HeaderMap::new())?;
        Ok(found.map(|operation| operation.name))
    }

    #[test]
    fn a_request_is_the_operation_its_query_names() {
        for (method, place, query, expected) in [
            (Method::GET, Root, "max-buckets=2", "ListBuckets"),
            (Method::GET, Bucket, "list-type=2&prefix=a", "ListObjectsV2"),
            (Method::GET, Bucket, "prefix=a&cachebuster=1", "ListObjects"),
            (
                Method::GET,
                Object,
                "response-content-type=a&versionId=null",
                "GetObject",
            ),
            (Method::PUT, Object, "", "PutObject"),
            (
                Method::PUT,
                Object,
                "x-id=PutObject&X-Amz-Signature=a",
                "PutObject",
            ),
            (Method::PUT, Object, "partNumber=1&uploadId=a", "UploadPart"),
            (Method::GET, Object, "partNumber=1", "GetObject"),
            (Method::DELETE, Object, "uploadId=a", "AbortMultipartUpload"),
            (Method::DELETE, Object, "tagging", "DeleteObjectTagging"),
            (Method::POST, Bucket, "delete", "DeleteObjects"),
        ] {
            assert_eq!(name(&method, place, query), Ok(Some(expected)), "{query}");
        }
    }

    #[test]
    fn what_is_not_here_is_never_another_operation() {
        for (method, place, query, expected) in [
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
                name(&method, place, query),
                Err(Unknown::Operation(expected)),
                "{query}"
            );
        }
        for (method, place, query) in [
            (Method::PUT, Object, "torrent"),
            (Method::PUT, Object, "notYetInvented"),
            (Method::DELETE, Object, "restore"),
            (Method::DELETE, Bucket, "versioning"),
            (Method::PUT, Object, "tagging&uploadId=a"),
            (Method::PUT, Object, "uploadId=a"),
            (Method::GET, Object, "uploads"),
        ] {
            let answered = name(&method, place, query);
            assert!(
                matches!(answered, Err(Unknown::Parameter(_))),
                "{query}: {answered:?}"
            );
        }
        let twice = name(&Method::PUT, Object, "tagging&tagging");
        assert_eq!(twice, Err(Unknown::Repeated("tagging".into())));
    }
}
