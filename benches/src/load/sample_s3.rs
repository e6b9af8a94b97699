//! S3 with as many objects as wanted, none of them stored: an object is computed from its key, so that a dataset of
//! millions costs no disk and no time to drop. What functions write is kept in memory. Beside it, just enough of the
//! labeling API and of SNS for `notify`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::store::{INPUT, OUTPUT};

pub(super) const JOB: &str = "gc00-done-000001-0000000000";
pub(super) const LABELS: &str = "labels/gc00-done-000001/manifests/output/output.manifest";

/// Objects in a page of a listing, as S3 has it.
const PAGE: u64 = 1_000;
const LONG_AGO: &str = "2026-01-01T00:00:00.000Z";

/// What the objects of a dataset are.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// A short text each.
    Texts,
    /// Bytes that are no text: each has to be read to know it.
    Broken,
    /// A CSV of so many bytes each.
    Csv(usize),
    /// A CSV each, with so many rows that are refused.
    BadRows(usize),
}

#[derive(Clone, Debug)]
pub(crate) struct SampleS3 {
    pub(crate) objects: u64,
    pub(crate) kind: Kind,
    pub(crate) spec: String,
}

#[derive(Clone)]
struct WrittenObject {
    body: Bytes,
    etag: String,
    metadata: Vec<(HeaderName, String)>,
}

#[derive(Default)]
struct World {
    datasets: Mutex<BTreeMap<String, SampleS3>>,
    output: Mutex<BTreeMap<String, WrittenObject>>,
    requests: AtomicU64,
}

/// A server on loopback, until the process ends.
#[derive(Clone)]
pub(crate) struct Server {
    world: Arc<World>,
    pub(crate) endpoint: String,
}

impl Server {
    pub(crate) async fn start() -> Result<Self> {
        let world = Arc::new(World::default());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let router = Router::new().fallback(answer).with_state(Arc::clone(&world));
        let router = router.layer(axum::extract::DefaultBodyLimit::disable());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { world, endpoint })
    }

    pub(crate) fn add(&self, name: &str, dataset: SampleS3) {
        lock(&self.world.datasets).insert(name.to_owned(), dataset);
    }

    pub(crate) fn remove(&self, name: &str) {
        lock(&self.world.datasets).remove(name);
        let mut output = lock(&self.world.output);
        output.retain(|key, _| !key.split('/').any(|part| part.trim_end_matches(".json") == name));
    }

    /// Puts an object into the output bucket.
    pub(crate) fn write(&self, key: &str, body: impl Into<Bytes>, metadata: &[(&'static str, String)]) {
        let metadata = metadata
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.clone()));
        let written = WrittenObject {
            body: body.into(),
            etag: "\"0\"".to_owned(),
            metadata: metadata.collect(),
        };
        lock(&self.world.output).insert(key.to_owned(), written);
    }

    pub(crate) fn objects_under(&self, prefix: &str) -> Vec<(String, Bytes)> {
        let output = lock(&self.world.output);
        let found = output.iter().filter(|(key, _)| key.starts_with(prefix));
        found.map(|(key, it)| (key.clone(), it.body.clone())).collect()
    }

    /// Requests since the last time this was asked.
    pub(crate) fn requests(&self) -> u64 {
        self.world.requests.swap(0, Ordering::Relaxed)
    }
}

fn lock<T>(of: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(State(world): State<Arc<World>>, request: Request) -> Response {
    world.requests.fetch_add(1, Ordering::Relaxed);
    let (head, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, usize::MAX).await else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    if let Some(target) = head
        .headers
        .get("x-amz-target")
        .and_then(|target| target.to_str().ok())
    {
        return labeling(target);
    }
    let query: BTreeMap<String, String> = head
        .uri
        .query()
        .unwrap_or_default()
        .split('&')
        .map(|part| part.split_once('=').unwrap_or((part, "")))
        .map(|(name, value)| (name.to_owned(), decode(value)))
        .collect();
    let path = decode(head.uri.path());
    let (bucket, key) = path
        .trim_start_matches('/')
        .split_once('/')
        .unwrap_or((path.trim_start_matches('/'), ""));
    match head.method {
        Method::POST => {
            "<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>"
                .into_response()
        }
        Method::PUT => world.put(key, &head.headers, body),
        Method::GET if query.contains_key("uploads") => uploads(),
        Method::GET if query.contains_key("list-type") && bucket == INPUT => world.list_input(&query),
        Method::GET if query.contains_key("list-type") => world.list_output(&query),
        _ if bucket == OUTPUT => world.get_output(key, &head.headers),
        _ => world.get_input(key, &head.headers),
    }
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let hex: Option<u8> = (byte == b'%')
            .then(|| {
                let pair = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&pair).ok()?, 16).ok()
            })
            .flatten();
        bytes.push(hex.unwrap_or(byte));
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn uploads() -> Response {
    "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>"
        .into_response()
}

