//! `groundcrew up --record FILE` writes every request to the AWS port and its response into a file, one JSON document a line.
//! The file has addresses and answers in it, but no keys.

use std::fs::{File, Permissions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::error::StackError;
use crate::lock::lock;

/// Larger bodies are recorded by their size alone: S3's 5 GiB must stay out of memory.
const LARGEST_RECORDED: usize = 1024 * 1024;

#[derive(Clone, Debug)]
pub(crate) struct Recorder {
    file: Arc<Mutex<File>>,
}

impl Recorder {
    /// Appends to the file, where there is one.
    pub(crate) fn open(path: &Path) -> Result<Self, StackError> {
        let file = open_private(path).map_err(|error| StackError::Data {
            what: "cannot record requests in",
            path: path.to_owned(),
            reason: error.to_string(),
        })?;
        Ok(Self {
            file: Arc::new(Mutex::new(file)),
        })
    }

    pub(crate) fn layer(self, router: Router) -> Router {
        router.layer(middleware::from_fn(move |request, next| {
            let recorder = self.clone();
            async move { recorder.record(request, next).await }
        }))
    }

    async fn record(self, request: Request, next: Next) -> Response {
        let (head, body) = request.into_parts();
        let (recorded, body) = match buffer(body).await {
            Ok(buffered) => buffered,
            Err(broken) => return broken,
        };
        let mut line = json!({
            "method": head.method.as_str(),
            "uri": head.uri.to_string(),
            "headers": headers_json(&head.headers),
            "body": recorded,
        });
        let response = next.run(Request::from_parts(head, body)).await;
        let (head, body) = response.into_parts();
        let (recorded, body) = match buffer(body).await {
            Ok(buffered) => buffered,
            Err(broken) => return broken,
        };
        line["status"] = json!(head.status.as_u16());
        line["response_headers"] = headers_json(&head.headers);
        line["response_body"] = recorded;
        self.write(&line);
        Response::from_parts(head, body)
    }

    fn write(&self, line: &Value) {
        // JSON allows these in a line, and some readers split lines at them.
        let line = line
            .to_string()
            .replace('\u{85}', "\\u0085")
            .replace('\u{2028}', "\\u2028")
            .replace('\u{2029}', "\\u2029");
        let mut file = lock(&self.file);
        if let Err(error) = file.write_all(format!("{line}\n").as_bytes()) {
            tracing::warn!(%error, "failed to record a request");
        }
    }
}

/// Readable for its owner alone, also where it exists and others could read it.
fn open_private(path: &Path) -> std::io::Result<File> {
    let file = File::options().create(true).append(true).mode(0o600).open(path)?;
    // Not of what is no file: `--record /dev/stderr`.
    if file.metadata()?.is_file() {
        file.set_permissions(Permissions::from_mode(0o600))?;
    }
    Ok(file)
}

/// The body, base64, if it is small enough to keep, and the body to go on with.
async fn buffer(body: Body) -> Result<(Value, Body), Response> {
    let length = body.size_hint().exact();
    if length.is_none_or(|length| length > LARGEST_RECORDED as u64) {
        return Ok((Value::Null, body));
    }
    let bytes: Bytes = axum::body::to_bytes(body, LARGEST_RECORDED)
        .await
        .map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()).into_response())?;
    Ok((json!(STANDARD.encode(&bytes)), Body::from(bytes)))
}

/// Headers without the signature: a reader of it could send the request again for a quarter of an hour.
fn headers_json(headers: &HeaderMap) -> Value {
    let pairs = headers.iter().filter(|(name, _)| *name != header::AUTHORIZATION);
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    Value::Object(
        pairs
            .map(|(name, value)| (name.to_string(), Value::String(text(value))))
            .collect::<Map<_, _>>(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_private_also_where_the_file_was_not() {
        let folder = tempfile::tempdir().unwrap();
        for already_there in [false, true] {
            let path = folder.path().join(format!("{already_there}.jsonl"));
            if already_there {
                std::fs::write(&path, "{}\n").unwrap();
                std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
            }
            Recorder::open(&path).unwrap().write(&json!({}));
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{already_there}");
            let lines = std::fs::read_to_string(&path).unwrap().lines().count();
            assert_eq!(lines, 1 + usize::from(already_there));
        }
    }
}
