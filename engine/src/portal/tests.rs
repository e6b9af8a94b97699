//! The portal's routes, over a desk that records its calls.

mod preview;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::body::{Body, to_bytes};
use axum_extra::extract::PrivateCookieJar;
use axum_extra::extract::cookie::Key;
use http::{Request, Response, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::error::MAX_BODY;
use super::*;
use crate::config::{Config, SignInConfig};
use crate::desk::{Desk, HeldTask, Lease, PortalJob, WorkError};
use crate::sign_in::VerifiedPerson;
use crate::testing::TestWorld;
use crate::worker::{IdentityProvider, Worker};

pub(crate) const KEY: [u8; 64] = [7; 64];

/// Has one job with one task, `job.0`.
#[derive(Default)]
struct FakeDesk {
    calls: Mutex<Vec<String>>,
    error: Mutex<Option<WorkError>>,
}

impl FakeDesk {
    fn record(&self, call: String) -> Result<(), WorkError> {
        if let Some(error) = self.error.lock().unwrap().clone() {
            return Err(error);
        }
        self.calls.lock().unwrap().push(call);
        Ok(())
    }
}

#[async_trait]
impl Desk for FakeDesk {
    async fn jobs(&self, _: &Worker) -> Vec<PortalJob> {
        Vec::new()
    }

    async fn teams(&self, worker: &Worker) -> Vec<String> {
        worker.groups.clone()
    }

    async fn lease(&self, _: &Worker, job: &str) -> Result<Option<Lease>, WorkError> {
        let lease = Lease {
            token: format!("{job}.0"),
            job: job.to_owned(),
            index: 0,
            title: "Even or odd?".to_owned(),
            expires: jiff::Timestamp::UNIX_EPOCH,
            seconds_left: 300,
        };
        match job {
            "job" => Ok(Some(lease)),
            "empty" => Ok(None),
            _ => Err(WorkError::NoSuchJob),
        }
    }

    async fn held_task(&self, _: &Worker, token: &str) -> Result<HeldTask, WorkError> {
        let held = HeldTask {
            job: "job".to_owned(),
            template: "<script src=\"https://assets.crowd.aws/crowd-html-elements.js\"></script><p>{{ task.input.taskObject }}</p>".into(),
            task_input: json!({ "taskObject": "<script>alert(1)</script>" }),
            title: "Even or odd?".to_owned(),
            seconds_left: 300,
        };
        match token {
            "job.0" => Ok(held),
            _ => Err(WorkError::NotHeld),
        }
    }

    async fn submit(&self, worker: &Worker, token: &str, answer: Value) -> Result<(), WorkError> {
        self.record(format!("{} {token} {answer}", worker.id))
    }

    async fn decline(&self, _: &Worker, token: &str) -> Result<(), WorkError> {
        self.record(format!("decline {token}"))
    }

    async fn release(&self, _: &Worker, token: &str) -> Result<(), WorkError> {
        self.record(format!("release {token}"))
    }

    async fn presign(&self, uri: &str) -> Result<String, String> {
        Ok(uri.to_owned())
    }
}

pub(crate) fn config() -> Config {
    let s3 = aws_sdk_s3::Config::builder()
        .behavior_version(aws_sdk_s3::config::BehaviorVersion::latest())
        .build();
    Config {
        s3: aws_sdk_s3::Client::from_conf(s3),
        state_bucket: "state".to_owned(),
        region: "us-east-1".to_owned(),
        account: "000000000000".to_owned(),
        portal_url: "https://portal.test".to_owned(),
        sign_in: SignInConfig {
            issuer: "http://127.0.0.1:9".to_owned(),
            people: None,
            client_id: "portal".to_owned(),
            client_secret: None,
            groups_claim: "cognito:groups".to_owned(),
        },
        s3_public_origin: "https://s3.test".to_owned(),
        max_running_jobs: 1,
        readable: Vec::new(),
        groups: None,
        trusted_proxies: 0,
    }
}

struct Portal {
    desk: Arc<FakeDesk>,
    router: Router,
    cookie: String,
}

impl Portal {
    async fn new() -> Portal {
        let desk = Arc::new(FakeDesk::default());
        let engine = TestWorld::default().engine().await;
        let state = PortalState::new(&config(), &engine.core, desk.clone(), &KEY);
        let cookie = session(&state, "team").await;
        Portal {
            desk,
            router: router(state),
            cookie,
        }
    }

    async fn ask(&self, mut request: Request<Body>) -> (Response<()>, String) {
        let own = request.headers_mut().entry("cookie");
        own.or_insert(self.cookie.parse().unwrap());
        let (head, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        (
            Response::from_parts(head, ()),
            String::from_utf8_lossy(&body).into_owned(),
        )
    }
}

/// The cookie a browser of this worker would send.
async fn session(state: &PortalState, group: &str) -> String {
    let worker = Worker {
        id: "private.us-east-1.0123456789abcdef".to_owned(),
        sub: "1".to_owned(),
        issuer: "https://issuer".to_owned(),
        provider: IdentityProvider::Cognito,
        name: "Ada".to_owned(),
        groups: vec![group.to_owned()],
    };
    let person = VerifiedPerson {
        worker,
        provider: state.sign_in.provider().unwrap(),
        refresh: None,
    };
    let secret = state.sessions.begin(person).await.unwrap();
    let jar: PrivateCookieJar = PrivateCookieJar::new(Key::from(&KEY)).add(session::cookie(&secret, true));
    let reply = axum::response::IntoResponse::into_response(jar);
    let set = reply.headers()["set-cookie"].to_str().unwrap();
    assert!(
        set.contains("HttpOnly") && set.contains("SameSite=Lax") && set.contains("Secure"),
        "{set}"
    );
    set.split(';').next().unwrap().to_owned()
}

fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

fn post(path: &str, body: &str) -> Request<Body> {
    let request = Request::post(path)
        .header("content-type", "application/json")
        .header("x-groundcrew", "1");
    request.body(Body::from(body.to_owned())).unwrap()
}

#[tokio::test]
async fn an_answer_reaches_the_desk_as_the_worker_gave_it() {
    let portal = Portal::new().await;
    let body = r#"{"answer":{"crowd-classifier":{"label":"Even"}}}"#;
    let (reply, text) = portal.ask(post("/api/tasks/job.0/answer", body)).await;
    assert_eq!((reply.status(), text.as_str()), (StatusCode::OK, "{}"));
    let expected = r#"private.us-east-1.0123456789abcdef job.0 {"crowd-classifier":{"label":"Even"}}"#;
    assert_eq!(*portal.desk.calls.lock().unwrap(), [expected]);
}

#[tokio::test]
async fn a_request_another_site_could_make_changes_nothing() {
    let portal = Portal::new().await;
    type Change = fn(&mut Request<Body>);
    let table: [(&str, Change); 4] = [
        ("no header", |request| {
            _ = request.headers_mut().remove("x-groundcrew");
        }),
        ("a form", |request| {
            request
                .headers_mut()
                .insert("content-type", "text/plain".parse().unwrap());
        }),
        ("no content type", |request| {
            _ = request.headers_mut().remove("content-type");
        }),
        ("cross-site", |request| {
            request
                .headers_mut()
                .insert("sec-fetch-site", "cross-site".parse().unwrap());
        }),
    ];
    for path in [
        "/api/tasks/job.0/answer",
        "/api/tasks/job.0/decline",
        "/api/tasks/job.0/release",
        "/api/jobs/job/next",
    ] {
        for (what, change) in &table {
            let mut request = post(path, r#"{"answer":{}}"#);
            change(&mut request);
            let (reply, text) = portal.ask(request).await;
            assert_eq!(reply.status(), StatusCode::FORBIDDEN, "{path}, {what}: {text}");
        }
    }
    assert!(portal.desk.calls.lock().unwrap().is_empty());
}

#[tokio::test]
async fn without_a_valid_session_nothing_is_shown() {
    let portal = Portal::new().await;
    for cookie in [
        "",
        "groundcrew-session=eyJpZCI6ImEifQ",
        "groundcrew-session=%7B%22id%22%3A%22a%22%7D",
    ] {
        for path in ["/api/me", "/api/jobs", "/api/tasks/job.0", "/tasks/job.0/frame"] {
            let request = Request::get(path)
                .header("cookie", cookie)
                .body(Body::empty())
                .unwrap();
            let (reply, text) = portal.ask(request).await;
            assert_eq!(reply.status(), StatusCode::UNAUTHORIZED, "{path} {cookie}");
            assert!(!text.contains("alert"), "{text}");
        }
    }
}

#[tokio::test]
async fn an_error_of_the_desk_gets_a_status_and_a_code() {
    let portal = Portal::new().await;
    let table = [
        (WorkError::NotHeld, StatusCode::CONFLICT, "not-held"),
        (WorkError::JobOver, StatusCode::GONE, "job-over"),
        (
            WorkError::BadAnswer("no label".to_owned()),
            StatusCode::UNPROCESSABLE_ENTITY,
            "bad-answer",
        ),
        (
            WorkError::Unavailable,
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
        ),
    ];
    for (error, status, code) in table {
        *portal.desk.error.lock().unwrap() = Some(error);
        let (reply, text) = portal
            .ask(post("/api/tasks/job.0/answer", r#"{"answer":{"a":{}}}"#))
            .await;
        let body: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((reply.status(), body["error"].as_str()), (status, Some(code)));
    }
}

#[tokio::test]
async fn a_body_that_is_not_an_answer_is_refused() {
    let portal = Portal::new().await;
    let large = format!(r#"{{"answer":{{"a":"{}"}}}}"#, "x".repeat(MAX_BODY));
    let table = [
        ("{", StatusCode::BAD_REQUEST),
        ("[]", StatusCode::BAD_REQUEST),
        (r#"{"answer":[]}"#, StatusCode::BAD_REQUEST),
        (r#"{"answers":{}}"#, StatusCode::BAD_REQUEST),
        (large.as_str(), StatusCode::PAYLOAD_TOO_LARGE),
    ];
    for (body, status) in table {
        let (reply, text) = portal.ask(post("/api/tasks/job.0/answer", body)).await;
        assert_eq!(reply.status(), status, "{}: {text}", &body[..body.len().min(40)]);
        let said: Value = serde_json::from_str(&text).unwrap();
        assert!(said["message"].is_string(), "{text}");
    }
}

#[tokio::test]
async fn the_next_task_comes_with_its_frame_or_not_at_all() {
    let portal = Portal::new().await;
    let (_, text) = portal.ask(post("/api/jobs/job/next", "{}")).await;
    let task: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(task["task"]["frame"], "/tasks/job.0/frame");
    assert_eq!(task["task"]["seconds_left"], 300);
    let (_, text) = portal.ask(post("/api/jobs/empty/next", "{}")).await;
    assert_eq!(text, r#"{"task":null}"#);
    let (reply, _) = portal.ask(post("/api/jobs/other/next", "{}")).await;
    assert_eq!(reply.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_address_without_a_page_says_so_and_offers_a_way_back() {
    let portal = Portal::new().await;
    for path in ["/nonsense", "/work/job/more", "/api/nonsense"] {
        let mut request = get(path);
        let accept = "text/html,application/xhtml+xml,*/*;q=0.8".parse().unwrap();
        request.headers_mut().insert("accept", accept);
        let (reply, page) = portal.ask(request).await;
        assert_eq!(reply.status(), StatusCode::NOT_FOUND, "{path}");
        assert!(
            page.contains("No such page") && page.contains("href=\"/\""),
            "{page}"
        );
        assert!(reply.headers().contains_key("content-security-policy"), "{path}");
        let (reply, text) = portal.ask(get(path)).await;
        assert_eq!(reply.status(), StatusCode::NOT_FOUND, "{path}");
        let said: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(said["error"], "not-found");
    }
}

#[tokio::test]
async fn a_tasks_page_is_sandboxed_and_its_data_is_text() {
    let (reply, page) = Portal::new().await.ask(get("/tasks/job.0/frame")).await;
    assert!(
        page.contains("<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"),
        "{page}"
    );
    assert!(page.contains("src=\"/crowd/crowd-html-elements.js\""), "{page}");
    let policy = reply.headers()["content-security-policy"].to_str().unwrap();
    assert!(
        policy.starts_with("sandbox allow-scripts allow-forms;"),
        "{policy}"
    );
    for rule in [
        "connect-src 'none'",
        "form-action 'none'",
        "frame-ancestors https://portal.test",
        "script-src https://portal.test/crowd/",
    ] {
        assert!(policy.contains(rule), "{policy}");
    }
    assert!(!policy.contains("allow-same-origin"), "{policy}");
    assert_eq!(reply.headers()["cache-control"], "no-store");
}

#[tokio::test]
async fn pages_forbid_inline_script_and_other_peoples_frames() {
    let portal = Portal::new().await;
    for path in ["/", "/work/job"] {
        let (reply, page) = portal.ask(get(path)).await;
        let policy = reply.headers()["content-security-policy"].to_str().unwrap();
        assert!(
            policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"),
            "{policy}"
        );
        assert_eq!(reply.headers()["x-content-type-options"], "nosniff");
        assert!(
            !page.contains("style=") && !page.contains("onclick"),
            "{path} holds something inline"
        );
    }
}

#[tokio::test]
async fn every_file_a_page_names_is_there() {
    let portal = Portal::new().await;
    let pages = [assets::HOME, assets::WORK, assets::MESSAGE].join("");
    let named = pages
        .split('"')
        .filter(|part| part.starts_with("/portal/") || part.starts_with("/crowd/"));
    for path in named.chain([
        "/portal/call.js",
        "/portal/page.js",
        "/crowd/crowd-html-elements.js",
    ]) {
        let (reply, _) = portal.ask(get(path)).await;
        assert_eq!(reply.status(), StatusCode::OK, "{path}");
    }
    assert_eq!(
        portal.ask(get("/portal/../Cargo.toml")).await.0.status(),
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn a_sign_in_starts_under_the_portals_own_name_and_a_forged_return_is_refused() {
    let portal = Portal::new().await;
    let login = |host: &str, path: &str| {
        Request::get(path)
            .header("host", host)
            .body(Body::empty())
            .unwrap()
    };
    let (reply, _) = portal.ask(login("localhost:8080", "/login?next=/work/a")).await;
    assert_eq!(
        reply.headers()["location"],
        "https://portal.test/login?moved=true&next=%2Fwork%2Fa"
    );
    let (reply, page) = portal.ask(login("portal.test", "/login")).await;
    assert_eq!(reply.status(), StatusCode::BAD_GATEWAY, "{page}");
    let (reply, page) = portal
        .ask(get("/oauth2/idpresponse?state=forged&code=stolen"))
        .await;
    assert_eq!(reply.status(), StatusCode::FORBIDDEN, "{page}");
    assert!(page.contains("Please start again"), "{page}");
}

#[tokio::test]
async fn a_link_of_another_site_signs_no_one_out() {
    let portal = Portal::new().await;
    for site in ["cross-site", "same-site"] {
        let mut link = get("/logout");
        link.headers_mut().insert("sec-fetch-site", site.parse().unwrap());
        let (reply, _) = portal.ask(link).await;
        assert_eq!(reply.headers()["location"], "/", "{site}");
        assert!(!reply.headers().contains_key("set-cookie"), "{site}");
    }
    assert_eq!(portal.ask(get("/api/me")).await.0.status(), StatusCode::OK);
}