/// One job of 100,000 objects that is done.
fn labeling(target: &str) -> Response {
    let of_job = json!({
        "LabelingJobName": JOB, "LabelingJobArn": "arn:aws:sagemaker:us-east-1:000000000000:labeling-job/x",
        "LabelingJobStatus": "Completed", "CreationTime": 1_790_000_000, "LastModifiedTime": 1_790_000_000,
        "JobReferenceCode": "x", "LabelAttributeName": "label", "RoleArn": "arn:aws:iam::000000000000:role/x",
        "LabelCounters": {"TotalLabeled": 100_000, "HumanLabeled": 100_000, "MachineLabeled": 0,
            "FailedNonRetryableError": 0, "Unlabeled": 0},
        "InputConfig": {"DataSource": {"S3DataSource": {
            "ManifestS3Uri": format!("s3://{OUTPUT}/manifests/done/000001.manifest")}}},
        "OutputConfig": {"S3OutputPath": format!("s3://{OUTPUT}/labels/")},
        "LabelingJobOutput": {"OutputDatasetS3Uri": format!("s3://{OUTPUT}/{}", LABELS)},
        "HumanTaskConfig": {
            "WorkteamArn": "arn:aws:sagemaker:us-east-1:000000000000:workteam/private-crowd/numbers-team",
            "UiConfig": {"UiTemplateS3Uri": "s3://x/y"}, "TaskTitle": "t", "TaskDescription": "d",
            "NumberOfHumanWorkersPerDataObject": 1, "TaskTimeLimitInSeconds": 300,
        },
    });
    let answer: Value = if target.ends_with("ListLabelingJobs") {
        json!({"LabelingJobSummaryList": [of_job]})
    } else {
        of_job
    };
    (
        [("content-type", "application/x-amz-json-1.1")],
        answer.to_string(),
    )
        .into_response()
}

impl World {
    fn put(&self, key: &str, headers: &HeaderMap, body: Bytes) -> Response {
        let mut output = lock(&self.output);
        let there = output.get(key).map(|there| there.etag.clone());
        let wanted = headers.get("if-match").and_then(|etag| etag.to_str().ok());
        let fits = if headers.contains_key("if-none-match") {
            there.is_none()
        } else {
            wanted.is_none() || wanted == there.as_deref()
        };
        if !fits {
            return refusal(StatusCode::PRECONDITION_FAILED, "PreconditionFailed");
        }
        let etag = format!("\"{:032x}\"", self.requests.load(Ordering::Relaxed));
        let metadata = headers
            .iter()
            .filter(|(name, _)| name.as_str().starts_with("x-amz-meta-"))
            .filter_map(|(name, value)| Some((name.clone(), value.to_str().ok()?.to_owned())));
        let written = WrittenObject {
            body,
            etag: etag.clone(),
            metadata: metadata.collect(),
        };
        output.insert(key.to_owned(), written);
        ([("etag", etag)], "").into_response()
    }

    fn get_output(&self, key: &str, headers: &HeaderMap) -> Response {
        let there = lock(&self.output).get(key).cloned();
        match there {
            Some(there) => {
                let mut response = body(headers, &there.body, &there.etag);
                let metadata = there.metadata.into_iter();
                let metadata = metadata.filter_map(|(name, value)| Some((name, value.parse().ok()?)));
                response.headers_mut().extend(metadata);
                response
            }
            None => refusal(StatusCode::NOT_FOUND, "NoSuchKey"),
        }
    }

    fn get_input(&self, key: &str, headers: &HeaderMap) -> Response {
        let datasets = lock(&self.datasets);
        let found = key
            .split_once('/')
            .and_then(|(name, rest)| Some((datasets.get(name)?, rest)));
        let Some((dataset, rest)) = found else {
            return refusal(StatusCode::NOT_FOUND, "NoSuchKey");
        };
        if rest == "labeling.yaml" {
            return body(headers, &Bytes::from(dataset.spec.clone()), "\"5bec\"");
        }
        let number: u64 = rest.get(..7).and_then(|n| n.parse().ok()).unwrap_or_default();
        body(headers, &contents(dataset.kind, number), &etag(number))
    }

