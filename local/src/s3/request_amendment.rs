//! What AWS reads otherwise than the protocol library does, put right once the signature has been checked, which covers
//! the request as it was sent: a `Range` that is none, and CDATA sections in a document.

use axum::body::{Body, to_bytes};
use http::{Extensions, HeaderMap, HeaderValue, Method, Request, Uri, header};
use quick_xml::{Reader, Writer, events::Event};
use s3s::{S3Request, S3Response, S3Result, dto::Range, route::S3Route, s3_error, service::S3Service};

use super::gate::LARGEST_DOCUMENT;

/// Marks a request that is to be amended.
#[derive(Clone, Copy)]
pub(super) struct Amend;

/// Called by the library after the signature was found to be right. `unsigned` is the same service without signatures.
pub(super) struct AmendedRoute {
    pub(super) unsigned: S3Service,
}

#[async_trait::async_trait]
impl S3Route for AmendedRoute {
    fn is_match(&self, _: &Method, _: &Uri, _: &HeaderMap, extensions: &mut Extensions) -> bool {
        extensions.get::<Amend>().is_some()
    }

    async fn call(&self, request: S3Request<s3s::Body>) -> S3Result<S3Response<s3s::Body>> {
        let S3Request {
            input,
            method,
            uri,
            mut headers,
            ..
        } = request;
        headers.remove(header::AUTHORIZATION);
        if has_odd_range(&headers) {
            headers.remove(header::RANGE);
        }
        let body = to_bytes(Body::new(input), LARGEST_DOCUMENT)
            .await
            .map_err(|_| s3_error!(IncompleteBody))?;
        let body = match has_cdata(&body) {
            true => {
                let text = without_cdata(&body).map_err(|reason| s3_error!(MalformedXML, "{reason}"))?;
                headers.insert(header::CONTENT_LENGTH, HeaderValue::from(text.len()));
                // It was compared with the body as it was sent.
                headers.remove("content-md5");
                text
            }
            false => body.to_vec(),
        };
        let mut amended = Request::new(s3s::Body::from(body));
        *amended.method_mut() = method;
        *amended.uri_mut() = without_signature(&uri).ok_or_else(|| s3_error!(InvalidURI))?;
        *amended.headers_mut() = headers;
        let answered = self.unsigned.call(amended).await;
        let (parts, body) = answered.map_err(|_| s3_error!(InternalError))?.into_parts();
        let mut response = S3Response::new(body);
        response.status = Some(parts.status);
        response.headers = parts.headers;
        Ok(response)
    }
}

/// A range that is malformed, or several of them, is none at all to AWS: the answer is the whole object.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>: "Amazon S3 doesn't support retrieving multiple
/// ranges of data per GET request."
pub(super) fn has_odd_range(headers: &HeaderMap) -> bool {
    let range = headers.get(header::RANGE);
    range.is_some_and(|range| !range.to_str().is_ok_and(|range| Range::parse(range).is_ok()))
}

pub(super) fn has_cdata(body: &[u8]) -> bool {
    const CDATA: &[u8] = b"<![CDATA[";
    body.windows(CDATA.len()).any(|window| window == CDATA)
}

/// The same document with its sections written as text: the library passes over what is in them.
fn without_cdata(document: &[u8]) -> Result<Vec<u8>, String> {
    let (mut reader, mut writer) = (Reader::from_reader(document), Writer::new(Vec::new()));
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        let event = reader
            .read_event_into(&mut buffer)
            .map_err(|error| error.to_string())?;
        let written = match event {
            Event::Eof => return Ok(writer.into_inner()),
            Event::CData(section) => {
                let text = section.escape().map_err(|error| error.to_string())?;
                writer.write_event(Event::Text(text))
            }
            event => writer.write_event(event),
        };
        written.map_err(|error| error.to_string())?;
    }
}

/// Without what a presigned address carries for its signature.
fn without_signature(uri: &Uri) -> Option<Uri> {
    const SIGNATURE: [&str; 3] = ["AWSAccessKeyId", "Signature", "Expires"];
    let is_of_the_signature = |part: &str| {
        let name = part.split('=').next().unwrap_or_default();
        name.starts_with("X-Amz-") || SIGNATURE.contains(&name)
    };
    let query = uri.query().unwrap_or_default().split('&');
    let kept: Vec<&str> = query
        .filter(|part| !part.is_empty() && !is_of_the_signature(part))
        .collect();
    let address = match kept.is_empty() {
        true => uri.path().to_owned(),
        false => format!("{}?{}", uri.path(), kept.join("&")),
    };
    address.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_text_and_everything_else_stays() {
        let document = b"<?xml version=\"1.0\"?><Delete a=\"&quot;\"><Key><![CDATA[a<b>&amp;]]]]>&gt;</Key><Key>c&lt;</Key></Delete>";
        let written = String::from_utf8(without_cdata(document).unwrap()).unwrap();
        assert_eq!(
            written,
            "<?xml version=\"1.0\"?><Delete a=\"&quot;\"><Key>a&lt;b&gt;&amp;amp;]]&gt;</Key><Key>c&lt;</Key></Delete>"
        );
        assert!(without_cdata(b"<a><![CDATA[x").is_err());
    }

    #[test]
    fn a_range_that_s3_does_not_serve_is_odd() {
        for (range, odd) in [
            ("bytes=0-1", false),
            ("bytes=-5", false),
            ("bytes=5-", false),
            ("bytes=0-1,4-5", true),
            ("bytes=5-1", true),
            ("bytes=a-b", true),
            ("pages=1-2", true),
        ] {
            let headers = HeaderMap::from_iter([(header::RANGE, HeaderValue::from_static(range))]);
            assert_eq!(has_odd_range(&headers), odd, "{range}");
        }
        assert!(!has_odd_range(&HeaderMap::new()));
    }

    #[test]
    fn an_address_keeps_what_it_asks_for() {
        let without = |uri: &str| without_signature(&uri.parse().unwrap()).unwrap().to_string();
        assert_eq!(
            without("/b/k%20?versionId=1&X-Amz-Signature=x&X-Amz-Date=y"),
            "/b/k%20?versionId=1"
        );
        assert_eq!(without("/b/k?Signature=x&Expires=1&AWSAccessKeyId=z"), "/b/k");
        assert_eq!(without("/b?delete"), "/b?delete");
    }
}
