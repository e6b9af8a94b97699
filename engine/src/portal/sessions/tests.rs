//! What happens to a session as time passes, with a provider and an engine.

use axum::body::{Body, to_bytes};
use http::{Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;
use crate::portal::tests::{KEY, config};
use crate::portal::{PortalState, router};
use crate::sign_in::stand_in::{Provider, TokenReply};
use crate::testing::{TestEngine, TestWorld, one_answer_each, parity};

/// A browser, with an engine and a provider.
struct Browser {
    world: TestWorld,
    engine: TestEngine,
    provider: Arc<Provider>,
    state: PortalState,
    cookies: Vec<(String, String)>,
}

impl Browser {
    async fn new() -> Browser {
        let world = TestWorld::default();
        world.numbers(3);
        let engine = world.engine().await;
        engine.create_team().await;
        let provider = Provider::start().await;
        provider.say(|says| {
            says.claims["cognito:groups"] = json!(["crew"]);
            says.refresh = Some("refresh-1".to_owned());
        });
        Browser {
            state: portal(&engine, &provider),
            world,
            engine,
            provider,
            cookies: Vec::new(),
        }
    }

    async fn signed_in() -> Browser {
        let mut browser = Browser::new().await;
        assert_eq!(browser.sign_in().await.0, StatusCode::SEE_OTHER);
        browser
    }

    async fn sign_in(&mut self) -> (StatusCode, String) {
        let (status, location) = self.get("/login").await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{location}");
        let url = openidconnect::url::Url::parse(&location).unwrap();
        let asked = |name| {
            url.query_pairs()
                .find(|(key, _)| key == name)
                .unwrap()
                .1
                .into_owned()
        };
        self.provider.say(|says| says.nonce = json!(asked("nonce")));
        self.get(&format!("/oauth2/idpresponse?code=c&state={}", asked("state")))
            .await
    }

    async fn get(&mut self, path: &str) -> (StatusCode, String) {
        self.send(Request::get(path)).await
    }

    async fn post(&mut self, path: &str, body: &Value) -> (StatusCode, String) {
        let request = Request::post(path).header("content-type", "application/json");
        self.send_with(request.header("x-groundcrew", "1"), Body::from(body.to_string()))
            .await
    }

    async fn send(&mut self, request: http::request::Builder) -> (StatusCode, String) {
        self.send_with(request, Body::empty()).await
    }

    /// The status, and the location or the body.
    async fn send_with(&mut self, request: http::request::Builder, body: Body) -> (StatusCode, String) {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = request.header("cookie", cookies.join("; ")).body(body).unwrap();
        let reply = router(self.state.clone()).oneshot(request).await.unwrap();
        for set in reply.headers().get_all("set-cookie") {
            let (name, value) = set
                .to_str()
                .unwrap()
                .split(';')
                .next()
                .unwrap()
                .split_once('=')
                .unwrap();
            self.cookies.retain(|(known, _)| known != name);
            self.cookies.push((name.to_owned(), value.to_owned()));
        }
        let status = reply.status();
        if let Some(location) = reply.headers().get("location") {
            return (status, location.to_str().unwrap().to_owned());
        }
        let body = to_bytes(reply.into_body(), usize::MAX).await.unwrap();
        (status, String::from_utf8_lossy(&body).into_owned())
    }

    async fn me(&mut self) -> (StatusCode, Value) {
        let (status, body) = self.get("/api/me").await;
        (status, serde_json::from_str(&body).unwrap())
    }

    async fn groups(&mut self) -> Value {
        let (status, me) = self.me().await;
        assert_eq!(status, StatusCode::OK, "{me}");
        me["groups"].clone()
    }

    fn documents(&self) -> Vec<String> {
        self.world.store.keys("state", keys::SESSIONS)
    }
}

fn portal(engine: &TestEngine, provider: &Provider) -> PortalState {
    let mut config = config();
    config.sign_in.issuer = provider.issuer.clone();
    PortalState::new(&config, &engine.core, Arc::new(engine.work.clone()), &KEY)
}

#[tokio::test]
async fn a_logged_out_cookie_no_longer_works_here_or_at_another_engine() {
    let mut browser = Browser::signed_in().await;
    let stolen = browser.cookies.clone();
    let other = browser.world.engine().await;
    let here = browser.state.clone();
    browser.state = portal(&other, &browser.provider);
    assert_eq!(browser.groups().await, json!(["crew"]));
    browser.state = here.clone();
    browser.get("/logout").await;
    assert!(browser.documents().is_empty(), "{:?}", browser.documents());
    browser.cookies = stolen;
    assert_eq!(browser.me().await.0, StatusCode::UNAUTHORIZED);
    browser.world.advance(10);
    browser.state = portal(&other, &browser.provider);
    assert_eq!(browser.me().await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn signing_in_again_leaves_no_session_behind() {
    let mut browser = Browser::signed_in().await;
    assert_eq!(browser.sign_in().await.0, StatusCode::SEE_OTHER);
    assert_eq!(browser.documents().len(), 1);
    assert_eq!(browser.me().await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_stored_session_reveals_nothing_without_the_cookie() {
    let browser = Browser::signed_in().await;
    let name = &browser.documents()[0];
    let stored = browser.world.store.text(&format!("s3://state/{name}")).unwrap();
    for secret in ["ada@example.com", "crew", "refresh-1", "private."] {
        assert!(!stored.contains(secret), "{stored}");
    }
}

#[tokio::test]
async fn a_person_removed_from_a_team_loses_its_work_within_five_minutes() {
    let mut browser = Browser::signed_in().await;
    browser.engine.job("numbers", |_| {}).await;
    let (_, next) = browser.post("/api/jobs/numbers/next", &json!({})).await;
    let next: Value = serde_json::from_str(&next).unwrap();
    let token = next["task"]["token"].as_str().unwrap().to_owned();
    browser
        .provider
        .say(|says| says.claims["cognito:groups"] = json!(["others"]));
    browser.world.advance(299);
    assert_eq!(browser.groups().await, json!(["crew"]));
    browser.world.advance(1);
    assert_eq!(browser.groups().await, json!(["others"]));
    let (_, jobs) = browser.get("/api/jobs").await;
    assert!(!jobs.contains("numbers"), "{jobs}");
    // Also the task in hand: see `Desk::submit`.
    let answer = json!({"answer": parity(0)});
    let (status, body) = browser.post(&format!("/api/tasks/{token}/answer"), &answer).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "{body}");
}

#[tokio::test]
async fn a_session_lasts_until_the_provider_refuses_it() {
    let mut browser = Browser::signed_in().await;
    for hour in 0..30 {
        browser.world.advance(3600);
        assert_eq!(browser.me().await.0, StatusCode::OK, "after {hour} hours");
    }
    browser
        .provider
        .say(|says| says.token_reply = TokenReply::Refused);
    browser.world.advance(300);
    assert_eq!(browser.me().await.0, StatusCode::UNAUTHORIZED);
    browser.provider.say(|says| says.token_reply = TokenReply::Full);
    assert_eq!(browser.me().await.0, StatusCode::UNAUTHORIZED);
    assert!(browser.documents().is_empty());
}

#[tokio::test]
async fn groups_are_used_for_an_hour_while_the_provider_is_away() {
    let mut browser = Browser::signed_in().await;
    browser.provider.say(|says| says.token_reply = TokenReply::Away);
    browser.world.advance(3599);
    let before = browser.provider.request_count();
    for _ in 0..5 {
        assert_eq!(browser.groups().await, json!(["crew"]));
    }
    assert_eq!(browser.provider.request_count() - before, 1);
    browser.world.advance(1);
    let (status, said) = browser.me().await;
    assert_eq!(
        (status, &said["error"]),
        (StatusCode::SERVICE_UNAVAILABLE, &json!("unavailable"))
    );
    browser.provider.say(|says| says.token_reply = TokenReply::Full);
    browser.world.advance(30);
    assert_eq!(browser.groups().await, json!(["crew"]));
}

#[tokio::test]
async fn many_requests_at_once_ask_the_provider_once() {
    let browser = Browser::signed_in().await;
    browser.world.advance(300);
    let before = browser.provider.request_count();
    let value = &browser
        .cookies
        .iter()
        .find(|(name, _)| name == "groundcrew-session")
        .unwrap()
        .1;
    let ask = || {
        let request = Request::get("/api/me").header("cookie", format!("groundcrew-session={value}"));
        router(browser.state.clone()).oneshot(request.body(Body::empty()).unwrap())
    };
    for reply in futures::future::join_all((0..20).map(|_| ask())).await {
        assert_eq!(reply.unwrap().status(), StatusCode::OK);
    }
    assert_eq!(browser.provider.request_count() - before, 1);
}

#[tokio::test]
async fn a_refresh_for_another_person_ends_the_session() {
    let mut browser = Browser::signed_in().await;
    browser.provider.say(|says| says.claims["sub"] = json!("9999"));
    browser.world.advance(300);
    assert_eq!(browser.me().await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_rotated_refresh_token_is_stored() {
    let mut browser = Browser::signed_in().await;
    browser.provider.say(|says| says.rotates = true);
    for round in 1..4 {
        browser.world.advance(300);
        assert_eq!(browser.me().await.0, StatusCode::OK, "round {round}");
    }
    let says = browser.provider.says.lock().unwrap();
    assert_eq!(says.asked.last().unwrap()["refresh_token"], "refresh-1++");
}

#[tokio::test]
async fn without_a_refresh_token_people_sign_in_again_after_an_hour() {
    let mut browser = Browser::new().await;
    browser.provider.say(|says| says.refresh = None);
    browser.sign_in().await;
    browser.world.advance(3599);
    assert_eq!(browser.me().await.0, StatusCode::OK);
    browser.world.advance(1);
    assert_eq!(browser.me().await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_session_unused_for_a_working_day_is_ended_and_deleted() {
    let mut browser = Browser::signed_in().await;
    browser.world.advance(12 * 3600);
    assert_eq!(browser.me().await.0, StatusCode::UNAUTHORIZED);
    browser.world.advance(1);
    browser.state.sessions.sweep().await.unwrap();
    assert!(browser.documents().is_empty());
}

#[tokio::test]
async fn a_person_without_a_group_is_looked_up_again_soon() {
    let mut browser = Browser::new().await;
    browser
        .provider
        .say(|says| says.claims["cognito:groups"] = json!([]));
    browser.sign_in().await;
    browser
        .provider
        .say(|says| says.claims["cognito:groups"] = json!(["crew"]));
    let teams = |said: (StatusCode, String)| serde_json::from_str::<Value>(&said.1).unwrap()["teams"].clone();
    assert_eq!(teams(browser.get("/api/jobs").await), json!([]));
    browser.world.advance(30);
    assert_eq!(teams(browser.get("/api/jobs").await), json!(["crew"]));
}

#[tokio::test]
async fn outside_the_workforces_networks_there_is_no_portal() {
    let browser = Browser::signed_in().await;
    let networks = |cidrs: Value| json!({"WorkforceName": "default", "SourceIpConfig": {"Cidrs": cidrs}});
    let ask = async |from: Option<&str>, path: &str| {
        let mut request = Request::get(path).body(Body::empty()).unwrap();
        if let Some(from) = from {
            let peer = axum::extract::ConnectInfo(std::net::SocketAddr::new(from.parse().unwrap(), 4711));
            request.extensions_mut().insert(peer);
        }
        router(browser.state.clone())
            .oneshot(request)
            .await
            .unwrap()
            .status()
    };
    assert_eq!(ask(None, "/").await, StatusCode::OK);
    let given = networks(json!(["203.0.113.0/24", "2001:db8::/32"]));
    let updated = browser
        .engine
        .call("UpdateWorkforce", given.clone())
        .await
        .unwrap();
    assert_eq!(updated["Workforce"]["SourceIpConfig"], given["SourceIpConfig"]);
    for (from, expected) in [
        (Some("203.0.113.7"), StatusCode::OK),
        (Some("2001:db8::7"), StatusCode::OK),
        (Some("198.51.100.7"), StatusCode::NOT_FOUND),
        (Some("2001:db9::7"), StatusCode::NOT_FOUND),
        (None, StatusCode::NOT_FOUND),
    ] {
        assert_eq!(ask(from, "/").await, expected, "{from:?}");
    }
    for path in [
        "/login",
        "/api/jobs",
        "/oauth2/idpresponse",
        "/portal/home.js",
        "/work/x",
    ] {
        assert_eq!(
            ask(Some("198.51.100.7"), path).await,
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
    browser
        .engine
        .call("UpdateWorkforce", networks(json!([])))
        .await
        .unwrap();
    assert_eq!(ask(Some("198.51.100.7"), "/").await, StatusCode::OK);
}

/// A workforce with its own provider, from the API to the labels.
#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one story in one test")]
async fn an_openid_connect_workforce_takes_over_without_a_restart() {
    let mut browser = Browser::signed_in().await;
    let engine = &browser.engine;
    engine
        .call("DeleteWorkteam", json!({"WorkteamName": "crew"}))
        .await
        .unwrap();
    engine
        .call("DeleteWorkforce", json!({"WorkforceName": "default"}))
        .await
        .unwrap();
    let config = browser
        .provider
        .oidc_config()
        .to_string()
        .replace("http://", "https://");
    let config: Value = serde_json::from_str(&config).unwrap();
    let request = json!({"WorkforceName": "own", "OidcConfig": config});
    engine.call("CreateWorkforce", request).await.unwrap();
    // The API takes no endpoint without TLS; this provider has none.
    let at = "s3://state/workforces/default.json";
    let stored = browser
        .world
        .store
        .text(at)
        .unwrap()
        .replace("https://127", "http://127");
    browser.world.store.put_text(at, &stored);
    crate::keeper::supervise(&browser.engine.core).await.unwrap();
    for (team, group) in [("crew", "labelers"), ("others", "crew")] {
        let members = json!([{"OidcMemberDefinition": {"Groups": [group]}}]);
        let request = json!({"WorkteamName": team, "Description": "x", "MemberDefinitions": members});
        browser.engine.call("CreateWorkteam", request).await.unwrap();
    }
    browser.engine.job("numbers", one_answer_each).await;
    browser
        .engine
        .job("secret", |r| {
            let arn = "arn:aws:sagemaker:us-east-1:000000000000:workteam/private-crowd/others";
            r["HumanTaskConfig"]["WorkteamArn"] = json!(arn);
        })
        .await;
    // The session is with the other provider, in a group that happens to have the same name as one here.
    assert_eq!(browser.me().await.0, StatusCode::UNAUTHORIZED);
    browser.provider.say(|says| {
        says.claims = json!({"sub": "1234", "email_verified": true});
        says.info = json!({
            "sub": "1234", "sagemaker-sub": "jane", "sagemaker-client_id": "portal", "sagemaker-name": "Jane",
            "sagemaker-groups": ["labelers"],
        });
    });
    assert_eq!(browser.sign_in().await, (StatusCode::SEE_OTHER, "/".to_owned()));
    let (_, jobs) = browser.get("/api/jobs").await;
    assert!(jobs.contains("numbers") && !jobs.contains("secret"), "{jobs}");
    assert_eq!(
        browser.post("/api/jobs/secret/next", &json!({})).await.0,
        StatusCode::NOT_FOUND
    );
    for _ in 0..3 {
        let (_, next) = browser.post("/api/jobs/numbers/next", &json!({})).await;
        let next: Value = serde_json::from_str(&next).unwrap();
        let token = next["task"]["token"].as_str().unwrap();
        let answer = json!({"answer": parity(0)});
        let (status, body) = browser.post(&format!("/api/tasks/{token}/answer"), &answer).await;
        assert_eq!(status, StatusCode::OK, "{body}");
    }
    browser.engine.wait_for_status("numbers", "Completed").await;
    let raw = browser
        .world
        .store
        .keys("out", "labels/numbers/annotations/worker-response/");
    let raw = browser.world.store.text(&format!("s3://out/{}", raw[0])).unwrap();
    let raw: Value = serde_json::from_str(&raw).unwrap();
    let identity = &raw["answers"][0]["workerMetadata"]["identityData"];
    let expected = json!({"identityProviderType": "Oidc", "issuer": browser.provider.issuer, "sub": "jane"});
    assert_eq!(*identity, expected);
    // Groups follow this provider as well, by its user-info endpoint if a refresh brings no ID token.
    browser.provider.say(|says| {
        says.token_reply = TokenReply::WithoutIdToken;
        says.info["sagemaker-groups"] = json!("crew");
    });
    browser.world.advance(300);
    let (_, jobs) = browser.get("/api/jobs").await;
    assert!(jobs.contains("secret"), "{jobs}");
}

#[tokio::test]
async fn while_the_workforce_cannot_be_read_no_one_is_admitted() {
    let mut browser = Browser::signed_in().await;
    let at = "s3://state/workforces/default.json";
    let good = browser.world.store.text(at).unwrap();
    browser.world.store.put_text(at, "{\"name\":");
    crate::keeper::supervise(&browser.engine.core).await.unwrap();
    for path in ["/", "/login", "/api/jobs", "/oauth2/idpresponse"] {
        assert_eq!(
            browser.get(path).await.0,
            StatusCode::SERVICE_UNAVAILABLE,
            "{path}"
        );
    }
    browser.world.store.put_text(at, &good);
    crate::keeper::supervise(&browser.engine.core).await.unwrap();
    assert_eq!(
        browser.get("/api/jobs").await.0,
        StatusCode::OK,
        "the session is still there"
    );
}

#[tokio::test]
async fn signing_out_leads_to_the_provider_and_back_and_not_round_again() {
    let mut browser = Browser::signed_in().await;
    let (_, out) = browser.get("/logout").await;
    assert!(out.starts_with(&browser.provider.issuer), "{out}");
    let url = openidconnect::url::Url::parse(&out).unwrap();
    let (_, back) = url.query_pairs().find(|(name, _)| name == "logout_uri").unwrap();
    let path = back.strip_prefix("https://portal.test").unwrap().to_owned();
    assert_eq!(browser.get(&path).await, (StatusCode::SEE_OTHER, "/".to_owned()));
    // A person who signs in again can sign out again.
    browser.sign_in().await;
    let (_, again) = browser.get("/logout").await;
    assert!(again.starts_with(&browser.provider.issuer), "{again}");
    assert!(browser.documents().is_empty());
}

#[tokio::test]
async fn an_unreadable_session_does_not_stop_the_sweep() {
    let browser = Browser::signed_in().await;
    let damaged = format!("s3://state/{}0000.json", keys::SESSIONS);
    browser.world.store.put_text(&damaged, "{");
    browser.world.advance(13 * 3600);
    browser.state.sessions.sweep().await.unwrap();
    assert_eq!(browser.documents(), Vec::<String>::new());
}