    fn list_input(&self, query: &BTreeMap<String, String>) -> Response {
        let datasets = lock(&self.datasets);
        let prefix = query.get("prefix").map(String::as_str).unwrap_or_default();
        let name = prefix.trim_end_matches('/');
        let Some(dataset) = datasets.get(name) else {
            let folders = datasets
                .keys()
                .map(|name| format!("<CommonPrefixes><Prefix>{name}/</Prefix></CommonPrefixes>"));
            return page(&folders.collect::<String>(), None);
        };
        let from: u64 = query
            .get("continuation-token")
            .and_then(|token| token.parse().ok())
            .unwrap_or_default();
        let end = (from + PAGE).min(dataset.objects);
        let mut xml = String::new();
        for number in from..end {
            entry(
                &mut xml,
                &key(dataset.kind, name, number),
                &etag(number),
                size(dataset.kind, number),
            );
        }
        let next = (end < dataset.objects).then_some(end);
        if next.is_none() {
            entry(
                &mut xml,
                &format!("{name}/labeling.yaml"),
                "\"5bec\"",
                dataset.spec.len(),
            );
        }
        page(&xml, next)
    }

    fn list_output(&self, query: &BTreeMap<String, String>) -> Response {
        let prefix = query.get("prefix").map(String::as_str).unwrap_or_default();
        let output = lock(&self.output);
        let mut xml = String::new();
        for (key, it) in output.range(prefix.to_owned()..) {
            if !key.starts_with(prefix) {
                break;
            }
            entry(&mut xml, key, &it.etag, it.body.len());
        }
        page(&xml, None)
    }
}

fn key(kind: Kind, name: &str, number: u64) -> String {
    let extension = match kind {
        Kind::Texts | Kind::Broken => "txt",
        Kind::Csv(_) | Kind::BadRows(_) => "csv",
    };
    format!("{name}/{number:07}.{extension}")
}

fn etag(number: u64) -> String {
    format!("\"{number:032x}\"")
}

fn size(kind: Kind, number: u64) -> usize {
    match kind {
        Kind::Csv(bytes) => bytes,
        _ => contents(kind, number).len(),
    }
}

fn contents(kind: Kind, number: u64) -> Bytes {
    match kind {
        Kind::Texts => Bytes::from(format!("The number is {number:07}.")),
        Kind::Broken => Bytes::from_static(b"\xff\xfe\xfd no text"),
        Kind::Csv(bytes) => {
            // 305 bytes a row: somewhat more rows than a batch holds in 32 MiB.
            let row = format!("{}\n", "A row that is labeled. ".repeat(13));
            let mut text = String::from("text\n");
            text.push_str(&row.repeat(bytes / row.len() + 1));
            text.truncate(bytes);
            Bytes::from(text)
        }
        Kind::BadRows(rows) => Bytes::from(format!("text\n{}", "two,fields\n".repeat(rows))),
    }
}

fn entry(xml: &mut String, key: &str, etag: &str, size: usize) {
    let _never = write!(
        xml,
        "<Contents><Key>{key}</Key><LastModified>{LONG_AGO}</LastModified><ETag>{}</ETag><Size>{size}</Size></Contents>",
        etag.replace('"', "&quot;")
    );
}

fn page(entries: &str, next: Option<u64>) -> Response {
    let next = next.map_or(String::new(), |next| {
        format!("<NextContinuationToken>{next}</NextContinuationToken>")
    });
    let cut = !next.is_empty();
    let xml = format!(
        "<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>{cut}</IsTruncated>{next}{entries}</ListBucketResult>"
    );
    ([("content-type", "application/xml")], xml).into_response()
}

/// The whole object, or the range that is asked for.
fn body(headers: &HeaderMap, bytes: &Bytes, etag: &str) -> Response {
    let range = headers
        .get("range")
        .and_then(|range| range.to_str().ok()?.strip_prefix("bytes=")?.split_once('-'));
    let range = range.and_then(|(from, to)| Some((from.parse::<usize>().ok()?, to.parse::<usize>().ok()?)));
    let modified = ("last-modified", "Thu, 01 Jan 2026 00:00:00 GMT".to_owned());
    let etag = ("etag", etag.to_owned());
    match range {
        Some((from, _)) if from >= bytes.len() => refusal(StatusCode::RANGE_NOT_SATISFIABLE, "InvalidRange"),
        Some((from, to)) => {
            let end = (to + 1).min(bytes.len());
            let place = format!("bytes {from}-{}/{}", end - 1, bytes.len());
            (
                StatusCode::PARTIAL_CONTENT,
                [etag, modified, ("content-range", place)],
                bytes.slice(from..end),
            )
                .into_response()
        }
        None => ([etag, modified], bytes.clone()).into_response(),
    }
}

fn refusal(status: StatusCode, code: &str) -> Response {
    (status, format!("<Error><Code>{code}</Code></Error>")).into_response()
}
