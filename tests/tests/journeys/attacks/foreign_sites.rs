//! What a page of another site can send in a signed-in person's name, and sign-ins that an attacker prepared.

use anyhow::{Context, Result};
use reqwest::{Method, StatusCode};
use serde_json::json;
use tests::app::App;
use tests::aws::Aws;
use tests::job::OwnJob;
use tests::sign_in::{self, PENDING, SESSION};
use tests::worker::{Worker, WorkerReply};

const ATTACKER: (&str, &str) = ("mallory@example.com", "Mallory-reads-others-7");
const ELSEWHERE: &str = "https://evil.example";

/// Headers as a browser sends them with a form, a script or a link of another site: it adds the cookies, the site cannot
/// add headers of its own.
fn forged_headers() -> Vec<Vec<(&'static str, &'static str)>> {
    let cross = [("sec-fetch-site", "cross-site"), ("origin", ELSEWHERE)];
    let same_host = [("sec-fetch-site", "same-site"), ("origin", ELSEWHERE)];
    let kinds = [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
    ];
    let mut all: Vec<_> = kinds
        .into_iter()
        .flat_map(|kind| {
            [
                vec![("content-type", kind)],
                [vec![("content-type", kind)], cross.to_vec()].concat(),
            ]
        })
        .collect();
    // Were the header guessed by a form that has JSON for a name and a value.
    all.push(vec![("content-type", "text/plain"), ("x-groundcrew", "1")]);
    all.push(vec![("content-type", "application/json")]);
    let whole = vec![("content-type", "application/json"), ("x-groundcrew", "1")];
    all.push([whole.clone(), cross.to_vec()].concat());
    all.push([whole, same_host.to_vec()].concat());
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn another_site_changes_nothing_at_the_portal() -> Result<()> {
    let app = App::start_bare().await?;
    let portal = app.text("web_url");
    OwnJob::new(&app, "forged", &["2", "3"]).create(&app).await?;
    let (email, password) = app.worker();
    let worker = Worker::new(email, password)?;
    worker.sign_in(portal).await?;
    let task = OwnJob::new(&app, "forged", &[]).take(&worker, portal).await?;
    let token = task["token"].as_str().context("a token")?;
    let body = r#"{"answer":{"crowd-classifier":{"label":"Even"}}}"#;
    for path in [
        format!("/api/tasks/{token}/answer"),
        format!("/api/tasks/{token}/decline"),
        format!("/api/tasks/{token}/release"),
        "/api/jobs/forged/next".to_owned(),
    ] {
        for headers in forged_headers() {
            let mut post = worker.http().post(format!("{portal}{path}")).body(body);
            for (name, value) in &headers {
                post = post.header(*name, *value);
            }
            let answer = post.send().await?;
            assert!(
                answer.status().is_client_error(),
                "{path} {headers:?}: {answer:?}"
            );
        }
        let gotten = worker.http().get(format!("{portal}{path}")).send().await?;
        assert!(gotten.status().is_client_error(), "GET {path}: {gotten:?}");
    }
    let held = worker.task(portal, token).await?;
    assert!(matches!(held, WorkerReply::Done(_)), "still held: {held:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn another_site_reads_nothing_and_is_promised_nothing() -> Result<()> {
    let app = App::start_bare().await?;
    let http = sign_in::client()?;
    let pool = format!("/cognito/{}", app.text("user_pool_id"));
    let console = "/console/api/model".to_owned();
    for path in [
        "/api/me".to_owned(),
        "/api/jobs".to_owned(),
        "/api/tasks/x.0/answer".to_owned(),
        "/outbox/api".to_owned(),
        "/".to_owned(),
        format!("{pool}/oauth2/token"),
        format!("{pool}/oauth2/userInfo"),
        console,
    ] {
        for method in [Method::OPTIONS, Method::GET] {
            let ask = http.request(method.clone(), format!("{}{path}", app.text("web_url")));
            let answer = ask
                .header("origin", ELSEWHERE)
                .header("access-control-request-method", "POST")
                .header("access-control-request-headers", "x-groundcrew,content-type")
                .send()
                .await?;
            let allowed = answer.headers().get("access-control-allow-origin");
            assert!(allowed.is_none(), "{method} {path}: {answer:?}");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn another_site_signs_nobody_out() -> Result<()> {
    let app = App::start_bare().await?;
    let portal = app.text("web_url");
    let session = sign_in::session(portal, app.worker()).await?;
    let leave = async |site: &str| {
        let ask = sign_in::client()?.get(format!("{portal}/logout"));
        let ask = ask.header("cookie", format!("{SESSION}={session}"));
        anyhow::Ok(ask.header("sec-fetch-site", site).send().await?)
    };
    let foreign = leave("cross-site").await?;
    assert!(foreign.headers().get("set-cookie").is_none(), "{foreign:?}");
    let own = leave("same-origin").await?;
    let mut set = own.headers().get_all("set-cookie").iter();
    let is_taken = |cookie: &str| cookie.starts_with(SESSION) && cookie.contains("Max-Age=0");
    assert!(set.any(|cookie| cookie.to_str().is_ok_and(is_taken)), "{own:?}");
    Ok(())
}

/// The hosted sign-in's own way out is a link, as OpenID Connect has it: a foreign page can have it followed, and then the
/// next sign-in asks for the password. It ends no session of the portal, and leads to no place of the foreign page's choosing.
#[tokio::test(flavor = "multi_thread")]
async fn another_sites_link_to_the_sign_ins_way_out_takes_no_session_and_leads_nowhere() -> Result<()> {
    let app = App::start_bare().await?;
    let portal = app.text("web_url");
    let session = sign_in::session(portal, app.worker()).await?;
    let begun = sign_in::begin(portal).await?;
    let passed = sign_in::pass(&begun.form, app.worker()).await?;
    let remembered = sign_in::cookie(&passed, "groundcrew_sign_in").context("a sign-in to end")?;
    let way_out = format!("{portal}/cognito/{}/logout", app.text("user_pool_id"));
    let client = app.text("client_id");
    for to in [
        ELSEWHERE.to_owned(),
        format!("{portal}.evil.example/"),
        format!("{portal}@evil.example/"),
        format!("{portal}//evil.example"),
        format!("{portal}/\\evil.example"),
        "//evil.example".to_owned(),
        "javascript:alert(1)".to_owned(),
        format!("{portal}/\r\nLocation: {ELSEWHERE}"),
    ] {
        for parameter in ["logout_uri", "redirect_uri", "post_logout_redirect_uri"] {
            let mut address = reqwest::Url::parse(&way_out)?;
            address
                .query_pairs_mut()
                .append_pair("client_id", client)
                .append_pair(parameter, &to);
            let ask = sign_in::client()?
                .get(address)
                .header("sec-fetch-site", "cross-site");
            let answer = ask.header("referer", ELSEWHERE).send().await?;
            assert!(
                answer.headers().get("location").is_none(),
                "{parameter}={to}: {answer:?}"
            );
            let page = answer.text().await?;
            assert!(
                !page.contains("evil.example") && !page.contains("javascript:"),
                "{to}: {page}"
            );
        }
    }
    let cookie = format!("groundcrew_sign_in={remembered}; {SESSION}={session}");
    let left = sign_in::client()?.get(&way_out).header("cookie", cookie);
    let left = left.header("sec-fetch-site", "cross-site").send().await?;
    assert!(sign_in::cookie(&left, SESSION).is_none(), "{left:?}");
    let me = sign_in::client()?.get(format!("{portal}/api/me"));
    let me = me.header("cookie", format!("{SESSION}={session}")).send().await?;
    assert_eq!(me.status(), StatusCode::OK, "the portal's session goes on");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn another_site_changes_nothing_at_the_console() -> Result<()> {
    let app = App::start_bare().await?;
    let http = sign_in::client()?;
    let opened = http.get(app.console_url()).send().await?;
    let set = opened
        .headers()
        .get("set-cookie")
        .and_then(|cookie| cookie.to_str().ok());
    let set = set.context("the console gives a cookie")?.to_owned();
    for guard in ["HttpOnly", "SameSite=Strict", "Path=/console"] {
        assert!(set.contains(guard), "{set}");
    }
    let cookie = set.split(';').next().unwrap_or_default().to_owned();
    let console = app.text("console_url");
    let queue = app.info["queues"][0]["name"].as_str().unwrap_or_default();
    let endpoints = [
        (Method::PUT, "/api/upload/forged/labeling.yaml".to_owned()),
        (Method::POST, "/api/check-spec".to_owned()),
        (Method::POST, format!("/api/deadletters/{queue}/redrive")),
    ];
    for (method, path) in endpoints {
        let send = async |headers: &[(&str, &str)]| {
            let mut ask = http
                .request(method.clone(), format!("{console}{path}"))
                .body("task: x");
            for (name, value) in headers {
                ask = ask.header(*name, *value);
            }
            anyhow::Ok(ask.send().await?.status())
        };
        for headers in [
            vec![("cookie", cookie.as_str())],
            vec![
                ("cookie", cookie.as_str()),
                ("origin", ELSEWHERE),
                ("x-groundcrew", "1"),
            ],
            vec![
                ("cookie", cookie.as_str()),
                ("origin", "null"),
                ("x-groundcrew", "1"),
            ],
            vec![("x-groundcrew", "1")],
            vec![("cookie", "groundcrew-console-00000000=x"), ("x-groundcrew", "1")],
        ] {
            let status = send(&headers).await?;
            let refused = [StatusCode::FORBIDDEN, StatusCode::UNAUTHORIZED].contains(&status);
            assert!(refused, "{method} {path} {headers:?}: {status}");
        }
    }
    let kept = app
        .s3()?
        .list_objects_v2()
        .bucket(app.text("input_bucket"))
        .prefix("forged/");
    assert_eq!(kept.send().await?.contents().len(), 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_consoles_token_opens_it_at_one_address_only() -> Result<()> {
    let app = App::start_bare().await?;
    let http = sign_in::client()?;
    let console = app.text("console_url");
    let token = &console::link_token(app.text("console_secret"));
    for path in ["/api/model", "/api/spec/x", "/api/object", "/assets/console.js"] {
        let answer = http
            .get(format!("{console}{path}?token={token}&key=status/x.json"))
            .send()
            .await?;
        assert_eq!(answer.status(), 401, "{path}");
    }
    for wrong in ["", "x", &token[1..], &format!("{token}0"), &token.to_uppercase()] {
        if wrong != token {
            let answer = http.get(format!("{console}?token={wrong}")).send().await?;
            assert_eq!(answer.status(), 401);
            assert!(answer.headers().get("set-cookie").is_none());
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn another_sites_form_signs_nobody_in() -> Result<()> {
    let app = App::start_bare().await?;
    Aws::of(&app).hire(&app, ATTACKER).await?;
    let begun = sign_in::begin(app.text("web_url")).await?;
    let fields = [
        ("username", ATTACKER.0),
        ("password", ATTACKER.1),
        ("again", ATTACKER.1),
        ("code", "000000"),
        ("session", "x"),
    ];
    for page in [
        "/login",
        "/newPassword",
        "/forgotPassword",
        "/confirmForgotPassword",
    ] {
        let mut address = begun.form.clone();
        address.set_path(&begun.form.path().replace("/login", page));
        for origin in [ELSEWHERE, "null", "http://localhost.evil.example"] {
            let form = sign_in::client()?.post(address.clone()).form(&fields);
            let answer = form.header("origin", origin).send().await?;
            assert!(answer.status().is_client_error(), "{page} {origin}: {answer:?}");
            assert!(
                answer.headers().get("set-cookie").is_none(),
                "{page} {origin}: {answer:?}"
            );
        }
    }
    Ok(())
}

/// The attacker signs in, keeps the way back for themselves, and has another person's browser follow it.
#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_that_somebody_else_began_cannot_be_finished() -> Result<()> {
    let app = App::start_bare().await?;
    let portal = app.text("web_url");
    Aws::of(&app).hire(&app, ATTACKER).await?;
    let theirs = sign_in::begin(portal).await?;
    let own = sign_in::begin(portal).await?;
    let way = sign_in::onward(&sign_in::pass(&theirs.form, ATTACKER).await?)?;
    for pending in ["", "x", own.pending.as_str()] {
        let answer = sign_in::back(way.clone(), pending).await?;
        assert_eq!(sign_in::cookie(&answer, SESSION), None, "{answer:?}");
        assert!(answer.status().is_client_error(), "{answer:?}");
    }
    let mut mixed = way.clone();
    let state = own.form.query_pairs().find(|(name, _)| name == "state");
    let state = state.map(|(_, value)| value.into_owned()).unwrap_or_default();
    let code = way.query_pairs().find(|(name, _)| name == "code");
    let code = code.map(|(_, value)| value.into_owned()).unwrap_or_default();
    mixed
        .query_pairs_mut()
        .clear()
        .append_pair("code", &code)
        .append_pair("state", &state);
    let answer = sign_in::back(mixed, &own.pending).await?;
    assert_eq!(
        sign_in::cookie(&answer, SESSION),
        None,
        "another sign-in's code: {answer:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_gives_a_session_of_its_own_and_its_way_back_works_once() -> Result<()> {
    let app = App::start_bare().await?;
    let portal = app.text("web_url");
    let planted = sign_in::session(portal, app.worker()).await?;
    let begun = sign_in::begin(portal).await?;
    let passed = sign_in::pass(&begun.form, app.worker()).await?;
    let remembered = sign_in::cookie(&passed, "groundcrew_sign_in");
    let way = sign_in::onward(&passed)?;
    let ask = sign_in::client()?.get(way.clone());
    let cookies = format!("{PENDING}={}; {SESSION}={planted}", begun.pending);
    let entered = ask.header("cookie", cookies).send().await?;
    let given = sign_in::cookie(&entered, SESSION).context("a session")?;
    assert_ne!(given, planted);
    let again = sign_in::back(way, &begun.pending).await?;
    assert_eq!(sign_in::cookie(&again, SESSION), None, "{again:?}");

    // The provider does not take up a name for its session that it did not give.
    let next = sign_in::begin(portal).await?;
    let ask = sign_in::client()?.get(next.form.as_str().replace("/login?", "/oauth2/authorize?"));
    let chosen = ask
        .header("cookie", "groundcrew_sign_in=chosen-by-the-attacker")
        .send()
        .await?;
    assert!(sign_in::onward(&chosen)?.path().ends_with("/login"), "{chosen:?}");
    let passed = sign_in::client()?
        .post(next.form)
        .header("cookie", "groundcrew_sign_in=chosen-by-the-attacker")
        .form(&[("username", app.worker().0), ("password", app.worker().1)])
        .send()
        .await?;
    let fresh = sign_in::cookie(&passed, "groundcrew_sign_in");
    assert!(fresh.is_some() && fresh != remembered && fresh.as_deref() != Some("chosen-by-the-attacker"));
    for cookie in passed
        .headers()
        .get_all("set-cookie")
        .iter()
        .chain(entered.headers().get_all("set-cookie"))
    {
        let cookie = cookie.to_str()?;
        assert!(
            cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") || cookie.contains("Max-Age=0"),
            "{cookie}"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_of_the_sign_in_is_worth_nothing_by_itself() -> Result<()> {
    let app = App::start_bare().await?;
    let portal = app.text("web_url");
    let begun = sign_in::begin(portal).await?;
    let way = sign_in::onward(&sign_in::pass(&begun.form, app.worker()).await?)?;
    let code = way.query_pairs().find(|(name, _)| name == "code");
    let code = code.map(|(_, code)| code.into_owned()).unwrap_or_default();
    let exchange = format!("{portal}/cognito/{}/oauth2/token", app.text("user_pool_id"));
    let back = format!("{portal}/oauth2/idpresponse");
    for secret in ["", "guess"] {
        let fields = json!({
            "grant_type": "authorization_code", "code": code, "redirect_uri": back, "client_secret": secret,
            "client_id": app.text("client_id"), "code_verifier": "guess",
        });
        let answer = sign_in::client()?.post(&exchange).form(&fields).send().await?;
        assert!(answer.status().is_client_error(), "{answer:?}");
        assert!(!answer.text().await?.contains("id_token"));
    }
    Ok(())
}
