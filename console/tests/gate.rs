//! Who gets in, through the router itself: no store stands behind it, so whatever passes the gate fails later.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::time::Duration;

use aws::sdk::Sdk;
use aws_config::{BehaviorVersion, SdkConfig};
use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use console::{ConsoleConfig, Hints, link_token, router};
use shared::name::JobPrefix;
use tower::ServiceExt as _;

const HOST: &str = "127.0.0.1:8080";
const TOKEN: &str = "0123456789abcdef0123456789abcdef";

fn console() -> axum::Router {
    router(config())
}

fn config() -> ConsoleConfig {
    let sdk = SdkConfig::builder().behavior_version(BehaviorVersion::latest());
    let sdk = Sdk::from(&sdk.build());
    ConsoleConfig {
        labeling_sdk: sdk.clone(),
        sdk,
        input_bucket: "in".into(),
        output_bucket: "out".into(),
        job_prefix: JobPrefix::new("gc00").unwrap(),
        queues: Vec::new(),
        portal_url: format!("http://{HOST}"),
        outbox_url: None,
        public_url: format!("http://{HOST}"),
        secret: TOKEN.into(),
        hints: Hints::default(),
        refresh: Duration::from_secs(1),
    }
}

thread_local! {
    /// Sessions are the console's own: one console a test, which has its thread to itself.
    static CONSOLE: axum::Router = console();
}

async fn ask(method: &str, path: &str, headers: &[(&str, &str)]) -> Response<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if !headers.iter().any(|(name, _)| *name == "host") {
        request = request.header("host", HOST);
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    CONSOLE
        .with(Clone::clone)
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap()
}

async fn cookie() -> String {
    let answer = ask("GET", &format!("/console?token={}", link_token(TOKEN)), &[]).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    assert_eq!(answer.headers()[header::LOCATION], "/console");
    let cookie = answer.headers()[header::SET_COOKIE].to_str().unwrap().to_owned();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"),
        "{cookie}"
    );
    assert!(!cookie.contains(TOKEN), "the cookie gives the token away");
    cookie.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_link_works_once_and_the_secret_itself_is_no_link() {
    let link = format!("/console?token={}", link_token(TOKEN));
    assert_eq!(ask("GET", &link, &[]).await.status(), StatusCode::SEE_OTHER);
    for spent in [link, format!("/console?token={TOKEN}")] {
        let answer = ask("GET", &spent, &[]).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{spent}");
    }
}

