//! Host headers: a foreign page that points its own name at this machine, and a proxy's headers that any client can send.

use anyhow::Result;
use tests::app::App;
use tests::raw;

const PAGES: [&str; 8] = [
    "/",
    "/work/x",
    "/api/jobs",
    "/login",
    "/outbox",
    "/outbox/api",
    "/console",
    "/console/api/model",
];

#[tokio::test(flavor = "multi_thread")]
async fn no_page_is_served_under_a_name_that_others_can_own() -> Result<()> {
    let app = App::start_bare().await?;
    let url = app.text("web_url");
    let port = raw::authority(url)
        .rsplit(':')
        .next()
        .unwrap_or_default()
        .to_owned();
    let sign_in = format!("/cognito/{}/login", app.text("user_pool_id"));
    let hosts = [
        format!("evil.example:{port}"),
        "evil.example".to_owned(),
        format!("127.0.0.1.evil.example:{port}"),
        format!("localhost.evil.example:{port}"),
        format!("evil.example:{port}@127.0.0.1:{port}"),
        format!("127.0.0.1:{port}.evil.example"),
        format!("evil.example#127.0.0.1:{port}"),
        "0.0.0.0".to_owned(),
        String::new(),
    ];
    for host in &hosts {
        for page in PAGES.iter().copied().chain([sign_in.as_str()]) {
            let answer = raw::get(url, page, &[("Host", host)]).await?;
            assert!([400, 421].contains(&answer.status), "{host}{page}: {answer:?}");
            assert!(
                !answer.text.contains("<!doctype html>"),
                "{host}{page}: {answer:?}"
            );
        }
    }
    let nameless = raw::get(url, "/", &[]).await?;
    assert_eq!(nameless.status, 400, "{nameless:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_request_says_of_its_host_ends_up_in_no_address() -> Result<()> {
    let app = App::start_bare().await?;
    let url = app.text("web_url");
    let own = raw::authority(url);
    for name in [
        "X-Forwarded-Host",
        "X-Host",
        "Forwarded",
        "X-Original-URL",
        "X-Forwarded-Proto",
    ] {
        for page in ["/login", "/", "/logout", "//evil.example/", "/work/x"] {
            let headers = [("Host", own), (name, "evil.example")];
            let answer = raw::get(url, page, &headers).await?;
            let moved = answer
                .text
                .lines()
                .find(|line| line.to_ascii_lowercase().starts_with("location:"));
            assert!(
                !moved.is_some_and(|line| line.contains("//evil.example")),
                "{page} {name}: {answer:?}"
            );
        }
    }
    let by_another_name = own.replace("127.0.0.1", "localhost");
    let answer = raw::get(url, "//evil.example/", &[("Host", &by_another_name)]).await?;
    let moved = answer
        .text
        .lines()
        .find_map(|line| line.strip_prefix("location: "))
        .unwrap_or_default();
    assert!(moved.starts_with(url) || answer.status >= 400, "{answer:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_sent_on_to_an_address_of_the_attackers() -> Result<()> {
    let app = App::start_bare().await?;
    let url = app.text("web_url");
    let own = [("Host", raw::authority(url))];
    let pool = format!("/cognito/{}", app.text("user_pool_id"));
    let client = app.text("client_id");
    let back = "http%3A%2F%2Fevil.example%2Foauth2%2Fidpresponse";
    let near = format!(
        "{}%2Foauth2%2Fidpresponse%2F..%2F..%2F%2Fevil.example",
        url.replace("://", "%3A%2F%2F")
    );
    for target in [
        "/login?next=https%3A%2F%2Fevil.example".to_owned(),
        "/login?next=%2F%2Fevil.example".to_owned(),
        "/login?next=%2Fwork%2F..%2F..%2F%2Fevil.example&moved=true".to_owned(),
        format!("{pool}/logout?logout_uri=https%3A%2F%2Fevil.example"),
        format!(
            "{pool}/logout?logout_uri={}.evil.example",
            url.replace("://", "%3A%2F%2F")
        ),
        format!("{pool}/oauth2/authorize?client_id={client}&response_type=code&redirect_uri={back}"),
        format!("{pool}/oauth2/authorize?client_id={client}&response_type=code&redirect_uri={near}"),
        format!("{pool}/oauth2/authorize?client_id=evil&response_type=code&redirect_uri={back}"),
    ] {
        let answer = raw::get(url, &target, &own).await?;
        let moved = answer
            .text
            .lines()
            .find(|line| line.to_ascii_lowercase().starts_with("location:"));
        assert!(
            !moved.is_some_and(|line| line.contains("evil.example")),
            "{target}: {answer:?}"
        );
    }
    Ok(())
}