#[tokio::test]
async fn a_browser_that_signs_out_is_out_and_others_stay() {
    let (leaving, staying) = (cookie().await, cookie().await);
    assert_ne!(leaving, staying, "each sign-in is a session of its own");
    let path = "/console/api/sign-out";
    let without_header = ask("POST", path, &[("cookie", &leaving)]).await;
    assert_eq!(without_header.status(), StatusCode::FORBIDDEN);
    let out = ask("POST", path, &[("cookie", &leaving), ("x-groundcrew", "1")]).await;
    assert_eq!(out.status(), StatusCode::NO_CONTENT);
    assert!(
        out.headers()[header::SET_COOKIE]
            .to_str()
            .unwrap()
            .contains("Max-Age=0")
    );
    let after = ask("GET", "/console", &[("cookie", &leaving)]).await;
    assert_eq!(after.status(), StatusCode::UNAUTHORIZED);
    let other = ask("GET", "/console", &[("cookie", &staying)]).await;
    assert_eq!(other.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_program_shows_the_secret_and_pages_beside_the_console_want_a_session_too() {
    let beside = axum::Router::new().route("/outbox", axum::routing::get(async || "mail"));
    let app = console::router_with_pages(config(), beside);
    for (header, status) in [
        (format!("Bearer {TOKEN}"), StatusCode::OK),
        (format!("Bearer {TOKEN}0"), StatusCode::UNAUTHORIZED),
        ("Bearer ".to_owned(), StatusCode::UNAUTHORIZED),
        (TOKEN.to_owned(), StatusCode::UNAUTHORIZED),
    ] {
        let request = Request::get("/outbox")
            .header("host", HOST)
            .header("authorization", &header);
        let answer = app
            .clone()
            .oneshot(request.body(Body::empty()).unwrap())
            .await
            .unwrap();
        assert_eq!(answer.status(), status, "{header}");
    }
}

#[tokio::test]
async fn without_the_cookie_nothing_is_shown() {
    for path in [
        "/console",
        "/console/",
        "/console/assets/app.js",
        "/console/api/model",
        "/console/api/events",
        "/console/api/people",
        "/console/api/team/numbers-team",
    ] {
        assert_eq!(
            ask("GET", path, &[]).await.status(),
            StatusCode::UNAUTHORIZED,
            "{path}"
        );
    }
    for wrong in [
        "/console?token=",
        "/console?token=x",
        "/console/api/model?token=0123456789abcdef0123456789abcdef",
    ] {
        let answer = ask("GET", wrong, &[]).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{wrong}");
        assert!(!answer.headers().contains_key(header::SET_COOKIE), "{wrong}");
    }
}

#[tokio::test]
async fn the_locked_page_says_what_to_do_and_has_its_looks() {
    let answer = ask("GET", "/console", &[]).await;
    let page = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    let page = String::from_utf8(page.to_vec()).unwrap();
    assert!(
        page.contains("This console is locked") && page.contains("?token="),
        "{page}"
    );
    for look in ["/console/assets/style.css", "/console/assets/icon.svg"] {
        assert!(page.contains(look), "{page}");
        assert_eq!(ask("GET", look, &[]).await.status(), StatusCode::OK, "{look}");
        assert_eq!(
            ask("GET", look, &[("host", "evil.example:8080")]).await.status(),
            StatusCode::MISDIRECTED_REQUEST
        );
    }
}

#[tokio::test]
async fn an_address_without_a_page_leads_back_to_the_console() {
    let cookie = cookie().await;
    let answer = ask("GET", "/console/nonsense", &[("cookie", &cookie)]).await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    let page = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    assert!(String::from_utf8_lossy(&page).contains("href=\"/console\""));
    assert_eq!(
        ask("GET", "/console/nonsense", &[]).await.status(),
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn the_link_opens_the_page_and_its_files() {
    let cookie = cookie().await;
    for path in ["/console", "/console/assets/app.js", "/console/assets/style.css"] {
        let answer = ask("GET", path, &[("cookie", &cookie)]).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        let csp = answer.headers()[header::CONTENT_SECURITY_POLICY]
            .to_str()
            .unwrap();
        assert!(
            csp.starts_with("default-src 'none'") && !csp.contains("unsafe"),
            "{csp}"
        );
    }
    let missing = ask("GET", "/console/assets/nothing.js", &[("cookie", &cookie)]).await;
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_foreign_host_or_origin_is_turned_away_even_with_the_cookie() {
    let cookie = cookie().await;
    let foreign_host = ask(
        "GET",
        "/console",
        &[("cookie", &cookie), ("host", "evil.example:8080")],
    )
    .await;
    assert_eq!(foreign_host.status(), StatusCode::MISDIRECTED_REQUEST);
    for origin in ["http://evil.example", "http://127.0.0.1:8081", "null"] {
        let answer = ask(
            "GET",
            "/console/api/model",
            &[("cookie", &cookie), ("origin", origin)],
        )
        .await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{origin}");
    }
    let own = [("cookie", cookie.as_str()), ("origin", "http://127.0.0.1:8080")];
    assert_eq!(ask("GET", "/console", &own).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_change_needs_the_header_that_forms_cannot_send() {
    let cookie = cookie().await;
    let path = "/console/api/deadletters/none/redrive";
    assert_eq!(
        ask("POST", path, &[("cookie", &cookie)]).await.status(),
        StatusCode::FORBIDDEN
    );
    let with = [("cookie", cookie.as_str()), ("x-groundcrew", "1")];
    assert_eq!(ask("POST", path, &with).await.status(), StatusCode::NOT_FOUND);
    for (method, path) in [
        ("PUT", "/console/api/team/numbers-team"),
        ("POST", "/console/api/team/numbers-team/leaving"),
    ] {
        let answer = ask(method, path, &[("cookie", &cookie), ("if-none-match", "*")]).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{method} {path}");
    }
}

#[tokio::test]
async fn no_team_can_be_called_by_a_path() {
    let cookie = cookie().await;
    let with = [
        ("cookie", cookie.as_str()),
        ("x-groundcrew", "1"),
        ("if-none-match", "*"),
    ];
    for name in ["..%2Fcats%2Flabeling", "a%20b", "-a", "_unlisted", "a.yaml"] {
        let answer = ask("PUT", &format!("/console/api/team/{name}"), &with).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{name}");
    }
}

#[tokio::test]
async fn an_upload_to_a_place_outside_any_dataset_is_refused_with_the_reason() {
    let cookie = cookie().await;
    let with = [("cookie", cookie.as_str()), ("x-groundcrew", "1")];
    for path in [
        "teams/x.yaml",
        "cats/..%2F..%2Fteams%2Fx.yaml",
        "..%2Fx/y",
        "cats/a%00b",
        "cats//a",
    ] {
        let answer = ask("PUT", &format!("/console/api/upload/{path}"), &with).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{path}");
    }
}

#[tokio::test]
async fn only_what_people_may_read_of_the_output_bucket_is_served() {
    let cookie = cookie().await;
    for key in [
        "notified/x",
        "people/x",
        "specs/x",
        "jobs/d/000001/started",
        "",
        "../results/x",
    ] {
        let answer = ask(
            "GET",
            &format!("/console/api/object?key={key}"),
            &[("cookie", &cookie)],
        )
        .await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{key}");
    }
}
